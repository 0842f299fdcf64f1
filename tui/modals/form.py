"""Several lines asked at once: names on the left, values on the right, checked before it closes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.suggester import Suggester
from textual.widgets import Static

from tui.modals.base import Modal
from tui.widgets.line import Line


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a form."""

    key: str
    label: str
    value: str = ""
    hint: str = ""
    """Shown while the value is empty: what empty means, or an example."""
    check: Callable[[str], str | None] | None = None
    """What is wrong with a value, in words; None when it is good."""
    suggester: Suggester | None = None
    """What completes the value; the right arrow takes it."""
    keeps_lines: bool = False
    """A pasted text keeps its line ends; else a paste is its first line."""


def is_whole(text: str) -> bool:
    """True for a whole number of a size that can be meant; `²` is a digit too, but no number."""
    return text.strip().isdecimal() and len(text.strip()) <= 9


class Form(Modal[Mapping[str, str]]):
    """Ends in the values by key, or None. Enter keeps, tab and the arrows go from line to line."""

    AUTO_FOCUS = "Line"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "keep", "keep", id="form.keep", tooltip="Keep what is written"),
        Binding(
            "tab,down",
            "line(1)",
            "next line",
            key_display="tab",
            id="form.down",
            tooltip="Next line",
        ),
        Binding(
            "up,shift+tab", "line(-1)", "line before", show=False, id="form.up", tooltip="The line before"
        ),
    ]

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        detail: str = "",
        *,
        keep: str = "",
        check: Callable[[Mapping[str, str]], tuple[str, str] | None] | None = None,
    ) -> None:
        """`keep`: what enter does where nothing is kept, in a word or two. `check`: what is wrong with the values
        together, and the key of the line it is about; asked once each value is good by itself."""
        super().__init__(title)
        self.key_words = {"form.keep": keep}
        self._fields, self._detail, self._check = tuple(fields), detail, check

    def compose_body(self) -> ComposeResult:
        if self._detail:
            yield Static(self._detail, markup=False, classes="detail")
        with VerticalScroll(classes="lines", can_focus=False):
            for field in self._fields:
                with Horizontal(classes="line"):
                    yield Static(field.label, markup=False, classes="label")
                    yield Line(
                        field.value,
                        placeholder=field.hint,
                        name=field.key,
                        select_on_focus=False,
                        suggester=field.suggester,
                        keeps_lines=field.keeps_lines,
                    )
        yield Static("", markup=False, classes="problem")

    def action_line(self, by: int) -> None:
        if by > 0:
            self.focus_next("Line")
        else:
            self.focus_previous("Line")
        if isinstance(line := self.focused, Line):
            line.select_all()  # what is typed takes the place of what stood there

    def action_keep(self) -> None:
        lines = {line.name or "": line for line in self.query(Line)}
        for field in self._fields:
            if problem := field.check(lines[field.key].value) if field.check else None:
                self._tell(field.key, problem)
                return
        values = {key: line.value.strip() for key, line in lines.items()}
        if wrong := self._check(values) if self._check else None:
            self._tell(*wrong)
        else:
            self.dismiss(values)

    def _tell(self, key: str, problem: str) -> None:
        """What is wrong with a line, and the line itself."""
        label = next(field.label for field in self._fields if field.key == key)
        self.query_one(".problem", Static).update(f"{label}: {problem}")
        next(line for line in self.query(Line) if line.name == key).focus()
