"""What is learned from one refusal and must not be kept for the next request; servers that know only the old ways."""

from __future__ import annotations

import json

import pytest
from anthropic_server import MODELS, error, stream
from loop_server import Exchange, serving
from pydantic import SecretStr

from adapters.anthropic import AnthropicAdapter
from adapters.anthropic.reader import MessageReader
from adapters.anthropic.turns import turns
from adapters.base import Connection
from adapters.errors import NoCreditError, Origin, ProviderError, error_from_answer
from adapters.events import ChatRequest, Image, Keepsake, Message, ToolCall
from adapters.fetch import Fetcher

USER = (Message("user", "hello"),)


async def chats(requests: list[ChatRequest], *refusals: str) -> list[Exchange]:
    """These chats one after the other with one adapter; the server refuses with these messages first."""
    left = list(refusals)

    async def handle(exchange: Exchange) -> None:
        if left:
            await exchange.answer(400, error("invalid_request_error", left.pop(0)))
            return
        await exchange.begin()
        await exchange.send(stream({"type": "text", "text": "Hi"}))
        exchange.writer.write(b"0\r\n\r\n")

    fetcher = Fetcher()
    async with serving(handle) as server:
        adapter = AnthropicAdapter(
            Connection("p", "anthropic", server.url, key=SecretStr("sk-ant-x")), fetcher
        )
        try:
            for request in requests:
                async with adapter.stream(request) as answer:
                    async for _ in answer:
                        pass
        finally:
            await adapter.aclose()
            await fetcher.aclose()
        return server.requests


async def test_a_temperature_is_left_out_only_while_the_model_thinks() -> None:
    thinking = ChatRequest("claude-opus-4-5", USER, temperature=0.2, reasoning_effort="low")
    plain = ChatRequest("claude-opus-4-5", USER, temperature=0.2)
    told = "`temperature` may only be set to 1 when thinking is enabled."
    _, second, third, again = await chats([thinking, plain, thinking], told)
    assert "temperature" not in second.json
    assert third.json["temperature"] == 0.2, "without thinking it is taken"
    assert "temperature" not in again.json


async def test_thinking_that_cannot_be_switched_off_can_still_be_asked_for() -> None:
    off = ChatRequest("claude-new-9", USER, reasoning_effort="off")
    high = ChatRequest("claude-new-9", USER, reasoning_effort="high")
    first, second, third = await chats([off, high], "thinking.type: disabled is not supported for this model")
    assert first.json["thinking"] == {"type": "disabled"}
    assert "thinking" not in second.json
    assert third.json["thinking"]["type"] == "adaptive"


async def test_one_schema_that_is_refused_does_not_stand_for_all() -> None:
    bad = ChatRequest("m", USER, json_schema={"type": "integer", "minimum": 1})
    good = ChatRequest("m", USER, json_schema={"type": ["object", "null"]})
    told = "output_config.format.schema: For 'integer' type, property 'minimum' is not supported"
    _, second, third = await chats([bad, good], told)
    assert "output_config" not in second.json
    assert "minimum" in second.json["system"]
    assert third.json["output_config"]["format"]["schema"]["additionalProperties"] is False


async def test_a_value_beyond_its_limits_is_told_and_not_dropped() -> None:
    with pytest.raises(ProviderError, match="invalid temperature"):
        await chats([ChatRequest("m", USER, temperature=3)], "invalid temperature: must be between 0 and 1")


async def test_a_system_prompt_of_white_space_is_none() -> None:
    [asked] = await chats([ChatRequest("m", USER, system=" \n")])
    assert "system" not in asked.json


