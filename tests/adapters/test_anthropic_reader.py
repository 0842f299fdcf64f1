"""Odd streams of the Messages API, its errors, paused answers, and bytes that nobody would send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from anthropic_server import THINKING, USAGE, block, end, error, row, start, stream
from collected import Collected
from hypothesis import given, settings
from hypothesis import strategies as st
from loop_server import Exchange, serving
from wire_replay import finished, play, played

from adapters.anthropic import AnthropicAdapter
from adapters.anthropic.models import whole_list
from adapters.anthropic.reader import MessageReader
from adapters.base import Connection
from adapters.errors import (
    BadRequestError,
    ContextTooLongError,
    InvalidCredentialsError,
    ModelUnavailableError,
    NoCreditError,
    Origin,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitedError,
    ServerError,
    UnexpectedResponseError,
    error_from_answer,
)
from adapters.events import ChatRequest, Message
from adapters.fetch import Fetcher
from adapters.loader import create
from catalog.usage import Usage

ORIGIN = Origin("prov", "m")
TEXT = {"type": "text", "text": "Hi"}


def events(*given: Mapping[str, object]) -> bytes:
    return "".join(row(event) for event in given).encode()


async def read(body: bytes, **how: Any) -> Collected:
    return (await play(body, reader=MessageReader(ORIGIN), **how))[1]


async def test_blocks_that_overlap() -> None:
    """llama.cpp opens block 1 before it closes block 0."""
    thought, said = block(0, THINKING), block(1, TEXT)
    mixed = [thought[0], thought[1], said[0], said[1], thought[2], thought[3], said[2]]
    got = await read(events(start(), *mixed, *end("end_turn")), size=5)
    assert ("".join(got.thinking), "".join(got.text)) == ("hm", "Hi")
    assert got.keepsake is not None
    assert json.loads(got.keepsake.content)["content"] == [THINKING, TEXT]


async def test_calls_that_interleave_and_one_that_comes_whole() -> None:
    one = block(1, {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}})
    two = block(2, {"type": "tool_use", "id": "b", "name": "g", "input": {"y": 2}})
    whole = {"type": "tool_use", "id": "c", "name": "h", "input": {"z": "ż"}}
    mixed = [x for pair in zip(one, two, strict=True) for x in pair]
    at_once = [
        {"type": "content_block_start", "index": 3, "content_block": whole},
        {"type": "content_block_stop", "index": 3},
    ]
    got = await read(events(start(), *mixed, *at_once, *end("end_turn")))
    assert [(c.id, c.name, json.loads(c.arguments)) for c in got.tool_calls] == [
        ("a", "f", {"x": 1}),
        ("b", "g", {"y": 2}),
        ("c", "h", {"z": "ż"}),
    ]
    assert finished(got).finish_reason == "tool_calls"


async def test_what_is_not_ours_is_kept_and_not_called() -> None:
    hidden = {"type": "redacted_thinking", "data": "x"}
    server = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    asked = [
        {"type": "content_block_start", "index": 1, "content_block": server},
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": '{"q": 1}'},
        },
        {"type": "content_block_stop", "index": 1},
    ]
    cited = block(2, TEXT)
    citation = {"type": "char_location", "cited_text": "x"}
    cited.insert(
        2,
        {
            "type": "content_block_delta",
            "index": 2,
            "delta": {"type": "citations_delta", "citation": citation},
        },
    )
    got = await read(events(start(), *block(0, hidden), *asked, *cited, *end("end_turn")))
    assert got.tool_calls == ()
    assert got.keepsake is not None
    assert json.loads(got.keepsake.content)["content"] == [
        hidden,
        {**server, "input": {"q": 1}},
        {**TEXT, "citations": [citation]},
    ]


async def test_usage_is_overwritten_never_added() -> None:
    first = {
        "input_tokens": 0,
        "output_tokens": 1,
        "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 6},
    }
    last = {"input_tokens": 10, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 7, "output_tokens": 20, "output_tokens_details": {"thinking_tokens": 12}}  # fmt: skip
    got = await read(events(start(first), *block(0, TEXT), *end("end_turn", last)))
    assert got.usage == Usage(
        input=21, output=20, cache_read=4, cache_write=7, cache_write_1h=6, reasoning=12
    )


@pytest.mark.parametrize(
    ("reason", "ours"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("refusal", "content_filter"),
        ("model_context_window_exceeded", "length"), ("tool_use", "tool_calls"),
    ],
)  # fmt: skip
async def test_why_it_stopped(reason: str, ours: str) -> None:
    end_ = finished(await read(stream(TEXT, reason=reason)))
    assert (end_.state, end_.finish_reason, end_.raw_finish_reason) == ("complete", ours, reason)


async def test_an_end_without_its_marker_is_an_interruption() -> None:
    body = stream(TEXT).replace(row({"type": "message_stop"}).encode(), b"")
    got = await read(body)
    assert "".join(got.text) == "Hi"
    assert (finished(got).state, finished(got).finish_reason) == ("interrupted", None)


async def test_an_error_in_the_stream_and_one_instead_of_it() -> None:
    got = await read(events(start(), *block(0, TEXT), error("overloaded_error", "Overloaded")))
    assert isinstance(finished(got).error, OverloadedError)
    with pytest.raises(OverloadedError):
        await read(
            json.dumps(error("overloaded_error", "x")).encode(), headers={"content-type": "application/json"}
        )
    with pytest.raises(UnexpectedResponseError):
        await read(b'{"object": "chat.completion"}', headers={"content-type": "application/json"})


@pytest.mark.parametrize(
    ("status", "body", "kind", "again"),
    [
        (400, error("invalid_request_error", "x"), BadRequestError, False),
        (400, error("invalid_request_error", "Your credit balance is too low to access the Anthropic API."), NoCreditError, False),
        (400, error("invalid_request_error", "You have reached your specified API usage spend limit."), NoCreditError, False),
        (400, error("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"), ContextTooLongError, False),
        (401, error("authentication_error", "invalid x-api-key"), InvalidCredentialsError, False),
        (402, error("billing_error", "x"), NoCreditError, False),
        (403, error("permission_error", "x"), PermissionDeniedError, False),
        (404, error("not_found_error", "model: m"), ModelUnavailableError, False),
        (409, error("conflict_error", "x"), ServerError, True),
        (413, error("request_too_large", "x"), ContextTooLongError, False),
        (429, error("rate_limit_error", "x"), RateLimitedError, True),
        (429, error("rate_limit_error", "x", error_code="contract_spend_limit_reached"), NoCreditError, False),
        (429, error("rate_limit_error", "x", error_code="enforced_spend_limit_reached"), NoCreditError, False),
        (429, error("rate_limit_error", "x", error_code="ramp_limit_exceeded"), RateLimitedError, True),
        (500, error("api_error", "x"), ServerError, True),
        (504, error("timeout_error", "x"), ProviderTimeoutError, True),
        (529, error("overloaded_error", "Overloaded"), OverloadedError, True),
    ],
)  # fmt: skip
def test_every_error(status: int, body: object, kind: type[ProviderError], again: bool) -> None:
    told = error_from_answer(ORIGIN, status, {"request-id": "req_9"}, json.dumps(body).encode())
    assert type(told) is kind
    assert told.retryable is again
    assert told.request_id == "req_9"


def test_the_wait_of_an_exhausted_limit() -> None:
    headers = {
        "anthropic-ratelimit-requests-remaining": "10",
        "anthropic-ratelimit-requests-reset": "2099-01-01T00:00:00Z",
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": "2020-01-01T00:00:00Z",
    }
    told = error_from_answer(ORIGIN, 429, headers, json.dumps(error("rate_limit_error", "x")).encode())
    assert told.retry_after_ms == 0, "only what is used up is waited for, and that moment is past"


class Pausing:
    """A vendor that pauses its answer some times."""

    def __init__(self, pauses: int, refuse: int | None = None) -> None:
        self.pauses, self.refuse, self.bodies = pauses, refuse, list[Any]()

    async def __call__(self, exchange: Exchange) -> None:
        self.bodies.append(exchange.json)
        number = len(self.bodies)
        if number == self.refuse:
            await exchange.answer(529, error("overloaded_error", "Overloaded"))
            return
        reason = "pause_turn" if number <= self.pauses else "end_turn"
        said = {"type": "text", "text": f"part{number} "}
        if exchange.json.get("stream"):
            await exchange.begin()
            await exchange.send(stream(THINKING, said, reason=reason))
            exchange.writer.write(b"0\r\n\r\n")
        else:
            await exchange.answer(200, {"content": [THINKING, said], "stop_reason": reason, "usage": USAGE})


async def paused(vendor: Pausing, *, streamed: bool = True) -> tuple[Any, Collected]:
    fetcher, got = Fetcher(), Collected()
    async with serving(vendor) as server:
        adapter = create(Connection("prov", "anthropic", server.url), fetcher)
        try:
            request = ChatRequest("m", (Message("user", "search"),), stream=streamed)
            async with adapter.stream(request) as answer:
                async for event in answer:
                    got.add(event)
        finally:
            await adapter.aclose()
            await fetcher.aclose()
    return answer, got


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_paused_answer_goes_on_as_one(streamed: bool) -> None:
    vendor = Pausing(2)
    answer, got = await paused(vendor, streamed=streamed)
    assert "".join(got.text) == "part1 part2 part3 "
    assert (finished(got).finish_reason, answer.state) == ("stop", "complete")
    assert (answer.usage.input, answer.usage.output) == (27, 6)
    assert got.usage == answer.usage
    assert len(vendor.bodies) == 3
    assert vendor.bodies[2]["messages"][-1] == {
        "role": "assistant",
        "content": [
            THINKING,
            {"type": "text", "text": "part1 "},
            THINKING,
            {"type": "text", "text": "part2 "},
        ],
    }
    assert got.keepsake is not None
    assert len(json.loads(got.keepsake.content)["content"]) == 6


async def test_an_answer_that_pauses_for_ever_ends() -> None:
    vendor = Pausing(99)
    _, got = await paused(vendor)
    assert len(vendor.bodies) == 5
    assert (finished(got).state, finished(got).finish_reason) == ("complete", "length")


async def test_a_pause_that_cannot_be_ended_keeps_what_came() -> None:
    answer, got = await paused(Pausing(2, refuse=2))
    assert "".join(got.text) == "part1 "
    assert (answer.state, finished(got).state) == ("failed", "failed")
    assert isinstance(answer.error, OverloadedError)
    assert answer.usage.output == 2


async def test_lists_of_other_servers_and_broken_entries() -> None:
    pages = [
        {"data": [{"id": "a", "object": "model", "context_length": 8_192}, 7, {"type": "model"}, {"type": "model", "id": "b", "created_at": "1970-01-01T00:00:00Z", "max_tokens": "x"}], "has_more": True, "last_id": "b"},
        {"data": [{"type": "model", "id": "b"}, {"type": "model", "id": "c", "lifecycle": "retired", "retires_at": "2026-01-05T00:00:00Z", "created_at": "2026-01-01T00:00:00Z"}]},
    ]  # fmt: skip
    asked: list[Mapping[str, str]] = []

    async def ask(params: Mapping[str, str]) -> tuple[Mapping[str, str], bytes]:
        asked.append(params)
        return {}, json.dumps(pages[len(asked) - 1]).encode()

    models, _ = await whole_list(ask, "prov")
    assert asked == [{"limit": "1000"}, {"limit": "1000", "after_id": "b"}]
    assert [(m.id, m.created, m.status, m.shutdown_date) for m in models] == [
        ("a", None, None, None),
        ("b", None, None, None),
        ("c", 1_767_225_600, "retired", "2026-01-05"),
    ]
    assert models[0].context_window == 8_192

    async def same(params: Mapping[str, str]) -> tuple[Mapping[str, str], bytes]:
        return {}, json.dumps({"data": [{"id": "a"}], "has_more": True, "last_id": "a"}).encode()

    assert [m.id for m in (await whole_list(same, "prov"))[0]] == ["a"]


@pytest.mark.parametrize(
    ("models", "chat", "state", "words"),
    [
        ((200, {"data": []}), (400, error("invalid_request_error", "x")), "ok", "The key is accepted."),
        ((404, {}), (400, error("invalid_request_error", "x")), "ok", "It has no model list."),
        ((200, {"data": []}), (401, error("authentication_error", "x")), "invalid_key", "refuses the key"),
        ((401, error("authentication_error", "x")), (200, {}), "invalid_key", "refuses the key"),
        ((404, {}), (404, {}), "error", "not as a server of Anthropic's"),
        ((200, "<html>"), (200, {}), "error", "not as a server of Anthropic's"),
    ],
)
async def test_trying_a_key(models: Any, chat: Any, state: str, words: str) -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.answer(*(models if exchange.method == "GET" else chat))

    fetcher = Fetcher()
    async with serving(handle) as server:
        from pydantic import SecretStr

        adapter = AnthropicAdapter(Connection("prov", "anthropic", server.url, key=SecretStr("k")), fetcher)
        verdict = await adapter.validate()
        await adapter.aclose()
    assert verdict.state == state
    assert words in verdict.message
    assert server.requests[0].path == "/v1/models?limit=1"


values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["type", "index", "delta", "content_block", "message", "usage", "error", "text", "thinking",
                         "partial_json", "signature", "stop_reason", "input", "id", "name", "citation", "input_tokens"]),
        inner | st.sampled_from(["text", "tool_use", "text_delta", "input_json_delta", "thinking", "thinking_delta",
                                 "message_start", "content_block_start", "content_block_delta", "content_block_stop",
                                 "message_delta", "message_stop", "signature_delta", "error"]),
        max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(values, max_size=8), st.booleans())
def test_no_event_makes_the_reader_fall(given_: list[object], whole: bool) -> None:
    reader = MessageReader(ORIGIN)
    try:
        for event in given_:
            if whole:
                reader.whole(event)
            else:
                reader.frame("error" if isinstance(event, int) else "", json.dumps(event).encode())
            reader.blocks.content()
        reader.close()
    except ProviderError:
        pass


GOOD = stream(
    THINKING,
    {"type": "text", "text": "Zażółć 👍🏽 gęślą"},
    {"type": "tool_use", "id": "t", "name": "f", "input": {"a": "ż"}},
)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(GOOD)), st.integers(1, 40), st.binary(max_size=6))
def test_any_cut_and_any_rubbish_leave_a_prefix(where: int, size: int, rubbish: bytes) -> None:
    try:
        _, got = played(GOOD[:where] + rubbish, size=size, reader=MessageReader(ORIGIN))
    except ProviderError:
        return
    assert "Zażółć 👍🏽 gęślą".startswith("".join(got.text).rstrip("\ufffd"))
    assert finished(got).state in ("complete", "interrupted", "failed")


async def test_half_an_emoji_in_each_of_two_pieces() -> None:
    halves = [
        f'{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{half}"}}}}'
        for half in ("\\ud83d", "\\udc4d")
    ]
    body = (
        events(start(), block(0, TEXT)[0])
        + "".join(f"event: content_block_delta\ndata: {h}\n\n" for h in halves).encode()
    )
    got = await read(body + events(*end("end_turn")))
    assert "".join(got.text) == "👍"
