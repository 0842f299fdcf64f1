"""The line a filter is typed into: there only while it is used, and while a filter is in force."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.formatting import whole, width
from tui.widgets.line import Line
from tui.widgets.table import VirtualTable


class FilterBar(Widget):
    """`/` and a line of text; every letter filters the table, enter goes back to it, esc clears.

    Under it, while one types and the table has facets: what the last word can become (tab takes the first), or
    what is wrong with it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "keep",
            "back to the table",
            id="filter.keep",
            tooltip="Keep the filter, go back to the table",
        ),
        Binding(
            "tab",
            "complete",
            "complete",
            id="filter.complete",
            tooltip="Complete the facet or value that is being typed",
        ),
    ]
    DEFAULT_CSS = """
    FilterBar { height: auto; display: none; padding: 0 1; }
    FilterBar.-open { display: block; }
    FilterBar Horizontal { height: 1; }
    FilterBar .slash { width: 2; color: $accent; }
    FilterBar .count { width: auto; color: $dim; padding: 0 0 0 2; }
    FilterBar Line { width: 1fr; background: $background; padding: 0; }
    FilterBar Line:focus { background: $background; }
    FilterBar Hints { height: 1; display: none; padding: 0 0 0 2; color: $dim; }
    FilterBar:focus-within Hints.-any, FilterBar Hints.-problem { display: block; }
    FilterBar Hints.-problem { color: $warning; }
    """

    def __init__(self, table: VirtualTable[Any]) -> None:
        super().__init__()
        self._table = table
        self._line: Line | None = None
        table.arranged = self.bring_up_to_date

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Only facets can be completed."""
        return action != "complete" or bool(self._table.facets)

    def open(self) -> None:
        """Show the line and type into it."""
        self.add_class("-open")
        if self._line is None:  # made on first use: it would cost the start its time
            words = "words to look for"
            if self._table.facets:
                words += ", or one of these; - or ! in front leaves out"
            self._line = Line(placeholder=words, select_on_focus=False)
            self.mount(_Parts(self._line))
        self.screen.set_focus(self._line)  # at once: the words may come in one piece with the key

    def clear(self) -> None:
        """No filter, no line, the table has the keys again."""
        if self._line is not None:
            self._line.value = ""
        self._table.set_filter("")
        self.remove_class("-open")
        self.screen.set_focus(self._table)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self._table.filter:
            self._table.set_filter(event.value)  # tells this bar
        else:
            self.bring_up_to_date()

    def bring_up_to_date(self) -> None:
        """Bring count and hints in step with the table."""
        if self._line is None or not self.has_class("-open"):
            return
        for parts in self.query(_Parts):
            parts.tell(self._table, self._line.value)

    def action_keep(self) -> None:
        if self._line is not None and self._line.value:
            self.screen.set_focus(self._table)
        else:
            self.clear()

    def action_complete(self) -> None:
        if self._line is None:
            return
        text = self._line.value
        found = self._table.completions(text)
        if found and text != (taken := text[: text.rfind(" ") + 1] + found[0]):
            self._line.value = taken
            self._line.action_end()


class _Parts(Widget):
    """The line with its count, and the hints under it."""

    DEFAULT_CSS = "_Parts { height: auto; }"

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    def compose(self) -> ComposeResult:
        yield Horizontal(Static("/", classes="slash"), self._line, Static("", classes="count", markup=False))
        yield Hints("", markup=False)

    def on_mount(self) -> None:
        bar = self.parent
        assert isinstance(bar, FilterBar)
        bar.bring_up_to_date()

    def tell(self, table: VirtualTable[Any], text: str) -> None:
        line = next(iter(self.query(".count").results(Static)), None)
        if line is None:
            return  # rows came while it is being built: once it is, it asks for itself
        counts = f"{whole(table.shown_count)} of {whole(len(table.rows))}" if text else ""
        marks = f"{whole(len(table.marked))} marked" if table.marked else ""
        line.update("  ".join(part for part in (counts, marks) if part))
        problem = table.filter_problem
        if problem and table.shown_count and problem.startswith("There is no"):
            problem = ""  # what was found has a colon of its own
        self.query_one(Hints).tell(problem, table.completions(text) if table.facets else [])


class Hints(Static):
    """What can be typed next, as far as it fits, or what is wrong."""

    def tell(self, problem: str, words: list[str]) -> None:
        """Show the problem, else the words."""
        self.set_class(bool(problem), "-problem")
        self.set_class(bool(problem or words), "-any")
        if problem:
            self.update(problem)
            return
        shown, cells = "", max(20, self.app.size.width - 8)
        for word in words:
            if width(shown) + width(word) + 2 > cells:
                shown += "…"
                break
            shown += word + "  "
        self.update(Content(shown.rstrip()))
