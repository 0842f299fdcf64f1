"""What is drawn goes by what the terminal can: nothing without a cursor to move, its own colours where it has sixteen."""

from __future__ import annotations

import pytest
from rich.color import ColorSystem
from rich.console import Console

from catalog.errors import UsageError
from tui.clipboard import osc52, through_screen
from tui.terminal import few_colours, in_gnu_screen, name_colours, refuse_unable, theme_for


@pytest.mark.parametrize("name", ["dumb", "", "unknown", "emacs"])
def test_a_terminal_that_cannot_draw_is_told_so(name: str) -> None:
    with pytest.raises(UsageError, match=r"cannot show a full screen") as caught:
        refuse_unable({"TERM": name})
    assert "switchroom --help" in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["linux", "xterm", "xterm-16color", "screen-256color", "tmux-256color", "vt220", "xterm-kitty"])  # fmt: skip
def test_sixteen_colours_are_drawn_in_the_terminals_own(name: str) -> None:
    environ = {"TERM": name}
    refuse_unable(environ)
    rich = Console(force_terminal=True, _environ=environ)._color_system
    assert few_colours(environ) is (rich is ColorSystem.STANDARD)
    assert theme_for("dark", environ) == ("ansi" if rich is ColorSystem.STANDARD else "dark")


@pytest.mark.parametrize(
    ("name", "told"), [("xterm-ghostty", "truecolor"), ("foot-extra", "truecolor"), ("xterm-256color", None)]
)
def test_a_name_that_promises_all_colours_is_believed_also_over_ssh(name: str, told: str | None) -> None:
    environ = {"TERM": name}
    name_colours(environ)
    assert environ.get("COLORTERM") == told
    chosen = {"TERM": name, "COLORTERM": "no"}
    name_colours(chosen)
    assert chosen["COLORTERM"] == "no"


def test_gnu_screen_is_known_by_its_session_and_over_ssh_by_its_name() -> None:
    assert in_gnu_screen({"STY": "1234.pts-0.host", "TERM": "xterm-256color"})
    assert in_gnu_screen({"TERM": "screen.xterm-256color"})
    assert not in_gnu_screen({"TERM": "screen-256color"})  # what tmux goes by too


def test_what_gnu_screen_passes_on_is_the_sequence_itself() -> None:
    wrapped = through_screen(osc52("long " * 400))
    pieces = wrapped.removeprefix("\x1bP").removesuffix("\x1b\\").split("\x1b\\\x1bP")
    assert "".join(pieces) == osc52("long " * 400)
    assert max(map(len, pieces)) < 768
