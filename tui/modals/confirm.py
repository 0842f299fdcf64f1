"""The one question before something is destroyed, stopped or paid for."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from tui.modals.base import Modal


class Confirm(Modal[bool]):
    """Yes (`y`) or no (`n`, `esc`), with what depends on the answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes", id="confirm.yes", tooltip="Yes, do it"),
        Binding("n", "answer(False)", "no", id="confirm.no", tooltip="No, change nothing"),
    ]

    def __init__(self, question: str, detail: str = "", yes: str = "yes", no: str = "no") -> None:
        super().__init__(question)
        self._detail = detail
        self.key_words = {"confirm.yes": yes, "confirm.no": no}

    def compose_body(self) -> ComposeResult:
        if self._detail:
            yield Static(self._detail, markup=False, classes="detail")

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)
