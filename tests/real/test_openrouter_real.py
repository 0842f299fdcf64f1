"""The openrouter dialect against a mock of other people's making, and beside the official SDK on the same server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from adapter_peer import WEATHER, at, faults_are_told_apart
from aimock_peer import ANSWER, KEY, Aimock

from adapters.base import Adapter
from adapters.errors import RateLimitedError
from adapters.events import ChatRequest, Message, TextDelta, ThinkingDelta, ToolCallDelta

pytestmark = pytest.mark.real
reached = partial(at, "openrouter")


async def answered(adapter: Adapter, prompt: str, **more: Any) -> tuple[str, list[Any], Any]:
    """(text, all events, the stream when it is over)."""
    request = ChatRequest("openai/gpt-4o", (Message("user", prompt),), **more)
    async with adapter.stream(request) as stream:
        events = [event async for event in stream]
    return "".join(event.text for event in events if isinstance(event, TextDelta)), events, stream


@pytest.mark.parametrize("streamed", [True, False])
async def test_aimock_is_understood(aimock: Aimock, streamed: bool) -> None:
    async with reached(
        f"{aimock.url}/api/v1", KEY, models="x-ai/grok-4,qwen/qwen3", provider_order="openai"
    ) as adapter:
        verdict = await adapter.validate()
        assert verdict.ok, verdict.message
        assert verdict.message.startswith("The key")
        assert await adapter.list_models()
        text, _, stream = await answered(adapter, "hello", stream=streamed)
        assert (text, stream.state, stream.finish_reason) == (ANSWER, "complete", "stop")
        assert (stream.served_model, stream.served_by) == ("openai/gpt-4o", "openai")
        assert stream.usage.known
        _, events, stream = await answered(adapter, "weather?", tools=(WEATHER,), stream=streamed)
        calls = [event for event in events if isinstance(event, ToolCallDelta)]
        assert calls[0].name == "get_weather"
        assert "Kraków" in "".join(call.arguments for call in calls)
        assert stream.finish_reason == "tool_calls"
        text, events, _ = await answered(adapter, "reason please", stream=streamed)
        assert "".join(e.text for e in events if isinstance(e, ThinkingDelta)) == "Six by seven."
        assert text == "42"


async def test_aimocks_faults_are_told_apart(aimock: Aimock) -> None:
    async with reached(f"{aimock.url}/api/v1", KEY) as adapter:
        limited = await faults_are_told_apart(partial(answered, adapter))
        assert limited.retry_after_ms == 3000
        _, _, stream = await answered(adapter, "cut please")
        assert stream.state == "interrupted"
        aimock.chaos({"rateLimitRate": 1})
        with pytest.raises(RateLimitedError):
            await answered(adapter, "hello")


async def test_a_wrong_key_is_told_before_anything_is_stored(aimock: Aimock) -> None:
    async with reached(f"{aimock.url}/api/v1", "another") as adapter:
        assert (await adapter.validate()).state == "invalid_key"


SDK = """
import json, sys
from openai import OpenAI
client = OpenAI(base_url=sys.argv[1], api_key=sys.argv[2], max_retries=0, timeout=30)
text, used = "", None
for chunk in client.chat.completions.create(
    model="openai/gpt-4o", messages=[{"role": "user", "content": "hello"}], stream=True,
    stream_options={"include_usage": True}, extra_body={"models": ["x-ai/grok-4"]},
):
    text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
    served = [chunk.model, getattr(chunk, "provider", None)]
    used = [chunk.usage.prompt_tokens, chunk.usage.completion_tokens] if chunk.usage else used
print(json.dumps({"text": text, "used": used, "served": served, "models": sorted(m.id for m in client.models.list())}))
"""


async def test_the_sdk_and_we_say_the_same(aimock: Aimock, sdk: Callable[..., object]) -> None:
    theirs = await asyncio.to_thread(sdk, SDK, f"{aimock.url}/api/v1", KEY)
    async with reached(f"{aimock.url}/api/v1", KEY, models="x-ai/grok-4") as adapter:
        text, _, stream = await answered(adapter, "hello")
        models = sorted(model.id for model in await adapter.list_models())
    assert theirs == {
        "text": text,
        "used": [stream.usage.input, stream.usage.output],
        "served": [stream.served_model, stream.served_by],
        "models": models,
    }
