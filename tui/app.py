"""The terminal program: its modes, its keys everywhere, its look, and the life of the services under it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import events
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.worker import Worker, WorkerFailed

from catalog.errors import SwitchroomError
from catalog.plaintext import one_line
from catalog.redact import redact
from tui import clipboard, crash, facts, keymap, typeahead
from tui.formatting import Tone
from tui.messages import Notice, StatusFacts
from tui.services_host import Opener, ServicesHost, opener
from tui.themes import THEMES, AsciiFilter, early_theme
from tui.wire import Wire
from tui.work import SyncWork

if TYPE_CHECKING:
    from rich.console import RenderableType

    from services.container import Services
    from services.paths import Paths
    from tui.modals.help import KeyHelp
    from tui.screens.base import ModeScreen

_SEVERITY: dict[str, str] = {"bad": "error", "warn": "warning"}


def _screen(target: str) -> Screen[object]:
    """A mode's screen, imported when the mode is first entered."""
    screen = keymap.load(target)()
    assert isinstance(screen, Screen)
    return screen


class SwitchroomApp(App[int]):
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
        Binding("colon,ctrl+p", "palette", "commands", key_display=":", id="app.palette", tooltip="Every action, provider and model"),
        Binding("exclamation_mark", "alerts", "alerts", id="app.alerts", tooltip="What was reported, with its history"),
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
        super().__init__()
        self.paths = paths
        self.start_error: SwitchroomError | None = None
        """What kept the services from opening; the program ends with it."""
        self.facts = StatusFacts()
        self.notices: list[Notice] = []
        self._services: Services | None = None
        self._wire = Wire()
        self._ahead = typeahead.TypeAhead(self, super().on_event)
        self._host = ServicesHost(services_opener or opener(paths, demo=demo))
        self._speeds = facts.Speeds()
        self._sync = SyncWork(self)
        self._gathering: asyncio.Task[None] | None = None
        self._facts_old = False
        self._leave_feed: Callable[[], None] = lambda: None
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = early_theme(paths)

    @property
    def services(self) -> Services:
        """The open services. Only to be used once `opened`."""
        if self._services is None:
            raise RuntimeError("the services are not open yet")
        return self._services

    @property
    def opened(self) -> bool:
        """True once the services are there."""
        return self._services is not None

    # -- life ------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, lambda _app: self._wire.forget())
        self.call_after_refresh(lambda: self.run_worker(self._open_services(), exit_on_error=True))

    async def _open_services(self) -> None:
        try:
            services = await self._host.open()
        except SwitchroomError as error:
            self.start_error = error
            self.exit(return_code=7)
            return
        self._services = services
        self._take_settings()
        self._leave_feed = services.feed.subscribe(self._feed)
        for screen in self.mode_screens():
            if screen.framed:  # the others ask for themselves
                await screen.services_ready(services)
        self.call_after_refresh(self._after_paint)

    def _take_settings(self) -> None:
        appearance = self.services.settings.appearance
        if appearance.theme in self.available_themes:
            self.theme = appearance.theme
        if appearance.ascii:
            self._filters.append(AsciiFilter())
            self.refresh(layout=True)
        if not appearance.animations:
            self.animation_level = "none"

    def _after_paint(self) -> None:
        """What the first full frame need not wait for."""
        self._gather_soon()
        from tui.screens.provider_secrets import passphrase_source

        self.services.credentials.passphrase_source = passphrase_source(self)

    async def close_services(self) -> None:
        """Settle what is in flight and close; safe to call twice."""
        if self._gathering is not None:
            self._gathering.cancel()
        await self._sync.aclose()
        await self._host.aclose()

    async def on_unmount(self) -> None:
        await self.close_services()

    async def _shutdown(self) -> None:
        self._leave_feed()  # the screens are going: what ends from now on is for the store alone
        self.workers.cancel_all()
        await super()._shutdown()

    def mode_screens(self) -> list[ModeScreen]:
        """The modes that have been entered so far."""
        from tui.screens.base import ModeScreen

        stacks = self._screen_stacks.values()
        return [screen for stack in stacks for screen in stack if isinstance(screen, ModeScreen)]

    def _handle_exception(self, error: Exception) -> None:
        """What a worker could not do (the store is busy, a provider is gone) is told; only our own mistakes are fatal."""
        if isinstance(error, WorkerFailed) and isinstance(error.error, SwitchroomError):
            self.tell_error(error.error)
        else:
            super()._handle_exception(error)

    def task_ended(self, task: asyncio.Task[None]) -> None:
        """A mistake in a task of the app's own is as fatal as one in a worker, and never lost."""
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._handle_exception(error)

    def _fatal_error(self) -> None:
        """Textual's own prints local variables, keys among them; ours never does."""
        error = self._exception
        if error is not None and not self._exit_renderables:
            self._exit_renderables.append(Text(crash.handle(error, self._logs)))
        self._close_messages_no_wait()

    def panic(self, *renderables: RenderableType) -> None:  # noqa: ARG002
        """An error that knows how to draw itself might draw a key: it is reported like every other."""
        self._fatal_error()

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        if (
            isinstance(renderable, CompositorUpdate)
            and self._driver is not None
            and not self._driver.is_inline
        ):
            renderable = self._wire.lean(renderable)
        super()._display(screen, renderable)

    def on_resize(self, event: events.Resize) -> None:
        self._wire.resized(event.size)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, (events.Key, events.Paste)) and not self.is_running:
            return  # pressed behind the one that quit: there is no screen left to act on
        if isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded:
            await self._ahead.take(event)
        else:
            await super().on_event(event)

    async def on_key_done(self) -> None:
        await self._ahead.done()

    def run_worker(self, work: Any, *arguments: Any, **options: Any) -> Worker[Any]:
        if options.get("group") in typeahead.ASKING:
            self._ahead.asked()
        return super().run_worker(work, *arguments, **options)

    def window_left(self) -> None:
        """A window was answered: what asked may open the next."""
        self._ahead.asked()

    def _logs(self) -> Path:
        if self.paths is None:
            from services.paths import resolve

            self.paths = resolve()
        return self.paths.logs

    # -- what happens ----------------------------------------------------------------------------

    def _feed(self, event: object) -> None:
        if self._speeds.apply(event):
            self.set_facts(replace(self.facts, runs=self._speeds.runs, tok_per_s=self._speeds.total))
        self._sync.feed_event(event)
        if facts.needs_gathering(event):
            self._gather_soon()
        if type(event).__name__ == "Alert":
            self._alert(event)
        for screen in self.mode_screens():
            screen.feed_event(event)

    def _alert(self, event: object) -> None:
        tones: dict[str, Tone] = {"error": "bad", "warning": "warn"}
        tone = tones.get(getattr(event, "kind", ""), "")
        self.tell(
            getattr(event, "message", ""), title=getattr(event, "title", ""), hint=getattr(event, "hint", None) or "", tone=tone
        )  # fmt: skip

    def _gather_soon(self) -> None:
        self._facts_old = True
        if self._gathering is None or self._gathering.done():
            self._gathering = asyncio.create_task(self._gather())
            self._gathering.add_done_callback(self.task_ended)

    async def _gather(self) -> None:
        while self._facts_old:  # what happens while it asks is asked about once more
            await asyncio.sleep(0)  # several events of one moment are one question
            self._facts_old = False
            try:
                gathered = await facts.gather(self.services, lambda: self.facts)
            except SwitchroomError as error:
                self.tell_error(error)
                return
            self.set_facts(replace(gathered, tok_per_s=self._speeds.total))

    def set_facts(self, new: StatusFacts) -> None:
        """Show new facts in the status lines; equal ones cost nothing."""
        if new == self.facts:
            return
        self.facts = new
        for screen in self.mode_screens():
            if screen.is_mounted:
                screen.set_facts()

    def set_work(self, text: str) -> None:
        """Long work under way, shown in every mode; empty when it is over."""
        self.set_facts(replace(self.facts, work=text))
        if not text:
            for screen in self.mode_screens():
                screen.work_ended()

    def sync(self, slugs: Sequence[str] | None) -> None:
        """Sync these providers, or all; it goes on when the user switches mode."""
        if self.opened:
            self._sync.start(slugs)

    def stop_work(self) -> bool:
        """Stop the long work under way; False when there is none."""
        return self._sync.stop()

    def do(self, action: Coroutine[Any, Any, None]) -> None:
        """Run what a key asked for: it may ask questions in windows of its own."""
        self.run_worker(action, group="action", exit_on_error=True)

    def tell(self, message: str, *, title: str = "", hint: str = "", tone: Tone = "ok") -> None:
        """Tell the user what happened and the next key, in a toast that stays in the history (`!`)."""
        notice = Notice(
            int(time.time() * 1000), tone, one_line(redact(title), 80), one_line(redact(message), 400), one_line(hint, 200)
        )  # fmt: skip
        self.notices.append(notice)
        del self.notices[:-500]
        if tone in _SEVERITY:
            self.set_facts(replace(self.facts, alerts=self.facts.alerts + 1))
        words = f"{notice.message}\n{notice.hint}" if notice.hint else notice.message
        self.notify(words, title=notice.title, severity=_SEVERITY.get(tone, "information"), markup=False)  # type: ignore[arg-type]

    def tell_error(self, error: SwitchroomError) -> None:
        """An error as the user should see it: title, sentence, next key."""
        self.tell(error.message, title=error.title, hint=error.hint or "! for details", tone="bad")

    async def copy(self, text: str) -> None:
        """Put the text on the user's clipboard, secrets masked."""
        driver = self._driver
        copied = await clipboard.copy(text, driver.write if driver is not None else lambda _sequence: None)
        self._clipboard = copied
        self.tell(f"Copied {one_line(copied, 60)}", tone="")

    def copy_to_clipboard(self, text: str) -> None:
        """Textual's own ways of copying (a marked stretch, an input) mask secrets too."""
        super().copy_to_clipboard(redact(text))

    # -- keys ------------------------------------------------------------------------------------

    def action_mode(self, name: str) -> None:
        if not self.screen.is_modal:
            self.switch_mode(name)

    async def action_quit(self) -> None:
        running = self._speeds.runs
        if not running:
            self.exit(0)
            return
        from tui.modals.confirm import Confirm

        words = "1 run is in flight." if running == 1 else f"{running} runs are in flight."

        def answered(yes: bool | None) -> None:
            if yes:
                self.exit(0)

        self.push_screen(
            Confirm("Quit now?", f"{words} What has arrived and what it cost is kept.", yes="quit", no="stay"), answered
        )  # fmt: skip

    def action_interrupt(self) -> None:
        from tui.modals.base import Modal
        from tui.screens.base import ModeScreen

        screen = self.screen
        if isinstance(screen, ModeScreen) and screen.interrupt():
            return
        if isinstance(screen, Modal):
            screen.action_leave()
            return
        self.notify("Nothing is running here. q quits (esc first in an input).", timeout=4, markup=False)

    def action_redraw(self) -> None:
        self._wire.forget()
        self.refresh(repaint=True, layout=True)
        self.screen.refresh(repaint=True, layout=True)

    def action_help(self) -> None:
        from tui.modals.help import help_window

        def chosen(row: KeyHelp | None) -> None:
            if row is not None:
                self.run_worker(self.run_action(row.entry.binding.action, row.entry.node))

        self.push_screen(help_window(self.screen), chosen)

    def action_palette(self) -> None:
        from tui.commands import open_palette

        self.run_worker(open_palette(self), exclusive=True, group="palette")

    def action_alerts(self) -> None:
        from tui.modals.alerts import alerts_window

        self.push_screen(alerts_window(self.notices))
        self.set_facts(replace(self.facts, alerts=0))

    def action_offline(self) -> None:
        from tui.modals.offline import toggle_offline

        self.run_worker(toggle_offline(self), group="offline", exclusive=True)
