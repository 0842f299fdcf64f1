"""A page of names and values: what a detail tab shows when it is no table."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.formatting import UNKNOWN, Tone

Pair = tuple[str, str, Tone]
"""Name, value, tone. An empty name continues the line above; an empty value is shown as unknown."""

_STYLES: dict[Tone, str] = {
    "": "", "ok": "$success", "warn": "$warning", "bad": "$error", "dim": "$dim", "accent": "$accent", "strong": "bold",
}  # fmt: skip


def page(pairs: Sequence[Pair]) -> Content:
    """The pairs as aligned lines."""
    wide = max((len(name) for name, _, _ in pairs), default=0) + 2
    spans: list[tuple[str, str]] = []
    for name, value, tone in pairs:
        spans.append((name.ljust(wide), "$dim"))
        spans.append((value or UNKNOWN, _STYLES[tone] if value else "$dim"))
        spans.append(("\n", ""))
    return Content.assemble(*spans)


class Pairs(VerticalScroll, can_focus=True):
    """The pairs, scrolled when they are many."""

    DEFAULT_CSS = """
    Pairs { padding: 0 1; scrollbar-size-vertical: 1; }
    Pairs Static { width: 1fr; height: auto; }
    """

    def compose(self) -> ComposeResult:
        yield Static("", markup=False)

    def show(self, pairs: Sequence[Pair]) -> None:
        """Show these."""
        self.query_one(Static).update(page(pairs))
