"""What the tests of models on a machine do again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ollama_server import OllamaServer

from services.container import Services
from services.feed import PullChanged
from services.registry import ProviderDraft


async def add(services: Services, server: OllamaServer, slug: str = "box") -> None:
    """A provider at the loopback server, with its models."""
    await services.registry.add(ProviderDraft(slug=slug, type="ollama", url=server.url), None)
    await services.sync.sync([slug])


async def downloading(services: Services, so: Callable[[], bool]) -> None:
    """Wait until a download has come so far."""
    happened = asyncio.Event()

    def look(_event: object) -> None:
        if so():
            happened.set()

    leave = services.feed.subscribe(look, PullChanged)
    look(None)
    await asyncio.wait_for(happened.wait(), 5)
    leave()
