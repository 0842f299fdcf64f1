"""A real container on a temporary home, with played providers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from runpath_play import PlayedAdapter, Room, Waits, furnish

from services.container import open_services
from services.feed import FeedEvent
from services.paths import Paths, under
from services.settings_model import Retry, Settings


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return under(tmp_path / "home")


@pytest.fixture
async def open_room(paths: Paths) -> AsyncIterator[Callable[[], Awaitable[Room]]]:
    """Opens the container, as often as asked, on the same home."""
    async with AsyncExitStack() as stack:
        first = True

        async def open_one() -> Room:
            nonlocal first
            settings = Settings(retry=Retry(attempts=3, initial_delay=0.5, factor=2, max_delay=30, jitter=0))
            services = await stack.enter_async_context(open_services(paths, settings=settings, actor="test"))
            if first:
                await furnish(services)
                first = False
            adapter = PlayedAdapter()

            async def played(_slug: str) -> PlayedAdapter:
                return adapter

            services.registry.adapter = played  # type: ignore[method-assign, assignment]
            waits = Waits()
            services.runs.timing = waits.timing()
            events: list[FeedEvent] = []
            services.feed.subscribe(events.append, FeedEvent)
            return Room(services, adapter, waits, events)

        yield open_one


@pytest.fixture
async def room(open_room: Callable[[], Awaitable[Room]]) -> Room:
    return await open_room()
