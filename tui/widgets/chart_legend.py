"""The lines under a chart that name its series: their totals, or what they are at the picked bucket."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tui.formatting import UNKNOWN, cut_end, cut_middle, millis, money, percent, tokens, whole, width
from tui.widgets.chart_data import SUMMED, ChartData, Unit, usable
from tui.widgets.chart_ink import AXIS, FILLS, LETTERS, LIMIT, NONE, Look
from tui.widgets.chart_time import span_words

STRONG = -4
"""Words that matter most."""

Run = tuple[str, int]
"""Text and its ink."""
Item = tuple[Run, ...]

_LABEL = 28
"""Cells a label may have."""
_GAP = 3


def value_words(value: float | None, unit: Unit) -> str:
    """A value as it is told: `$0.42`, `12.1k`, `38`, `412ms`, `1.2%`."""
    if value is None or not usable(value):
        return UNKNOWN
    match unit:
        case "usd":
            return money(Decimal(f"{value:.9f}"))
        case "tokens":
            return tokens(round(value))
        case "runs":
            return whole(round(value))
        case "ms":
            return millis(round(value))
        case "percent":
            return percent(value)


def totals(data: ChartData, inks: Sequence[int], look: Look, above: bool) -> list[Item]:
    """Every series with its total; the limit too where it lies above what is drawn."""
    items = [
        _item(data, ink, series.label, series.total, look)
        for series, ink in zip(data.series, inks, strict=True)
    ]
    if above:
        items.append(((f"limit {value_words(data.limit, data.unit)}, above what is shown", LIMIT),))
    return items


def picked(
    data: ChartData, shown: ChartData, inks: Sequence[int], look: Look, place: int, count: int
) -> list[Item]:
    """The time of the picked bucket and what the series are in it; `shown` is the data with buckets merged."""
    bar = place // count
    values = [series.values[bar] for series in shown.series]
    head: list[Run] = [(span_words(*data.bounds(bar * count, count)), STRONG)]
    if data.unit in SUMMED and len(values) != 1 and data.kind == "bars":  # lines stand beside each other
        head.append((f"  {_sum(values, data.unit)}", STRONG))
    items = [tuple(head)]
    for series, value, ink in zip(shown.series, values, inks, strict=True):
        if value != 0 or len(values) == 1 or data.unit not in SUMMED:
            items.append(_item(data, ink, series.label, value_words(value, data.unit), look))
    return items


def _sum(values: Sequence[float | None], unit: Unit) -> str:
    known = [value for value in values if value is not None and usable(value)]
    if not known:
        return UNKNOWN if values else ""
    more = " and what is unknown" if len(known) < len(values) else ""
    return value_words(sum(known), unit) + more


def _item(data: ChartData, ink: int, label: str, words: str, look: Look) -> Item:
    glyph = LETTERS[ink] if data.kind == "lines" else FILLS[look][ink]
    runs: list[Run] = [(glyph, ink), (f" {cut_middle(label, _LABEL)}", NONE)]
    if words:
        runs.append((f" {words}", AXIS))
    return tuple(runs)


def spoken(data: ChartData, place: int | None, row: int) -> Item:
    """A line for a screen reader: the totals, then bucket by bucket back from the picked one, or the last."""
    inks = range(len(data.series))
    if row == 0:
        parts = [f"{series.label} {series.total}".rstrip() for series in data.series]
        return ((f"In all: {', '.join(parts)}.", STRONG),)
    at = (len(data.starts) if place is None else place + 1) - row
    if at < 0:
        return ()
    head, *rest = ("".join(text for text, _ in item) for item in picked(data, data, inks, "colour", at, 1))
    return ((f"{head}: {', '.join(part[2:] for part in rest) or 'nothing'}", NONE),)


def flow(items: Sequence[Item], cells: int, rows: int) -> tuple[Item, ...]:
    """The items in lines of at most `cells` cells; what `rows` lines cannot hold is counted: `+2 more`."""
    lines: list[list[Run]] = [[]]
    used = 0
    for place, full in enumerate(items):
        item = _cut(full, cells)
        size = sum(width(text) for text, _ in item)
        gap = _GAP if used else 0
        last = len(lines) == rows
        left = len(items) - place
        spare = width(f"{' ' * _GAP}+{left - 1} more") if last and left > 1 else 0
        if used + gap + size + spare > cells and used and not last:
            lines.append([])
            used, gap, last = 0, 0, len(lines) == rows
        if used + gap + size + spare > cells and (used or spare):
            more = f"{' ' * gap}+{left} more"
            if used + len(more) <= cells:
                lines[-1].append((more, AXIS))
            break
        if gap:
            lines[-1].append((" " * gap, NONE))
        lines[-1] += item
        used += gap + size
    return tuple(tuple(line) for line in lines[:rows])


def _cut(item: Item, cells: int) -> Item:
    """The item in at most so many cells."""
    if sum(width(text) for text, _ in item) <= cells:
        return item
    runs: list[Run] = []
    for text, ink in item:
        runs.append((cut_end(text, cells), ink))
        cells -= width(runs[-1][0])
    return tuple(runs)


def needed(items: Sequence[Item], cells: int) -> int:
    """Lines that all items take."""
    return len(flow(items, cells, 99))
