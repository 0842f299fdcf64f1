"""The openai dialect in both its forms against servers of other people, and beside the official SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import pytest
from adapter_peer import WEATHER, at, faults_are_told_apart
from aimock_peer import ANSWER, KEY, Aimock
from real_peers import LlamaFarm, wait_until

from adapters.base import Adapter
from adapters.errors import (
    InvalidCredentialsError,
    ProviderError,
    RateLimitedError,
)
from adapters.events import ChatRequest, Message, TextDelta, ToolCallDelta

pytestmark = pytest.mark.real
FORMS = [{}, {"api": "responses"}]
reached = partial(at, "openai")


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
    async with reached(f"{aimock.url}/v1", KEY, **options) as adapter:
        text, _, stream = await answered(adapter, "hello", stream=streamed)
        assert (text, stream.state, stream.finish_reason) == (ANSWER, "complete", "stop")  # type: ignore[attr-defined]
        _, calls, stream = await answered(adapter, "weather?", tools=(WEATHER,), stream=streamed)
        assert calls[0].name == "get_weather"
        assert "Kraków" in "".join(call.arguments for call in calls)
        assert stream.finish_reason == "tool_calls"  # type: ignore[attr-defined]


@pytest.mark.parametrize("options", FORMS)
async def test_aimocks_faults_are_told_apart(aimock: Aimock, options: dict[str, str]) -> None:
    async with reached(f"{aimock.url}/v1", KEY, **options) as adapter:
        limited = await faults_are_told_apart(partial(answered, adapter))
        assert limited.retry_after_ms == 3000
        text, _, stream = await answered(adapter, "cut please")
        assert stream.state == "interrupted"  # type: ignore[attr-defined]
        assert text
        assert "This answer breaks off after some of its pieces and is never told to its end.".startswith(
            text
        )
        aimock.chaos({"rateLimitRate": 1})
        with pytest.raises(RateLimitedError):
            await answered(adapter, "hello")
    async with reached(f"{aimock.url}/v1", "another", **options) as adapter:
        aimock.calm()
        with pytest.raises(InvalidCredentialsError):
            await answered(adapter, "hello")


SDK = """
import json, sys
from openai import OpenAI
base, form, key = sys.argv[1:4]
client = OpenAI(base_url=base, api_key=key, max_retries=0, timeout=30)
if form == "responses":
    last = None
    text = ""
    for event in client.responses.create(model=sys.argv[4], input="hello", stream=True, max_output_tokens=40):
        text += event.delta if event.type == "response.output_text.delta" else ""
        last = getattr(event, "response", None) or last
    used = [last.usage.input_tokens, last.usage.output_tokens] if last.usage else None
else:
    text, used = "", None
    stream = client.chat.completions.create(
        model=sys.argv[4], messages=[{"role": "user", "content": "hello"}], stream=True, max_tokens=40,
        stream_options={"include_usage": True},
    )
    for chunk in stream:
        text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        used = [chunk.usage.prompt_tokens, chunk.usage.completion_tokens] if chunk.usage else used
print(json.dumps({"text": text, "used": used, "models": sorted(m.id for m in client.models.list())}))
"""


@pytest.mark.parametrize("options", FORMS)
async def test_llama_cpp_says_the_same_to_the_sdk_and_to_us(
    llamas: LlamaFarm, sdk: Callable[..., object], options: dict[str, str]
) -> None:
    server = llamas.get("script")
    form = options.get("api", "chat")
    theirs = await asyncio.to_thread(sdk, SDK, server.url, form, "none", server.model)
    async with reached(server.url, None, **options) as adapter:
        request = ChatRequest(server.model, (Message("user", "hello"),), max_tokens=40)
        async with adapter.stream(request) as stream:
            text = "".join([event.text async for event in stream if isinstance(event, TextDelta)])
        models = sorted(model.id for model in await adapter.list_models())
    assert text
    assert theirs == {"text": text, "used": [stream.usage.input, stream.usage.output], "models": models}
    assert stream.state == "complete"


async def test_llama_cpps_responses_can_be_stopped(llamas: LlamaFarm) -> None:
    server = llamas.get("long")
    async with reached(server.url, None, api="responses") as adapter:
        request = ChatRequest(server.model, (Message("user", "count"),))
        async with adapter.stream(request) as stream:
            async for event in stream:
                if isinstance(event, TextDelta):
                    break
        assert stream.state == "cancelled"
        wait_until(lambda: "cancel" in server.log_text(), "the server stops generating")
        with pytest.raises(ProviderError) as refused:
            async with adapter.stream(ChatRequest(server.model, (Message("user", "x " * 40_000),))):
                pytest.fail("it was refused")
        assert refused.value.code == "context_too_long"
