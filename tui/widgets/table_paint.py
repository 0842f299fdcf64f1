"""How the table's lines look: its header with the order's arrow, and a row with cursor, mark and toned cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.formatting import Tone, fit, width
from tui.widgets.columns import Layout

T = TypeVar("T")

TONES: tuple[Tone, ...] = ("ok", "warn", "bad", "dim", "accent", "strong")
PARTS = ("header", "cursor", "blurred", "marked", "empty")

Styles = Mapping[str, Style]
"""The name of a part or a tone → its style; `base` is that of the table."""


def words_line(words: str, cells: int, styles: Styles) -> Strip:
    """A line that stands where rows would."""
    return Strip([Segment(fit("  " + words, cells), styles["empty"])], cells)


def blank_line(cells: int, styles: Styles) -> Strip:
    return Strip([Segment(" " * cells, styles["base"])], cells)


def header_line(layout: Layout[T], ordered: tuple[str, bool] | None, styles: Styles) -> Strip:
    """The titles; that of the column that orders has ▼ (the highest first) or ▲."""
    line = " " * layout.gutter
    for column, size in layout.columns:
        title = column.title
        if ordered is not None and ordered[0] == column.key:
            title += "▼" if ordered[1] else "▲"
        over = width(title) - size
        if over <= 0:
            line += fit(title, size, column.align) + layout.gap
        elif column.align == "right" and line.endswith(" "):  # the arrow takes a cell of the gap
            line = line[:-1] + title + layout.gap
        else:
            line += title + layout.gap[over:]
    return Strip([Segment(fit(line.rstrip(), layout.cells), styles["header"])], layout.cells)


def row_line(layout: Layout[T], row: T, styles: Styles, *, cursor: str = "", marked: bool = False) -> Strip:
    """One row. `cursor` is the part that the line under the cursor has; empty on every other."""
    base = styles["base"]
    if cursor:
        base += styles[cursor]
    segments = []
    if layout.gutter:
        bar = ("▌" if cursor else "") + ("✓" if marked else "")
        bar = bar.ljust(layout.gutter)
        segments.append(Segment(bar, base + styles["marked"]))
    used = layout.gutter
    for column, size in layout.columns:
        cell = column.cell(row)
        text, tone = (cell, "") if isinstance(cell, str) else cell
        style = base + styles[tone] if tone and not (cursor and tone == "dim") else base
        segments.append(Segment(column.fitted(text, size) + layout.gap, style))
        used += size + len(layout.gap)
    if used < layout.cells:
        segments.append(Segment(" " * (layout.cells - used), base))
    strip = Strip(segments, max(used, layout.cells))
    return strip.crop(0, layout.cells) if used > layout.cells else strip
