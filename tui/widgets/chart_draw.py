"""The drawing of a chart's inside: columns of cells for stacked bars and for lines."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from tui.widgets.chart_data import usable
from tui.widgets.chart_ink import FILLS, LETTERS, NONE, Look

EIGHTHS = " ▁▂▃▄▅▆▇█"
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Braille: the bit of a dot by row from the top, then by column."""

Values = tuple[float | None, ...]


class Cell(NamedTuple):
    """One cell: its character, and the inks of its front and its back."""

    text: str
    front: int
    back: int = NONE


BLANK = Cell(" ", NONE)


class Slot(NamedTuple):
    """The cells of one bucket: what a click takes, and where in it the bar stands."""

    left: int
    right: int
    """Past the last."""
    bar: int
    width: int


class Column(NamedTuple):
    """Equal cells side by side."""

    x: int
    width: int
    cells: tuple[Cell, ...]
    """From the top down."""


def slots(count: int, cells: int) -> tuple[Slot, ...]:
    """How the buckets share the cells: equal bars with gaps where there is room, else none; two points of a line may
    share one."""
    room = cells / count
    bar = 0 if room < 3 else int(room) - 1 if room < 8 else int(room * 0.75)
    found = []
    for place in range(count):
        left = place * cells // count
        right = max(left + 1, (place + 1) * cells // count)
        found.append(Slot(left, right, left, bar or right - left))
    return tuple(found)


@lru_cache(maxsize=2048)
def bar(values: Values, inks: tuple[int, ...], top: float, rows: int, look: Look) -> tuple[Cell, ...]:
    """One stacked bar, from the top down. Whatever is more than nothing has a cell."""
    fills = FILLS[look]
    fine = look == "colour"  # then the back is filled too: no seams where a font leaves room between lines
    parts = _edges(values, top, rows, fine=fine)
    cells = [BLANK] * rows
    for row in range(rows):
        low, high = row * 8, row * 8 + 8
        inside = [
            (min(end, high) - max(start, low), start, end, ink)
            for (start, end), ink in zip(parts, inks, strict=True)
            if start < end and start < high and end > low
        ]
        if not inside:
            break
        stack_end = max(end for _, _, end, _ in inside)
        _, _, end, lowest = inside[0]
        if end >= high:
            cells[rows - 1 - row] = Cell(fills[lowest], lowest, lowest if fine else NONE)
        elif stack_end >= high:  # the border between two: the lower one in front of the upper one
            upper = max(inside[1:])[3]
            cells[rows - 1 - row] = Cell(EIGHTHS[end - low], lowest, upper)
        else:
            cells[rows - 1 - row] = Cell(EIGHTHS[stack_end - low], max(inside)[3])
    return tuple(cells)


def _edges(values: Values, top: float, rows: int, *, fine: bool) -> list[tuple[int, int]]:
    """Where each part of a stack begins and ends, in eighths of a cell (whole cells, where the fill tells the parts)."""
    unit = 8 if fine else 1
    known = [max(0.0, value) if value is not None and usable(value) else 0.0 for value in values]
    scale, height = rows * unit / top, rows * unit
    edges, sum_ = [0], 0.0
    for value in known:
        sum_ += value
        edges.append(min(height, round(sum_ * scale)))
    if sum_ > 0 and edges[-1] == 0:  # too little for the scale, but not nothing
        first = 1 + known.index(max(known))
        edges[first:] = [1] * (len(edges) - first)
    size = 8 // unit
    return [(a * size, b * size) for a, b in itertools.pairwise(edges)]


def bars(
    series: Sequence[Values], inks: tuple[int, ...], top: float, rows: int, places: Sequence[Slot], look: Look
) -> tuple[Column, ...]:
    """All bars."""
    stacks = zip(*series, strict=True)
    return tuple(
        Column(slot.bar, slot.width, bar(stack, inks, top, rows, look))
        for slot, stack in zip(places, stacks, strict=True)
    )


def lines(
    series: Sequence[Values], inks: tuple[int, ...], top: float, rows: int, cells: int, look: Look
) -> tuple[Column, ...]:
    """All lines, as dots in a grid of 2 × 4 to the cell; the first series is drawn over the others."""
    dots = [[0] * rows for _ in range(cells)]
    front = [[NONE] * rows for _ in range(cells)]
    letters: list[tuple[int, int, int]] = []
    for values, ink in reversed(list(zip(series, inks, strict=True))):
        points = _points(values, top, rows, cells)
        for x, low, high in _strokes(points):
            for y in range(low, high + 1):
                dots[x // 2][y // 4] |= _DOTS[y % 4][x % 2]
                front[x // 2][y // 4] = ink
        letters += [(x // 2, y // 4, ink) for x, y in _named(points, cells, look)]
    columns = []
    for x in range(cells):
        column = [Cell(chr(0x2800 + dots[x][y]), front[x][y]) if dots[x][y] else BLANK for y in range(rows)]
        columns.append(column)
    for x, y, ink in letters:
        columns[x][y] = Cell(LETTERS[ink], ink)
    return tuple(Column(x, 1, tuple(column)) for x, column in enumerate(columns))


def _points(values: Values, top: float, rows: int, cells: int) -> list[tuple[int, int] | None]:
    """The dot of each bucket, counted from the left and from the top; None where nothing is known."""
    wide, high = cells * 2, rows * 4
    found: list[tuple[int, int] | None] = []
    for place, value in enumerate(values):
        if value is None or not usable(value):
            found.append(None)
            continue
        share = min(1.0, max(0.0, value / top))
        found.append((int((place + 0.5) * wide / len(values)), high - 1 - round(share * (high - 1))))
    return found


def _strokes(points: Sequence[tuple[int, int] | None]) -> list[tuple[int, int, int]]:
    """(x, first y, last y) of the dots that join known neighbours; a gap stays a gap."""
    found = [(x, y, y) for x, y in (point for point in points if point is not None)]
    for a, b in itertools.pairwise(points):
        if a is None or b is None or b[0] <= a[0]:
            continue
        before = a[1]
        for x in range(a[0] + 1, b[0] + 1):
            y = a[1] + round((b[1] - a[1]) * (x - a[0]) / (b[0] - a[0]))
            found.append((x, *_joined(before, y)))
            before = y
    return found


def _joined(before: int, now: int) -> tuple[int, int]:
    """From beside the dot before (not on its height, unless level) to this one."""
    if now > before:
        return before + 1, now
    return (now, before - 1) if now < before else (now, now)


def _named(points: Sequence[tuple[int, int] | None], cells: int, look: Look) -> list[tuple[int, int]]:
    """The dots at which a line's letter stands: its end, and without colours here and there along it."""
    known = [point for point in points if point is not None]
    if look == "colour" or not known:
        return known[-1:]
    found, free = [known[-1]], 0
    for x, y in known[:-1]:
        if x >= free and x < known[-1][0] - 8:
            found.append((x, y))
            free = x + max(16, cells // 3)
    return found
