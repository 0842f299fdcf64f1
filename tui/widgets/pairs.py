"""A page of names and values: what a detail tab shows when it is no table."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from tui.formatting import UNKNOWN, Tone, width

Pair = tuple[str, str, Tone]
"""Name, value, tone. An empty name continues the line above; an empty value is shown as unknown."""

_STYLES: dict[Tone, str] = {
    "": "", "ok": "$success", "warn": "$warning", "bad": "$error", "dim": "$dim", "accent": "$accent", "strong": "bold",
}  # fmt: skip


_LEAST = 16
"""Cells a value gets even where the names leave fewer."""


def page(pairs: Sequence[Pair], cells: int = 0) -> Content:
    """The pairs as aligned lines; in so many `cells` a long value goes on under its beginning, not under the names."""
    wide = max((width(name) for name, _, _ in pairs), default=0) + 2
    spans: list[tuple[str, str]] = []
    for name, value, tone in pairs:
        spans.append((name + " " * (wide - width(name)), "$dim"))
        style = _STYLES[tone] if value else "$dim"
        lines = _wrapped(value, cells - wide) if value and cells else [value or UNKNOWN]
        for number, line in enumerate(lines):
            if number:
                spans.append(("\n" + " " * wide, ""))
            spans.append((line, style))
        spans.append(("\n", ""))
    return Content.assemble(*spans)


def _wrapped(value: str, cells: int) -> list[str]:
    return [line.plain.rstrip() for line in Content(value).wrap(max(_LEAST, cells))]


class PairPage(Widget):
    """The pairs, as high as they need at the present width."""

    DEFAULT_CSS = """
    PairPage { width: 1fr; height: auto; }
    """

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._pairs: tuple[Pair, ...] = ()

    def show(self, pairs: Sequence[Pair]) -> None:
        """Show these; what is equal is not painted again."""
        if tuple(pairs) != self._pairs:
            self._pairs = tuple(pairs)
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        return page(self._pairs, width).plain.count("\n")

    def render(self) -> Content:
        return page(self._pairs, self.content_size.width)


class Pairs(VerticalScroll, can_focus=True):
    """The pairs, scrolled when they are many."""

    DEFAULT_CSS = """
    Pairs { padding: 0 1; scrollbar-size-vertical: 1; }
    """

    def compose(self) -> ComposeResult:
        yield PairPage()

    def show(self, pairs: Sequence[Pair]) -> None:
        """Show these."""
        self.query_one(PairPage).show(pairs)
