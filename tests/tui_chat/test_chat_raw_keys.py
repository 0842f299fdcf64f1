"""The documented keys, as the bytes that a terminal sends, against the real program in a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest

ROOT = Path(__file__).parents[2]
DEADLINE = 30.0


class Terminal:
    """The program and a person in front of it."""

    def __init__(self, home: Path) -> None:
        self.screen = pyte.Screen(100, 30)
        self._stream = pyte.ByteStream(self.screen)
        pid, self._fd = pty.fork()
        if pid == 0:
            os.chdir(ROOT)
            os.environ.update(SWITCHROOM_HOME=str(home), TERM="xterm-256color", EDITOR="true")
            os.execv(sys.executable, [sys.executable, "-m", "cli.main", "--demo"])
        self._pid = pid
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))

    def send(self, data: bytes) -> None:
        os.write(self._fd, data)

    def see(self, words: str, *, gone: bool = False) -> None:
        """Read until the words stand on the screen (or no longer do)."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            if (words in "\n".join(self.screen.display)) is not gone:
                return
            if select.select([self._fd], [], [], 0.1)[0]:
                self._stream.feed(os.read(self._fd, 65536))
        raise AssertionError(
            f"{words!r} {'stayed' if gone else 'never came'}:\n" + "\n".join(self.screen.display)
        )

    def close(self) -> None:
        os.kill(self._pid, signal.SIGTERM)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                if select.select([self._fd], [], [], 0.05)[0]:
                    os.read(self._fd, 65536)
            except OSError:
                break
        os.waitpid(self._pid, 0)
        os.close(self._fd)


@pytest.fixture
def terminal(home: Path) -> Iterator[Terminal]:
    one = Terminal(home)
    yield one
    one.close()


def test_the_keys_of_the_chat_as_a_terminal_sends_them(terminal: Terminal) -> None:
    terminal.see("today")
    terminal.send(b"6")
    terminal.see("Talk to")
    terminal.send(b"first\nsecond")  # ctrl+j
    terminal.see("second")
    assert "first" in "\n".join(terminal.screen.display)
    terminal.send(b"\x15\x7f\x15")  # ctrl+u, backspace, ctrl+u
    terminal.see("Ask something")
    terminal.send(b"\x14")  # ctrl+t
    terminal.see("Which model?")
    terminal.send(b"\x1b")
    terminal.see("Which model?", gone=True)
    terminal.send(b"\x1bOS")  # F4
    terminal.see("Parameters of this conversation")
    terminal.send(b"\x1b")
    terminal.see("Parameters of this conversation", gone=True)
    terminal.send(b"compare in a table\r")
    terminal.see("tok/s · ")
    terminal.send(b"\x07")  # ctrl+g
    terminal.see("Conversations")
    terminal.send(b"\x1b")
    terminal.see("type what was said", gone=True)
    terminal.send(b"\x1b")
    terminal.see("r retry")
    terminal.send(b"y")
    terminal.see("Copied")
    terminal.send(b"\x0e")  # ctrl+n
    terminal.see("Talk to")
    terminal.send(b":")
    terminal.see("Do what?")


def test_the_keys_that_read_copy_and_search_as_a_terminal_sends_them(terminal: Terminal) -> None:
    terminal.see("today")
    terminal.send(b"6")
    terminal.see("Talk to")
    terminal.send(b"\x07")  # ctrl+g
    terminal.see("What a request costs")
    terminal.send(b"What a req")
    terminal.send(b"\r")
    terminal.see("For a batch of 10,000")
    terminal.send(b"\x1b[5~")  # page up, from the prompt
    terminal.see("more below: esc, then G")
    terminal.send(b"\x1b")
    terminal.see("more below: G")
    terminal.send(b"G")
    terminal.see("more below", gone=True)
    terminal.send(b"g")
    terminal.see("Write a Python function for the cost")
    terminal.send(b"]")
    terminal.see("y copy answer")
    terminal.send(b"]")
    terminal.see("y copy code")
    terminal.see("▌ │ python")
    terminal.send(b"y")
    terminal.see("Copied from decimal")
    terminal.send(b"vjo")
    terminal.see("y copy marked")
    terminal.send(b"\x1b")
    terminal.see("[ ] pick")
    terminal.send(b"/price")
    terminal.see("of 8  n next")
    terminal.send(b"\rn")
    terminal.see("2 of 8")
    terminal.send(b"N")
    terminal.see("1 of 8")
    terminal.send(b"\x1b")
    terminal.see("1 of 8", gone=True)
    terminal.send(b"X")
    terminal.see("Export 4 messages to which file?")
    terminal.send(b"\x1b")
    terminal.see("Export 4 messages", gone=True)
    terminal.send(b"t")
    terminal.see("t folds")
    terminal.send(b"e")
    terminal.see("keep as it was")
    terminal.send(b"\x1b")
    terminal.see("keep as it was", gone=True)
