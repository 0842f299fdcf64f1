"""What stands on the screen after any walk is what ctrl+l paints: nothing was lost on the way to the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pyte
import pytest
from pty_stage import DEADLINE, ESC, Tmux, program

CTRL_L = b"\x0c"
Cell = tuple[object, ...]
Walk = tuple[tuple[bytes | tuple[int, int], str], ...]
WALKS: dict[str, Walk] = {
    "modes": ((b"2", "models"), (b"5", "This month"), (b"3", "context"), (b"9", "who"), (b"0", "Appearance"), (b"4", "Sync"), (b"1", "Recent runs")),
    "windows": ((b"?", "Keys"), (ESC, "Recent runs"), (b":", ""), (b"aud", "Audit"), (ESC, "Recent runs"), (b"5", "This month"), (b"b", "changed last"), (ESC, "This month"), (b"?", "Keys")),
    "tables": ((b"3", "context"), (b"j" * 30, ""), (b"G", ""), (b"g", ""), (b"/gpt", "gpt"), (ESC, ""), (b" j j ", ""), (b"\x1b[6~", ""), (b"\x1b[5~", "")),
    "charts": ((b"5", "This month"), (b"hhh", ""), (b"m", ""), (b"v", ""), (b"<", ""), (b"m", ""), (b"w", ""), (ESC, "This month"), (b"#", "")),
    "sizes": (((80, 24), "Recent runs"), (b"3", "context"), ((200, 60), "context"), (b"?", "Keys"), ((60, 20), "Keys"), (ESC, "Models"), ((120, 40), "context"), (b"1", "Recent runs"), ((50, 15), "needs 60"), ((100, 30), "Recent runs")),
}  # fmt: skip
"""Keys or sizes, and what is on the screen then."""


def _cells(painted: str) -> list[list[Cell]]:
    """What a person sees: of a space only what colours its back."""
    rows = painted.rstrip("\n").split("\n")
    screen = pyte.Screen(220, len(rows))
    pyte.Stream(screen).feed("\r\n".join(rows))
    found: list[list[Cell]] = []
    for y in range(len(rows)):
        line: list[Cell] = []
        for x in range(220):
            cell = screen.buffer[y][x]
            shape: Cell = (cell.data, cell.underscore, cell.reverse, cell.bg)
            blank = cell.data == " " and not cell.underscore and not cell.reverse
            line.append(shape if blank else (*shape, cell.fg, cell.bold, cell.italics, cell.strikethrough))
        found.append(line)
    return found


def _quiet(terminal: Tmux) -> str:
    """The screen with its colours once it no longer changes."""
    end, shown, same = time.monotonic() + DEADLINE, "", 0
    while same < 4:
        time.sleep(0.1)  # what another process draws has no event to wait for
        now = terminal._run("capture-pane", "-p", "-e", "-N")
        same = same + 1 if now == shown else 0
        shown = now
        assert time.monotonic() < end, "the screen never came to rest"
    return shown


@pytest.mark.parametrize("walk", WALKS)
def test_painting_the_screen_again_changes_nothing(copied_home: Callable[[], Path], walk: str) -> None:
    with program(f"repaint-{walk}", copied_home()) as terminal:
        terminal.until("Recent runs", "Cost per hour")
        for number, (step, see) in enumerate(WALKS[walk]):
            if isinstance(step, tuple):
                terminal.resize(*step)
            else:
                terminal.send(step)
            terminal.until(see)
            before = _cells(_quiet(terminal))
            terminal.send(CTRL_L)
            after = _cells(_quiet(terminal))
            different = [
                row for row, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]
            ]
            assert not different, f"step {number}, {step!r}: rows {different}\n{terminal.screen()}"
