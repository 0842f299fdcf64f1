"""A few lines under a table that say in whole sentences what the row under the cursor stands for."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from tui.formatting import Tone

STYLES: dict[Tone, str] = {
    "": "", "ok": "$success", "warn": "$warning", "bad": "$error", "dim": "$dim", "accent": "$accent", "strong": "bold",
}  # fmt: skip

Part = tuple[str, Tone]


class Note(Static):
    """Text with tones; painted only when it is another one."""

    ALLOW_SELECT = True
    DEFAULT_CSS = "Note { height: 3; padding: 0 1; color: $foreground; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__("", id=id, classes=classes, markup=False)
        self._parts: tuple[Part, ...] = ()

    def show(self, parts: Sequence[Part]) -> None:
        """Show these, one after the other; a part may hold newlines."""
        if tuple(parts) != self._parts:
            self._parts = tuple(parts)
            self.update(Content.assemble(*((text, STYLES[tone]) for text, tone in self._parts)))
