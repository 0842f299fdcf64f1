"""What stands there while the terminal is too small for anything else; it goes when the terminal has grown."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widgets import Static

LEAST = Size(60, 20)
"""The smallest terminal in which every screen is whole."""


def too_small(size: Size) -> bool:
    return size.width < LEAST.width or size.height < LEAST.height


class TooSmall(ModalScreen[None]):
    """One sentence. Keys act on nothing that cannot be seen."""

    DEFAULT_CSS = """
    TooSmall { background: $background; align: center middle; }
    TooSmall Static { width: auto; max-width: 100%; height: auto; text-align: center; }
    TooSmall ToastRack { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "app.quit", "quit", show=False, id="small.quit", tooltip="Quit; asks if a run is in flight"),
    ]  # fmt: skip

    def compose(self) -> ComposeResult:
        yield Static(self._words(), markup=False)

    def _words(self) -> str:
        size = self.app.size
        return f"Switchroom needs {LEAST.width}×{LEAST.height};\nthis terminal is {size.width}×{size.height}."

    def look(self) -> None:
        """The terminal has another size."""
        if too_small(self.app.size):
            self.query_one(Static).update(self._words())
        elif self.is_current:
            self.dismiss()

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self.look)
