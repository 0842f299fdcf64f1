"""The openai dialect in both its forms against servers of other people, and beside the official SDK."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aimock_peer import ANSWER, KEY, Aimock
from pydantic import SecretStr

from adapters.base import Adapter, Connection
from adapters.errors import (
    InvalidCredentialsError,
    OverloadedError,
    ProviderError,
    RateLimitedError,
)
from adapters.events import ChatRequest, Message, TextDelta, ToolCallDelta, ToolSpec
from adapters.fetch import Fetcher
from adapters.loader import create

pytestmark = pytest.mark.real
FORMS = [{}, {"api": "responses"}]
WEATHER = ToolSpec(
    "get_weather", "the weather", {"type": "object", "properties": {"city": {"type": "string"}}}
)


@asynccontextmanager
async def reached(url: str, key: str | None, options: dict[str, str]) -> AsyncIterator[Adapter]:
    fetcher = Fetcher()
    secret = SecretStr(key) if key else None
    adapter = create(Connection("prov", "openai", url, key=secret, options=options), fetcher)
    try:
        yield adapter
    finally:
        await adapter.aclose()
        await fetcher.aclose()


async def answered(adapter: Adapter, prompt: str, **more: object) -> tuple[str, list[ToolCallDelta], object]:
    """(text, pieces of calls, the stream when it is over)."""
    request = ChatRequest("gpt-4o", (Message("user", prompt),), **more)  # type: ignore[arg-type]
    async with adapter.stream(request) as stream:
        events = [event async for event in stream]
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    return text, [event for event in events if isinstance(event, ToolCallDelta)], stream


@pytest.mark.parametrize("options", FORMS)
@pytest.mark.parametrize("streamed", [True, False])
async def test_aimock_is_understood(aimock: Aimock, options: dict[str, str], streamed: bool) -> None:
    async with reached(f"{aimock.url}/v1", KEY, options) as adapter:
        text, _, stream = await answered(adapter, "hello", stream=streamed)
        assert (text, stream.state, stream.finish_reason) == (ANSWER, "complete", "stop")  # type: ignore[attr-defined]
        _, calls, stream = await answered(adapter, "weather?", tools=(WEATHER,), stream=streamed)
        assert calls[0].name == "get_weather"
        assert "Kraków" in "".join(call.arguments for call in calls)
        assert stream.finish_reason == "tool_calls"  # type: ignore[attr-defined]


@pytest.mark.parametrize("options", FORMS)
async def test_aimocks_faults_are_told_apart(aimock: Aimock, options: dict[str, str]) -> None:
    async with reached(f"{aimock.url}/v1", KEY, options) as adapter:
        with pytest.raises(RateLimitedError) as limited:
            await answered(adapter, "limited please")
        assert limited.value.retry_after_ms == 3000
        with pytest.raises(InvalidCredentialsError):
            await answered(adapter, "refused please")
        with pytest.raises(OverloadedError):
            await answered(adapter, "overloaded please")
        for words in ("broken please", "gone please", "failing please"):
            with pytest.raises(ProviderError):
                await answered(adapter, words)
        text, _, stream = await answered(adapter, "cut please")
        assert stream.state == "interrupted"  # type: ignore[attr-defined]
        assert text
        assert "This answer breaks off after some of its pieces and is never told to its end.".startswith(
            text
        )
        aimock.chaos({"rateLimitRate": 1})
        with pytest.raises(RateLimitedError):
            await answered(adapter, "hello")
    async with reached(f"{aimock.url}/v1", "another", options) as adapter:
        aimock.calm()
        with pytest.raises(InvalidCredentialsError):
            await answered(adapter, "hello")
