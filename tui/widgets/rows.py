"""The rows of a table apart from its painting: what is shown in which order, where the cursor is, what is marked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class RowSet(Generic[T]):
    """Keyed rows under a filter and an order. Cursor and marks go by key, so new rows move neither.

    Nothing is computed per row until it is asked for: the index of the keys at the first look-up, the text that is
    searched at the first filter.
    """

    def __init__(self, key: Callable[[T], str], search: Callable[[T], str] | None = None) -> None:
        self.key_of, self._search = key, search
        self.rows: list[T] = []
        self.shown: Sequence[int] = ()
        """Indexes into `rows`, filtered and ordered."""
        self.cursor = 0
        """A place in `shown`."""
        self.marks: set[str] = set()
        self.filter = ""
        self.keep_last = False
        """The last row passes every filter: “something else”."""
        self._order: tuple[Callable[[T], Any], bool] | None = None
        self._index: dict[str, int] | None = None
        self._texts: list[str] | None = None

    def __len__(self) -> int:
        return len(self.shown)

    @property
    def current(self) -> T | None:
        """The row under the cursor; None when nothing is shown."""
        return self.rows[self.shown[self.cursor]] if self.cursor < len(self.shown) else None

    @property
    def current_key(self) -> str | None:
        row = self.current
        return None if row is None else self.key_of(row)

    def at(self, place: int) -> T:
        """The row at a place of what is shown."""
        return self.rows[self.shown[place]]

    def set(self, rows: Iterable[T]) -> None:
        """Other rows; marks of keys that are gone go too."""
        here, place = self.current_key, self.cursor
        self.rows = rows if isinstance(rows, list) else list(rows)
        self._index = self._texts = None
        if self.marks:
            index = self._indexed()
            self.marks = {key for key in self.marks if key in index}
        self._arrange(here, place)

    def update(self, row: T) -> int | None:
        """Put a row in the place of the one with its key: where it now stands on the screen, -1 when everything
        may have moved, None when it is not shown or not here."""
        index = self._indexed().get(self.key_of(row))
        if index is None:
            return None
        self.rows[index] = row
        if self._texts is not None and self._search is not None:
            self._texts[index] = self._search(row).casefold()
        if self.filter or self._order:
            self._arrange(self.current_key, self.cursor)
            return -1
        return index

    def set_filter(self, text: str) -> None:
        """Show only rows in which every word is found, case ignored."""
        here = self.current_key
        self.filter = text
        self._arrange(here, 0)

    def set_order(self, order: Callable[[T], Any] | None, *, descending: bool = False) -> None:
        """Order by this; None gives the rows' own order back."""
        self._order = None if order is None else (order, descending)
        self._arrange(self.current_key, self.cursor)

    def place_of(self, key: str) -> int | None:
        """Where a key stands in what is shown; None when it does not."""
        index = self._indexed().get(key)
        return self.shown.index(index) if index is not None and index in self.shown else None

    def targets(self) -> list[T]:
        """The marked rows, or the one under the cursor."""
        if self.marks:
            return [row for row in self.rows if self.key_of(row) in self.marks]
        row = self.current
        return [] if row is None else [row]

    def _indexed(self) -> dict[str, int]:
        if self._index is None:
            key = self.key_of
            self._index = {key(row): index for index, row in enumerate(self.rows)}
        return self._index

    def _matching(self) -> Sequence[int]:
        words = self.filter.casefold().split()
        if not words or self._search is None:
            return range(len(self.rows))
        if self._texts is None:
            search = self._search
            self._texts = [search(row).casefold() for row in self.rows]
        texts = self._texts
        found = [index for index, text in enumerate(texts) if words[0] in text]
        for word in words[1:]:
            found = [index for index in found if word in texts[index]]
        last = len(self.rows) - 1
        if self.keep_last and last >= 0 and last not in found:
            found.append(last)
        return found

    def _arrange(self, here: str | None, place: int) -> None:
        shown = self._matching()
        if self._order is not None:
            (order, descending), rows = self._order, self.rows
            shown = sorted(shown, key=lambda index: order(rows[index]), reverse=descending)
        self.shown = shown
        self.cursor = max(0, min(place, len(shown) - 1))
        if here is not None and self.current_key != here and (found := self.place_of(here)) is not None:
            self.cursor = found
