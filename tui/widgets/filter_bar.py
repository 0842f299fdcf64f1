"""The line a filter is typed into: there only while it is used, and while a filter is in force."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.widgets.line import Line
from tui.widgets.table import VirtualTable


class FilterBar(Widget):
    """`/` and a line of text; every letter filters the table, enter goes back to it, esc clears."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "keep",
            "back to the table",
            id="filter.keep",
            tooltip="Keep the filter, go back to the table",
        ),
    ]
    DEFAULT_CSS = """
    FilterBar { height: 1; display: none; padding: 0 1; }
    FilterBar.-open { display: block; }
    FilterBar .slash { width: 2; color: $accent; }
    FilterBar .count { width: auto; color: $dim; }
    FilterBar Line { width: 1fr; background: $background; padding: 0; }
    FilterBar Line:focus { background: $background; }
    """

    def __init__(self, table: VirtualTable[Any]) -> None:
        super().__init__()
        self._table = table
        self._line: Line | None = None

    def open(self) -> None:
        """Show the line and type into it."""
        self.add_class("-open")
        if self._line is None:  # made on first use: it would cost the start its time
            self._line = Line(placeholder="words to look for", select_on_focus=False)
            self.mount(Horizontal(Static("/", classes="slash"), self._line, Static("", classes="count")))
        self.screen.set_focus(self._line)  # at once: the words may come in one piece with the key

    def clear(self) -> None:
        """No filter, no line, the table has the keys again."""
        if self._line is not None:
            self._line.value = ""
        self._table.set_filter("")
        self.remove_class("-open")
        self._table.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._table.set_filter(event.value)
        shown, total = self._table.shown_count, len(self._table.rows)
        self.query_one(".count", Static).update(f"{shown} of {total}" if event.value else "")

    def action_keep(self) -> None:
        if self._line is not None and self._line.value:
            self._table.focus()
        else:
            self.clear()
