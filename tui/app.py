"""The terminal program: its modes, its keys everywhere, its look."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from tui import keymap
from tui.actions import Actions
from tui.services_host import Opener
from tui.terminal import theme_for
from tui.themes import THEMES, early_theme

if TYPE_CHECKING:
    from services.paths import Paths


def _screen(target: str) -> Screen[object]:
    """A mode's screen, imported when the mode is first entered."""
    screen = keymap.load(target)()
    assert isinstance(screen, Screen)
    return screen


class SwitchroomApp(Actions):
    """The program. `services_opener` replaces the real services in tests; `mode` is the one it opens in."""

    TITLE = "Switchroom"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    SUSPENDED_SCREEN_CLASS = "-under"
    NOTIFICATION_TIMEOUT = 6
    MODES: ClassVar[dict[str, Callable[[], Screen[object]]]] = {  # type: ignore[assignment]
        mode.name: partial(_screen, mode.screen) for mode in keymap.MODES
    }
    DEFAULT_MODE = "overview"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "help", "help", key_display="?", id="app.help", tooltip="The keys that work here"),
        Binding("q", "quit", "quit", id="app.quit", tooltip="Quit; asks if a run is in flight"),
        Binding("colon,ctrl+p", "palette", "commands", key_display=":", id="app.palette", tooltip="Every action, mode, theme, setting, provider and model"),
        Binding("exclamation_mark", "alerts", "alerts", id="app.alerts", tooltip="What was reported, with its history"),
        Binding("z", "take_back", "take back", id="app.take_back", tooltip="Take back the providers that were just added from the environment"),
        Binding("O", "offline", "offline", show=False, id="app.offline", tooltip="Keep every connection on this machine, or stop doing so"),
        Binding("ctrl+c", "interrupt", "stop", show=False, priority=True, id="app.interrupt", tooltip="Stop the stream or task in front"),
        Binding("ctrl+l", "redraw", "redraw", show=False, id="app.redraw", tooltip="Paint the screen again"),
        Binding("ctrl+z", "suspend_process", "suspend", show=False, id="app.suspend", tooltip="Back to the shell; fg returns"),
        *(
            Binding(mode.digit, f"mode('{mode.name}')", mode.title, show=False, id=f"mode.{mode.name}", tooltip=f"Go to {mode.title}")
            for mode in keymap.MODES
        ),
    ]  # fmt: skip

    def __init__(
        self,
        paths: Paths | None = None,
        demo: bool = False,
        *,
        services_opener: Opener | None = None,
        mode: str = "overview",
    ) -> None:
        self.DEFAULT_MODE = mode  # type: ignore[misc]
        super().__init__(paths, demo, services_opener)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = theme_for(early_theme(paths))
