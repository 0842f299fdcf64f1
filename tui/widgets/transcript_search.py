"""Where a text stands in rows of a transcript: also over the edge of a wrapped row, and kept in step with what grows."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable

from tui.widgets.markdown_wrap import Line

Part = tuple[int, int, int]
"""Row, first and past-the-last character."""


class Finder:
    """The places of one text, from the top. `find` begins, `rescan` follows changed rows."""

    def __init__(self, row: Callable[[int], Line]) -> None:
        self._row = row
        self._pattern: re.Pattern[str] | None = None
        self.word = ""
        self.places: list[tuple[Part, ...]] = []
        self.current: int | None = None
        """The place the reader was taken to."""
        self._by_row: dict[int, list[tuple[int, int, int]]] = {}

    @property
    def active(self) -> bool:
        """True while a text is looked for."""
        return self._pattern is not None

    def find(self, word: str, count: int) -> None:
        """Look for a text in `count` rows, whatever its case; an empty one ends the search."""
        words = word.split()
        self.word = word
        self._pattern = re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE) if words else None
        self.current = None
        self.rescan(0, count)

    def rescan(self, first: int, count: int) -> None:
        """Rows from `first` on have changed: look there anew. `count` rows there are now."""
        while 0 < first < count and self._row(first).joins is not None:
            first -= 1
        del self.places[bisect_left(self.places, first, key=lambda place: place[0][0]) :]
        for y in [y for y in self._by_row if y >= first]:
            del self._by_row[y]
        if self._pattern is not None:
            while first < count:
                first = self._scan(first, count, self._pattern)
        if self.current is not None and self.current >= len(self.places):
            self.current = len(self.places) - 1 if self.places else None

    def _scan(self, first: int, count: int, pattern: re.Pattern[str]) -> int:
        """Look in the line that begins with row `first`, joined over its wrapped rows; gives the row after it."""
        pieces: list[str] = []
        starts: list[int] = []
        at, y = 0, first
        while y < count:
            line = self._row(y)
            if y > first:
                if line.joins is None:
                    break
                pieces.append(line.joins)
                at += len(line.joins)
            starts.append(at)
            text = line.text[line.pad :]
            pieces.append(text)
            at += len(text)
            y += 1
        for match in pattern.finditer("".join(pieces)):
            self._add(first, starts, match.start(), match.end())
        return y

    def _add(self, first: int, starts: list[int], begin: int, end: int) -> None:
        parts: list[Part] = []
        for number, start in enumerate(starts):
            line = self._row(first + number)
            low, high = max(begin - start, 0), min(end - start, len(line.text) - line.pad)
            if low < high:
                parts.append((first + number, low + line.pad, high + line.pad))
        if not parts:
            return
        for y, low, high in parts:
            self._by_row.setdefault(y, []).append((low, high, len(self.places)))
        self.places.append(tuple(parts))

    def marks(self, y: int) -> list[tuple[int, int, bool]]:
        """What to mark in row `y`: first and past-the-last character, and whether it is the place in hand."""
        return [(low, high, number == self.current) for low, high, number in self._by_row.get(y, ())]

    def nearest(self, y: int) -> int | None:
        """The row of the first place at or below row `y`, else of the first of all; it is in hand from now on."""
        if not self.places:
            return None
        number = bisect_left(self.places, y, key=lambda place: place[0][0])
        return self._take(number % len(self.places))

    def step(self, by: int, y: int) -> int | None:
        """The row of the next place (or the one before), around the ends; from row `y` when none is in hand."""
        if self.current is None or not self.places:
            return self.nearest(y)
        return self._take((self.current + by) % len(self.places))

    def _take(self, number: int) -> int:
        self.current = number
        return self.places[number][0][0]
