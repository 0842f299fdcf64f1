"""What every window over a screen shares: esc closes it, its panel, its title and its line of keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.widgets.footer import KeyLine

if TYPE_CHECKING:
    from tui.app import SwitchroomApp

R = TypeVar("R")


class Modal(ModalScreen[R | None], Generic[R]):
    """A window that ends in a result, or in None when the user leaves it with esc."""

    CSS_PATH = Path(__file__).with_name("modals.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "back", id="window.leave", tooltip="Close the window, change nothing"),
    ]

    HEADING: ClassVar[str] = ""

    if TYPE_CHECKING:

        @property
        def app(self) -> SwitchroomApp: ...  # type: ignore[override]

    def __init__(self, heading: str = "") -> None:
        super().__init__()
        self.heading = heading or self.HEADING
        self.key_words: dict[str, str] = {}
        """Binding id → what the line of keys calls it in this window."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel"):
            yield Static(self.heading, markup=False, classes="heading")
            yield from self.compose_body()
            yield KeyLine()

    def compose_body(self) -> ComposeResult:
        """What stands between the heading and the keys."""
        yield from ()

    def on_mount(self) -> None:
        self.app.hush()

    def on_screen_resume(self) -> None:
        for line in self.query(KeyLine):
            line.look()

    def on_screen_suspend(self) -> None:
        for line in self.query(KeyLine):
            line.look()

    def dismiss(self, result: R | None = None) -> AwaitComplete:
        self.app.window_left()
        return super().dismiss(result)

    def action_leave(self) -> None:
        self.dismiss(None)
