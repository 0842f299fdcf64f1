"""What a chat becomes on the wire of the Messages API: addresses, headers, turns, limits, thinking, and the repairs."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from anthropic_server import error, stream
from contract import WEATHER
from loop_server import Exchange, serving
from pydantic import SecretStr

from adapters.anthropic import AnthropicAdapter
from adapters.anthropic.endpoint import endpoint
from adapters.anthropic.thinking import mode_by_name
from adapters.anthropic.turns import turns
from adapters.base import Connection
from adapters.errors import BadRequestError, ContextTooLongError, ProviderError
from adapters.events import ChatRequest, Keepsake, Message, ToolCall
from adapters.fetch import Fetcher

USER = (Message("user", "hello"),)
TEXT = {"type": "text", "text": "Hi"}


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("https://api.anthropic.com", "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com/", "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com/v1", "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com/v1/", "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com/v1/messages", "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com/v1/messages/count_tokens?x=1", "https://api.anthropic.com/v1/messages"),
        ("https://api.deepseek.com/anthropic", "https://api.deepseek.com/anthropic/v1/messages"),
        ("https://api.z.ai/api/anthropic/", "https://api.z.ai/api/anthropic/v1/messages"),
        (
            "https://gateway.example/v1/team/anthropic",
            "https://gateway.example/v1/team/anthropic/v1/messages",
        ),
        ("http://127.0.0.1:8080//v1//models", "http://127.0.0.1:8080/v1/messages"),
    ],
)
def test_the_version_is_there_once(base: str, expected: str) -> None:
    assert endpoint(base, "messages") == expected


async def talk(
    request: ChatRequest,
    handle: Callable[[Exchange], Awaitable[None]],
    *,
    key: str | None = "sk-ant-api03-x",
    **connection: Any,
) -> list[Exchange]:
    """One chat with a server; gives the requests that arrived."""
    fetcher = Fetcher()
    async with serving(handle) as server:
        secret = SecretStr(key) if key else None
        adapter = AnthropicAdapter(
            Connection("prov", "anthropic", server.url, key=secret, **connection), fetcher
        )
        try:
            async with adapter.stream(request) as answer:
                async for _event in answer:
                    pass
        finally:
            await adapter.aclose()
            await fetcher.aclose()
        return server.requests


async def good(exchange: Exchange) -> None:
    await exchange.begin()
    await exchange.send(stream(TEXT))
    exchange.writer.write(b"0\r\n\r\n")


def refusing(*refusals: str) -> Callable[[Exchange], Awaitable[None]]:
    """Refuses with these messages, one after the other, and answers then."""
    left = list(refusals)

    async def handle(exchange: Exchange) -> None:
        if left:
            await exchange.answer(400, error("invalid_request_error", left.pop(0)))
        else:
            await good(exchange)

    return handle


@pytest.mark.parametrize(
    ("key", "more", "expected"),
    [
        ("sk-ant-api03-x", {}, ("sk-ant-api03-x", None)),
        ("sk-ant-oat01-x", {}, (None, "Bearer sk-ant-oat01-x")),
        ("sk-ant-api03-x", {"options": {"auth": "bearer"}}, (None, "Bearer sk-ant-api03-x")),
        ("sk-ant-oat01-x", {"options": {"auth": "x-api-key"}}, ("sk-ant-oat01-x", None)),
        ("k", {"secret_headers": {"Authorization": SecretStr("Bearer gateway")}}, (None, "Bearer gateway")),
        (None, {}, (None, None)),
    ],
)
async def test_one_of_the_two_headers_never_both(key: str | None, more: Any, expected: Any) -> None:
    [asked] = await talk(ChatRequest("m", USER), good, key=key, **more)
    assert (asked.headers.get("x-api-key"), asked.headers.get("authorization")) == expected


@pytest.mark.parametrize(
    ("request_", "options", "expected"),
    [
        (ChatRequest("m", USER), {}, "2026-10-21"),
        (ChatRequest("m", USER, temperature=0.5), {}, "2023-06-01"),
        (ChatRequest("m", USER, top_p=0.5), {}, "2023-06-01"),
        (ChatRequest("m", USER), {"api_version": "2023-06-01"}, "2023-06-01"),
        (ChatRequest("m", USER, temperature=0.5), {"api_version": "2026-10-21"}, "2026-10-21"),
    ],
)
async def test_the_version_that_takes_the_request(request_: ChatRequest, options: Any, expected: str) -> None:
    [asked] = await talk(request_, good, options={**options, "beta": "a,b", "workspace": "wrkspc_1"})
    assert asked.headers["anthropic-version"] == expected
    assert asked.headers["anthropic-beta"] == "a,b"
    assert asked.headers["anthropic-workspace-id"] == "wrkspc_1"


def test_turns_alternate_and_results_come_first() -> None:
    call, other = ToolCall("call:1", "get_weather", '{"city": "Kraków"}'), ToolCall("c2", "f", "not json")
    made, system = turns(
        (
            Message("user", "one"),
            Message("user", "two"),
            Message("assistant", "Looking.", tool_calls=(call, other)),
            Message("tool", "sleet", tool_call_id="call:1"),
            Message("tool", "", tool_call_id="c2"),
            Message("user", "and then?"),
            Message("system", "be brief"),
            Message("assistant", "  "),
            Message("user", "yes"),
        ),
        "m",
    )
    assert system == ["be brief"]
    assert made == [
        {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Looking."},
                {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {"city": "Kraków"}},
                {"type": "tool_use", "id": "c2", "name": "f", "input": {"arguments": "not json"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "sleet"},
                {"type": "tool_result", "tool_use_id": "c2", "content": ""},
                {"type": "text", "text": "and then?"},
                {"type": "text", "text": "yes"},
            ],
        },
    ]


def test_every_call_has_a_result_and_every_result_a_call() -> None:
    call = ToolCall("c1", "f", "{}")
    made, _ = turns(
        (
            Message("assistant", "I begin. ", tool_calls=(call,)),
            Message("user", "never mind"),
            Message("tool", "late", tool_call_id="c9"),
            Message("assistant", "Well, \n"),
        ),
        "m",
    )
    assert [turn["role"] for turn in made] == ["user", "assistant", "user", "assistant"]
    answer = made[2]["content"]
    assert isinstance(answer, list)
    assert answer[0] == {
        "type": "tool_result",
        "tool_use_id": "c1",
        "content": "There is no result.",
        "is_error": True,
    }
    assert [b["type"] for b in answer] == ["tool_result", "text", "text"]
    assert made[3]["content"] == "Well,"


def kept(*blocks: object, model: str = "m") -> Keepsake:
    return Keepsake("anthropic", model, json.dumps({"content": list(blocks)}))


def test_kept_blocks_go_back_in_their_order_unless_the_answer_is_another_one() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    hidden = {"type": "redacted_thinking", "data": "x"}
    blank, said = {"type": "text", "text": "\n\n"}, {"type": "text", "text": "Hi"}

    def sent(message: Message) -> object:
        return turns((*USER, message, Message("user", "go on")), "m")[0][1]["content"]

    whole = kept(thought, blank, hidden, said)
    assert sent(Message("assistant", "\n\nHi", keepsake=whole)) == [thought, hidden, said]
    assert sent(Message("assistant", "edited", keepsake=whole)) == "edited"
    assert sent(Message("assistant", "Hi", keepsake=kept(thought, said, model="other"))) == "Hi"
    assert sent(Message("assistant", "Hi", keepsake=Keepsake("anthropic", "m", "{"))) == "Hi"


@pytest.mark.parametrize(
    ("model", "mode"),
    [
        ("claude-opus-4-6", "adaptive"),
        ("claude-sonnet-5-5", "adaptive"),
        ("claude-haiku-5-5-20261001", "adaptive"),
        ("anthropic/claude-opus-4.8", "adaptive"),
        ("claude-mythos-preview", "adaptive"),
        ("claude-opus-4-5-20251101", "budget"),
        ("claude-haiku-4-5", "budget"),
        ("claude-sonnet-4-20250514", "budget"),
        ("claude-3-7-sonnet-20250219", "budget"),
        ("claude-2.1", "budget"),
        ("glm-5", "budget"),
    ],
)
def test_how_a_model_is_asked_to_think(model: str, mode: str) -> None:
    assert mode_by_name(model) == mode


async def test_efforts_on_new_and_old_models() -> None:
    def asked(exchanges: list[Exchange]) -> tuple[object, object]:
        return exchanges[-1].json.get("thinking"), exchanges[-1].json.get("output_config")

    new = ChatRequest("claude-opus-5-5", USER, reasoning_effort="minimal")
    assert asked(await talk(new, good)) == ({"type": "adaptive", "display": "summarized"}, {"effort": "low"})
    old = ChatRequest("claude-haiku-4-5", USER, reasoning_effort="high", longest_output=64_000)
    assert asked(await talk(old, good)) == ({"type": "enabled", "budget_tokens": 16_384}, None)
    short = ChatRequest("claude-haiku-4-5", USER, reasoning_effort="high", max_tokens=2_000)
    assert asked(await talk(short, good)) == ({"type": "enabled", "budget_tokens": 1_500}, None)
    tiny = ChatRequest("claude-haiku-4-5", USER, reasoning_effort="high", max_tokens=500)
    assert asked(await talk(tiny, good)) == (None, None)
    forced = ChatRequest(
        "claude-haiku-4-5", USER, reasoning_effort="low", tools=(WEATHER,), tool_choice="required"
    )
    assert asked(await talk(forced, good)) == (None, None)
    off = ChatRequest("claude-opus-5-5", USER, reasoning_effort="none")
    assert asked(await talk(off, good)) == ({"type": "disabled"}, None)


async def test_thoughts_are_not_asked_for_where_those_before_a_call_are_missing() -> None:
    turns_ = (
        *USER,
        Message("assistant", "", tool_calls=(ToolCall("c1", "get_weather", "{}"),)),
        Message("tool", "sleet", tool_call_id="c1"),
    )
    request = ChatRequest("claude-haiku-4-5", turns_, reasoning_effort="low", tools=(WEATHER,))
    assert "thinking" not in (await talk(request, good))[0].json


async def test_the_limit_that_the_vendor_always_wants() -> None:
    for request, expected in (
        (ChatRequest("m", USER), 4_096),
        (ChatRequest("m", USER, longest_output=64_000), 64_000),
        (ChatRequest("m", USER, max_tokens=5, longest_output=64_000), 5),
    ):
        assert (await talk(request, good))[0].json["max_tokens"] == expected


async def test_tools_choices_stops_and_schemas() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object"}}}}
    request = ChatRequest(
        "m", USER, tools=(WEATHER,), tool_choice="get_weather", stop=("END", " "), json_schema=schema
    )
    [asked] = await talk(request, good)
    body = asked.json
    assert body["tools"] == [
        {"name": "get_weather", "description": "the weather", "input_schema": dict(WEATHER.parameters)}
    ]
    assert (body["tool_choice"], body["stop_sequences"]) == ({"type": "tool", "name": "get_weather"}, ["END"])
    sent = body["output_config"]["format"]
    assert sent["type"] == "json_schema"
    assert sent["schema"]["additionalProperties"] is False
    assert sent["schema"]["properties"]["a"]["items"]["additionalProperties"] is False
    [asked] = await talk(ChatRequest("m", USER, system="Hi.", json_output=True), good)
    assert asked.json["system"] == "Hi.\n\nAnswer with one JSON document and nothing else."


@pytest.mark.parametrize(
    ("request_", "refusal", "gone", "left"),
    [
        (
            ChatRequest("m", USER, temperature=0.2, top_p=0.9),
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
            {"top_p"},
            {"temperature"},
        ),
        (ChatRequest("m", USER, temperature=0.2, top_p=0.9), "`temperature` is deprecated for this model.", {"temperature", "top_p"}, set()),
        (ChatRequest("m", USER, temperature=0.2), "temperature: Extra inputs are not permitted", {"temperature"}, set()),
        (
            ChatRequest("claude-opus-4-5", USER, temperature=0.2, reasoning_effort="low"),
            "`temperature` may only be set to 1 when thinking is enabled.",
            {"temperature"},
            {"thinking"},
        ),
        (ChatRequest("claude-new-9", USER, reasoning_effort="low"), "This model does not support the effort parameter.", {"output_config"}, {"thinking"}),
        (ChatRequest("m", USER, json_schema={"type": "object"}), "output_config.format: structured outputs are not supported by this model", {"output_config"}, {"system"}),
        (ChatRequest("claude-new-9", USER, reasoning_effort="low", json_schema={"type": "object"}), "output_config: Extra inputs are not permitted", {"output_config"}, {"system"}),
    ],
)  # fmt: skip
async def test_what_is_not_taken_is_left_out_once_and_for_all(
    request_: ChatRequest, refusal: str, gone: set[str], left: set[str]
) -> None:
    first, second = await talk(request_, refusing(refusal))
    assert gone <= first.json.keys()
    assert not gone & second.json.keys()
    assert left <= second.json.keys()
    if "temperature" not in second.json and "top_p" not in second.json:
        assert second.headers["anthropic-version"] == "2026-10-21"


async def test_the_other_way_of_asking_for_thoughts() -> None:
    request = ChatRequest("claude-opus-4-5", USER, reasoning_effort="low")
    told = '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort".'
    _, second = await talk(request, refusing(told))
    assert second.json["thinking"]["type"] == "adaptive"
    assert second.json["output_config"] == {"effort": "low"}
    request = ChatRequest("claude-new-9", USER, reasoning_effort="low")
    _, second = await talk(request, refusing("adaptive thinking is not supported on this model"))
    assert second.json["thinking"] == {"type": "enabled", "budget_tokens": 2_048}
    _, _, third = await talk(
        request,
        refusing(
            "adaptive thinking is not supported on this model", "thinking is not supported by this model"
        ),
    )
    assert "thinking" not in third.json
    _, second = await talk(request, refusing("thinking.adaptive.display: Extra inputs are not permitted"))
    assert second.json["thinking"] == {"type": "adaptive"}


async def test_a_limit_of_ours_is_lowered_and_a_users_is_not() -> None:
    ours = ChatRequest("m", USER, longest_output=64_000)
    told = "max_tokens: 64000 > 8192, which is the maximum allowed number of output tokens for m"
    _, second = await talk(ours, refusing(told))
    assert second.json["max_tokens"] == 8_192
    window = (
        "input length and `max_tokens` exceed context limit: 190000 + 64000 > 200000, decrease input length"
    )
    _, second = await talk(ours, refusing(window))
    assert second.json["max_tokens"] == 10_000
    with pytest.raises(BadRequestError):
        await talk(ChatRequest("m", USER, max_tokens=64_000), refusing(told))
    with pytest.raises(ContextTooLongError):
        await talk(ChatRequest("m", USER, max_tokens=64_000), refusing(window))


async def test_a_server_of_the_old_version() -> None:
    told = "anthropic-version: 2026-10-21 is not a valid version, invalid value"
    first, second = await talk(ChatRequest("m", USER), refusing(told))
    assert (first.headers["anthropic-version"], second.headers["anthropic-version"]) == (
        "2026-10-21",
        "2023-06-01",
    )


@pytest.mark.parametrize(
    "told",
    [
        "temperature: Input should be less than or equal to 1",
        "This model does not support effort level 'xhigh'. Supported levels: high, low, max, medium.",
        "messages: text content blocks must be non-empty",
    ],
)
async def test_a_wrong_value_is_the_users_business(told: str) -> None:
    request = ChatRequest("claude-opus-5", USER, temperature=2, reasoning_effort="xhigh")
    with pytest.raises(ProviderError) as caught:
        await talk(request, refusing(told, told))
    assert told[:40] in caught.value.message
    assert caught.value.status == 400
