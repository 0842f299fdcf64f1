"""Terminals by other names and of other sizes: each mode is there, whatever the size becomes while it is open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pty_stage import ESC, installed, program

MODES = (
    ("2", "Providers"),
    ("3", "Models"),
    ("4", "Sync"),
    ("5", "Usage"),
    ("9", "Audit"),
    ("0", "Settings"),
    ("6", "Chat"),
)


@pytest.mark.parametrize("name", ["xterm-256color", "xterm-16color", "linux", "screen-256color"])
def test_each_mode_at_each_size(copied_home: Callable[[], Path], name: str) -> None:
    with program(f"term-{name}", copied_home(), TERM=name, COLORTERM="") as terminal:
        terminal.until("Overview", "today")
        for number, (key, title) in enumerate(MODES):
            columns, rows = ((80, 24), (200, 60), (60, 20), (120, 40))[number % 4]
            terminal.resize(columns, rows)
            terminal.send(key.encode())
            shown = terminal.until(title, "Ask something" if key == "6" else "today")
            assert "Traceback" not in shown
        terminal.resize(50, 15)
        terminal.until("needs 60")
        terminal.resize(80, 24)
        terminal.until("Chat")
        terminal.send(ESC)
        terminal.until("i prompt")
        terminal.send(b"q")
        terminal.until("EXIT=0")


def test_inside_gnu_screen(copied_home: Callable[[], Path], tmp_path: Path) -> None:
    """It swallows a lone esc while the mouse is asked for, and OSC 52 that is not wrapped for it."""
    (tmp_path / "sockets").mkdir(mode=0o700)
    (tmp_path / "screenrc").write_text("autodetach off\n")  # it ends with its terminal
    screen = [installed("screen"), "-c", str(tmp_path / "screenrc"), "-T", "screen-256color"]
    with program(
        "screen", copied_home(), inside=screen, TMUX="", COLORTERM="", SCREENDIR=str(tmp_path / "sockets")
    ) as terminal:
        terminal.until("Overview ·", "Recent runs")
        terminal.send(b"6")
        terminal.until("Ask something")
        terminal.send(b"hello")
        terminal.until("hello")
        terminal.send(ESC)
        terminal.until("i prompt")
        for number, (key, title) in enumerate(MODES[:-1]):
            columns, rows = ((80, 24), (200, 60), (60, 20), (120, 40))[number % 4]
            terminal.resize(columns, rows)
            terminal.send(key.encode())
            terminal.until(title, "today")
        terminal.resize(120, 40)
        terminal.send(b"3")
        terminal.until("Models ·", "claude-haiku-4-5")
        terminal.clear_clipboard()
        terminal.send(b"*y")
        terminal.until_copied(r"(\S+/\S+\n){80,}\S+/\S+")
        terminal.send(b"q")
        terminal.until("EXIT=0")


def test_a_terminal_that_cannot_draw_is_told_so(tmp_path: Path) -> None:
    with program("dumb", tmp_path / "home", TERM="dumb") as terminal:
        shown = terminal.until("EXIT=2").replace("\n", "")
    assert "cannot show a full screen" in shown


def test_a_change_made_in_one_terminal_appears_in_the_other(copied_home: Callable[[], Path]) -> None:
    home = copied_home()
    with program("one", home) as one, program("two", home) as two:
        for terminal in (one, two):
            terminal.until("Overview ·", "Recent runs")
            terminal.send(b"2")
            terminal.until("Providers ·", "openai-prod")
        two.send(b"jj")
        stays = two.until(on="groq")
        before = next(line for line in stays.splitlines() if "openai-prod" in line)
        one.send(b"/")
        one.until("words to look for")
        one.send(b"openai-p\r")
        one.until("1 of", on="openai-prod")
        one.send(b"x")
        one.until(on="off")
        two.until("○ off          openai-prod", on="groq", seconds=4)
        assert "○ off" not in before
