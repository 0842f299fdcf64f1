"""The openai dialect over real sockets: limits, repairs, connections, and what goes out on the wire."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
from collected import Collected
from contract import collect
from loop_server import Exchange, LoopServer, models_and_chat, serving
from pydantic import SecretStr

from adapters.base import Connection, Watchdogs
from adapters.errors import (
    BadRequestError,
    InvalidCredentialsError,
    ProviderError,
    ProviderTimeoutError,
    StreamInterruptedError,
    UnexpectedResponseError,
)
from adapters.events import ChatRequest, Finished, Image, Message, ToolCall, ToolSpec
from adapters.fetch import Fetcher
from adapters.openai import OpenAIAdapter

KEY = "sk-canary-Qw3rTy8uI0pAs6dF"
ASK = ChatRequest("m", (Message("user", "hello"),))


@asynccontextmanager
async def against(
    handler: Callable[[Exchange], Awaitable[None]], path: str = "", **fields: Any
) -> AsyncIterator[tuple[OpenAIAdapter, LoopServer]]:
    fetcher = Fetcher()
    async with serving(handler) as server:
        fields.setdefault("key", SecretStr(KEY))
        adapter = OpenAIAdapter(Connection("prov", "openai", server.url + path, **fields), fetcher)
        try:
            yield adapter, server
        finally:
            await adapter.aclose()


async def ask(adapter: OpenAIAdapter, request: ChatRequest = ASK) -> Collected:
    async with adapter.stream(request) as stream:
        return await collect(stream)


# --- limits --------------------------------------------------------------------------------------------------


async def waiting_after(pieces: list[str], exchange: Exchange, pings: bool = False) -> None:
    await exchange.begin()
    for piece in pieces:
        await exchange.send(piece)
    while pings and not exchange.left.is_set():
        await exchange.send(": ping\n\n")
        await asyncio.sleep(0.02)
    await exchange.left.wait()


FIRST = 'data: {"choices":[{"delta":{"content":"Hello"}}]}\n\n'


@pytest.mark.parametrize("pings", [False, True])
@pytest.mark.parametrize(
    ("limits", "pieces", "words"),
    [
        (Watchdogs(first_event=0.5), [": ping\n\n"], "within 0.5 s"),
        (
            Watchdogs(first_event=0.5),
            ['data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n'],
            "within 0.5 s",
        ),
        (Watchdogs(idle=0.5), [FIRST], "for 0.5 s"),
        (Watchdogs(total=0.5), [FIRST], "longer than 0.5 s"),
    ],
)
async def test_a_silent_stream_is_given_up(
    limits: Watchdogs, pieces: list[str], words: str, pings: bool
) -> None:
    left = asyncio.Event()

    async def handler(exchange: Exchange) -> None:
        try:
            await waiting_after(pieces, exchange, pings)
        finally:
            left.set()

    async with against(handler, watchdogs=limits) as (adapter, _server):
        started = monotonic()
        async with adapter.stream(ASK) as stream:
            got = await collect(stream)
        assert 0.4 < monotonic() - started < 5
        assert "".join(got.text) == ("Hello" if FIRST in pieces else "")
        assert got.finished is not None
        assert got.finished.state == stream.state == "interrupted"
        assert isinstance(stream.error, ProviderTimeoutError)
        assert words in stream.error.message
        await asyncio.wait_for(left.wait(), 5)


@pytest.mark.parametrize("limits", [Watchdogs(first_event=0.5), Watchdogs(first_event=None, total=0.5)])
async def test_a_server_that_never_answers_is_given_up(limits: Watchdogs) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.left.wait()

    async with against(handler, watchdogs=limits) as (adapter, server):
        with pytest.raises(ProviderTimeoutError):
            await ask(adapter)
        await asyncio.wait_for(server.requests[0].left.wait(), 5)


async def test_a_slow_reader_is_no_silent_vendor() -> None:
    rested = asyncio.Event()

    async def handler(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.text("a")
        await rested.wait()
        await exchange.text("b")
        await exchange.done()

    async with (
        against(handler, watchdogs=Watchdogs(idle=0.3)) as (adapter, _server),
        adapter.stream(ASK) as stream,
    ):
        got = Collected()
        async for event in stream:
            got.add(event)
            if not rested.is_set():
                await asyncio.sleep(0.6)
                rested.set()
    assert (stream.state, got.text) == ("complete", ["a", "b"])


async def test_a_slow_but_steady_vendor_is_not_given_up() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.begin()
        for word in "abcdef":
            await exchange.text(word)
            await asyncio.sleep(0.15)
        await exchange.done()

    async with against(handler, watchdogs=Watchdogs(first_event=0.6, idle=0.6)) as (adapter, _server):
        assert "".join((await ask(adapter)).text) == "abcdef"


async def test_limits_can_be_off() -> None:
    async with against(models_and_chat, watchdogs=Watchdogs(None, None, None, None)) as (adapter, _server):
        assert "".join((await ask(adapter)).text) == "Hello there"


async def test_a_late_end_after_the_reason_is_still_complete() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.text("Hi")
        await exchange.row({"choices": [{"delta": {}, "finish_reason": "stop"}]})
        await exchange.left.wait()

    async with against(handler, watchdogs=Watchdogs(idle=0.2)) as (adapter, _server):
        assert (await ask(adapter)).finished == Finished("complete", "stop", "stop")


async def test_a_frame_without_end_is_refused() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.text("Hi")
        while not exchange.left.is_set():
            await exchange.send(b"data: " + b"x" * 1_000_000)

    async with against(handler) as (adapter, _server):
        got = await ask(adapter)
    assert got.finished is not None
    assert isinstance(got.finished.error, UnexpectedResponseError)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("upstream says no", UnexpectedResponseError),
        (": keep-alive\n\n", StreamInterruptedError),
        ('data: {"choices":[{"del', StreamInterruptedError),
        ("da", StreamInterruptedError),
    ],
)
async def test_text_that_is_no_stream_is_not_taken_for_one_that_broke_off(
    body: str, kind: type[ProviderError]
) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer(200, body.encode(), content_type="application/json")

    async with against(handler) as (adapter, _server):
        got = await ask(adapter)
    assert got.finished is not None
    assert type(got.finished.error) is kind
    assert (body in got.finished.error.message) == (kind is UnexpectedResponseError)


async def test_an_endless_error_page_is_cut() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.begin(500, content_type="text/html")
        while not exchange.left.is_set():
            await exchange.send(b"<p>" + b"x" * 100_000)

    async with against(handler) as (adapter, _server):
        started = monotonic()
        with pytest.raises(Exception, match="failed") as caught:
            await ask(adapter)
        assert len(str(caught.value)) < 500
        assert monotonic() - started < 5


async def test_a_packed_answer_is_unpacked() -> None:
    body = gzip.compress(json.dumps({"error": {"message": "nope", "code": "invalid_api_key"}}).encode())

    async def handler(exchange: Exchange) -> None:
        if exchange.path.endswith("models"):
            await exchange.answer(401, body, content_encoding="gzip", content_type="application/json")
            return
        assert exchange.headers["accept-encoding"] == "identity"
        packed = gzip.compress(
            b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
        )
        await exchange.answer(200, packed, content_encoding="gzip", content_type="text/event-stream")

    async with against(handler) as (adapter, _server):
        with pytest.raises(InvalidCredentialsError, match="nope"):
            await adapter.list_models()
        assert "".join((await ask(adapter)).text) == "Hi"


# --- connections ---------------------------------------------------------------------------------------------


async def test_a_finished_answer_leaves_the_connection_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.fetch._NONE_KEPT", httpx.Limits())  # as with TLS
    async with against(models_and_chat) as (adapter, server):
        for _ in range(3):
            await ask(adapter)
        assert server.connections == 1


async def test_without_tls_each_request_has_its_own_connection() -> None:
    async with against(models_and_chat) as (adapter, server):
        for _ in range(2):
            await ask(adapter)
        assert server.connections == 2, "servers of one's own close theirs without a word"


async def test_iterating_twice_continues() -> None:
    async with against(models_and_chat) as (adapter, _server), adapter.stream(ASK) as stream:
        async for event in stream:
            first = event
            break
        rest = await collect(stream)
    assert first
    assert rest.text == [" there"]


async def test_a_watched_read_in_another_task() -> None:
    """Some callers read every event in a task of its own."""

    async def handler(exchange: Exchange) -> None:
        await waiting_after([FIRST], exchange)

    async with (
        against(handler, watchdogs=Watchdogs(idle=0.2)) as (adapter, _server),
        adapter.stream(ASK) as stream,
    ):
        events = [await asyncio.create_task(anext(aiter(stream))) for _ in range(2)]
    assert isinstance(events[-1], Finished)
    assert stream.state == "interrupted"


# --- what is sent --------------------------------------------------------------------------------------------

FULL = ChatRequest(
    "m",
    (
        Message("user", "look", images=(Image("image/png", b"\x89PNG"),)),
        Message("assistant", "", tool_calls=(ToolCall("c1", "f", '{"a":1}'),), thinking="hm"),
        Message("tool", "42", tool_call_id="c1"),
    ),
    system="Be brief.",
    max_tokens=7,
    temperature=0.2,
    top_p=0.9,
    stop=("END",),
    seed=3,
    reasoning_effort="low",
    tools=(ToolSpec("f", "does f", {"type": "object"}),),
    tool_choice="f",
    json_output=True,
)


async def test_the_request_as_the_wire_wants_it() -> None:
    async with against(models_and_chat, options={"organization": "org-1", "project": "p-1"}, headers={"X-Team": "blue"}, secret_headers={"X-Gate": SecretStr("gate-canary-123456")}) as (adapter, server):  # fmt: skip
        await ask(adapter, FULL)
    sent = server.requests[0]
    assert sent.json == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "look"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
                ],
            },
            {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}]},
            {"role": "tool", "content": "42", "tool_call_id": "c1"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 7,
        "temperature": 0.2,
        "top_p": 0.9,
        "stop": ["END"],
        "seed": 3,
        "reasoning_effort": "low",
        "response_format": {"type": "json_object"},
        "tools": [{"type": "function", "function": {"name": "f", "description": "does f", "parameters": {"type": "object"}}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
    }  # fmt: skip
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["x-team"] == "blue"
    assert sent.headers["x-gate"] == "gate-canary-123456"
    assert (sent.headers["openai-organization"], sent.headers["openai-project"]) == ("org-1", "p-1")
    assert sent.path == "/v1/chat/completions"


async def test_what_is_not_asked_is_not_sent() -> None:
    async with against(models_and_chat, key=None) as (adapter, server):
        await ask(adapter, ChatRequest("m", (Message("user", "x"),), stream=True))
    assert set(server.requests[0].json) == {"model", "messages", "stream", "stream_options"}
    assert "authorization" not in server.requests[0].headers


async def test_options_decide_the_field_names() -> None:
    options = {
        "max_tokens_field": "max_completion_tokens",
        "reasoning_field": "reasoning_content",
        "stream_options": "no",
    }
    async with against(models_and_chat, options=options) as (adapter, server):
        await ask(adapter, FULL)
    sent = server.requests[0].json
    assert sent["max_completion_tokens"] == 7
    assert "max_tokens" not in sent
    assert "stream_options" not in sent
    assert sent["messages"][2]["reasoning_content"] == "hm"


# --- the one repair ------------------------------------------------------------------------------------------


def refusing(**refusals: tuple[int, str, str | None]) -> Callable[[Exchange], Awaitable[None]]:
    """A server that refuses any request naming one of these parameters."""

    async def handler(exchange: Exchange) -> None:
        for name, (status, message, param) in refusals.items():
            if name in exchange.json:
                body = {
                    "error": {
                        "message": message,
                        "type": "invalid_request_error",
                        "param": param,
                        "code": None,
                    }
                }
                await exchange.answer(status, body)
                return
        await models_and_chat(exchange)

    return handler


NEW_NAME = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
ONLY_DEFAULT = "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported."


@pytest.mark.parametrize(
    ("refusals", "absent", "present"),
    [
        ({"max_tokens": (400, NEW_NAME, "max_tokens")}, {"max_tokens"}, {"max_completion_tokens", "temperature"}),
        ({"max_tokens": (422, "Extra inputs are not permitted: max_tokens", None)}, {"max_tokens"}, {"max_completion_tokens"}),
        ({"temperature": (400, ONLY_DEFAULT, "temperature")}, {"temperature", "top_p"}, {"max_tokens"}),
        ({"stream_options": (400, "Unrecognized request argument supplied: stream_options", None)}, {"stream_options"}, {"max_tokens", "top_p"}),
        ({"max_tokens": (400, NEW_NAME, "max_tokens"), "temperature": (400, ONLY_DEFAULT, "temperature")}, {"max_tokens", "temperature"}, {"max_completion_tokens"}),
    ],
)  # fmt: skip
async def test_a_refused_parameter_is_repaired_once_and_remembered(
    refusals: Any, absent: set[str], present: set[str]
) -> None:
    async with against(refusing(**refusals)) as (adapter, server):
        assert "".join((await ask(adapter, FULL)).text) == "Hello there"
        tries = len(server.requests)
        assert tries == 1 + len(refusals)
        await ask(adapter, FULL)
        assert len(server.requests) == tries + 1
        sent = set(server.requests[-1].json)
        assert not absent & sent
        assert present <= sent


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("max_tokens", "max_tokens is too large: 99999. This model supports at most 4096 completion tokens."),
        ("temperature", "temperature must be between 0 and 2"),
        ("seed", "Unsupported parameter: 'seed' is not supported"),
        ("model", "Unsupported parameter somewhere"),
    ],
)
async def test_other_refusals_are_not_repaired(name: str, message: str) -> None:
    async with against(refusing(**{name: (400, message, name)})) as (adapter, server):
        with pytest.raises(BadRequestError, match=message[:20]):
            await ask(adapter, FULL)
        assert len(server.requests) == 1


async def test_a_server_that_refuses_both_names_is_asked_twice() -> None:
    refuse = {
        name: (400, f"Unsupported parameter: '{name}'", name)
        for name in ("max_tokens", "max_completion_tokens")
    }
    async with against(refusing(**refuse)) as (adapter, server):
        with pytest.raises(BadRequestError):
            await ask(adapter, FULL)
        assert len(server.requests) == 2


# --- validation ----------------------------------------------------------------------------------------------


def server_with(
    models: tuple[int, object], chat: tuple[int, object]
) -> Callable[[Exchange], Awaitable[None]]:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer(*(models if exchange.method == "GET" else chat))

    return handler


LIST = (200, {"data": [{"id": "m"}]})
NO_MODEL = (400, {"error": {"message": "you must provide a model parameter"}})
BAD_KEY = (401, {"error": {"message": "Invalid API Key", "type": "authentication_error"}})


@pytest.mark.parametrize(
    ("models", "chat", "state", "words"),
    [
        (LIST, NO_MODEL, "ok", "The key is accepted. 1 model."),
        (LIST, BAD_KEY, "invalid_key", "refuses the key"),  # a public list, as llama.cpp's
        (LIST, (402, {"error": "Insufficient Balance"}), "no_credit", "no credit"),
        (LIST, (403, {"error": {"message": "no access"}}), "no_permission", "may not do this"),
        (LIST, (500, "oops"), "ok", "not certain"),
        (BAD_KEY, NO_MODEL, "invalid_key", "refuses the key"),
        ((429, {"error": {"code": "insufficient_quota", "message": "x"}}), NO_MODEL, "no_credit", "no credit"),
        ((429, {"error": {"message": "x"}}), NO_MODEL, "limited", "slow down"),
        ((404, "404 page not found"), NO_MODEL, "ok", "no model list"),
        ((404, "404 page not found"), BAD_KEY, "invalid_key", "refuses the key"),
        ((404, "404 page not found"), (404, "404 page not found"), "error", "not as an OpenAI-compatible server"),
        ((200, "<html><title>Router login</title></html>"), (200, "<html>"), "error", ""),
        ((200, {"hello": 1}), NO_MODEL, "error", "not as an OpenAI-compatible server"),
        ((503, {"error": {"message": "Loading model", "type": "unavailable_error"}}), NO_MODEL, "limited", "still loading the model"),
        ((301, "moved"), NO_MODEL, "error", "redirects"),
    ],
)  # fmt: skip
async def test_validation_tells_what_is_the_matter(models: Any, chat: Any, state: str, words: str) -> None:
    async with against(server_with(models, chat)) as (adapter, server):
        verdict = await adapter.validate()
    assert verdict.state == state
    assert words in verdict.message
    assert verdict.ok == (verdict.error is None)
    assert all("model" not in (r.json if r.body else {}) for r in server.requests), (
        "nothing that could cost money"
    )


async def test_validation_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.openai.check.TIMEOUT", 0.3)

    async def handler(exchange: Exchange) -> None:
        await exchange.left.wait()

    async with against(handler) as (adapter, _server):
        started = monotonic()
        verdict = await adapter.validate()
        assert monotonic() - started < 2
    assert verdict.state == "unreachable"


# --- lists ---------------------------------------------------------------------------------------------------


async def test_pages_are_followed() -> None:
    async def handler(exchange: Exchange) -> None:
        after = exchange.path.partition("after=")[2]
        start = int(after[1:]) + 1 if after else 0
        ids = [f"m{i}" for i in range(start, min(start + 4, 10))]
        more = start + 4 < 10
        await exchange.answer(200, {"data": [{"id": i} for i in ids], "has_more": more, "last_id": ids[-1]})

    async with against(handler) as (adapter, server):
        models = await adapter.list_models()
    assert [m.id for m in models] == [f"m{i}" for i in range(10)]
    assert server.paths() == ["GET /v1/models", "GET /v1/models?after=m3", "GET /v1/models?after=m7"]


async def test_a_server_that_repeats_its_page_is_asked_twice() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer(200, {"data": [{"id": "m"}], "has_more": True, "last_id": "m"})

    async with against(handler) as (adapter, server):
        assert len(await adapter.list_models()) == 1
        assert len(server.requests) == 2


# --- no key anywhere -----------------------------------------------------------------------------------------


async def test_no_key_in_logs_errors_or_reprs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[str] = []

    async def handler(exchange: Exchange) -> None:
        await exchange.answer(
            401, f"Incorrect key {exchange.headers['authorization']} {KEY[:12]}***{KEY[-4:]}"
        )

    async with against(handler) as (adapter, _server):
        verdict = await adapter.validate()
        for call in (adapter.list_models, lambda: ask(adapter)):
            try:
                await call()
            except Exception as error:
                seen.append(f"{error!r} {error} {error.__cause__!r} {error.__context__!r} {vars(error)}")
        seen.append(f"{verdict!r} {adapter._client!r} {adapter._client.auth!r} {adapter._connection!r}")
    assert len(seen) == 3
    everything = "\n".join(seen) + caplog.text
    assert KEY not in everything
    assert KEY[:12] not in everything


@pytest.mark.parametrize("bad", ["sk-line\nbreak-canary", "sk-ż-canary-canary", "   "])
async def test_a_key_that_no_header_can_carry(bad: str) -> None:
    with pytest.raises(InvalidCredentialsError) as caught:
        OpenAIAdapter(Connection("prov", "openai", "http://127.0.0.1:9", key=SecretStr(bad)), Fetcher())
    assert "canary" not in f"{caught.value!r}"


async def test_spaces_around_a_key_do_not_matter() -> None:
    async with against(models_and_chat, key=SecretStr(f"  {KEY}\n")) as (adapter, server):
        await ask(adapter)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


# --- recorded traffic over a socket --------------------------------------------------------------------------

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "recorded"


@pytest.mark.skipif(not (FOLDER / "shared.jsonl").exists(), reason="the recorded exchanges are not here")
async def test_recorded_streams_over_a_socket() -> None:
    rows = [json.loads(line) for line in (FOLDER / "shared.jsonl").read_text("utf-8").splitlines()]
    oracle = {
        o["id"]: o for o in map(json.loads, (FOLDER / "shared.oracle.jsonl").read_text("utf-8").splitlines())
    }
    played = {r["id"]: r for r in rows if r["api"] == "openai-chat" and r["response"]["status"] == 200}

    async def handler(exchange: Exchange) -> None:
        answer = played[exchange.path.split("/")[2]]["response"]
        await exchange.begin(content_type=answer["headers"].get("content-type", ""))
        body = answer["body"].encode()
        for i in range(0, len(body), 211):
            await exchange.send(body[i : i + 211])
        exchange.writer.write(b"0\r\n\r\n")

    fetcher = Fetcher()
    async with serving(handler) as server:
        for name in played:
            adapter = OpenAIAdapter(Connection("prov", "openai", f"{server.url}/x/{name}"), fetcher)
            got = await ask(adapter)
            await adapter.aclose()
            assert "".join(got.text) == oracle[name]["text"]
            assert "".join(got.thinking) == oracle[name]["reasoning"]
    assert len(played) > 30
