"""How the series of a chart are told apart: a colour each where there are colours, and always a glyph of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

Look = Literal["colour", "pattern", "ascii"]
"""`colour`: whole blocks, the order of the legend is the order of the stack. `pattern`: each series has its own fill, for
few colours or none. `ascii`: the same in the characters of every terminal."""

MOST = 8
"""Series a chart can tell apart; the last is grey and stands for all others."""
OTHER = MOST - 1
"""The ink of what is not named."""
REST = frozenset({"other", "*"})
"""Keys that stand for all that is not named."""
NONE, LIMIT, AXIS = -1, -2, -3
"""No ink; the limit's; the axes'."""

DARK = ("#82aaff", "#e6b673", "#4fb3a5", "#b794d6", "#a8c97f", "#d98a6a", "#6c8ebf", "#5a6579")
LIGHT = ("#2f6fbf", "#d2942a", "#23897b", "#8a5bb8", "#6aa03c", "#bf5b34", "#7fa6d8", "#a5acb6")
ANSI = ("blue", "yellow", "cyan", "magenta", "green", "bright_white", "bright_blue", "bright_black")
"""Neighbours differ in lightness too."""

FILLS: Mapping[Look, str] = {"colour": "████████", "pattern": "█▒▚░▓▞▖·", "ascii": "#=o:%+x."}
LETTERS = "ABCDEFGH"
"""What marks the end of a line, and the line in the legend."""


def inks(keys: Iterable[str], before: Mapping[str, int]) -> dict[str, int]:
    """An ink for each key: the one it had, else the first that is free, so that a new order changes no colour."""
    wanted = list(dict.fromkeys(keys))
    found = {key: before[key] for key in wanted if key in before}
    found |= {key: OTHER for key in wanted if key in REST}
    free = [ink for ink in range(MOST) if ink not in found.values()]
    for key in wanted:
        if key not in found:
            found[key] = free.pop(0) if free else OTHER
    return found
