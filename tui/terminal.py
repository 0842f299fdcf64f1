"""What the terminal can show, by the names it goes by: nothing to draw on, sixteen colours, or more."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping

from catalog.errors import UsageError

_NO_CURSOR = frozenset({"dumb", "unknown", "emacs", "cons", "printer", "lpr", "tty"})
"""Terminals that cannot put the cursor anywhere: a pipe with a name, an editor's shell window, paper."""
_TRUE_COLOUR = frozenset({"alacritty", "contour", "direct", "foot", "ghostty", "kitty", "rio", "wezterm"})
"""Parts of the names of terminals that have always had 24-bit colour."""


def refuse_unable(environ: Mapping[str, str] = os.environ) -> None:
    """Raise UsageError where nothing can be drawn, with what to do about it."""
    name = environ.get("TERM", "")
    if name.partition("-")[0] in _NO_CURSOR or not name:
        what = f"TERM is “{name}”" if name else "TERM is not set"
        raise UsageError(
            f"{what}: this terminal cannot show a full screen.",
            hint="Use another terminal, or say what it is (TERM=xterm-256color switchroom). The commands work everywhere: switchroom --help",
        )


def name_colours(environ: MutableMapping[str, str] = os.environ) -> None:
    """Say that there are 16 million colours where the terminal's name promises them: COLORTERM does not cross SSH."""
    if not _TRUE_COLOUR.isdisjoint(environ.get("TERM", "").lower().split("-")):
        environ.setdefault("COLORTERM", "truecolor")


def few_colours(environ: Mapping[str, str] = os.environ) -> bool:
    """True where sixteen colours are all there is to be sure of: the test by which Rich decides what to send."""
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return False
    return environ.get("TERM", "").strip().lower().rpartition("-")[2] not in ("256color", "kitty")


def in_gnu_screen(environ: Mapping[str, str] = os.environ) -> bool:
    """True inside GNU screen, also at the other end of an SSH login that sends the name on."""
    return bool(environ.get("STY")) or environ.get("TERM", "").startswith("screen.")


def theme_for(wanted: str, environ: Mapping[str, str] = os.environ) -> str:
    """The theme to show for the one that is set. Pressed into sixteen colours, the shades of the others run together:
    the terminal's own colours are shown instead."""
    return "ansi" if few_colours(environ) else wanted
