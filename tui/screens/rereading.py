"""When a screen reads again what it shows: at once while it is seen, else when it comes back to the front."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from tui.screens.base import ModeScreen

if TYPE_CHECKING:
    from services.container import Services


class Rereading(ModeScreen):
    """A screen opened over a table. `_read` reads and shows everything; it tells of its own errors."""

    RELOAD: ClassVar[frozenset[str]] = frozenset()
    """The events of the feed after which what is shown may be old."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = False
        """What the screen is about no longer exists; it leaves as soon as nothing stands over it."""
        self._old = False
        """Something changed while another screen was in front."""
        self._loading = asyncio.Lock()
        """One load at a time: what was read first is never shown last."""

    async def services_ready(self, services: Services) -> None:  # noqa: ARG002
        await self._load()

    async def _read(self) -> None:
        raise NotImplementedError

    async def _load(self) -> None:
        async with self._loading:
            self._old = False
            await self._read()

    def _load_soon(self) -> None:
        self.run_worker(self._load, exclusive=True, group="load", exit_on_error=True)  # type: ignore[arg-type]

    def feed_event(self, event: object) -> None:
        if type(event).__name__ in self.RELOAD and self.is_mounted:
            self._old = True
            if self.seen:
                self._load_soon()

    def on_screen_resume(self) -> None:
        if self.gone:
            self._leave()
        elif self._old and self.app.opened:
            self._load_soon()

    def _vanished(self) -> None:
        """What it is about was deleted."""
        self.gone = True
        if self.app.screen is self:
            self._leave()

    def _leave(self) -> None:
        self.app.pop_screen()
