"""A few lines in columns that nobody moves about in: how much of each limit is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual.content import Content
from textual.widget import Widget

from tui.formatting import Tone
from tui.widgets.columns import Column, lay_out

_STYLES: dict[Tone, str] = {
    "": "", "ok": "$success", "warn": "$warning", "bad": "$error", "dim": "$dim", "accent": "$accent", "strong": "bold",
}  # fmt: skip
_ROWS_PER_LINE = 9
"""So many rows of the screen are worth one line here."""


class LimitLines(Widget):
    """The first of the rows, as many as a screen of this height can spare; none takes no room at all."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "LimitLines { height: auto; }"

    def __init__(self, columns: Sequence[Column[Any]], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._columns, self._rows = tuple(columns), tuple[Any, ...]()

    def show(self, rows: Sequence[Any]) -> None:
        """Show these."""
        if tuple(rows) != self._rows:
            self._rows = tuple(rows)
            self.display = bool(rows)
            self.refresh(layout=True)

    def on_mount(self) -> None:
        self.display = bool(self._rows)

    def render(self) -> Content:
        rows = self._rows[: max(1, self.screen.size.height // _ROWS_PER_LINE - 1)]
        layout = lay_out(
            self._columns, rows, max(20, self.size.width or self.screen.size.width - 2), gutter=False
        )
        spans: list[tuple[str, str]] = []
        for place, row in enumerate(rows):
            for column, cells in layout.columns:
                cell = column.cell(row)
                text, style = (cell, "") if isinstance(cell, str) else (cell[0], _STYLES[cell[1]])
                spans.append((column.fitted(text, cells) + layout.gap, style))
            if place < len(rows) - 1:
                spans.append(("\n", ""))
        return Content.assemble(*spans)
