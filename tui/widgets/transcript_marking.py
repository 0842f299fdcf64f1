"""How text is marked with keys: whole rows between two ends, either of which can be moved, also by words and characters."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from textual.geometry import Offset
from textual.selection import Selection

from tui.widgets.markdown_wrap import Line

_WORD_ENDS = re.compile(r"(?<=\S)(?=\s|$)|(?<=\s)(?=\S)")


@dataclass(slots=True)
class Marking:
    """A marked stretch. An end without a column stands at the edge of its row."""

    first: int
    last: int
    left: int | None = None
    right: int | None = None
    lower: bool = True
    """The lower end is the one that moves."""

    @property
    def row(self) -> int:
        """The row of the end that moves."""
        return self.last if self.lower else self.first

    def other_end(self) -> None:
        """From now on the other end moves."""
        self.lower = not self.lower

    def move_to(self, row: int) -> None:
        """Take the moving end to a row, whole; past the other end it becomes that end."""
        if row < self.first if self.lower else row > self.last:
            other = self.first if self.lower else self.last
            self.first, self.last = sorted((row, other))
            self.left = self.right = None
            self.lower = not self.lower
        elif self.lower:
            self.last, self.right = row, None
        else:
            self.first, self.left = row, None

    def sideways(self, by: int, words: bool, line: Callable[[int], Line]) -> None:
        """Move the end within its row, by characters or to the next edge of a word."""
        row = line(self.row)
        text, low = row.text, row.pad
        column = self.right if self.lower else self.left
        at = column if column is not None else len(text) if self.lower else low
        if words:
            edges = [match.start() for match in _WORD_ENDS.finditer(text) if match.start() >= low]
            steps = [edge for edge in edges if (edge > at if by > 0 else edge < at)]
            at = (min(steps) if by > 0 else max(steps)) if steps else (len(text) if by > 0 else low)
        else:
            at += by
        if self.lower:
            least = (low if self.left is None else self.left) + 1 if self.first == self.last else low
            self.right = min(len(text), max(least, at))
        else:
            most = (
                (len(text) if self.right is None else self.right) - 1
                if self.first == self.last
                else len(text)
            )
            self.left = max(low, min(most, at))

    def selection(self, line: Callable[[int], Line]) -> Selection:
        """The stretch as Textual knows it."""
        end = len(line(self.last).text) if self.right is None else self.right
        start = min(self.left or 0, end) if self.first == self.last else self.left or 0
        return Selection(Offset(start, self.first), Offset(end, self.last))
