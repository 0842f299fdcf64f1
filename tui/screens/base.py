"""The frame every mode stands in: status line, modes, its own body, and the keys that work now."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from tui.widgets.footer import KeyLine
from tui.widgets.status import ModesLine, StatusLine
from tui.widgets.tabs_line import TabsLine

if TYPE_CHECKING:
    from textual.worker import Worker

    from services.container import Services
    from tui.app import SwitchroomApp
    from tui.exporting import Exported


class ModeScreen(Screen[None]):
    """One mode. A subclass gives `MODE`, `compose_body` and what it does when the services are there.

    The life of a screen: `compose_body` paints at once, without services; `services_ready` is awaited once, when
    they are open; `feed_event` is called for every event of the feed from then on, also while another mode is in
    front (do the least there: the screen may be hidden).
    """

    MODE: ClassVar[str] = ""
    """The name of the mode in `tui.keymap.MODES`."""

    HEADING: ClassVar[str] = ""
    """The mode's name as the status line shows it."""

    arriving: Worker[None] | None = None
    """Loads what the screen shows first; the keys behind the one that came here wait for it. None: nothing to wait for."""

    framed = False
    """True once the widgets are there; services that open before that are asked for by the screen itself."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy", show=False, id="screen.copy", tooltip="Copy what the cursor is on"),
        Binding(
            "X",
            "export",
            "export",
            id="screen.export",
            tooltip="Write what is shown to a file: CSV, JSON or JSON lines",
        ),
    ]

    if TYPE_CHECKING:

        @property
        def app(self) -> SwitchroomApp: ...  # type: ignore[override]

    def compose(self) -> ComposeResult:
        yield StatusLine(self.HEADING)
        yield ModesLine(self.MODE)
        yield from self.compose_body()
        yield KeyLine()

    def compose_body(self) -> ComposeResult:
        """The widgets between the frame's top and bottom lines."""
        yield from ()

    async def services_ready(self, services: Services) -> None:
        """The services are open: load and show. Called once, on the screen's own task."""

    def feed_event(self, event: object) -> None:
        """Something happened in the services (services/feed.py). Must not block."""

    def work_ended(self) -> None:
        """The long work of the app (a sync) is over, done or stopped."""

    def copy_text(self) -> str | None:
        """What `y` copies; None when there is nothing."""
        return None

    def exported(self) -> Exported | None:
        """What `X` writes to a file; None when there is nothing."""
        return None

    def interrupt(self) -> bool:
        """`ctrl+c`: stop the stream or task in front. True when there was one."""
        return False

    @property
    def status_title(self) -> str:
        """What the status line begins with."""
        return self.query_one(StatusLine).title

    @status_title.setter
    def status_title(self, title: str) -> None:
        self.query_one(StatusLine).title = title

    def on_mount(self) -> None:
        self.framed = True
        self.set_facts()
        if self.app.opened:
            self.arriving = self.run_worker(self.services_ready(self.app.services), exit_on_error=True)

    @property
    def seen(self) -> bool:
        """In front, or behind windows only. `is_current` is also true of what another screen covers wholly."""
        return self.is_current and (self.app.screen is self or isinstance(self.app.screen, ModalScreen))

    def on_screen_resume(self) -> None:
        self.set_facts()
        self.query_one(KeyLine).look()

    def on_screen_suspend(self) -> None:
        self.query_one(KeyLine).look()

    def set_facts(self) -> None:
        """Bring the status line in step with the app's facts."""
        for line in self.query(StatusLine):  # none on a screen that is going
            line.facts = self.app.facts

    def on_modes_line_chosen(self, event: ModesLine.Chosen) -> None:
        self.app.action_mode(event.name)

    def on_tabs_line_chosen(self, event: TabsLine.Chosen) -> None:
        if event.by and callable(step := getattr(self, "action_tab", None)):
            step(event.by)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """A screen that exports nothing does not offer it."""
        return action != "export" or type(self).exported is not ModeScreen.exported

    async def action_copy(self) -> None:
        text = self.copy_text()
        if text:
            await self.app.copy(text)
        else:
            self.app.tell("Nothing to copy here.", tone="dim")

    async def action_export(self) -> None:
        what = self.exported()
        if what is None or not what.rows:
            self.app.tell("Nothing to export here.", tone="dim")
            return
        from tui.exporting import export

        self.app.do(export(self.app, what))
