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
    while _total(kept, sizes) + margin > cells:
        last = max(kept, key=lambda column: column.priority)
        if last.priority == 0:
            break
        kept.remove(last)
    over = _total(kept, sizes) + margin - cells
    for column in sorted(kept, key=lambda c: -sizes[c.key]):
        if over <= 0:
            break
        cut = min(over, max(0, sizes[column.key] - 4))
        sizes[column.key] -= cut
        over -= cut
    spare = max(0, cells - margin - _total(kept, sizes))
    shares = sum(column.flex for column in kept)
    for column in kept:
        if column.flex and shares:
            part = spare * column.flex // shares
            sizes[column.key] += part
            spare -= part
            shares -= column.flex
    return Layout(cells, margin, tuple((column, sizes[column.key]) for column in kept))


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
