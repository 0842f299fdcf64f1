"""The ollama dialect against a mock of other people, and beside the official SDK on one server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from adapter_peer import WEATHER, at
from aimock_peer import ANSWER, KEY, Aimock

from adapters.base import Adapter
from adapters.errors import OverloadedError, ProviderError, RateLimitedError, ServerError
from adapters.events import ChatRequest, Message, TextDelta, ThinkingDelta, ToolCallDelta

sys.path.append(str(Path(__file__).parents[1] / "adapters"))

from loop_server import in_a_thread
from ollama_server import OllamaServer, call, last, ollama, text

pytestmark = pytest.mark.real
reached = partial(at, "ollama")


async def said(made: Adapter, prompt: str, **more: object) -> dict[str, object]:
    request = ChatRequest("qwen3:30b", (Message("user", prompt),), **more)  # type: ignore[arg-type]
    async with made.stream(request) as stream:
        events = [event async for event in stream]
    return {
        "text": "".join(event.text for event in events if isinstance(event, TextDelta)),
        "thinking": "".join(event.text for event in events if isinstance(event, ThinkingDelta)),
        "calls": [event.name for event in events if isinstance(event, ToolCallDelta) and event.name],
        "state": stream.state,
        "usage": [stream.usage.input, stream.usage.output],
    }


@pytest.mark.parametrize("streamed", [True, False])
async def test_an_answer_of_other_peoples_making(aimock: Aimock, streamed: bool) -> None:
    async with reached(aimock.url, KEY) as made:
        got = await said(made, "hello", stream=streamed)
    assert (got["text"], got["state"]) == (ANSWER, "complete")


async def test_a_call_of_a_tool(aimock: Aimock) -> None:
    async with reached(aimock.url, KEY) as made:
        got = await said(made, "What is the weather in Kraków?", tools=(WEATHER,))
    assert got["calls"] == ["get_weather"]


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("limited please", RateLimitedError),
        ("overloaded please", OverloadedError),
        ("failing please", ServerError),
    ],
)
async def test_faults_are_told_apart(aimock: Aimock, prompt: str, kind: type[ProviderError]) -> None:
    async with reached(aimock.url, KEY) as made:
        with pytest.raises(kind):
            await said(made, prompt)


async def test_a_cut_is_no_whole_answer(aimock: Aimock) -> None:
    async with reached(aimock.url, KEY) as made:
        got = await said(made, "cut please")
    assert got["state"] in ("interrupted", "failed")


async def test_its_models_are_listed(aimock: Aimock) -> None:
    async with reached(aimock.url, KEY) as made:
        assert isinstance(await made.list_models(), list)


@pytest.fixture
def server() -> Iterator[OllamaServer]:
    """Our loopback server in a thread, for a program beside us."""
    with in_a_thread(ollama()) as made:
        yield made


CHAT = """
import json, sys, ollama
out = {"text": "", "thinking": "", "calls": [], "usage": [None, None]}
for part in ollama.Client(sys.argv[1]).chat("qwen3:30b", [{"role": "user", "content": "hi"}], think=True, stream=True):
    out["text"] += part.message.content or ""
    out["thinking"] += part.message.thinking or ""
    out["calls"] += [call.function.name for call in part.message.tool_calls or ()]
    if part.done:
        out["usage"] = [part.prompt_eval_count, part.eval_count]
print(json.dumps(out))
"""
MODELS = """
import json, sys, ollama
client = ollama.Client(sys.argv[1])
out = {m.model: client.show(m.model).capabilities for m in client.list().models}
print(json.dumps([out, [[m.model, m.size_vram] for m in client.ps().models], [p.status for p in client.pull("llama3.2", stream=True)][-1]]))
"""


async def test_the_sdk_and_we_say_the_same_of_an_answer(
    server: OllamaServer, sdk: Callable[..., object]
) -> None:
    server.lines = [text("", thinking="zażółć"), text("Hi 🌍\u2028"), call("get_weather", city="x"), last()]
    theirs = await asyncio.to_thread(sdk, CHAT, server.url)
    async with reached(server.url) as made:
        ours = await said(made, "hi", reasoning_effort="high")
    assert ours == {**theirs, "state": "complete"}  # type: ignore[dict-item]


async def test_the_sdk_and_we_say_the_same_of_models(
    server: OllamaServer, sdk: Callable[..., object]
) -> None:
    server.loaded["qwen3:30b"] = 10**10
    able, running, status = await asyncio.to_thread(sdk, MODELS, server.url)  # type: ignore[misc]
    async with reached(server.url) as made:
        models = await made.list_models()
        assert [[one.id, one.vram_bytes] for one in await made.running()] == running
        async with made.pull("llama3.2") as reports:
            assert [one.status async for one in reports][-1] == status
    assert {model.id: "tools" in (model.capabilities or ()) for model in models} == {
        name: "tools" in words for name, words in able.items()
    }