async def test_a_server_of_the_old_version_lists_its_models() -> None:
    async def handle(exchange: Exchange) -> None:
        if exchange.headers["anthropic-version"] != "2023-06-01":
            await exchange.answer(
                400, error("invalid_request_error", "anthropic-version: not a valid version")
            )
        else:
            await exchange.answer(200, {"data": MODELS, "has_more": False})

    fetcher = Fetcher()
    async with serving(handle) as server:
        adapter = AnthropicAdapter(
            Connection("p", "anthropic", server.url, key=SecretStr("sk-ant-x")), fetcher
        )
        assert len(await adapter.list_models()) == len(MODELS)
        assert (await adapter.validate()).state == "ok"
        assert [e.headers["anthropic-version"] for e in server.requests][1:] == ["2023-06-01"] * 3
        await adapter.aclose()
        await fetcher.aclose()


@pytest.mark.parametrize(("options", "hint"), [({}, "auth=bearer"), ({"auth": "x-api-key"}, None)])
async def test_a_refused_key_names_the_other_header(options: dict[str, str], hint: str | None) -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.answer(401, error("authentication_error", "no token"))

    fetcher = Fetcher()
    async with serving(handle) as server:
        connection = Connection("p", "anthropic", server.url, key=SecretStr("sk-x"), options=options)
        adapter = AnthropicAdapter(connection, fetcher)
        found = (await adapter.validate()).error
        await adapter.aclose()
        await fetcher.aclose()
    assert found is not None
    assert ("auth=" in (found.hint or "")) is (hint is not None)
    assert (hint or "") in (found.hint or "")


def test_a_result_may_hold_images_and_an_empty_one_without_its_call_is_no_empty_text() -> None:
    image = Image("image/png", b"x")
    call = ToolCall("c", "shot", "{}")
    sent, _ = turns(
        (
            *USER,
            Message("assistant", "", tool_calls=(call,)),
            Message("tool", "here", tool_call_id="c", images=(image,)),
            Message("tool", "", tool_call_id="gone"),
        ),
        "m",
    )
    content = sent[-1]["content"]
    assert isinstance(content, list)
    result, rest = content
    assert [part["type"] for part in result["content"]] == ["text", "image"]
    assert rest["text"].strip()


def test_an_answer_of_text_alone_leaves_nothing_to_keep_where_citations_are_null() -> None:
    reader = MessageReader(Origin("p", "m"))
    body = {"content": [{"type": "text", "text": "Hi", "citations": None}], "stop_reason": "end_turn"}
    assert not [event for event in reader.whole(json.loads(json.dumps(body))) if isinstance(event, Keepsake)]


async def test_a_refusal_says_why_in_the_vendors_words() -> None:
    reader = MessageReader(Origin("p", "m"))
    frames = [
        {"type": "message_start", "message": {"usage": {"input_tokens": 3}}},
        {
            "type": "message_delta",
            "delta": {
                "stop_reason": "refusal",
                "stop_details": {
                    "type": "refusal",
                    "category": "general_harms",
                    "explanation": "Not\x1b[2J this.",
                },
            },
        },
        {"type": "message_stop"},
    ]
    for frame in frames:
        reader.frame("", json.dumps(frame).encode())
    assert (reader.finish_reason, reader.raw_finish_reason) == ("content_filter", "refusal")
    assert reader.told is not None
    assert reader.told.startswith("Refused (general harms): Not")
    assert "\x1b" not in reader.told


def test_the_words_of_a_refusal_stand_at_the_end_of_a_chat() -> None:
    from dataclasses import replace

    from cli.chat_views import _cost_line
    from services.outcome import unsent

    result = unsent("r", "p/m", own=False, duration_ms=5)
    refused = replace(result, state="complete", finish_reason="content_filter", told="Refused (bio): No.")
    assert "content_filter" in _cost_line(refused)
    assert _cost_line(refused).endswith("Refused (bio): No.")


@pytest.mark.parametrize(
    "told",
    [
        "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.",
        "Your credit balance is too low to access the Anthropic API.",
    ],
)
def test_a_spend_limit_that_comes_as_400_is_no_bad_request(told: str) -> None:
    body = json.dumps(error("invalid_request_error", told)).encode()
    found = error_from_answer(Origin("p", "m"), 400, {}, body)
    assert isinstance(found, NoCreditError)
    assert not found.retryable
