"""The filter line of the audit log: what is typed is asked of the whole log, not of the rows that are loaded."""

from __future__ import annotations

from typing import Any

from textual.message import Message
from textual.widgets import Input, Static

from tui.widgets.filter_bar import FilterBar
from tui.widgets.table import VirtualTable


class AuditFilter(FilterBar):
    """Posts what is asked for; the screen searches and says how much was found."""

    class Asked(Message):
        """The words in the line are others now."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, table: VirtualTable[Any]) -> None:
        super().__init__(table)
        self._found = ""

    @property
    def text(self) -> str:
        """What stands in the line."""
        return self._line.value if self._line is not None else ""

    def ask(self, text: str) -> None:
        """As if it had been typed."""
        self.open()
        if self._line is not None:
            self._line.value = text
        self._table.focus()

    def found(self, words: str) -> None:
        """How much was found, at the end of the line."""
        self._found = words
        self.bring_up_to_date()

    def bring_up_to_date(self) -> None:
        super().bring_up_to_date()
        for count in self.query(".count").results(Static):
            count.update(self._found if self.text else "")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        event.prevent_default()
        self.post_message(self.Asked(event.value))
        self.bring_up_to_date()
