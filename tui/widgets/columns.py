"""How the columns of the table share its width: fixed, fitted to their content, flexible, or dropped when narrow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar

from tui.formatting import Tone, cut_middle, fit, width

T = TypeVar("T")

Cell = str | tuple[str, Tone]
"""A cell's text, with a tone where it carries meaning."""

GUTTER = 2
"""Cells before the first column: the cursor's bar and the mark."""

GAP = 2
"""Cells between columns."""


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """One column. `cell` is asked only for the rows on the screen."""

    key: str
    title: str
    cell: Callable[[T], Cell]
    width: int = 8
    """The least cells it takes."""
    max_width: int = 0
    """Above `width`: it grows to its content up to here."""
    least: int = 0
    """Above 0: it gives up cells down to here before any column is dropped."""
    flex: int = 0
    """Its share of the cells left over; 0: none."""
    priority: int = 0
    """When the table is narrow, the column with the highest number is dropped first; 0 never is."""
    align: Literal["left", "right"] = "left"
    cut: Literal["end", "middle"] = "end"
    """Where a text that is too long loses its cells."""
    brief: Callable[[T], Cell] | None = None
    """What stands in its least cells where the table is narrow, before any column is dropped."""
    optional: bool = False
    """Left out while no row on the screen has a text in it."""
    sort: Callable[[T], Any] | None = None
    """What the table can be ordered by; None: it cannot. A row for which it gives None comes last."""
    down: bool = False
    """The highest value is what one asks for first: the dearest, the slowest."""

    def fitted(self, text: str, cells: int) -> str:
        """The text in exactly this many cells."""
        if self.cut == "middle":
            text = cut_middle(text, cells)
        return fit(text, cells, self.align)


@dataclass(frozen=True, slots=True)
class Layout(Generic[T]):
    """The columns that fit and the cells each has."""

    cells: int
    gutter: int
    columns: tuple[tuple[Column[T], int], ...]
    gap: str = " " * GAP

    def column_at(self, x: int) -> Column[T] | None:
        """The column whose title stands at this cell; None beside all of them."""
        left = self.gutter
        for column, size in self.columns:
            if left <= x < left + size + len(self.gap):
                return column
            left += size + len(self.gap)
        return None


def lay_out(
    columns: Sequence[Column[T]], sample: Sequence[T], cells: int, *, gutter: bool = True
) -> Layout[T]:
    """Give every column its cells; drop those of the least priority until the rest fits.

    `sample` are the rows that fitted columns are measured on.
    """
    sizes = {column.key: _wanted(column, sample) for column in columns}
    margin = GUTTER if gutter else 0
    kept = [column for column in columns if not column.optional or any(_text(column, row) for row in sample)]
    for column in [column for column in kept if column.brief is not None]:
        if _total(kept, sizes) + margin > cells:
            sizes[column.key] = column.width
            kept[kept.index(column)] = replace(column, cell=column.brief or column.cell, brief=None)
    wanted = dict(sizes)
    _give_up(kept, sizes, cells - margin, lambda column: column.least or sizes[column.key])
    while _total(kept, sizes) + margin > cells:
        last = max(kept, key=lambda column: column.priority)
        if last.priority == 0:
            break
        kept.remove(last)
    widest_first = sorted(kept, key=lambda column: -sizes[column.key])
    _give_up(widest_first, sizes, cells - margin, lambda _column: 4)
    _take_up(kept, sizes, wanted, cells - margin - _total(kept, sizes))
    return Layout(cells, margin, tuple((column, sizes[column.key]) for column in kept))


def _give_up(
    columns: Sequence[Column[T]], sizes: dict[str, int], cells: int, least: Callable[[Column[T]], int]
) -> None:
    """Make the columns narrower, in their order, until they fit; none below what `least` says."""
    over = _total(columns, sizes) - cells
    for column in columns:
        cut = max(0, min(over, sizes[column.key] - least(column)))
        sizes[column.key] -= cut
        over -= cut


def _take_up(columns: Sequence[Column[T]], sizes: dict[str, int], wanted: dict[str, int], spare: int) -> None:
    """Share the cells left over: first what columns gave up, then the flexible ones."""
    for column in columns:
        back = max(0, min(spare, wanted[column.key] - sizes[column.key]))
        sizes[column.key] += back
        spare -= back
    shares = sum(column.flex for column in columns)
    for column in columns:
        if column.flex and spare > 0:
            part = spare * column.flex // shares
            sizes[column.key] += part
            spare -= part
            shares -= column.flex


def _wanted(column: Column[T], sample: Sequence[T]) -> int:
    least = max(column.width, len(column.title))
    if column.max_width <= least:
        return least
    longest = 0
    for row in sample:
        longest = max(longest, width(_text(column, row)))
    return max(least, min(longest, column.max_width))


def _text(column: Column[T], row: T) -> str:
    cell = column.cell(row)
    return cell if isinstance(cell, str) else cell[0]


def _total(columns: Sequence[Column[T]], sizes: dict[str, int]) -> int:
    return sum(sizes[column.key] for column in columns) + GAP * max(0, len(columns) - 1)
