"""One line asked of the user: a name, an address, or a secret that is never shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from tui.modals.base import Modal
from tui.widgets.line import Line


class Ask(Modal[str]):
    """Ends in what was typed (maybe empty), or None. `check` returns what is wrong with it, or None."""

    AUTO_FOCUS = "Line"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "keep", "go on", id="ask.keep", tooltip="Take what is written"),
    ]

    def __init__(
        self,
        title: str,
        detail: str = "",
        *,
        value: str = "",
        placeholder: str = "",
        password: bool = False,
        check: Callable[[str], str | None] | None = None,
        problem: str = "",
    ) -> None:
        super().__init__(title)
        self._detail, self._value, self._placeholder = detail, value, placeholder
        self._password, self._check, self._problem = password, check, problem

    def compose_body(self) -> ComposeResult:
        if self._detail:
            yield Static(self._detail, markup=False, classes="detail")
        field = Line(
            self._value, placeholder=self._placeholder, password=self._password, classes="field alone"
        )
        yield field
        yield Static(self._problem, markup=False, classes="problem")

    def action_keep(self) -> None:
        value = self.query_one(Line).value
        problem = self._check(value) if self._check else None
        if problem:
            self.query_one(".problem", Static).update(problem)
        else:
            self.dismiss(value)
