"""What the tests with raw keys share: the program in tmux, keys as the bytes a terminal sends, and walks of such keys."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tui import keymap
from tui.themes import DARK

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 20.0
"""Seconds until what should be on the screen counts as missing."""

_NAMED = {
    "enter": b"\r", "escape": b"\x1b", "tab": b"\t", "space": b" ", "backspace": b"\x7f", "shift+tab": b"\x1b[Z",
    "up": b"\x1b[A", "down": b"\x1b[B", "right": b"\x1b[C", "left": b"\x1b[D", "home": b"\x1b[1~", "end": b"\x1b[4~",
    "shift+up": b"\x1b[1;2A", "shift+down": b"\x1b[1;2B", "shift+right": b"\x1b[1;2C", "shift+left": b"\x1b[1;2D",
    "delete": b"\x1b[3~", "pageup": b"\x1b[5~", "pagedown": b"\x1b[6~", "slash": b"/", "question_mark": b"?",
    "exclamation_mark": b"!", "colon": b":", "left_square_bracket": b"[", "right_square_bracket": b"]",
    "full_stop": b".", "comma": b",", "less_than_sign": b"<", "greater_than_sign": b">", "number_sign": b"#",
    "plus": b"+", "minus": b"-", "backslash": b"\\", "equals_sign": b"=", "asterisk": b"*",
    "f1": b"\x1bOP", "f2": b"\x1bOQ", "f3": b"\x1bOR", "f4": b"\x1bOS", "f5": b"\x1b[15~", "f6": b"\x1b[17~",
    "f7": b"\x1b[18~", "f8": b"\x1b[19~", "f9": b"\x1b[20~", "f10": b"\x1b[21~",
}  # fmt: skip


def bytes_of(key: str) -> bytes:
    """What a terminal under tmux sends for a key by Textual's name."""
    if key in _NAMED:
        return _NAMED[key]
    if key.startswith("ctrl+") and len(key) == 6:
        return bytes([ord(key[5]) & 0x1F])
    if key.startswith("upper_"):
        return key[-1].upper().encode()
    assert len(key) == 1, key
    return key.encode()


@dataclass(frozen=True, slots=True)
class Step:
    """Bytes, and what must be on the screen after them."""

    bytes: bytes
    see: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    on: str = ""
    """Words on the row of the cursor."""
    moves: int = 0
    """Rows that the cursor stands further down than before."""
    copied: str = ""
    """What has come to the clipboard, whole, as a pattern."""
    covers: tuple[str, str] | None = None
    """The binding's id and its key; None: a step on the way."""
    act: Callable[[Tmux], None] | None = None
    """Something else done instead of keys."""

    def __str__(self) -> str:
        return f"{'/'.join(self.covers)} " if self.covers else f"{self.bytes!r} "


def key(
    id: str,  # noqa: A002
    name: str,
    *see: str,
    gone: str | tuple[str, ...] = (),
    on: str = "",
    then: str = "",
    moves: int = 0,
    copied: str = "",
) -> Step:
    """A key of the keymap and what it brings to the screen, takes from it, or puts the cursor on.

    `then` is typed right behind it: where it arrives shows where the key went.
    """
    assert see or gone or on or moves or copied, f"{id} {name}: nothing to see would prove nothing"
    data = bytes_of(name) + then.encode()
    return Step(data, see, (gone,) if isinstance(gone, str) else gone, on, moves, copied, (id, name))


def go(what: str | bytes, *see: str, gone: str | tuple[str, ...] = (), on: str = "") -> Step:
    """Anything typed on the way."""
    data = what.encode() if isinstance(what, str) else what
    return Step(data, see, (gone,) if isinstance(gone, str) else gone, on)


def do(act: Callable[[Tmux], None], *see: str, gone: str | tuple[str, ...] = ()) -> Step:
    """Something done from outside."""
    return Step(b"", see, (gone,) if isinstance(gone, str) else gone, act=act)


ESC = b"\x1b"


def _row_cursor() -> str:
    red, green, blue = bytes.fromhex(DARK.variables["row-cursor"].lstrip("#"))
    return f"48;2;{red};{green};{blue}"


_CURSOR = _row_cursor()
_SGR = re.compile(r"\x1b\[([0-9;:]*)m|\x1b[()].|\x0e|\x0f")


def cursor_lines(painted: str) -> dict[int, str]:
    """Row on the screen → the text that stands there on the cursor's background, from a screen with its colours."""
    found = {}
    for row, line in enumerate(painted.splitlines()):
        if _CURSOR not in line:
            continue
        text, on, at = "", False, 0
        for match in _SGR.finditer(line):
            text += line[at : match.start()] if on else ""
            at = match.end()
            codes = match.group(1)
            if codes is not None and ("48;" in codes or codes in ("", "0", "49") or "49" in codes.split(";")):
                on = _CURSOR in codes
        found[row] = text + (line[at:] if on else "")
    return found


def installed(name: str) -> str:
    """Where a program is that tests/real/setup.sh installs; skip without it, or fail where it was promised."""
    found = shutil.which(name)
    if found is not None:
        return found
    reason = f"{name} is not installed: run tests/real/setup.sh"
    if os.environ.get("REQUIRE_PEERS"):
        pytest.fail(reason)
    pytest.skip(reason)


