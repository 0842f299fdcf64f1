"""The line a filter is typed into: there only while it is used, and while a filter is in force."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.widgets.table import VirtualTable


class FilterBar(Widget):
    """`/` and a line of text; every letter filters the table, enter goes back to it, esc clears."""

    DEFAULT_CSS = """
    FilterBar { height: 1; display: none; padding: 0 1; }
    FilterBar.-open { display: block; }
    FilterBar .slash { width: 2; color: $accent; }
    FilterBar .count { width: auto; color: $dim; }
    FilterBar Input { width: 1fr; background: $background; padding: 0; }
    FilterBar Input:focus { background: $background; }
    """

    def __init__(self, table: VirtualTable[Any]) -> None:
        super().__init__()
        self._table = table

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static("/", classes="slash")
            field = Input(placeholder="words to look for", select_on_focus=False)
            field.cursor_blink = False
            yield field
            yield Static("", classes="count")

    def open(self) -> None:
        """Show the line and type into it."""
        self.add_class("-open")
        self.query_one(Input).focus()

    def clear(self) -> None:
        """No filter, no line, the table has the keys again."""
        self.query_one(Input).value = ""
        self._table.set_filter("")
        self.remove_class("-open")
        self._table.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._table.set_filter(event.value)
        shown, total = self._table.shown_count, len(self._table.rows)
        self.query_one(".count", Static).update(f"{shown} of {total}" if event.value else "")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value:
            self._table.focus()
        else:
            self.clear()
