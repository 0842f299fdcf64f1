"""One of many, filtered as the user types: the palette, the catalog, lists of keys and alerts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui.modals.base import Modal
from tui.widgets.columns import Column
from tui.widgets.line import Line
from tui.widgets.table import VirtualTable

T = TypeVar("T")


class Pick(Modal[T], Generic[T]):
    """A table under a filter line; the letters go to the filter, the arrows to the table. Ends in the chosen row."""

    AUTO_FOCUS = "Line"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "choose",
            "choose",
            id="pick.choose",
            tooltip="Take the row under the cursor",
        ),
        Binding("down,ctrl+n", "move(1)", "down", show=False, id="pick.down", tooltip="Next row"),
        Binding("up", "move(-1)", "up", show=False, id="pick.up", tooltip="Previous row"),
        Binding("pagedown", "half(2)", "page", show=False, id="pick.page_down", tooltip="A page down"),
        Binding("pageup", "half(-2)", "page", show=False, id="pick.page_up", tooltip="A page up"),
    ]

    def __init__(
        self,
        title: str,
        columns: Sequence[Column[T]],
        rows: Sequence[T],
        *,
        key: Callable[[T], str],
        search: Callable[[T], str],
        placeholder: str = "type to filter",
        empty: str = "Nothing here.",
        header: bool = False,
        start: str | None = None,
        wide: bool = False,
        small: bool = False,
        keep_last: bool = False,
        best_first: bool = False,
        choose_words: str = "",
        leave_words: str = "",
        numbered: bool = False,
    ) -> None:
        """`numbered`: the rows begin with their number, and a digit alone chooses while it can mean but one."""
        super().__init__(title)
        self._table: VirtualTable[T] = VirtualTable(
            columns,
            key=key,
            search=search,
            empty=empty,
            no_match="Nothing matches. Backspace widens the filter.",
            header=header,
            marks=True,
        )
        self._table.can_focus = False
        self._table.pretend_focus = True
        self.key_words = {"pick.choose": choose_words, "window.leave": leave_words}
        if keep_last:
            self._table.keep_last()
        if best_first:
            self._table.beginnings_first()
        self._best_first, self._numbered = best_first, numbered
        self.typed = ""
        """What stands in the filter line."""
        self._empty = empty
        self._rows, self._placeholder, self._start = list(rows), placeholder, start
        self._size_class = "wide" if wide else "small" if small else "list"

    def compose_body(self) -> ComposeResult:
        field = Line(placeholder=self._placeholder, classes="field")
        yield field
        yield self._table

    def on_mount(self) -> None:
        self.query_one(".panel").add_class("list", self._size_class)
        self._table.set_rows(self._rows)
        if self._start is not None:
            self._table.go_to(self._start)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._numbered and not self.typed and (row := self._meant(event.value)) is not None:
            self.dismiss(row)
            return
        changed, self.typed = event.value != self.typed, event.value
        self._table.set_empty("Nothing matches. Backspace widens the filter." if event.value else self._empty)
        self._table.set_filter(event.value)
        if changed and self._best_first:
            self._table.action_first()  # what was typed asks for the best row, not for the one seen before

    def _meant(self, text: str) -> T | None:
        """The row with this one digit as its number; None: no row, or more digits may follow."""
        if len(text) != 1 or not text.isdecimal() or not 0 < int(text) <= len(self._rows):
            return None
        return None if int(text) * 10 <= len(self._rows) else self._rows[int(text) - 1]

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()
        self.action_choose()

    def action_choose(self) -> None:
        if (row := self._table.cursor_row) is not None:
            self.dismiss(row)

    def action_move(self, steps: int) -> None:
        self._table.action_move(steps)

    def action_half(self, halves: int) -> None:
        self._table.action_half(halves)
