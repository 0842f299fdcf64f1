"""Asking models over HTTP: what is on the wire, and servers that refuse, ignore or stumble."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from loop_server import Exchange, LoopServer, serving

from adapters.base import Connection
from adapters.events import ChatRequest, Message
from adapters.openai.request import Repairs, body, habits
from services.container import open_services
from services.probe import Options, ProbeResult
from services.probe_picture import SIDE, squares
from services.registry import ProviderDraft

Handler = Callable[[Exchange], Awaitable[None]]
MESSAGES = (Message("user", "hi"),)


def test_a_schema_goes_before_any_json() -> None:
    connection = Connection("x", "openai", "http://127.0.0.1:1/v1")
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    asked = ChatRequest("m", MESSAGES, json_schema=schema, json_output=True)
    sent = body(asked, habits(connection), Repairs())
    assert sent["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": schema},
    }
    plain = ChatRequest("m", MESSAGES, json_output=True)
    assert body(plain, habits(connection), Repairs())["response_format"] == {"type": "json_object"}
    assert "response_format" not in body(ChatRequest("m", MESSAGES), habits(connection), Repairs())


def test_the_picture_is_what_it_says() -> None:
    data = squares().data
    assert len(data) < 1_000
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size]) == (zlib.crc32(kind + content),)
        chunks[kind] = content
        at += 12 + size
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (width, height, depth, colour) == (4 * SIDE, SIDE, 8, 2)
    rows = zlib.decompress(chunks[b"IDAT"])
    assert len(rows) == height * (1 + 3 * width)
    first = rows[1 : 1 + 3 * width]
    seen = [tuple(first[3 * x : 3 * x + 3]) for x in range(SIDE // 2, width, SIDE)]
    blue, yellow, red, green = seen
    assert blue[2] > 200 > blue[0]
    assert min(yellow[:2]) > 200 > yellow[2]
    assert red[0] > 200 > max(red[1:])
    assert green[1] > 100 > max(green[0], green[2])


async def ask(
    home: Path, handler: Handler, *capabilities: str, slug: str = "loop"
) -> tuple[dict[str, ProbeResult], LoopServer]:
    async def answered(exchange: Exchange) -> None:
        if exchange.path.endswith("/models"):
            await exchange.answer(200, {"object": "list", "data": [{"id": "m"}]})
        elif not exchange.json:
            await exchange.answer(400, {"error": {"message": "you must provide a model parameter"}})
        else:
            await handler(exchange)

    async with serving(answered) as server, open_services() as services:
        await services.registry.add(ProviderDraft(slug=slug, url=server.url), None)
        await services.sync.sync([slug])
        plan = await services.probes.plan([f"{slug}/m"], capabilities)
        results = await services.probes.start(plan, Options(retries=0, timeout_s=5)).wait()
        return {result.capability: result for result in results}, server


def chats(server: LoopServer) -> list[dict[str, object]]:
    return [r.json for r in server.requests if r.path.endswith("chat/completions") and r.json.get("messages")]


@pytest.fixture
def words() -> Handler:
    """A server that ignores whatever it does not know."""

    async def handler(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.text("Certainly! ")
        await exchange.text("Here you are.")
        await exchange.done(usage={"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14})

    return handler


async def test_a_server_that_ignores_everything_can_nothing(home: Path, words: Handler) -> None:
    found, server = await ask(home, words, "tools", "vision", "json", "reasoning")
    assert {name: result.can for name, result in found.items()} == dict.fromkeys(found, False)
    tools, vision, schema, puzzle, again = chats(server)
    assert tools["tools"][0]["function"]["name"] == "get_weather"  # type: ignore[index]
    picture = vision["messages"][0]["content"][1]["image_url"]["url"]  # type: ignore[index]
    assert base64.b64decode(picture.removeprefix("data:image/png;base64,")) == squares().data
    assert schema["response_format"]["type"] == "json_schema"  # type: ignore[index]
    assert ("reasoning_effort" in puzzle, again["reasoning_effort"]) == (False, "low")
    assert all(request["max_tokens"] == 1_024 for request in chats(server))


async def test_a_server_that_can_everything(home: Path) -> None:
    async def able(exchange: Exchange) -> None:
        asked = exchange.json
        await exchange.begin()
        if "tools" in asked:
            function = {"name": "get_weather", "arguments": '{"city"'}
            await exchange.row({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": function}]}}]})  # fmt: skip
            await exchange.row({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": ':"Paris"}'}}]}}]})  # fmt: skip
            await exchange.done("tool_calls")
        elif "response_format" in asked:
            await exchange.text(json.dumps({"planet": "Jupiter", "letters_in_its_name": 7}))
            await exchange.done()
        elif isinstance(asked["messages"][0]["content"], list):
            await exchange.text("Blue, yellow, red and green.")
            await exchange.done()
        else:
            await exchange.row({"choices": [{"index": 0, "delta": {"reasoning_content": "three up"}}]})
            await exchange.text("8")
            await exchange.done()

    found, _ = await ask(home, able, "tools", "vision", "json", "reasoning")
    assert {name: result.can for name, result in found.items()} == dict.fromkeys(found, True), found


@pytest.mark.parametrize(
    ("capability", "status", "message"),
    [
        ("tools", 400, "m does not support tools"),
        ("tools", 500, "tools param requires --jinja flag"),
        ("vision", 500, "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"),
        ("vision", 422, "Input should be a valid string: messages.0.content"),
        ("json", 400, "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."),
    ],
)  # fmt: skip
async def test_a_server_that_says_that_it_cannot(
    home: Path, capability: str, status: int, message: str
) -> None:
    async def refuses(exchange: Exchange) -> None:
        await exchange.answer(status, {"error": {"message": message, "type": "invalid_request_error"}})

    found, server = await ask(home, refuses, capability)
    assert found[capability].can is False, found
    assert len(chats(server)) == 1


@pytest.mark.parametrize("status", [401, 402, 403, 408, 429, 500, 502, 503, 529])
async def test_a_server_in_trouble_has_said_nothing(home: Path, status: int) -> None:
    async def trouble(exchange: Exchange) -> None:
        await exchange.answer(status, {"error": {"message": "not now"}})

    found, _ = await ask(home, trouble, "tools", "vision")
    assert {result.can for result in found.values()} == {None}
    assert all(result.error is not None for result in found.values())


async def test_an_answer_that_breaks_off_or_is_no_answer_says_nothing(home: Path) -> None:
    async def breaks(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.text("I will now call")
        exchange.drop()

    found, _ = await ask(home, breaks, "tools")
    assert found["tools"].can is None

    async def page(exchange: Exchange) -> None:
        await exchange.answer(
            200, "<html><title>Sign in: no tools supported</title></html>", content_type="text/html"
        )

    found, _ = await ask(home, page, "json", slug="other")
    assert found["json"].can is None, found
