"""The azure dialect against aimock's Azure, and beside the official SDK's AzureOpenAI."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aimock_peer import ANSWER, KEY, Aimock
from pydantic import SecretStr

from adapters.azure import AzureAdapter
from adapters.base import Connection
from adapters.errors import InvalidCredentialsError, OverloadedError, ProviderError, RateLimitedError
from adapters.events import ChatRequest, Message, TextDelta, ThinkingDelta, ToolCallDelta, ToolSpec
from adapters.fetch import Fetcher

pytestmark = pytest.mark.real
VERSION = "2024-10-21"
WEATHER = ToolSpec(
    "get_weather", "the weather", {"type": "object", "properties": {"city": {"type": "string"}}}
)

SDK = """
import json, sys
from openai import AzureOpenAI
url, key, version, prompt = sys.argv[1:]
client = AzureOpenAI(azure_endpoint=url, api_key=key, api_version=version, max_retries=0)
tool = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}
try:
    stream = client.chat.completions.create(model="chat-prod", stream=True, stream_options={"include_usage": True},
        messages=[{"role": "user", "content": prompt}], tools=[tool])
    text, arguments, finish, usage = "", "", None, None
    for chunk in stream:
        if chunk.usage: usage = [chunk.usage.prompt_tokens, chunk.usage.completion_tokens]
        for choice in chunk.choices:
            text += choice.delta.content or ""
            for call in choice.delta.tool_calls or []: arguments += call.function.arguments or ""
            finish = choice.finish_reason or finish
    print(json.dumps({"text": text, "arguments": arguments, "finish": finish, "usage": usage}))
except Exception as error:
    print(json.dumps({"error": type(error).__name__, "status": getattr(error, "status_code", None)}))
"""


@asynccontextmanager
async def reached(url: str, key: str = KEY, **options: str) -> AsyncIterator[AzureAdapter]:
    fetcher = Fetcher()
    options = {"api_version": VERSION, "deployment": "chat-prod", **options}
    adapter = AzureAdapter(Connection("prov", "azure", url, key=SecretStr(key), options=options), fetcher)
    try:
        yield adapter
    finally:
        await adapter.aclose()
        await fetcher.aclose()


async def heard(adapter: AzureAdapter, prompt: str) -> dict[str, object]:
    """One answer, as the SDK's program tells it."""
    request = ChatRequest("chat-prod", (Message("user", prompt),), tools=(WEATHER,))
    text = arguments = ""
    async with adapter.stream(request) as stream:
        async for event in stream:
            if isinstance(event, TextDelta):
                text += event.text
            elif isinstance(event, ToolCallDelta):
                arguments += event.arguments
            else:
                assert not isinstance(event, ThinkingDelta) or event.text
    usage = stream.usage
    counted = [usage.input, usage.output] if usage.input is not None else None
    finish = stream.finish_reason if stream.state == "complete" else stream.state
    return {"text": text, "arguments": arguments, "finish": finish, "usage": counted}


@pytest.mark.parametrize("prompt", ["hello", "weather"])
async def test_the_official_sdk_says_the_same(
    aimock: Aimock, sdk: Callable[..., object], prompt: str
) -> None:
    theirs = sdk(SDK, aimock.url, KEY, VERSION, prompt)
    async with reached(aimock.url) as adapter:
        ours = await heard(adapter, prompt)
    assert ours == theirs
    assert (
        ours["text"] == ANSWER
        if prompt == "hello"
        else json.loads(str(ours["arguments"])) == {"city": "Kraków"}
    )


async def test_its_faults_are_told_apart(aimock: Aimock) -> None:
    cases: list[tuple[str, type[ProviderError]]] = [
        ("limited please", RateLimitedError),
        ("refused please", InvalidCredentialsError),
        ("overloaded please", OverloadedError),
        ("failing please", ProviderError),
        ("gone please", ProviderError),
    ]
    async with reached(aimock.url) as adapter:
        for prompt, kind in cases:
            with pytest.raises(kind):
                await heard(adapter, prompt)
        cut = await heard(adapter, "cut please")
        assert (cut["finish"], bool(cut["text"])) == ("interrupted", True)
        assert (await heard(adapter, "hello"))["text"] == ANSWER


async def test_a_wrong_key_is_noticed(aimock: Aimock) -> None:
    async with reached(aimock.url, "wrong-0123456789") as adapter:
        assert (await adapter.validate()).state == "invalid_key"
    async with reached(aimock.url) as adapter:
        assert (await adapter.validate()).ok
        assert [model.id for model in await adapter.list_models()] == ["chat-prod"]
