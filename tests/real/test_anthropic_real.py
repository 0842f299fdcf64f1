"""The anthropic dialect against llama.cpp's Messages API and aimock, and beside the official SDK."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial

import pytest
from adapter_peer import WEATHER, at
from aimock_peer import ANSWER, KEY, Aimock
from real_peers import Llama, LlamaFarm, wait_until

from adapters.base import Adapter
from adapters.errors import (
    InvalidCredentialsError,
    OverloadedError,
    ProviderError,
    RateLimitedError,
)
from adapters.events import (
    ChatRequest,
    Keepsake,
    Message,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
)

pytestmark = pytest.mark.real
reached = partial(at, "anthropic")


class Heard:
    """One answer, put together."""

    def __init__(self) -> None:
        self.text = self.thinking = self.arguments = ""
        self.calls: list[ToolCallDelta] = []
        self.keepsake: Keepsake | None = None
        self.state = ""
        self.finish: str | None = None
        self.used: tuple[int | None, int | None] = (None, None)


async def hear(adapter: Adapter, request: ChatRequest) -> Heard:
    heard = Heard()
    async with adapter.stream(request) as stream:
        async for event in stream:
            if isinstance(event, TextDelta):
                heard.text += event.text
            elif isinstance(event, ThinkingDelta):
                heard.thinking += event.text
            elif isinstance(event, ToolCallDelta):
                heard.arguments += event.arguments
                heard.calls += [event] if event.name else []
            elif isinstance(event, Keepsake):
                heard.keepsake = event
    heard.state, heard.finish = stream.state, stream.finish_reason
    heard.used = (stream.usage.input, stream.usage.output)
    return heard


def say(server: Llama, prompt: str, **more: object) -> ChatRequest:
    return ChatRequest(server.model, (Message("user", prompt),), **{"max_tokens": 60, **more})  # type: ignore[arg-type]


SDK = """
import json, sys
from anthropic import Anthropic
base, key, model = sys.argv[1:4]
client = Anthropic(base_url=base, api_key=key, max_retries=0, timeout=30)
with client.messages.stream(model=model, max_tokens=40, messages=[{"role": "user", "content": "hello"}]) as stream:
    for event in stream:
        pass
    message = stream.get_final_message()
