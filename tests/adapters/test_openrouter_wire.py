"""What only OpenRouter does: keys told in words, hosts chosen, costs of own keys upstream, errors of many sources."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from collected import Collected
from hypothesis import given
from hypothesis import strategies as st
from loop_server import Exchange, serving
from pydantic import SecretStr
from wire_replay import finished, play, played, sse

from adapters.base import Connection
from adapters.errors import (
    ContentFilteredError,
    ContextTooLongError,
    InvalidCredentialsError,
    ModelUnavailableError,
    NoCreditError,
    Origin,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    RateLimitedError,
    ServerError,
    error_from_answer,
)
from adapters.events import ChatRequest, Keepsake, Message
from adapters.fetch import Fetcher
from adapters.loader import create
from adapters.openai.models import read_models
from adapters.openrouter.key import key_words
from adapters.openrouter.reader import OpenRouterReader
from catalog.errors import UsageError
from catalog.options import check_option
from catalog.plaintext import one_line

ASK = ChatRequest("m", (Message("user", "hello"),))
NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


def reader() -> OpenRouterReader:
    return OpenRouterReader(Origin("prov", "m"))


@asynccontextmanager
async def router(options: dict[str, str], key: object = None) -> AsyncIterator[tuple[Any, list[Exchange]]]:
    """(the adapter, what arrived) of a loopback OpenRouter that answers every chat."""

    async def handle(exchange: Exchange) -> None:
        if exchange.path.endswith("/key"):
            status, body = key if isinstance(key, tuple) else (200, {"data": key})
            await exchange.answer(status, body)
            return
        await exchange.begin(x_generation_id="gen-7")
        row = {
            "model": "x-ai/grok-4",
            "provider": "xAI",
            "choices": [{"delta": {"content": "Hi", "role": "assistant"}}],
        }
        await exchange.row(row)
        await exchange.done(usage={"prompt_tokens": 9, "completion_tokens": 1, "cost": 0.00012})

    fetcher = Fetcher()
    async with serving(handle) as server:
        connection = Connection(
            "prov", "openrouter", f"{server.url}/api/v1", key=SecretStr("sk-or-v1-abc"), options=options
        )
        adapter = create(connection, fetcher)
        yield adapter, server.requests
        await adapter.aclose()
        await fetcher.aclose()


async def asked(adapter: Any, request: ChatRequest = ASK) -> tuple[Any, Collected]:
    got = Collected()
    async with adapter.stream(request) as stream:
        async for event in stream:
            got.add(event)
    return stream, got


async def test_options_choose_the_hosts_and_the_models_to_fall_back_on() -> None:
    options = {
        "models": "x-ai/grok-4,openai/gpt-4o",
        "provider_order": "xai,azure",
        "provider_ignore": "deepinfra",
        "provider_sort": "price",
        "allow_fallbacks": "no",
        "data_collection": "deny",
        "zero_retention": "yes",
        "quantizations": "fp8",
        "site_url": "https://example.org",
        "app_title": "My tools",
    }
    for name, value in options.items():
        check_option("openrouter", name, value)
    async with router(options) as (adapter, arrived):
        stream, got = await asked(adapter, ChatRequest("m", ASK.messages, reasoning_effort="high"))
    sent = arrived[0].json
    assert sent["models"] == ["x-ai/grok-4", "openai/gpt-4o"]
    assert sent["provider"] == {
        "order": ["xai", "azure"],
        "ignore": ["deepinfra"],
        "quantizations": ["fp8"],
        "sort": "price",
        "data_collection": "deny",
        "allow_fallbacks": False,
        "zdr": True,
    }
    assert sent["reasoning"] == {"effort": "high"}
    assert "reasoning_effort" not in sent
    headers = arrived[0].headers
    assert (headers["http-referer"], headers["x-openrouter-title"]) == ("https://example.org", "My tools")
    assert (stream.served_model, stream.served_by, stream.request_id) == ("x-ai/grok-4", "xAI", "gen-7")
    assert got.usage.reported_cost == Decimal("0.00012")


async def test_who_may_answer_holds_for_a_model_that_only_responses_knows() -> None:
    """A host that keeps data is not let in by the other form."""

    async def handle(exchange: Exchange) -> None:
        if exchange.path.endswith("/chat/completions"):
            said = "This model is only supported in v1/responses and not in v1/chat/completions."
            await exchange.answer(404, {"error": {"message": said, "code": 404}})
            return
        output = [{"type": "message", "content": [{"type": "output_text", "text": "hi"}]}]
        await exchange.answer(200, {"object": "response", "status": "completed", "output": output})

    fetcher = Fetcher()
    async with serving(handle) as server:
        options = {
            "data_collection": "deny",
            "models": "a/b",
            "extra_body": '{"provider":{"zdr":true},"user":"u"}',
        }
        made = create(Connection("prov", "openrouter", f"{server.url}/api/v1", options=options), fetcher)
        await asked(made)
        await made.aclose()
        await fetcher.aclose()
    sent = server.requests[-1].json
    assert server.requests[-1].path.endswith("/responses")
    assert (sent["provider"], sent["models"], sent["user"]) == (
        {"data_collection": "deny", "zdr": True}, ["a/b"], "u",
    )  # fmt: skip


async def test_without_options_nothing_is_chosen() -> None:
    async with router({}) as (adapter, arrived):
        await asked(adapter)
    assert arrived[0].json.keys() == {"model", "messages", "stream", "stream_options"}


def test_a_wrong_option_is_told_when_it_is_given() -> None:
    with pytest.raises(UsageError, match="provider_sort cannot be cheapest"):
        check_option("openrouter", "provider_sort", "cheapest")


async def test_another_models_reasoning_does_not_go_along() -> None:
    kept = Keepsake("openrouter", "elsewhere", json.dumps([{"type": "reasoning.text", "text": "hm"}]))
    turns = (*ASK.messages, Message("assistant", "yes", keepsake=kept), Message("user", "more"))
    async with router({}) as (adapter, arrived):
        await asked(adapter, ChatRequest("m", turns))
    assert "reasoning_details" not in arrived[0].body.decode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            {"label": "sk-or-v1-a...b", "limit": 50, "limit_remaining": 12.4, "limit_reset": "monthly"},
            "The key is accepted: $12.40 of $50 left, resets monthly.",
        ),
        (
            {"label": "laptop", "limit": None, "limit_remaining": None, "usage_monthly": 3.2},
            "The key “laptop” is accepted: no limit of its own, $3.20 used this month.",
        ),
        (
            {
                "limit": None,
                "is_free_tier": True,
                "free_model_daily_requests": {"limit": 50, "used": 12, "remaining": 38},
                "expires_at": "2026-12-01T00:00:00Z",
            },
            "The key is accepted: no limit of its own, 38 of 50 free requests left today, no credit was ever bought, expires 2026-12-01.",
        ),
        ({"limit": "x", "expires_at": "soon", "usage_monthly": True, "label": 7}, "The key is accepted: no limit of its own."),
    ],
)  # fmt: skip
def test_a_key_is_told_in_one_sentence(data: dict[str, object], words: str) -> None:
    assert key_words({"data": data}, "prov", now=NOW) == words


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        ({"expires_at": "2026-11-20T00:00:00+00:00"}, InvalidCredentialsError, "expired on 2026-11-20"),
        ({"disabled": True}, InvalidCredentialsError, "is switched off"),
        ({"is_management_key": True}, PermissionDeniedError, "counts, but cannot chat"),
        (
            {"limit": 50, "limit_remaining": 0, "limit_reset": "weekly"},
            NoCreditError,
            "used up: $50, resets weekly",
        ),
        ({"limit": 50, "limit_remaining": -0.3}, NoCreditError, "used up: $50."),
    ],
)
def test_a_key_that_cannot_chat_says_why(data: dict[str, object], kind: type, words: str) -> None:
    with pytest.raises(kind) as caught:
        key_words({"data": data}, "prov", now=NOW)
    assert words in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("answer", [None, [], {"data": []}, {"data": "x"}, {"error": 1}])
def test_what_is_no_key_is_said(answer: object) -> None:
    with pytest.raises(ProviderError, match="not as OpenRouter does"):
        key_words(answer, "prov")


@given(st.dictionaries(st.sampled_from(["limit", "limit_remaining", "limit_reset", "label", "expires_at", "usage_monthly", "free_model_daily_requests"]), st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dictionaries(st.text(), st.integers())))  # fmt: skip
def test_no_answer_about_a_key_is_a_crash(data: dict[str, object]) -> None:
    try:
        words = key_words({"data": data}, "prov", now=NOW)
    except ProviderError as error:
        words = error.message
    assert one_line(words, 1000) == words


async def test_a_disabled_key_is_a_bad_key() -> None:
    async with router({}, (401, {"error": {"code": 401, "message": "API key is disabled"}})) as (adapter, _):
        verdict = await adapter.validate()
    assert verdict.state == "invalid_key"
    assert "disabled" in verdict.message


@pytest.mark.parametrize(
    ("status", "error", "kind", "again"),
    [
        (402, {"metadata": {"limit_source": "openrouter_credits"}}, NoCreditError, False),
        (402, {"metadata": {"limit_source": "openrouter_key_limit", "error_type": "payment_required"}}, NoCreditError, False),
        (402, {"message": "would exceed your available credits", "metadata": {"reason": "in_flight_budget_exhausted", "error_type": "payment_required", "limit_source": "openrouter_in_flight_budget"}}, RateLimitedError, True),
        (403, {"metadata": {"limit_source": "openrouter_guardrail_budget"}}, NoCreditError, False),
        (403, {"message": "Your input was flagged", "metadata": {"reasons": ["violence"], "flagged_input": "…"}}, ContentFilteredError, False),
        (403, {"message": "blocked", "metadata": {"reasons": [], "flagged_input": "…"}}, ContentFilteredError, False),
        (404, {"message": "No endpoints found for x/y."}, ModelUnavailableError, False),
        (400, {"message": "Provider returned error", "metadata": {"error_type": "context_length_exceeded"}}, ContextTooLongError, False),
        (502, {"message": "Provider returned error"}, ServerError, True),
        (502, {"message": "x", "metadata": {"error_type": "content_policy_violation"}}, ContentFilteredError, False),
        (503, {"message": "No provider available"}, OverloadedError, True),
        (524, {"message": "timed out"}, ServerError, True),
        (529, {"message": "overloaded"}, OverloadedError, True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", ["status", "body", "stream"])
async def test_errors_mean_the_same_wherever_they_stand(
    status: int, error: dict[str, object], kind: type[ProviderError], again: bool, where: str
) -> None:
    told = {"error": {"code": status, **error}}
    if where == "status":
        found = error_from_answer(Origin("prov", "x/y"), status, {}, json.dumps(told).encode())
    elif where == "body":
        with pytest.raises(ProviderError) as caught:
            await play(
                json.dumps(told).encode(), headers={"content-type": "application/json"}, reader=reader()
            )
        found = caught.value
    else:
        row = {
            "id": "g1",
            "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}],
            **told,
        }
        stream, got = await play(sse(json.dumps(row), "[DONE]"), reader=reader())
        assert finished(got).state == stream.state == "failed"
        assert isinstance(stream.error, ProviderError)
        found = stream.error
    assert type(found) is kind
    assert found.retryable is again
    assert found.status == status


async def test_an_error_inside_a_whole_choice_is_told() -> None:
    choice = {"finish_reason": "error", "message": {"content": ""}, "error": {"code": 529, "message": "busy"}}
    with pytest.raises(OverloadedError, match="busy"):
        await play(json.dumps({"choices": [choice]}).encode(), headers={}, reader=reader())


@pytest.mark.parametrize("choices", [[], [{"index": 0, "delta": {"content": ""}, "finish_reason": None}]])
def test_the_cost_of_an_own_key_is_what_both_bill(choices: list[object]) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 4, "cost": 0.00001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.0003}}  # fmt: skip
    rows = [
        {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]},
        {"choices": choices, "usage": usage},
    ]
    _, got = played(sse(*(json.dumps(row) for row in rows), "[DONE]"), reader=reader())
    assert got.usage.reported_cost == Decimal("0.00031")
    assert finished(got).state == "complete"


def test_reasoning_told_only_in_parts_is_shown_and_kept() -> None:
    parts: list[dict[str, object]] = [
        {"type": "reasoning.summary", "summary": "First", "index": 0},
        {"type": "reasoning.summary", "summary": ", second", "index": 0},
        {"type": "reasoning.encrypted", "data": "c2VhbGVk", "index": 1, "id": "rs_1"},
        {"type": "reasoning.encrypted", "data": "bW9yZQ==", "index": 1, "id": "rs_1"},
    ]
    rows = [{"choices": [{"delta": {"content": "", "reasoning_details": [part]}}]} for part in parts]
    end = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    _, got = played(sse(*(json.dumps(row) for row in (*rows, end)), "[DONE]"), reader=reader())
    assert "".join(got.thinking) == "First, second"
    assert got.keepsake is not None
    assert json.loads(got.keepsake.content) == [{**parts[0], "summary": "First, second"}, parts[2], parts[3]]


def test_no_keepsake_of_an_answer_that_failed_or_was_cut() -> None:
    part = {"choices": [{"delta": {"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]}}]}
    failure = {"choices": [{"delta": {}, "finish_reason": "error"}], "error": {"code": 502, "message": "x"}}
    for rows in ([part], [part, failure]):
        _, got = played(sse(*(json.dumps(row) for row in rows)), reader=reader())
        assert got.keepsake is None


def test_models_say_prices_limits_efforts_and_their_last_day() -> None:
    entry = {
        "id": "a/b",
        "context_length": 200_000,
        "architecture": {"input_modalities": ["text", "image"]},
        "pricing": {"prompt": "0.000003", "completion": "0.000015", "input_cache_read": "0.0000003"},
        "top_provider": {"context_length": 200_000, "max_completion_tokens": 64_000, "is_moderated": False},
        "supported_parameters": ["tools", "reasoning", "response_format"],
        "reasoning": {"mandatory": True, "supported_efforts": ["low", "high"]},
        "expiration_date": "2027-01-31",
    }
    router_entry = {"id": "openrouter/auto", "pricing": {"prompt": "-1", "completion": "-1"}}
    [model, auto], bad = read_models({"data": [entry, router_entry]})
    assert bad == 0
    assert model.price is not None
    assert (model.price.input, model.price.output, model.price.cache_read) == (3, 15, Decimal("0.3"))
    assert (model.context_window, model.max_output, model.shutdown_date) == (200_000, 64_000, "2027-01-31")
    assert model.capabilities == ("json", "reasoning", "tools", "vision")
    assert model.details["reasoning_efforts"] == "low, high"
    assert auto.price is None
