"""An adapter of ours at a server of other people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from adapters.base import Adapter, Connection
from adapters.errors import InvalidCredentialsError, OverloadedError, ProviderError, RateLimitedError
from adapters.events import ToolSpec
from adapters.fetch import Fetcher
from adapters.loader import create

WEATHER = ToolSpec(
    "get_weather", "the weather", {"type": "object", "properties": {"city": {"type": "string"}}}
)


@asynccontextmanager
async def at(dialect: str, url: str, key: str | None = None, **options: str) -> AsyncIterator[Adapter]:
    fetcher = Fetcher()
    secret = SecretStr(key) if key else None
    adapter = create(Connection("prov", dialect, url, key=secret, options=options), fetcher)
    try:
        yield adapter
    finally:
        await adapter.aclose()
        await fetcher.aclose()


async def faults_are_told_apart(ask: Callable[[str], Awaitable[Any]]) -> RateLimitedError:
    """Those that aimock_peer scripts by prompt; the refusal that was limited."""
    with pytest.raises(RateLimitedError) as limited:
        await ask("limited please")
    with pytest.raises(InvalidCredentialsError):
        await ask("refused please")
    with pytest.raises(OverloadedError):
        await ask("overloaded please")
    for words in ("broken please", "gone please", "failing please"):
        with pytest.raises(ProviderError):
            await ask(words)
    return limited.value
