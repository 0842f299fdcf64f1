"""The rows of a table apart from its painting: what is shown in which order, where the cursor is, what is marked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from tui.widgets.facets import Facet
from tui.widgets.search import Search

T = TypeVar("T")


class RowSet(Generic[T]):
    """Keyed rows under a filter and an order. Cursor and marks go by key, so new rows move neither.

    Nothing is computed per row until it is asked for: the index of the keys at the first look-up, what is searched
    at the first filter, what is ordered by at the first order.
    """

    def __init__(
        self,
        key: Callable[[T], str],
        search: Callable[[T], str] | None = None,
        facets: Sequence[Facet[T]] = (),
    ) -> None:
        self.key_of = key
        self.search = Search(search, facets)
        self.rows: list[T] = []
        self.shown: Sequence[int] = ()
        """Indexes into `rows`, filtered and ordered."""
        self.cursor = 0
        """A place in `shown`."""
        self.marks: set[str] = set()
        self.filter = ""
        self.keep_last = False
        """The last row passes every filter: “something else”."""
        self.beginnings_first = False
        """What begins with the words of the filter stands before what has them in its middle."""
        self._order: tuple[Callable[[T], Any], bool] | None = None
        self._ranks: list[Any] | None = None
        """What each row is ordered by; None: not asked yet."""
        self._ordered: list[int] | None = None
        """All rows in the order; None: not asked yet."""
        self._index: dict[str, int] | None = None

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
        self._index = self._ranks = self._ordered = None
        self.search.forget()
        if self.marks:
            index = self._indexed()
            self.marks = {key for key in self.marks if key in index}
        self._arrange(here, place)

    def update(self, row: T) -> int | None:
        """Put a row in the place of the one with its key: where it now stands on the screen, -1 when everything
        may have moved, None when it is not here."""
        index = self._indexed().get(self.key_of(row))
        if index is None:
            return None
        self.rows[index] = row
        self.search.update(index, row)
        if self._ranks is not None and self._order is not None:
            rank = self._order[0](row)
            if rank != self._ranks[index]:
                self._ranks[index], self._ordered = rank, None
        if self.filter or self._order:
            self._arrange(self.current_key, self.cursor)
            return -1
        return index

    def set_filter(self, text: str) -> None:
        """Show only rows that a filter line asks for (see `facets` and `search`)."""
        here = self.current_key
        self.filter = text
        self._arrange(here, 0)

    def set_order(self, order: Callable[[T], Any] | None, *, descending: bool = False) -> None:
        """Order by this, rows where it is None last; None gives the rows' own order back."""
        if self._order is None or order is not self._order[0]:
            self._ranks = None
        self._ordered = None
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

    def mark_shown(self) -> None:
        """Mark all rows that are shown; take their marks away when all of them are marked."""
        keys = {self.key_of(self.rows[index]) for index in self.shown}
        self.marks = self.marks - keys if keys <= self.marks else self.marks | keys

    def _indexed(self) -> dict[str, int]:
        if self._index is None:
            key = self.key_of
            self._index = {key(row): index for index, row in enumerate(self.rows)}
        return self._index

    def _arrange(self, here: str | None, place: int) -> None:
        found = self.search.matching(
            self.rows,
            self.filter,
            ranked=self._order is None and not self.keep_last,
            beginnings=self._order is None and self.beginnings_first,
        )
        last = len(self.rows) - 1
        if self.keep_last and last >= 0 and self.filter:
            found = [*(index for index in found if index != last), last]
        self.shown = found if self._order is None else self._in_order(found)
        self.cursor = max(0, min(place, len(self.shown) - 1))
        if here is not None and self.current_key != here and (at := self.place_of(here)) is not None:
            self.cursor = at

    def _in_order(self, found: Sequence[int]) -> Sequence[int]:
        """These rows in the order chosen. The order of all rows is kept: a filter key then only picks out of it."""
        assert self._order is not None
        order, descending = self._order
        if self._ranks is None:
            self._ranks = [order(row) for row in self.rows]
        if self._ordered is None:
            ranks = self._ranks
            known = [index for index, rank in enumerate(ranks) if rank is not None]
            known.sort(key=ranks.__getitem__, reverse=descending)
            self._ordered = [*known, *(index for index, rank in enumerate(ranks) if rank is None)]
        if len(found) == len(self.rows):
            return self._ordered
        wanted = bytearray(len(self.rows))
        for index in found:
            wanted[index] = 1
        return [index for index in self._ordered if wanted[index]]
