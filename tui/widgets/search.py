"""Which rows a filter line finds; what is searched in a row is read once and kept until the row changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from tui.widgets.facets import Facet, Query, fuzzy, looseness, parse

T = TypeVar("T")

_RANKED = 5_000
"""Among more rows than this, nobody looks for the best of what was found letter by letter."""
_LONGEST = 64
"""Nobody types more letters than this to find what has them in their order; a text that was pasted is looked for whole."""
_SPREAD = 5
"""Letters that lie farther apart than this, taken together, are there by chance."""


class Search(Generic[T]):
    """A word is looked for as it is; only where no row has it, for its letters in order (`gpt4o` finds `gpt-4o`)."""

    def __init__(self, text: Callable[[T], str] | None, facets: Sequence[Facet[T]]) -> None:
        self.facets = tuple(facets)
        self.query = Query()
        """The filter last asked for, taken apart."""
        self._text = text
        self._texts: list[str] | None = None
        self._lines: str | None = None
        """All texts in one, a line each with its index: searched letter by letter in one go."""
        self._columns: dict[int, _Column] = {}

    def forget(self) -> None:
        """There are other rows."""
        self._texts = self._lines = None
        self._columns.clear()

    def update(self, index: int, row: T) -> None:
        """One row is another."""
        if self._texts is not None and self._text is not None:
            text = self._text(row).casefold()
            if text != self._texts[index]:
                self._texts[index], self._lines = text, None
        for place, column in self._columns.items():
            column.put(index, self.facets[place].value(row))

    def matching(
        self, rows: Sequence[T], text: str, *, ranked: bool, beginnings: bool = False
    ) -> Sequence[int]:
        """Indexes of the rows that are found, in their order; `ranked`: those that fit letter by letter best first.

        `beginnings`: those first that begin with a word, then those in which it begins a word of theirs.
        """
        self.query = query = parse(text, self.facets)
        found: Sequence[int] = range(len(rows))
        for term in query.facets:
            found = self._column(rows, term.facet).passing(found, term.test)
        if not (query.words or query.without) or self._text is None:
            return found
        if self._texts is None:
            read = self._text
            self._texts = [read(row).casefold() for row in rows]
        texts = self._texts
        for word in query.without:
            found = [index for index in found if word not in texts[index]]
        loose: dict[int, int] = {}
        for word in query.words:
            if not found:
                break
            plain = [index for index in found if word in texts[index]]
            loosely = plain or self._fuzzy(word, texts, found, loose)
            if beginnings and plain:
                _rank_beginnings(word, texts, plain, loose)
            if loosely or word != query.unfinished:
                found = loosely
        if (ranked or beginnings) and loose and len(found) <= _RANKED:
            found = sorted(found, key=lambda index: loose.get(index, 0))
        return found

    def _fuzzy(
        self, word: str, texts: Sequence[str], among: Sequence[int], loose: dict[int, int]
    ) -> list[int]:
        if self._lines is None:
            self._lines = "".join(
                [f"{' '.join(text.split())}\t{index}\n" for index, text in enumerate(texts)]
            )
        if len(word) > _LONGEST:
            return []
        pattern = fuzzy(word)
        found = list(map(int, re.findall(rf"{pattern}[^\t\n]*\t(\d+)\n", self._lines)))
        if len(among) < len(texts):
            wanted = set(among)
            found = [index for index in found if index in wanted]
        if len(found) <= _RANKED:
            search, near = re.compile(pattern).search, {}
            for index in found:
                if match := search(texts[index]):
                    near[index] = looseness(word, texts[index], match.end())
            found = [index for index in found if near.get(index, 0) <= _SPREAD * len(word)]
            for index in found:
                loose[index] = loose.get(index, 0) + near.get(index, 0)
        return found

    def values(self, rows: Sequence[T], place: int) -> list[str]:
        """The words that stand in the rows under a facet."""
        return sorted({word for value in self._column(rows, place).distinct for word in value})

    def _column(self, rows: Sequence[T], place: int) -> _Column:
        if place not in self._columns:
            value = self.facets[place].value
            self._columns[place] = _Column([value(row) for row in rows])
        return self._columns[place]


def _rank_beginnings(word: str, texts: Sequence[str], among: Sequence[int], loose: dict[int, int]) -> None:
    begins = re.compile(rf"(?<![^\W_]){re.escape(word)}").search
    for index in among:
        text = texts[index]
        loose[index] = loose.get(index, 0) + (0 if text.startswith(word) else 1 if begins(text) else 2)


class _Column:
    """What one facet says of every row: few distinct values stand in many rows, so each is tested once."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.distinct: dict[Any, int] = {}
        number = self.distinct.setdefault
        self.numbers = [number(value, len(self.distinct)) for value in values]

    def put(self, index: int, value: Any) -> None:
        self.numbers[index] = self.distinct.setdefault(value, len(self.distinct))

    def passing(self, indexes: Sequence[int], test: Callable[[Any], bool]) -> list[int]:
        passed = [test(value) for value in self.distinct]
        numbers = self.numbers
        return [index for index in indexes if passed[numbers[index]]]
