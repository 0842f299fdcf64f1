"""The window in which a new provider is tested, stored and synced, each said in words as it happens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Paste
from textual.widgets import Static
from textual.worker import Worker

from catalog.errors import SwitchroomError
from tui.formatting import count
from tui.modals.base import Modal

if TYPE_CHECKING:
    from adapters.local_servers import ServerFound
    from services.registry import ProviderView
    from services.sync import Sync

Attempt = Callable[[bool], Awaitable["ProviderView"]]
"""Adds the provider; True: only if its test passes."""


class Looking(Modal["ServerFound"]):
    """Open while a server is asked who it is, so that no key typed meanwhile goes to the screen below."""

    def __init__(self, name: str, ask: Callable[[], Awaitable[ServerFound | None]]) -> None:
        super().__init__(f"Who is at {name}?")
        self._ask = ask

    def compose_body(self) -> ComposeResult:
        yield Static("… asking the server", markup=False, classes="detail")

    def on_mount(self) -> None:
        self.run_worker(self._look, exit_on_error=True)  # type: ignore[arg-type]

    async def _look(self) -> None:
        self.dismiss(await self._ask())


class Trial(Modal["ProviderView"]):
    """Ends in the stored provider, or None when the user goes back to change something."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "new_key", "new key", id="trial.new_key", tooltip="Type another key; a paste does the same"),
        Binding("r", "retry", "retry", id="trial.retry", tooltip="Test again"),
        Binding("u", "save", "save untested", id="trial.save", tooltip="Store it although the test failed"),
    ]  # fmt: skip

    def __init__(self, name: str, attempt: Attempt, sync: Sync) -> None:
        super().__init__(f"Testing {name}")
        self._attempt, self._sync = attempt, sync
        self._lines: list[tuple[str, str]] = []
        self._failed = self._refused = False
        self.typed: str | None = None
        """What was pasted for the next key, maybe nothing; None: no other key was asked for."""
        self._work: Worker[None] | None = None
        self._stored: ProviderView | None = None

    def compose_body(self) -> ComposeResult:
        yield Static("", classes="detail report")

    def on_mount(self) -> None:
        self._start(tested=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """`r` and `u` are there once the test has failed, another key once the one given was refused."""
        if action == "new_key":
            return self._refused
        return self._failed if action in ("retry", "save") else True

    def action_new_key(self) -> None:
        self.typed = ""
        self.dismiss(None)

    def on_paste(self, event: Paste) -> None:
        if self._refused:
            event.stop()
            self.typed = event.text.strip()
            self.dismiss(None)

    def action_retry(self) -> None:
        self._start(tested=True)

    def action_save(self) -> None:
        self._start(tested=False)

    def action_leave(self) -> None:
        if self._work is not None:
            self._work.cancel()
        self.dismiss(self._stored)

    def _start(self, *, tested: bool) -> None:
        self._failed = self._refused = False
        self._lines.clear()
        self.refresh_bindings()
        self._work = self.run_worker(self._run(tested), exclusive=True, exit_on_error=True)

    async def _run(self, tested: bool) -> None:
        self._say("…", "asking the server" if tested else "storing", "$dim")
        try:
            view = await self._attempt(tested)
        except SwitchroomError as error:
            self._lines.clear()
            self._say("✕", f"{error.title}. {error.message}", "$error")
            self._failed, self._refused = True, error.code == "invalid_credentials"
            if self._refused:
                words = "{enter:trial.new_key} takes another key, {esc:window.leave} goes back; nothing is stored."
            else:
                if error.hint:
                    self._say(" ", error.hint, "$dim")
                words = "{esc:window.leave} goes back to change it; nothing is stored."
            self._say(" ", self.app.with_keys(words), "$dim")
            self.refresh_bindings()
            return
        self._stored = view  # leaving now is leaving the fetch of its models, not the provider
        self._lines.clear()
        self._say("●", "The test passed. It is stored." if tested else "Stored, untested.", "$success")
        self._say("…", "fetching its models", "$dim")
        try:
            results = await self._sync.sync([view.row.slug])
        except SwitchroomError as error:
            self.app.tell_error(error)
            results = []
        self._lines.pop()
        for result in results:
            if result.error is not None:
                self._say("✕", f"Its models could not be fetched. {result.error.message}", "$error")
                self.app.tell_error(result.error)
            else:
                self._say("●", f"{count(result.total, 'model')} found.", "$success")
        self.dismiss(view)

    def _say(self, glyph: str, words: str, style: str) -> None:
        self._lines.append((f"{glyph} {words}", style))
        spans: list[tuple[str, str]] = []
        for text, tone in self._lines:
            spans += [(text, tone), ("\n", "")]
        self.query_one(".report", Static).update(Content.assemble(*spans[:-1]))
