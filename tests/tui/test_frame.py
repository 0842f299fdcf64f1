"""The frame: status line, modes, footer, start errors, and what a real terminal sends for the main keys."""

from __future__ import annotations

import base64
import os
import pty
import select
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pyte
import pytest

from catalog.errors import StoreError
from tui import clipboard
from tui.app import SwitchroomApp
from tui.messages import StatusFacts
from tui.widgets.footer import fitted
from tui.widgets.status import line, segments

ROOT = Path(__file__).resolve().parents[2]
FACTS = StatusFacts(
    offline=True, alerts=2, today=Decimal("1.42"), day_limit=Decimal(5), month=Decimal("41.2"), runs=2, tok_per_s=83.4
)  # fmt: skip


def test_the_status_line_is_cut_from_the_right_between_parts() -> None:
    def text(cells: int) -> str:
        return "".join(part for part, _ in line(segments("Providers", FACTS), cells))

    assert (
        text(200)
        == "Providers · ⊘ OFFLINE · ! 2 alerts · today $1.42 / $5.00 · month $41.20 · 2 runs 83 tok/s"
    )
    assert text(50) == "Providers · ⊘ OFFLINE · ! 2 alerts"
    assert text(3) == "Providers"


def test_the_footer_drops_whole_keys_and_keeps_help_and_quit() -> None:
    keys = [("x.a", "a", "add"), ("x.b", "b", "budget"), ("app.help", "?", "help"), ("app.quit", "q", "quit")]
    assert fitted(keys, 200) == keys
    assert [entry[1] for entry in fitted(keys, 26)] == ["a", "?", "q"]


async def test_a_corrupt_database_ends_with_a_sentence_and_is_left_alone(
    paths: object, app: SwitchroomApp
) -> None:
    database = app.paths.database if app.paths else Path()
    database.parent.mkdir(parents=True)
    database.write_bytes(b"this is no database" * 100)
    async with app.run_test() as pilot:
        for _ in range(200):
            await pilot.pause()
            if app.start_error is not None:
                break
    assert isinstance(app.start_error, StoreError)
    assert app.return_code == 7
    assert database.read_bytes() == b"this is no database" * 100


async def test_osc_52_and_tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "tmux"
    script.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/args\ncat > {tmp_path}/stdin\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    written: list[str] = []
    await clipboard.copy("zażółć", written.append)
    assert not (tmp_path / "args").exists()
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    await clipboard.copy("zażółć", written.append)
    sequence = f"\x1b]52;c;{base64.b64encode('zażółć'.encode()).decode()}\a"
    assert written == [sequence, sequence]
    assert (tmp_path / "args").read_text().strip() == "load-buffer -w -"
    assert (tmp_path / "stdin").read_text() == "zażółć"


class Terminal:
    """The real program on a pseudo-terminal, read by an independent terminal emulator."""

    def __init__(self, home: Path, size: tuple[int, int], *options: str, **environment: str) -> None:
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self.output = b""
        self.leader, follower = pty.openpty()
        import fcntl
        import struct
        import termios

        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        names = {**os.environ, "SWITCHROOM_HOME": str(home), "TERM": "xterm-256color", **environment}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", *options], cwd=ROOT, stdin=follower, stdout=follower, stderr=follower,
            env=names, start_new_session=True,
        )  # fmt: skip
        os.close(follower)

    def until(self, words: str, *, gone: bool = False, seconds: float = 20.0) -> str:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if (words in (text := "\n".join(self.screen.display))) is not gone:
                return text
            if select.select([self.leader], [], [], 0.1)[0]:
                try:
                    data = os.read(self.leader, 65536)
                except OSError:
                    break
                self.output += data
                self._stream.feed(data)
        raise AssertionError(f"{words!r} never came:\n" + "\n".join(self.screen.display))

    def send(self, raw: bytes) -> None:
        os.write(self.leader, raw)

    def close(self) -> int:
        try:
            return self.process.wait(15)
        finally:
            if self.process.poll() is None:
                self.process.kill()
            os.close(self.leader)


