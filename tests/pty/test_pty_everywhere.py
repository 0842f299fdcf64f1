"""The keys that work in every mode, the windows they open and the table's own, as raw bytes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from pty_stage import ESC, bytes_of, do, go, key, program, walk

SCRIBBLE = "another program was here"

WALK = (
    go("", "Overview ·"),
    key("mode.providers", "2", "Providers ·", "openai-prod"),
    key("mode.models", "3", "Models ·"),
    key("mode.sync", "4", "Sync ·"),
    key("mode.usage", "5", "Usage ·"),
    key("mode.audit", "9", "Audit ·"),
    key("mode.settings", "0", "Settings ·"),
    key("mode.chat", "6", "Chat ·", "Ask something"),
    go(ESC, "i prompt"),
    key("mode.overview", "1", "Overview ·"),
    key("app.help", "question_mark", "Keys that work here"),
    key("window.leave", "escape", gone="Keys that work here"),
    key("app.help", "f1", "Keys that work here"),
    go(ESC, gone="Keys that work here"),
    key("app.palette", "ctrl+p", "Do what?"),
    go(ESC, gone="Do what?"),
    key("app.palette", "colon", "Do what?"),
    go("mode go to", on="Go to Models"),
    go(bytes_of("down"), on="Go to Overview"),
    key("pick.down", "down", on="Go to Providers"),
    key("pick.down", "ctrl+n", on="Go to Sync"),
    key("pick.up", "up", on="Go to Providers"),
    key("pick.page_down", "pagedown", on="Go to Settings"),
    key("pick.page_up", "pageup", on="Go to Models"),
    go(bytes_of("down") * 2, on="Go to Providers"),
    key("pick.choose", "enter", "Providers ·", "openai-prod", gone="Do what?"),
    key("app.alerts", "exclamation_mark", "Alerts and messages"),
    go(ESC, gone="Alerts and messages"),
    key("app.interrupt", "ctrl+c", "Nothing is running here"),
    do(lambda terminal: terminal.scribble(f"\x1b[20;20H{SCRIBBLE}"), SCRIBBLE),
    key("app.redraw", "ctrl+l", gone=SCRIBBLE),
    key("app.offline", "O", "Go offline?"),
    key("confirm.no", "n", gone="Go offline?"),
    go("O", "Go offline?"),
    key("confirm.yes", "y", "OFFLINE"),
    go("O", "Online again", gone="OFFLINE"),
    go("/openai-p\r", on="openai-prod"),
    key("screen.copy", "y", copied="openai-prod"),
    go("!", "Alerts and messages", on="azure-eu"),
    go("Copied", on="Copied openai-prod"),
    go("\r", "y copy  esc back"),
    key("alert.copy", "y", copied="Copied openai-prod"),
    key("alert.back", "enter", gone="y copy  esc back"),
    go(ESC, gone="Alerts and messages"),
    key("app.suspend", "ctrl+z", "Stopped", gone="Providers ·"),
    go("fg\r", "Providers ·", "openai-prod"),
    key("app.quit", "q", "shell$", gone="Providers ·"),
)

TINY = (
    do(lambda terminal: terminal.resize(40, 10), gone="Recent runs"),
    key("small.quit", "q", "EXIT=0"),
)

EMPTY = (
    go("", "Overview ·", "kept only once its test has passed"),
    key("overview.add", "a", "Add a provider: which one?"),
)

TABLE = (
    go("2", "Providers ·", "openai-prod"),
    go("/", "words to look for"),
    go("row-", "60 of"),
    key("filter.keep", "enter", on="row-00"),
    key("table.down", "j", on="row-01"),
    key("table.down", "down", on="row-02"),
    key("table.up", "k", on="row-01"),
    key("table.up", "up", on="row-00"),
    key("table.last", "G", on="row-59"),
    key("table.first", "g", on="row-00"),
    key("table.last", "end", on="row-59"),
    key("table.first", "home", on="row-00"),
    key("table.half_down", "ctrl+d", on="row-17"),
    key("table.half_up", "ctrl+u", on="row-00"),
    key("table.page_down", "pagedown", on="row-34"),
    key("table.page_up", "pageup", on="row-00"),
    key("table.mark", "space", "✓"),
)


def test_the_keys_of_every_mode(copied_home: Callable[[], Path]) -> None:
    with program("everywhere", copied_home(), shell=True) as terminal:
        walk(terminal, WALK)


def test_the_keys_of_tables(copied_home: Callable[[], Path]) -> None:
    with program("tables", copied_home()) as terminal:
        terminal.until("Overview ·")
        walk(terminal, TABLE)


def test_a_stop_from_outside_is_slept_through(copied_home: Callable[[], Path]) -> None:
    with program("stopped", copied_home(), shell=True) as terminal:
        terminal.until("Overview ·")
        os.kill(terminal.pid(), signal.SIGSTOP)
        terminal.until("Stopped")
        terminal.send(b"fg\r")
        terminal.until("Overview ·", gone=("Stopped",))
        terminal.send(b"2")
        terminal.until("Providers ·", "openai-prod")
        terminal.send(b"q")
        terminal.until("shell$", gone=("Providers ·",))


@pytest.mark.parametrize("key", [b"", b"q"], ids=["at work", "while it quits"])
def test_the_program_ends_with_its_terminal(copied_home: Callable[[], Path], key: bytes) -> None:
    with program("lost", copied_home(), shell=True) as terminal:
        terminal.until("Overview ·", "today")
        process = psutil.Process(terminal.pid())
        if key:
            terminal.send(key)
            terminal.until("shell$", gone=("Overview ·",))
    process.wait(timeout=10)  # psutil: no child of ours, it polls


def test_the_keys_of_a_terminal_that_is_too_small(copied_home: Callable[[], Path]) -> None:
    with program("tiny", copied_home()) as terminal:
        terminal.until("Overview ·", "Recent runs")
        walk(terminal, TINY)


def test_the_keys_of_a_first_start(tmp_path: Path) -> None:
    with program("empty", tmp_path / "home") as terminal:
        terminal.until("Overview", " a ")
        walk(terminal, EMPTY)
