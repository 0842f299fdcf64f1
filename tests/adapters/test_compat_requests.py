"""What compatible vendors are sent and asked otherwise than OpenAI: one test for each fact, by name and behind any address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from collected import Collected
from loop_server import Exchange, serving
from pydantic import SecretStr

from adapters.base import Connection
from adapters.errors import ProviderError
from adapters.events import ChatRequest, Message, ToolCall, ToolSpec
from adapters.fetch import Fetcher
from adapters.loader import create
from adapters.openai.vendors import vendor_id, with_defaults
from catalog.errors import UsageError

ASK = ChatRequest("m", (Message("user", "hello"),))
TOOL = ToolSpec("get_weather", "the weather", {"type": "object", "properties": {}})
USAGE = {"prompt_tokens": 9, "completion_tokens": 1}


@asynccontextmanager
async def vendor(
    name: str | None, pages: dict[str, Any] | None = None, **connection: Any
) -> AsyncIterator[tuple[Any, list[Exchange]]]:
    """(the adapter, what arrived) of a server on this machine that the user said is `name`."""
    answers = pages or {}

    async def handle(exchange: Exchange) -> None:
        if exchange.path in answers:
            status, body, *headers = answers[exchange.path]
            await exchange.answer(status, body, **(headers[0] if headers else {}))
        elif exchange.path.endswith("/models"):
            await exchange.answer(200, {"data": [{"id": "m"}]})
        elif exchange.method == "GET":
            await exchange.answer(404, {"error": {"message": "no such page"}})
        elif not exchange.json.get("model"):
            await exchange.answer(400, {"error": {"message": "you must provide a model parameter"}})
        else:
            await exchange.begin()
            await exchange.text("Hi")
            await exchange.done(usage=USAGE)

    fetcher = Fetcher()
    async with serving(handle) as server:
        made = create(
            Connection("prov", "openai", server.url, catalog_id=name, key=SecretStr("k-1"), **connection),
            fetcher,
        )
        yield made, server.requests
        await made.aclose()
        await fetcher.aclose()


async def sent(name: str | None, request: ChatRequest, **connection: Any) -> dict[str, Any]:
    """The body of the chat that arrived."""
    async with vendor(name, **connection) as (adapter, arrived):
        async with adapter.stream(request) as stream:
            got = Collected()
            async for event in stream:
                got.add(event)
        assert stream.state == "complete"
        body: dict[str, Any] = arrived[-1].json
        return body


@pytest.mark.parametrize(
    ("url", "name", "expected"),
    [
        ("https://api.groq.com/openai/v1", None, "groq"),
        ("https://proxy.example.com/v1", "groq", "groq"),
        ("https://api.groq.com/openai/v1", "mine", "mine"),
        ("https://llm.example.com/v1", None, None),
        ("http://127.0.0.1:8080", None, None),
    ],
)
def test_the_name_decides_before_the_host(url: str, name: str | None, expected: str | None) -> None:
    assert vendor_id(Connection("p", "openai", url, catalog_id=name)) == expected


def test_a_providers_own_option_goes_before_its_vendors() -> None:
    own = Connection("p", "openai", "https://x.example", catalog_id="mistral", options={"seed_field": "seed"})
    assert with_defaults(own).options["seed_field"] == "seed"
    assert with_defaults(own).options["required_word"] == "any"


# -- DeepSeek --------------------------------------------------------------------------------------


async def test_deepseek_gets_its_reasoning_back_also_with_tools() -> None:
    call = ToolCall("c1", "get_weather", "{}")
    turns = (
        Message("user", "weather?"),
        Message("assistant", "", tool_calls=(call,), thinking="look it up"),
        Message("tool", "sleet", tool_call_id="c1"),
        Message("assistant", "said by a model that does not think"),
        Message("user", "and now?"),
    )
    messages = (await sent("deepseek", ChatRequest("m", turns)))["messages"]
    assert messages[1]["reasoning_content"] == "look it up"
    assert messages[1]["tool_calls"][0]["id"] == "c1"
    assert messages[3]["reasoning_content"] == "", "a gap is refused in thinking mode"


async def test_without_thinking_deepseek_gets_no_reasoning_field() -> None:
    turns = (Message("user", "a"), Message("assistant", "b"), Message("user", "c"))
    assert all(
        "reasoning_content" not in m for m in (await sent("deepseek", ChatRequest("m", turns)))["messages"]
    )


async def test_others_do_not_get_reasoning_back() -> None:
    turns = (Message("user", "a"), Message("assistant", "b", thinking="hm"), Message("user", "c"))
    assert "hm" not in str((await sent("groq", ChatRequest("m", turns)))["messages"])


# -- Groq ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "expected"),
    [("qwen/qwen3-32b", "parsed"), ("openai/gpt-oss-120b", None), ("llama-3.3-70b-versatile", None)],
)
async def test_groq_keeps_reasoning_apart_where_a_model_would_not(model: str, expected: str | None) -> None:
    body = await sent("groq", ChatRequest(model, ASK.messages))
    assert body.get("reasoning_format") == expected


async def test_groq_is_asked_without_where_a_model_refuses_it() -> None:
    refusal = {
        "error": {
            "message": "property 'reasoning_format' is unsupported for this model",
            "param": "reasoning_format",
        }
    }
    tries: list[dict[str, Any]] = []

    async def handle(exchange: Exchange) -> None:
        tries.append(exchange.json)
        if "reasoning_format" in exchange.json:
            await exchange.answer(400, refusal)
        else:
            await exchange.begin()
            await exchange.done()

    fetcher = Fetcher()
    async with serving(handle) as server:
        adapter = create(Connection("prov", "openai", server.url, catalog_id="groq"), fetcher)
        for _ in range(2):
            async with adapter.stream(ChatRequest("qwen3-x", ASK.messages)) as stream:
                async for _event in stream:
                    pass
        await adapter.aclose()
        await fetcher.aclose()
    assert ["reasoning_format" in body for body in tries] == [True, False, False]


# -- Mistral ---------------------------------------------------------------------------------------


async def test_mistrals_names_for_seed_and_choice_and_no_usage_option() -> None:
    body = await sent(
        "mistral", ChatRequest("m", ASK.messages, seed=7, tools=(TOOL,), tool_choice="required")
    )
    assert body["random_seed"] == 7
    assert body["tool_choice"] == "any"
    assert "seed" not in body
    assert "stream_options" not in body


async def test_mistrals_ids_of_calls_have_nine_characters_and_still_meet() -> None:
    turns = (
        Message("user", "weather?"),
        Message("assistant", "", tool_calls=(ToolCall("call_from_elsewhere", "get_weather", "{}"),)),
        Message("tool", "sleet", tool_call_id="call_from_elsewhere"),
        Message("assistant", "", tool_calls=(ToolCall("D681PevKs", "get_weather", "{}"),)),
        Message("tool", "snow", tool_call_id="D681PevKs"),
    )
    _system, _ask, call, result, own, own_result = (
        await sent("mistral", ChatRequest("m", turns, system="be short"))
    )["messages"]
    made = call["tool_calls"][0]["id"]
    assert made == result["tool_call_id"]
    assert len(made) == 9
    assert made.isalnum()
    assert own["tool_calls"][0]["id"] == own_result["tool_call_id"] == "D681PevKs"


async def test_magistral_gets_its_reasoning_back_as_a_part() -> None:
    turns = (Message("user", "a"), Message("assistant", "b", thinking="hm"), Message("user", "c"))
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    messages = (await sent("mistral", ChatRequest("magistral-medium-latest", turns)))["messages"]
    assert messages[1]["content"] == [thought, {"type": "text", "text": "b"}]
    messages = (await sent("mistral", ChatRequest("mistral-large-latest", turns)))["messages"]
    assert messages[1]["content"] == "b", "a model that does not think refuses it"


# -- Cerebras, Fireworks, any ----------------------------------------------------------------------


async def test_cerebras_gets_the_new_name_of_the_limit_and_no_penalties() -> None:
    body = await sent("cerebras", ChatRequest("m", ASK.messages, max_tokens=64))
    assert body["max_completion_tokens"] == 64
    assert not {"max_tokens", "frequency_penalty", "presence_penalty"} & body.keys()


async def test_fireworks_cuts_no_prompt_silently_and_ids_with_slashes_arrive() -> None:
    model = "accounts/fireworks/models/kimi-k2"
    body = await sent("fireworks", ChatRequest(model, ASK.messages))
    assert body["model"] == model
    assert body["context_length_exceeded_behavior"] == "error"


async def test_further_fields_go_along_and_never_in_the_place_of_the_request() -> None:
    body = await sent(None, ASK, options={"extra_body": '{"top_k": 20, "model": "other"}'})
    assert (body["top_k"], body["model"]) == (20, "m")


def test_further_fields_that_are_no_json_are_told() -> None:
    with pytest.raises(UsageError, match="extra_body is no JSON object"):
        create(Connection("p", "openai", "http://127.0.0.1:9", options={"extra_body": "{top_k}"}), Fetcher())


# -- how a key and a server stand ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "state", "words"),
    [
        ({}, "ok", "The key is accepted. 1 model."),
        ({"api_key_blocked": True}, "invalid_key", "xAI has blocked the key of prov."),
        ({"api_key_disabled": True}, "invalid_key", "The key of prov is switched off."),
        ({"team_blocked": True}, "no_permission", "xAI has blocked the team of prov."),
    ],
)
async def test_xai_says_how_the_key_stands(flags: dict[str, bool], state: str, words: str) -> None:
    answer = {
        "acls": ["api-key:model:*"],
        "api_key_blocked": False,
        "api_key_disabled": False,
        "team_blocked": False,
    }
    async with vendor("xai", {"/v1/api-key": (200, answer | flags)}) as (adapter, arrived):
        verdict = await adapter.validate()
    assert (verdict.state, verdict.message) == (state, words)
    assert all(exchange.method == "GET" for exchange in arrived), "no chat is tried where the key is told"


@pytest.mark.parametrize("pages", [{}, {"/v1/api-key": (200, "<!doctype html>a web page for everything")}])
async def test_a_gateway_in_front_of_xai_without_that_page_is_tried_by_a_chat(pages: dict[str, Any]) -> None:
    async with vendor("xai", pages) as (adapter, arrived):
        verdict = await adapter.validate()
    assert verdict.ok
    assert arrived[-1].method == "POST"


@pytest.mark.parametrize(
    ("info", "state", "words"),
    [
        ({"spend": 3.2, "max_budget": 10}, "ok", "The key is accepted: $3.20 of $10.00 spent. 1 model."),
        ({"spend": 3.2, "max_budget": None}, "ok", "The key is accepted. 1 model."),
        ({"spend": 10.5, "max_budget": 10}, "no_credit", "The budget of the key is spent: $10.00."),
        ({"blocked": True}, "invalid_key", "The key of prov is blocked."),
    ],
)
async def test_litellm_says_what_is_left_of_a_budget(info: dict[str, Any], state: str, words: str) -> None:
    pages = {
        "/v1/models": (200, {"data": [{"id": "m"}]}, {"x_litellm_version": "1.109"}),
        "/key/info": (200, {"key": "hash", "info": info}),
    }
    async with vendor(None, pages) as (adapter, _):
        verdict = await adapter.validate()
    assert (verdict.state, verdict.message) == (state, words)


@pytest.mark.parametrize(
    ("name", "page", "state"),
    [
        ("vllm", (200, ""), "ok"),
        ("vllm", (503, ""), "limited"),
        ("vllm", (500, ""), "error"),
        ("llamacpp", (200, {"status": "ok"}), "ok"),
        (
            "llamacpp",
            (503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}),
            "limited",
        ),
        ("vllm", (404, "no such page"), "ok"),
    ],
)
async def test_a_servers_health_counts_more_than_its_list(
    name: str, page: tuple[int, Any], state: str
) -> None:
    async with vendor(name, {"/health": page}) as (adapter, _):
        verdict = await adapter.validate()
    assert verdict.state == state
    if "Loading" in str(page):
        assert verdict.message == "prov is still loading the model."
        assert verdict.error.retry_after_ms == 5_000


# -- Perplexity: Responses only --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "said", "state"),
    [
        (400, "model is required", "ok"),
        (422, "model: field required", "ok"),
        (401, "Invalid API key", "invalid_key"),
        (401, "You have no remaining credits", "no_credit"),
    ],
)
async def test_perplexity_is_tried_by_responses_since_it_has_no_list(
    status: int, said: str, state: str
) -> None:
    pages = {
        "/v1/models": (404, {"detail": "Not Found"}),
        "/v1/responses": (status, {"error": {"message": said, "code": status}}),
    }
    async with vendor("perplexity", pages) as (adapter, arrived):
        verdict = await adapter.validate()
        with pytest.raises(ProviderError) as caught:
            await adapter.list_models()
    assert verdict.state == state
    assert caught.value.status == 404
    assert [one.path for one in arrived[:2]] == ["/v1/models", "/v1/responses"]
    if state == "ok":
        assert verdict.message == "The key is accepted. It has no model list."


async def test_perplexity_answers_by_responses_with_its_own_events_and_its_cost() -> None:
    whole = {
        "model": "openai/gpt-5", "status": "completed", "output": [],
        "usage": {"input_tokens": 9, "output_tokens": 2, "cost": {"currency": "USD", "total_cost": 0.00531}},
    }  # fmt: skip
    rows = [
        {"type": "response.created", "response": {"model": "openai/gpt-5"}},
        {"type": "response.reasoning.started", "thought": "I should search."},
        {"type": "response.reasoning.search_queries", "queries": ["rain"]},
        {"type": "response.reasoning.stopped"},
        {"type": "response.output_text.delta", "item_id": "m", "delta": "Rain"},
        {"type": "response.completed", "response": whole},
    ]

    async def handle(exchange: Exchange) -> None:
        await exchange.begin()
        for row in rows:
            await exchange.row(row)

    fetcher = Fetcher()
    async with serving(handle) as server:
        options = {"extra_body": '{"preset":"pro-search"}'}
        made = create(
            Connection(
                "p", "openai", server.url, catalog_id="perplexity", key=SecretStr("k"), options=options
            ),
            fetcher,
        )
        got = Collected()
        async with made.stream(ASK) as stream:
            async for event in stream:
                got.add(event)
        await made.aclose()
        await fetcher.aclose()
    assert server.paths() == ["POST /v1/responses"]
    assert server.requests[0].json["preset"] == "pro-search"
    assert (got.text, stream.state, got.usage.reported_cost) == (["Rain"], "complete", Decimal("0.00531"))