def test_raw_bytes_of_the_main_keys_in_a_real_terminal(home: Path) -> None:
    terminal = Terminal(home, (100, 30))
    terminal.until("digits switch modes")
    terminal.send(b"2")
    terminal.until("No providers yet")
    terminal.until("digits switch modes", gone=True)
    for key in (b"?", b"\x1bOP"):  # F1
        terminal.send(key)
        terminal.until("Keys that work here")
        terminal.send(b"\x1b")
        terminal.until("Keys that work here", gone=True)
    terminal.send(b"\x10")  # ctrl+p
    terminal.until("Do what?")
    terminal.send(b"g ot" + b"\x7f" * 3 + b"o to\x1b[B")
    terminal.until("▌ mode      Go to Providers")
    terminal.send(b"\x1b")
    terminal.until("Do what?", gone=True)
    terminal.send(b":")
    terminal.until("Do what?")
    terminal.send(b"\x03")  # ctrl+c closes a window
    terminal.until("Do what?", gone=True)
    terminal.send(b"\x03")
    terminal.until("q quits")
    terminal.send(b"q")
    assert terminal.close() == 0


def test_keys_that_arrive_together_act_in_their_order(home: Path) -> None:
    """A slow line or `tmux send-keys` delivers a whole sentence and its Enter in one piece."""
    terminal = Terminal(home, (120, 40), "--demo")
    terminal.until("today")
    terminal.send(b"2/nothing")  # the keys behind a mode's digit are for that mode
    terminal.until("/ nothing")
    terminal.send(b"\x1b")
    terminal.until("/ nothing", gone=True)
    for _ in range(2):  # the first time the line has to be made
        terminal.send(b"/qxz")  # none of these acts on the table
        terminal.until("/ qxz")
        terminal.send(b"\x1b")
        terminal.until("/ qxz", gone=True)
    terminal.send(b":quit")  # nor is the q taken by the screen under the window to come
    terminal.until("│  quit  ")
    terminal.send(b"\x1b")
    terminal.until("Do what?", gone=True)
    terminal.send(b"?quit")
    terminal.until("│  quit  ")
    terminal.send(b"\x1b")
    terminal.until("Keys that work here", gone=True)
    terminal.send(b"6")
    terminal.until("Ask something")
    terminal.send(b"hello worlt\x7fd\r")
    terminal.until("▌ hello world")
    terminal.send(b"\x1b")
    terminal.until("Ask something")
    terminal.send(b"\x10")
    terminal.until("Do what?")
    terminal.send(b"go to ptov\x7f\x7f\x7froviders\r")
    terminal.until("TTFT p50/p95")
    terminal.send(b"q")
    terminal.until("Quit now?") if "run" in terminal.screen.display[0] else None
    terminal.send(b"y")
    assert terminal.close() == 0


def test_without_colour_glyph_and_word_still_say_it(home: Path) -> None:
    terminal = Terminal(home, (80, 24), NO_COLOR="1")
    terminal.until("Welcome")
    terminal.send(b"q")
    assert terminal.close() == 0
    import re

    colours = [code for code in re.findall(rb"\x1b\[([0-9;]*)m", terminal.output) if b"38;2;" in code]
    assert all(len(set(code.split(b"38;2;")[1].split(b";")[:3])) == 1 for code in colours), (
        "a colour that is no grey"
    )


def test_a_newer_database_ends_in_one_line_and_status_7(home: Path) -> None:
    (home / "data").mkdir()
    (home / "data" / "switchroom.db").write_bytes(b"nonsense" * 600)
    terminal = Terminal(home, (100, 30))
    terminal.until("switchroom.db")
    assert terminal.close() == 7
    assert b"Traceback" not in terminal.output


def test_a_signal_ends_it_cleanly(home: Path) -> None:
    terminal = Terminal(home, (100, 30))
    terminal.until("Welcome")
    terminal.process.terminate()
    assert terminal.close() == 130
