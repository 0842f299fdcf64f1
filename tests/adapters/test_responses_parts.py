"""What the Responses form sends, what it leaves out after a refusal, and what its reader makes of odd streams."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loop_server import Exchange, serving
from pydantic import SecretStr
from wire_replay import finished, played, sse

from adapters.base import Connection
from adapters.errors import Origin, ProviderError
from adapters.events import ChatRequest, Keepsake, Message, ToolCall, ToolSpec
from adapters.fetch import Fetcher
from adapters.loader import create
from adapters.openai.responses import DIALECT, body, form_of
from adapters.openai.responses_reader import ResponsesReader

TOOL = ToolSpec("f", "does it", {"type": "object", "properties": {}})
ASK = (Message("user", "hi"),)


def answer(*rows: dict[str, object] | str, size: int = 0) -> tuple[object, object]:
    text = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    return played(sse(*text), size=size, reader=ResponsesReader(Origin("prov", "m")))


def done(**response: object) -> dict[str, object]:
    return {"type": "response.completed", "response": {"status": "completed", "output": [], **response}}


@pytest.mark.parametrize(
    ("connection", "models"),
    [
        (Connection("p", "openai", "https://api.openai.com/v1"), {"gpt-4o": False}),
        (
            Connection("p", "openai", "https://api.openai.com/v1", options={"api": "responses"}),
            {"gpt-4o": True},
        ),
        (
            Connection("p", "openai", "https://x.example", options={"responses_for": "o3-pro,gpt-5*-codex"}),
            {"o3-pro": True, "gpt-5.1-codex": True, "gpt-5.1": False},
        ),
        (Connection("p", "openai", "https://api.perplexity.ai"), {"openai/gpt-5": True}),
        (Connection("p", "openai", "https://proxy.example", catalog_id="perplexity"), {"m": True}),
        (Connection("p", "openai", "https://api.perplexity.ai", options={"api": "chat"}), {"sonar": False}),
    ],
)
def test_which_models_are_asked_by_responses(connection: Connection, models: dict[str, bool]) -> None:
    form = form_of(connection)
    assert {model: form.wanted(model) for model in models} == models


def test_nothing_is_stored_and_nothing_is_sent_that_was_not_asked_for() -> None:
    sent = body(ChatRequest("m", ASK))
    assert sent == {
        "model": "m",
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
        "store": False,
        "stream": True,
    }


def test_effort_asks_for_a_summary_and_for_sealed_reasoning() -> None:
    sent = body(ChatRequest("m", ASK, reasoning_effort="high", max_tokens=7, tools=(TOOL,), tool_choice="f"))
    assert sent["reasoning"] == {"effort": "high", "summary": "auto"}
    assert sent["include"] == ["reasoning.encrypted_content"]
    assert sent["max_output_tokens"] == 7
    assert sent["tool_choice"] == {"type": "function", "name": "f"}
    assert body(ChatRequest("m", ASK, reasoning_effort="none"))["reasoning"] == {"effort": "none"}


@pytest.mark.parametrize(
    ("model", "given_back"),
    [("m", True), ("another", False)],
)
def test_sealed_reasoning_goes_back_to_its_own_model_only(model: str, given_back: bool) -> None:
    output = [
        {"type": "reasoning", "id": "rs", "encrypted_content": "sealed"},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
    ]
    turns = (
        *ASK,
        Message(
            "assistant",
            "",
            tool_calls=(ToolCall("c1", "f", "{}"),),
            keepsake=Keepsake(DIALECT, "m", json.dumps(output)),
        ),
        Message("tool", "7", tool_call_id="c1"),
    )
    sent = body(ChatRequest(model, turns))["input"]
    assert isinstance(sent, list)
    assert [item["type"] for item in sent] == (
        ["message", "reasoning", "function_call", "function_call_output"]
        if given_back
        else ["message", "function_call", "function_call_output"]
    )
    assert ("sealed" in json.dumps(sent)) is given_back


@pytest.mark.parametrize(("text", "calls"), [("mine", ("c1",)), ("Its own.", ()), ("Its own.", ("c1", "c2"))])
def test_an_answer_that_was_changed_goes_back_as_it_is_now(text: str, calls: tuple[str, ...]) -> None:
    output = [
        {"type": "reasoning", "id": "rs", "encrypted_content": "sealed", "status": None},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Its own."}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
    ]
    kept = Keepsake(DIALECT, "m", json.dumps(output))

    def sent(text: str, calls: tuple[str, ...]) -> str:
        made = tuple(ToolCall(call, "f", "{}") for call in calls)
        turns = (*ASK, Message("assistant", text, tool_calls=made, keepsake=kept))
        return json.dumps(body(ChatRequest("m", turns))["input"])

    assert "sealed" in sent("Its own.", ("c1",))
    assert "null" not in sent("Its own.", ("c1",)), "an item's status is a word or missing"
    assert "sealed" not in sent(text, calls)
    assert text in sent(text, calls)


@pytest.mark.parametrize("content", ["", "no json", "7", '["text"]'])
def test_a_broken_keepsake_is_left_out(content: str) -> None:
    turns = (*ASK, Message("assistant", "yes", keepsake=Keepsake(DIALECT, "m", content)))
    assert "yes" in json.dumps(body(ChatRequest("m", turns)))


async def test_a_model_that_only_responses_knows_is_asked_that_way_from_then_on() -> None:
    async def handle(exchange: Exchange) -> None:
        if exchange.path.endswith("/chat/completions"):
            message = "This model is only supported in v1/responses and not in v1/chat/completions."
            await exchange.answer(
                404, {"error": {"message": message, "type": "invalid_request_error", "param": "model"}}
            )
        else:
            output = [{"type": "message", "content": [{"type": "output_text", "text": "hi"}]}]
            await exchange.answer(200, {"object": "response", "status": "completed", "output": output})

    fetcher = Fetcher()
    async with serving(handle) as server:
        adapter = create(Connection("prov", "openai", server.url, key=SecretStr("sk-test")), fetcher)
        for _ in range(2):
            async with adapter.stream(ChatRequest("o9-pro", ASK)) as stream:
                assert [event async for event in stream]
            assert stream.state == "complete"
        await adapter.aclose()
        await fetcher.aclose()
    assert [path.rpartition("/v1/")[2] for path in server.paths()] == [
        "chat/completions",
        "responses",
        "responses",
    ]


@pytest.mark.parametrize(
    ("message", "param", "gone"),
    [
        ("Encrypted content is not supported with this model.", "include", "include"),
        (
            "Unsupported parameter: 'temperature' is not supported with this model.",
            "temperature",
            "temperature",
        ),
        (
            "Your organization must be verified to generate reasoning summaries.",
            "reasoning.summary",
            "summary",
        ),
        ("Extra inputs are not permitted: store", None, "store"),
    ],
)
async def test_what_is_refused_by_name_is_left_out(message: str, param: str | None, gone: str) -> None:
    bodies = []

    async def handle(exchange: Exchange) -> None:
        bodies.append(exchange.json)
        if len(bodies) == 1:
            await exchange.answer(400, {"error": {"message": message, "param": param}})
        else:
            await exchange.answer(
                200, {"object": "response", "status": "completed", "output": [], "usage": None}
            )

    fetcher = Fetcher()
    async with serving(handle) as server:
        connection = Connection("prov", "openai", server.url, options={"api": "responses"})
        adapter = create(connection, fetcher)
        request = ChatRequest("m", ASK, temperature=0.5, reasoning_effort="low")
        async with adapter.stream(request) as stream:
            _ = [event async for event in stream]
        await adapter.aclose()
        await fetcher.aclose()
    assert gone in json.dumps(bodies[0])
    assert gone not in json.dumps(bodies[1])
    assert bodies[1]["reasoning"]["effort"] == "low"


async def test_a_value_that_is_wrong_is_the_users_business() -> None:
    async def handle(exchange: Exchange) -> None:
        text = "Invalid 'max_output_tokens': integer above maximum value."
        await exchange.answer(400, {"error": {"message": text, "param": "max_output_tokens"}})

    fetcher = Fetcher()
    async with serving(handle) as server:
        adapter = create(Connection("prov", "openai", server.url, options={"api": "responses"}), fetcher)
        with pytest.raises(ProviderError, match="above maximum"):
            async with adapter.stream(ChatRequest("m", ASK, max_tokens=10**9)):
                pytest.fail("it was refused")
        await adapter.aclose()
        await fetcher.aclose()
    assert len(server.requests) == 1


def test_arguments_that_come_once_are_taken_once() -> None:
    item = {"type": "function_call", "id": "i", "call_id": "k", "name": "f", "arguments": '{"a":1}'}
    _, got = answer(
        {"type": "response.output_item.added", "item": {**item, "arguments": ""}},
        {"type": "response.function_call_arguments.done", "item_id": "i", "arguments": '{"a":1}'},
        {"type": "response.output_item.done", "item": item},
        done(output=[item]),
    )
    assert got.tool_calls == (ToolCall("k", "f", '{"a":1}'),)  # type: ignore[attr-defined]
    assert finished(got).finish_reason == "tool_calls"  # type: ignore[arg-type]


def test_calls_that_the_last_event_names_otherwise_are_the_same_calls() -> None:
    item = {"type": "function_call", "id": "i", "call_id": "k", "name": "f", "arguments": '{"a":1}'}
    for last in ({**item, "id": "other"}, {**item, "id": "other", "call_id": "another"}):
        _, got = answer(
            {"type": "response.output_item.added", "item": {**item, "arguments": ""}},
            {"type": "response.function_call_arguments.delta", "item_id": "i", "delta": '{"a":1}'},
            done(output=[last]),
        )
        assert got.tool_calls == (ToolCall("k", "f", '{"a":1}'),)  # type: ignore[attr-defined]


@pytest.mark.parametrize("at_end", [True, False])
def test_items_that_came_whole_are_told_once(at_end: bool) -> None:
    thought = {"type": "reasoning", "id": "r", "summary": [{"text": "hm"}]}
    message = {"type": "message", "id": "t", "content": [{"type": "output_text", "text": "Hi"}]}
    _, got = answer(
        {"type": "response.output_item.done", "item": thought},
        {"type": "response.output_item.done", "item": message},
        done(output=[thought, message] if at_end else []),
    )
    assert "".join(got.thinking) == "hm"  # type: ignore[attr-defined]
    assert "".join(got.text) == "Hi"  # type: ignore[attr-defined]


def test_two_summaries_are_two_paragraphs_and_not_said_twice() -> None:
    item = {
        "type": "reasoning",
        "summary": [{"text": "one"}, {"text": "two"}],
        "content": [{"text": "one two"}],
    }
    _, got = answer(
        {"type": "response.reasoning_summary_text.delta", "summary_index": 0, "delta": "one"},
        {"type": "response.reasoning_text.delta", "delta": "one two"},
        {"type": "response.reasoning_summary_text.delta", "summary_index": 1, "delta": "two"},
        {"type": "response.output_item.done", "item": item},
        done(output=[item]),
    )
    assert "".join(got.thinking) == "one\n\ntwo"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("last", "state", "reason"),
    [
        (done(), "complete", "stop"),
        ({"type": "response.incomplete", "response": {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}}, "complete", "length"),
        ({"type": "response.incomplete", "response": {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}}, "complete", "content_filter"),
        ({"type": "response.failed", "response": {"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "slow"}}}, "failed", "error"),
        ({"type": "response.completed", "response": {"status": "cancelled"}}, "failed", "error"),
        ({"type": "response.incomplete", "response": {"status": "incomplete", "incomplete_details": None}}, "failed", "error"),
        ({"type": "error", "code": "server_error", "message": "x", "param": None}, "failed", "error"),
        ("[DONE]", "interrupted", None),
    ],
)  # fmt: skip
def test_how_it_ends(last: dict[str, object] | str, state: str, reason: str | None) -> None:
    _, got = answer({"type": "response.output_text.delta", "delta": "Hi"}, last)
    assert "".join(got.text) == "Hi"  # type: ignore[attr-defined]
    assert (finished(got).state, finished(got).finish_reason) == (state, reason)  # type: ignore[arg-type]


@given(st.text(max_size=40), st.booleans(), st.booleans())
def test_the_short_way_says_what_the_parser_says(text: str, compact: bool, plain: bool) -> None:
    event = {"type": "response.output_text.delta", "item_id": text[::-1], "delta": text, "logprobs": [text]}
    row = json.dumps(event, ensure_ascii=not plain, separators=(",", ":") if compact else None)
    _, got = answer(row, done())
    assert "".join(got.text) == text  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "cut", ['{"type":"response.output_text.delta","delta":"He}', '{"type":"response.output_text.delta"}']
)
def test_half_an_event_is_no_text(cut: str) -> None:
    _, got = answer(cut, done())
    assert got.text == []  # type: ignore[attr-defined]


KINDS = st.sampled_from(
    ["response.output_text.delta", "response.output_item.added", "response.output_item.done", "response.completed",
     "response.failed", "response.function_call_arguments.delta", "response.reasoning_summary_text.delta", "error", "x"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "delta",
                    "item",
                    "response",
                    "output",
                    "id",
                    "call_id",
                    "error",
                    "usage",
                    "status",
                    "summary",
                    "content",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.lists(
        st.tuples(
            KINDS, st.dictionaries(st.sampled_from(["delta", "item", "response", "item_id", "error"]), JSON)
        ),
        max_size=6,
    ),
    st.integers(0, 5),
)
def test_any_stream_ends_with_one_finished_and_no_crash(
    rows: list[tuple[str, dict[str, object]]], size: int
) -> None:
    stream, got = answer(*({"type": kind, **fields} for kind, fields in rows), size=size)
    assert finished(got).state in ("complete", "interrupted", "failed")  # type: ignore[arg-type]
    assert stream.state == finished(got).state  # type: ignore[attr-defined,arg-type]
