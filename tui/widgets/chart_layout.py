"""Where everything of a chart stands: axes, columns, times and legend for one size, worked out before any painting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tui.widgets import chart_legend
from tui.widgets.chart_data import SUMMED, ChartData, merged, usable
from tui.widgets.chart_draw import Column, Slot, bars, lines, slots
from tui.widgets.chart_ink import NONE, Look
from tui.widgets.chart_legend import Item
from tui.widgets.chart_scale import Scale, scale
from tui.widgets.chart_time import time_line

_FAR = 3.0
"""A limit so many times above the highest bar is told in words: drawn, it would press the bars flat."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart laid out. Rows count from the top: those of the plot, the base line, the times, then the legend."""

    width: int
    height: int
    left: int
    """Cells of the value axis, its line included."""
    rows: int
    """Rows of the plot."""
    merge: int
    """Buckets in each bar."""
    shown: ChartData
    """The data, with that many buckets as one."""
    inks: tuple[int, ...]
    look: Look
    slots: tuple[Slot, ...]
    columns: tuple[Column, ...]
    known: tuple[bool, ...]
    """Per slot: whether anything is known there."""
    names: tuple[str, ...]
    """The value axis per row of the plot, and of the base line."""
    times: str
    limit_row: int | None
    legend_rows: int
    legend: tuple[Item, ...]

    def place_at(self, x: int) -> int | None:
        """The first bucket of the bar in a column of the widget; None beside the plot."""
        inner = x - self.left
        return next((n * self.merge for n, slot in enumerate(self.slots) if slot.left <= inner < slot.right), None)  # fmt: skip

    def same_frame(self, other: Picture) -> bool:
        """True when only columns, names and words may differ."""
        places = [(column.x, column.width) for column in self.columns]  # lines have others than bars
        return (self.width, self.height, self.left, self.rows, self.slots, self.look, self.legend_rows, places) == (
            other.width, other.height, other.left, other.rows, other.slots, other.look, other.legend_rows,
            [(column.x, column.width) for column in other.columns],
        )  # fmt: skip


def lay_out(
    data: ChartData, ink_of: Mapping[str, int], width: int, height: int, look: Look
) -> Picture | None:
    """The picture for a size; None when the size has no room for one."""
    inks = tuple(ink_of[series.key] for series in data.series)
    if look == "pattern" and len(inks) == 1 and data.kind == "bars":
        look = "colour"  # nothing to tell apart
    merge = 0
    needed = 1
    while needed > merge:  # higher bars have a wider axis, which leaves fewer cells
        merge = needed
        data_shown = merged(data, merge)
        axis, limit, above, rows, legend_rows, left = _frame(data_shown, inks, width, height, look)
        inner = width - left
        if rows < 2 or inner < 4:
            return None
        needed = -(-len(data.starts) // (inner * (2 if data.kind == "lines" else 1)))
    places = slots(len(data_shown.starts), inner)
    values = [series.values for series in data_shown.series]
    if data.kind == "bars":
        columns = bars(values, inks, axis.top, rows, places, look)
    else:
        columns = lines(values, inks, axis.top, rows, inner, look)
    middles = tuple(left + slot.bar + slot.width // 2 for slot in places)
    return Picture(
        width=width,
        height=height,
        left=left,
        rows=rows,
        merge=merge,
        shown=data_shown,
        inks=inks,
        look=look,
        slots=places,
        columns=columns,
        known=tuple(any(usable(value) for value in stack) for stack in zip(*values, strict=True)),
        names=_names(axis, rows, left),
        times=time_line(data_shown.starts, data_shown.end, middles, width),
        limit_row=None if limit is None else max(0, min(rows - 1, rows - round(limit / axis.top * rows))),
        legend_rows=legend_rows,
        legend=chart_legend.flow(chart_legend.totals(data, inks, look, above), width, legend_rows)
        if legend_rows
        else (),
    )


def _frame(
    data: ChartData, inks: tuple[int, ...], width: int, height: int, look: Look
) -> tuple[Scale, float | None, bool, int, int, int]:
    """(value axis, limit to draw, limit is above it, rows of the plot, rows of the legend, cells of the axis)."""
    highest = _highest(data)
    limit = data.limit if usable(data.limit) else None
    above = limit is not None and highest > 0 and limit > highest * _FAR
    most = 1 if height < 10 else 2 if height < 18 else 3
    legend = chart_legend.totals(data, inks, look, above)
    room_for_pick: Item = ((" " * 36, NONE),)
    legend_rows = 0 if height < 6 else min(most, chart_legend.needed([room_for_pick, *legend], width))
    rows = height - 2 - legend_rows
    axis = scale(max(highest, limit) if limit is not None and not above else highest, data.unit, max(rows, 1))
    left = max(len(words) for _, words in axis.ticks) + 2
    return axis, None if above else limit, above, rows, legend_rows, left


def _highest(data: ChartData) -> float:
    """The highest bar, or the highest point."""
    known = [
        [value for value in stack if value is not None and usable(value)]
        for stack in zip(*(one.values for one in data.series), strict=True)
    ]
    if data.kind == "bars" and data.unit in SUMMED:
        return max((sum(max(0.0, value) for value in stack) for stack in known), default=0.0)
    return max((value for stack in known for value in stack), default=0.0)


def _names(axis: Scale, rows: int, left: int) -> tuple[str, ...]:
    """What stands left of each row: a tick's words where one is, else the line alone."""
    names = ["│".rjust(left)] * rows + ["└".rjust(left)]
    for value, words in axis.ticks:
        row = rows - round(value / axis.top * rows)
        names[row] = f"{words} {'┤' if row < rows else '└'}".rjust(left)
    return tuple(names)