class Tmux:
    """The program in a tmux of its own; bytes go in, the screen comes out."""

    def __init__(
        self, name: str, command: Sequence[str], *, columns: int = 120, rows: int = 40, shell: bool = False, **env: str
    ) -> None:  # fmt: skip
        self._base = [installed("tmux"), "-L", f"switchroom-{os.getpid()}-{name}", "-f", "/dev/null"]
        words = " ".join([*(f"{k}={shlex.quote(v)}" for k, v in env.items()), *map(shlex.quote, command)])
        line = (
            "env PS1='shell$ ' bash --norc --noprofile -i"
            if shell
            else f"{words}; echo EXIT=$?; exec sleep 600"
        )
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        for name in ("COLUMNS", "LINES"):  # a parallel test run sets them; they would hide the real size
            environment.pop(name, None)
        self._run(
            "new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", str(ROOT), line, env=environment
        )
        self._run("set-option", "-g", "set-clipboard", "on")  # what OSC 52 says becomes a buffer
        if shell:
            self.until("shell$")
            self.send(f"{words}\r".encode())

    def _run(self, *words: str, env: dict[str, str] | None = None) -> str:
        done = subprocess.run([*self._base, *words], capture_output=True, text=True, check=True, env=env)
        return done.stdout

    def screen(self) -> str:
        return self._run("capture-pane", "-p")

    def painted(self) -> str:
        """The screen with its colours."""
        return self._run("capture-pane", "-p", "-e")

    def send(self, data: bytes) -> None:
        self._run("send-keys", "-H", *(f"{byte:02x}" for byte in data))

    def resize(self, columns: int, rows: int) -> None:
        self._run("resize-window", "-x", str(columns), "-y", str(rows))

    def scribble(self, text: str) -> None:
        """Another program writes over the screen."""
        Path(self._run("display-message", "-p", "#{pane_tty}").strip()).write_text(text)

    def clear_clipboard(self) -> None:
        self._run("set-buffer", "nothing yet")

    def until_copied(self, pattern: str, seconds: float = DEADLINE) -> None:
        """Wait until the whole of what was copied last matches."""
        end = time.monotonic() + seconds
        while not re.fullmatch(pattern, found := self._run("show-buffer")):
            assert time.monotonic() < end, f"{found!r} was copied, not {pattern!r}"
            time.sleep(0.03)

    def cursor_row(self) -> int:
        """The row on the screen where the cursor stands."""
        return next(iter(cursor_lines(self.painted())), -1)

    def until(
        self,
        *see: str,
        gone: tuple[str, ...] = (),
        on: str = "",
        row: int | None = None,
        seconds: float = DEADLINE,
    ) -> str:
        """Wait until the screen is as described, and the cursor on this row of it; return it."""
        end = time.monotonic() + seconds
        while True:
            painted = self.painted()
            shown = _SGR.sub("", painted)
            cursor = cursor_lines(painted) if on or row is not None else {}
            missing = [word for word in see if word not in shown]
            stayed = [word for word in gone if word in shown]
            there = (not on or any(on in line for line in cursor.values())) and (row is None or row in cursor)
            if not missing and not stayed and there:
                return shown
            ended = "EXIT=" in shown and not any("EXIT=" in word for word in see)
            if ended or time.monotonic() > end:
                raise AssertionError(
                    f"missing {missing}, still there {stayed}, cursor on {cursor} instead of {on!r} {row or ''}:\n{shown}"
                )
            time.sleep(0.03)  # what another process draws has no event to wait for

    def pid(self) -> int:
        """The process in front, once it is not the shell."""
        shell = int(self._run("display-message", "-p", "#{pane_pid}"))
        children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
        return int(children[0])

    def close(self) -> None:
        subprocess.run([*self._base, "kill-server"], capture_output=True, check=False)


@contextmanager
def program(
    name: str, home: Path, *words: str, shell: bool = False, inside: Sequence[str] = (), **env: str
) -> Iterator[Tmux]:
    """Switchroom on a store of its own, started by the command `inside`, ended at the end whatever happens."""
    quiet = {
        "SWITCHROOM_HOME": str(home),
        "SWITCHROOM_DISCOVERY__AT_START": "off",
        "SWITCHROOM_SYNC__AT_START": "false",
        "COLORTERM": "truecolor",
        "EDITOR": "true",
    }
    command = [*inside, sys.executable, "-m", "cli.main", *words]
    terminal = Tmux(name, command, shell=shell, **{**quiet, **env})
    try:
        yield terminal
    finally:
        terminal.close()


def walk(terminal: Tmux, steps: Sequence[Step]) -> None:
    """Press the keys one after the other, each once the one before has shown what it does."""
    for number, step in enumerate(steps):
        row = terminal.cursor_row() + step.moves if step.moves else None
        if step.copied:
            terminal.clear_clipboard()
        if step.act is not None:
            step.act(terminal)
        elif step.bytes:
            terminal.send(step.bytes)
        try:
            terminal.until(*step.see, gone=step.gone, on=step.on, row=row)
            if step.copied:
                terminal.until_copied(step.copied)
        except AssertionError as error:
            raise AssertionError(f"step {number}, {step}: {error}") from None


def documented() -> set[tuple[str, str]]:
    """(binding id, key) of everything in docs/keymap.md."""
    return {
        (binding.id or "", name.strip())
        for _, bindings in keymap.tables()
        for binding in bindings
        for name in binding.key.split(",")
    }
