"""The drawing of a chart's inside: columns of cells for stacked bars and for lines."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
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
    whole = look != "colour"  # a fill tells the parts apart, so a part begins and ends with a cell
    parts = _edges(values, top, rows, whole=whole)
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
        if end >= high:  # the back is filled too: no seams where a font leaves room between lines
            cell = Cell(fills[lowest], lowest, NONE if whole else lowest)
        elif stack_end >= high:  # the border between two: the lower one in front of the upper one
            cell = Cell(EIGHTHS[end - low], lowest, max(inside[1:])[3])
        elif look == "ascii":
            cell = Cell(fills[lowest] if stack_end - low >= 4 else "_", lowest)
        else:
            cell = Cell(EIGHTHS[stack_end - low], max(inside)[3])
        cells[rows - 1 - row] = cell
    return tuple(cells)


def _edges(values: Values, top: float, rows: int, *, whole: bool) -> list[tuple[int, int]]:
    """Where each part of a stack begins and ends, in eighths of a cell; `whole`: only the last ends within one."""
    known = [max(0.0, value) if value is not None and usable(value) else 0.0 for value in values]
    scale, height = rows * 8 / top, rows * 8
    edges, sum_ = [0], 0.0
    for value in known:
        sum_ += value
        edges.append(min(height, round(sum_ * scale)))
    if sum_ > 0 and edges[-1] == 0:  # too little for the scale, but not nothing
        first = 1 + known.index(max(known))
        edges[first:] = [1] * (len(edges) - first)
    if whole:
        last = edges[-1]
        edges = [last if edge == last else min(last, (edge + 4) // 8 * 8) for edge in edges]
    return list(pairwise(edges))


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
    touched: set[tuple[int, int]] = set()
    letters: list[tuple[int, int, int]] = []
    for values, ink in reversed(list(zip(series, inks, strict=True))):
        points = _points(values, top, rows, cells)
        for x, y, bits in _strokes(points):
            dots[x][y] |= bits
            front[x][y] = ink
            touched.add((x, y))
        letters += [(x // 2, y // 4, ink) for x, y in _named(points, cells, look)]
    columns = [[BLANK] * rows for _ in range(cells)]
    for x, y in touched:
        columns[x][y] = _dotted(dots[x][y], front[x][y])
    for x, y, ink in letters:
        columns[x][y] = Cell(LETTERS[ink], ink)
    return tuple(Column(x, 1, tuple(column)) for x, column in enumerate(columns))


@lru_cache(maxsize=2048)
def _dotted(dots: int, ink: int) -> Cell:
    return Cell(chr(0x2800 + dots), ink)


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
    """(column, row, dots) of the cells that join known neighbours; a gap stays a gap."""
    found = [
        (x // 2, y // 4, _DOTS[y % 4][x % 2]) for x, y in (point for point in points if point is not None)
    ]
    for a, b in pairwise(points):
        if a is not None and b is not None and b[0] > a[0]:
            found += _joined(a, b)
    return found


@lru_cache(maxsize=4096)
def _joined(a: tuple[int, int], b: tuple[int, int]) -> tuple[tuple[int, int, int], ...]:
    """The cells of the line from behind one point to the next."""
    cells: dict[tuple[int, int], int] = {}
    before = a[1]
    for x in range(a[0] + 1, b[0] + 1):
        now = a[1] + round((b[1] - a[1]) * (x - a[0]) / (b[0] - a[0]))
        first, last = (before + 1, now) if now > before else (now, before - 1) if now < before else (now, now)
        for y in range(first, last + 1):
            place = (x // 2, y // 4)
            cells[place] = cells.get(place, 0) | _DOTS[y % 4][x % 2]
        before = now
    return tuple((x, y, bits) for (x, y), bits in cells.items())


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
