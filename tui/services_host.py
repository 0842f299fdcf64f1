"""One task opens the services after the first paint, keeps them for the app's life, and closes them at its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.container import Services
    from services.paths import Paths

Opener = Callable[[], AbstractAsyncContextManager["Services"]]
"""Opens the services; the tests give one of their own."""


class ServicesHost:
    """Opens and closes the services in one and the same task, as their context manager wants it."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._leave = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._opened: asyncio.Future[Services] | None = None

    async def open(self) -> Services:
        """The open services; raises what opening raised."""
        self._opened = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._live(self._opened), name="services")
        return await asyncio.shield(self._opened)

    async def _live(self, opened: asyncio.Future[Services]) -> None:
        try:
            async with self._opener() as services:
                opened.set_result(services)
                await self._leave.wait()
        except Exception as error:
            if opened.done():
                raise
            opened.set_exception(error)

    async def aclose(self) -> None:
        """Let the services settle what is in flight and close. Safe to call twice, and before `open`."""
        self._leave.set()
        if self._task is not None:
            task, self._task = self._task, None
            await task
        if self._opened is not None and self._opened.done() and not self._opened.cancelled():
            self._opened.exception()


def opener(paths: Paths | None, *, demo: bool, live: bool = False) -> Opener:
    """The real services: those of the user's store, or of a throw-away one with scripted providers.

    `live`: in the demo runs of other callers keep arriving; without it, it is the same at every look.
    What opening needs is imported only when it is entered: nothing of it is loaded before the first paint.
    """

    @asynccontextmanager
    async def open_real() -> AsyncIterator[Services]:
        from services.container import open_services

        async with AsyncExitStack() as stack:
            home = paths
            if demo:
                from services.demo import demo_home, seed_demo

                home = stack.enter_context(demo_home())
                await seed_demo(home)
            services = await stack.enter_async_context(open_services(home, actor="tui", watch=True))
            if demo and live:
                from services.demo_traffic import traffic

                await stack.enter_async_context(traffic(services))
            yield services

    return open_real
