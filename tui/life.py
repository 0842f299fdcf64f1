"""The life of the program: the services under it, what happens in them, what ends it, and keys and frames on their way."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import re
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.text import Text
from textual import events
from textual._compositor import CompositorUpdate
from textual.screen import Screen
from textual.worker import Worker, WorkerCancelled, WorkerFailed

from catalog.errors import SwitchroomError
from tui import crash, facts, hangup, typeahead
from tui.first_hint import FirstHint
from tui.keymap import key_label
from tui.look import Look
from tui.modals.too_small import TooSmall, too_small
from tui.notices import Notices
from tui.own_keys import OwnKeys
from tui.pull_work import PullWork
from tui.services_host import Opener, ServicesHost, opener
from tui.wire import Wire
from tui.work import SyncWork
from tui.workers import QuietWorkers

if TYPE_CHECKING:
    from rich.console import RenderableType

    from services.container import Services
    from services.paths import Paths
    from tui.app import SwitchroomApp


_SIGN_IN = re.compile(r"switchroom providers login ([\w.-]+)")
"""How a sign-in is done on the command line; here a key does it."""
_LONGEST_OPENING = 3.0
"""Seconds that keys wait at most for the services; what takes longer must not keep anybody from leaving."""


class Life(Notices):
    """The part of the app that opens, listens and closes."""

    greets = False
    """True when somebody who is here for the first time is greeted with a line of keys."""

    def __init__(self, paths: Paths | None, demo: bool, services_opener: Opener | None) -> None:
        super().__init__()
        self._workers = QuietWorkers(self)
        self.paths = paths
        self._demo = demo
        self.start_error: SwitchroomError | None = None
        """What kept the services from opening; the program ends with it."""
        self._services: Services | None = None
        self._wire = Wire()
        self._look = Look(self)
        self.own_keys = OwnKeys(self)
        self.first_hint = FirstHint(self)
        self._ahead = typeahead.TypeAhead(self, super().on_event)
        self._keys_wait = False
        self._host = ServicesHost(services_opener or opener(paths, demo=demo))
        self._speeds = facts.Speeds()
        self._gatherer = facts.Gatherer(self, self._speeds)
        self._sync = SyncWork(self._program)
        self._pulls = PullWork(self._program)
        self._leave_feed: Callable[[], None] = lambda: None

    @property
    def _program(self) -> SwitchroomApp:
        """The whole, of which this class is a part."""
        return cast("SwitchroomApp", self)

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

    def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, lambda _app: self._resumed())
        hangup.mind_stops(self)
        self._keys_wait = True
        self._ahead.hold()  # the first keys are for what the services are about to show
        self.set_timer(_LONGEST_OPENING, self._let_keys_act)
        self.run_worker(self._open_services(), exit_on_error=True)  # while the first frame waits for its turn
        self.call_after_refresh(self._mind_size)

    def _let_keys_act(self) -> None:
        if self._keys_wait:
            self._keys_wait = False
            self._ahead.release()
            if not self.opened:
                self.tell(
                    "Still opening the store. After an update it is brought up to date once, with a copy kept beside it;"
                    " that can take a minute."
                )

    def _resumed(self) -> None:
        """What another program left on the screen is painted over."""
        self._wire.forget()
        self.screen.refresh(repaint=True, layout=True)

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
                try:
                    await screen.services_ready(services)
                except SwitchroomError as error:  # of one screen: the others, and what comes after, go on
                    self.tell_error(error)
        self._let_keys_act()
        self.call_after_refresh(self._after_paint)

    def _take_settings(self) -> None:
        settings = self.services.settings
        self._look.take(settings.appearance)
        self.own_keys.take(settings.keys)

    @property
    def screen_reader(self) -> bool:
        """True when a screen reader is in use: numbers as tables, nothing that ticks."""
        return self._look.screen_reader

    def key_for(self, ident: str) -> str:
        """The key that does this now, as people write it; empty when there is none."""
        for active in self.screen.active_bindings.values():
            if active.binding.id == ident and (
                label := active.binding.key_display or key_label(active.binding.key)
            ):
                return label
        return ""

    def with_keys(self, text: str) -> str:
        """A sentence that names keys as `{a:providers.add}`, with the keys of now."""
        return self.own_keys.in_text(_SIGN_IN.sub(r"{K:providers.key|provider.key} on \1 in Providers", text))

    def repaint(self) -> None:
        """Paint everything again, whatever the terminal is thought to show."""
        self._wire.forget()
        self.refresh(repaint=True, layout=True)
        self.screen.refresh(repaint=True, layout=True)

    def _after_paint(self) -> None:
        """What the first full frame need not wait for."""
        gc.freeze()  # what is there now stays: later collections need not look at it
        gc.enable()
        self._gatherer.soon()
        from tui.screens.provider_secrets import passphrase_source

        self.services.passphrase_source = passphrase_source(self._program)
        if self.greets:
            self.run_worker(self.first_hint.greet(), group="greeted")
        if not self._demo:
            from services.catalog_watch import keep_fresh

            keep_fresh(self.services)
        if not self._demo:
            self.run_worker(self._look_and_sync(), group="discovery")

    async def _look_and_sync(self) -> None:
        """What is found here is there before the first sync, which goes on whatever the screens do.

        Both wait until the first screen has what it shows: their imports would hold it up.
        """
        first: Worker[None] | None = getattr(self.screen, "arriving", None)
        if first is not None:
            with contextlib.suppress(WorkerFailed, WorkerCancelled):
                await first.wait()
        if self.services.settings.discovery.at_start != "off":
            from tui.screens.discovered import look_around

            await look_around(self._program)
        self.services.spawn(self.services.schedules.keep())
        from services.account_schedule import keep

        self.services.spawn(keep(self.services))
        from services.plugin_news import tell_broken

        self.services.spawn(tell_broken(self.services))

    async def close_services(self) -> None:
        """Settle what is in flight and close; safe to call twice."""
        self._gatherer.cancel()
        await self._sync.aclose()
        await self._host.aclose()

    async def on_unmount(self) -> None:
        await self.close_services()

    async def _shutdown(self) -> None:
        self._leave_feed()  # the screens are going: what ends from now on is for the store alone
        self._gatherer.cancel()
        self.workers.cancel_all()
        await super()._shutdown()

    def _handle_exception(self, error: Exception) -> None:
        """What a worker could not do (the store is busy, a provider is gone) is told; only our own mistakes are fatal."""
        inner = error.error if isinstance(error, WorkerFailed) else error
        if isinstance(error, WorkerFailed) and isinstance(inner, SwitchroomError):
            self.tell_error(inner)
        elif isinstance(inner, ImportError) and self.opened:  # its files were replaced under it
            self.tell(
                f"A part of the program cannot be loaded: {inner}.",
                title="Switchroom was changed",
                hint="It was probably updated while it ran: quit and start it again",
                tone="bad",
            )
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
        self.call_later(self._mind_size)

    def _mind_size(self) -> None:
        """A terminal that is too small shows one sentence, in whatever mode it was, and then goes on there."""
        if not self._screen_stack:
            return
        if isinstance(top := self.screen, TooSmall):
            top.look()
        elif too_small(self.size):
            self.push_screen(TooSmall())

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
        if self._demo:  # its home goes with it, and nothing is left in the user's own
            import tempfile

            return Path(tempfile.mkdtemp(prefix="switchroom-crash-"))
        if self.paths is None:
            from services.paths import resolve

            self.paths = resolve()
        return self.paths.logs

    # -- what happens ----------------------------------------------------------------------------

    def _feed(self, event: object) -> None:
        if self._speeds.apply(event):
            self.set_facts(replace(self.facts, runs=self._speeds.runs, tok_per_s=self._speeds.total))
        self._sync.feed_event(event)
        self._pulls.feed_event(event)
        if facts.needs_gathering(event):
            self._gatherer.soon()
        if type(event).__name__ == "SettingsChanged":
            self._take_settings()
        if type(event).__name__ == "Alert":
            self.tell_alert(event)
        for screen in self.mode_screens():
            screen.feed_event(event)

    def do(self, action: Coroutine[Any, Any, None]) -> None:
        """Run what a key asked for: it may ask questions in windows of its own."""
        self.run_worker(action, group="action", exit_on_error=True)