print(json.dumps({
    "text": "".join(b.text for b in message.content if b.type == "text"),
    "used": [message.usage.input_tokens + (message.usage.cache_read_input_tokens or 0), message.usage.output_tokens],
    "stop": message.stop_reason,
}))
"""


async def test_llama_cpp_says_the_same_to_the_sdk_and_to_us(
    llamas: LlamaFarm, sdk: Callable[..., object]
) -> None:
    server = llamas.get("script")
    theirs = await asyncio.to_thread(sdk, SDK, server.url.removesuffix("/v1"), "none", server.model)
    async with reached(server.url) as adapter:
        assert (await adapter.validate()).message == "It answers without a key."
        assert [model.id for model in await adapter.list_models()] == [server.model]
        heard = await hear(adapter, say(server, "hello", max_tokens=40))
        plain = await hear(adapter, say(server, "hello", max_tokens=40, stream=False))
        counted = await adapter.count_tokens(say(server, "hello"))
    assert "Zażółć gęślą 日本語" in heard.text
    assert plain.text == heard.text
    assert (heard.state, heard.finish) == ("complete", plain.finish)
    assert isinstance(theirs, dict)
    assert (theirs["text"], theirs["used"][1]) == (heard.text, heard.used[1])
    assert counted == heard.used[0] == theirs["used"][0]


async def test_llama_cpp_thinks_and_takes_its_thoughts_back(llamas: LlamaFarm) -> None:
    server = llamas.get("think")
    async with reached(server.url) as adapter:
        heard = await hear(adapter, say(server, "what is it?"))
        assert "ponder" in heard.thinking
        assert "42" in heard.text
        assert "ponder" not in heard.text
        assert heard.keepsake is not None
        answer = Message("assistant", heard.text, keepsake=heard.keepsake)
        more = ChatRequest(
            server.model, (Message("user", "what is it?"), answer, Message("user", "sure?")), max_tokens=60
        )
        assert (await hear(adapter, more)).state == "complete"


@pytest.mark.parametrize("streamed", [True, False])
async def test_llama_cpp_calls_a_tool_and_takes_its_result(llamas: LlamaFarm, streamed: bool) -> None:
    server = llamas.get("tool")
    async with reached(server.url) as adapter:
        heard = await hear(adapter, say(server, "weather?", tools=(WEATHER,), stream=streamed))
        assert [call.name for call in heard.calls] == ["get_weather"]
        assert json.loads(heard.arguments) == {"city": "Paris"}
        assert heard.finish == "tool_calls"
        call = ToolCall(heard.calls[0].id or "", "get_weather", heard.arguments)
        turns = (
            Message("user", "weather?"),
            Message("assistant", heard.text, tool_calls=(call,), keepsake=heard.keepsake),
            Message("tool", "sleet", tool_call_id=call.id),
        )
        again = await hear(adapter, ChatRequest(server.model, turns, max_tokens=60, tools=(WEATHER,)))
        assert again.state == "complete"


async def test_llama_cpps_refusals_and_its_key(llamas: LlamaFarm) -> None:
    server = llamas.get("script", key="sk-ours")
    async with reached(server.url, "sk-ours") as adapter:
        assert (await adapter.validate()).state == "ok"
        with pytest.raises(ProviderError) as refused:
            await hear(adapter, say(server, "x " * 40_000))
        assert refused.value.code == "context_too_long"
    async with reached(server.url, "sk-theirs") as adapter:
        assert (await adapter.validate()).state == "invalid_key"
        with pytest.raises(InvalidCredentialsError):
            await hear(adapter, say(server, "hello"))


async def test_leaving_llama_cpp_ends_its_work(llamas: LlamaFarm) -> None:
    server = llamas.get("long")
    async with reached(server.url) as adapter:
        before = server.log_text().count("cancel")
        async with adapter.stream(say(server, "count", max_tokens=30_000)) as stream:
            async for event in stream:
                if isinstance(event, TextDelta):
                    break
        assert stream.state == "cancelled"
        wait_until(lambda: server.log_text().count("cancel") > before, "the server stops generating")


@pytest.mark.parametrize("streamed", [True, False])
async def test_aimock_is_understood(aimock: Aimock, sdk: Callable[..., object], streamed: bool) -> None:
    def prompt(text: str, **more: object) -> ChatRequest:
        return ChatRequest("claude-sonnet-5-5", (Message("user", text),), stream=streamed, **more)  # type: ignore[arg-type]

    async with reached(aimock.url, KEY) as adapter:
        heard = await hear(adapter, prompt("hello"))
        assert (heard.text, heard.state, heard.finish) == (ANSWER, "complete", "stop")
        thought = await hear(adapter, prompt("reason please"))
        assert (thought.thinking, thought.text) == ("Six by seven.", "42")
        called = await hear(adapter, prompt("weather?", tools=(WEATHER,)))
        assert (called.calls[0].name, json.loads(called.arguments)) == ("get_weather", {"city": "Kraków"})
        call = ToolCall(called.calls[0].id or "", "get_weather", called.arguments)
        turns = (
            Message("user", "weather?"),
            Message("assistant", "", tool_calls=(call,), keepsake=called.keepsake),
            Message("tool", "sleet", tool_call_id=call.id),
        )
        told = await hear(adapter, ChatRequest("claude-sonnet-5-5", turns, tools=(WEATHER,)))
        assert told.text == "Sleet, 1 °C."
    if streamed:
        theirs = await asyncio.to_thread(sdk, SDK, aimock.url, KEY, "claude-sonnet-5-5")
        assert theirs == {"text": ANSWER, "used": list(heard.used), "stop": "end_turn"}


async def test_aimocks_faults_are_told_apart(aimock: Aimock) -> None:
    def prompt(text: str) -> ChatRequest:
        return ChatRequest("claude-sonnet-5-5", (Message("user", text),))

    async with reached(aimock.url, KEY) as adapter:
        with pytest.raises(RateLimitedError) as limited:
            await hear(adapter, prompt("limited please"))
        assert limited.value.retry_after_ms == 3000
        with pytest.raises(InvalidCredentialsError):
            await hear(adapter, prompt("refused please"))
        with pytest.raises(OverloadedError):
            await hear(adapter, prompt("overloaded please"))
        for words in ("broken please", "gone please", "failing please"):
            with pytest.raises(ProviderError):
                await hear(adapter, prompt(words))
        cut = await hear(adapter, prompt("cut please"))
        assert cut.state == "interrupted"
        assert cut.text
        assert "This answer breaks off after some of its pieces and is never told to its end.".startswith(
            cut.text
        )
    async with reached(aimock.url, "another") as adapter:
        with pytest.raises(InvalidCredentialsError):
            await hear(adapter, prompt("hello"))
