"""What compatible vendors answer otherwise than OpenAI: one test for each fact of streams, usage, errors and lists."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from wire_replay import finished, play, sse

from adapters.errors import (
    BadRequestError,
    ContextTooLongError,
    InvalidCredentialsError,
    ModelUnavailableError,
    NoCreditError,
    Origin,
    OverloadedError,
    ProviderError,
    RateLimitedError,
    ServerError,
    error_from_answer,
)
from adapters.openai.models import read_models
from catalog.usage import Usage

STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def chunk(finish: str | None = None, **delta: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def rows(*values: object) -> bytes:
    return sse(*(value if isinstance(value, str) else json.dumps(value) for value in values))


def whole(content: str, **more: object) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    return json.dumps({"choices": [choice], **more}).encode()


# -- streams and whole answers ---------------------------------------------------------------------


async def test_deepseek_sends_empty_lines_before_a_whole_answer() -> None:
    body = [b"\n", b"\n\n", b"  \n", whole("Hi", usage={"prompt_tokens": 9, "completion_tokens": 1})]
    _, got = await play(body, headers={"content-type": "application/json"})
    assert "".join(got.text) == "Hi"


async def test_deepseek_keeps_the_line_alive_and_tells_hits_and_misses() -> None:
    usage = {
        "prompt_tokens": 100,
        "prompt_cache_hit_tokens": 64,
        "prompt_cache_miss_tokens": 36,
        "completion_tokens": 4,
    }
    body = b": keep-alive\n\n: keep-alive\n\n" + rows(chunk(reasoning_content="hm"), chunk(content="Hi"), {**STOP, "usage": usage}, "[DONE]")  # fmt: skip
    _, got = await play(body)
    assert ("".join(got.thinking), "".join(got.text)) == ("hm", "Hi")
    assert got.usage == Usage(input=100, output=4, cache_read=64)


async def test_groq_usage_stands_in_its_own_field_and_counts_once() -> None:
    usage = {
        "queue_time": 0.03,
        "prompt_tokens": 9,
        "completion_tokens": 4,
        "total_tokens": 13,
        "total_time": 0.2,
    }
    _, got = await play(rows(chunk(content="Hi"), {**STOP, "x_groq": {"id": "q", "usage": usage}, "usage": usage}, "[DONE]"))  # fmt: skip
    assert got.usage == Usage(input=9, output=4)
    _, got = await play(rows(chunk(content="Hi"), {**STOP, "x_groq": {"id": "q", "usage": usage}}, "[DONE]"))
    assert got.usage == Usage(input=9, output=4)


async def test_groq_errors_in_a_stream_are_texts() -> None:
    _, got = await play(
        rows(chunk(content="Hi"), {"choices": [], "x_groq": {"error": "Over capacity, try again"}})
    )
    end = finished(got)
    assert (end.state, type(end.error)) == ("failed", OverloadedError)
    assert end.error is not None
    assert "Over capacity" in end.error.message


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content", "reasoning_text"])
async def test_reasoning_by_any_name(field: str) -> None:
    """Groq, Together, Cerebras, LM Studio, vLLM: each has another, some have changed theirs."""
    _, got = await play(rows(chunk(**{field: "hm"}), chunk(content="Hi"), STOP, "[DONE]"))
    assert ("".join(got.thinking), "".join(got.text)) == ("hm", "Hi")


async def test_mistral_content_is_a_list_in_pieces_and_whole() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    listed = [thought, {"type": "reference", "reference_ids": [1]}, {"type": "text", "text": "Hi"}]
    for body in (rows(chunk(content=[thought]), chunk(content=listed[1:]), STOP, "[DONE]"), whole(listed)):  # type: ignore[arg-type]
        _, got = await play(body)
        assert ("".join(got.thinking), "".join(got.text)) == ("hm", "Hi")


@pytest.mark.parametrize("arguments", ['{"city": "Kraków"}', {"city": "Kraków"}])
async def test_mistral_arguments_are_a_text_or_an_object(arguments: object) -> None:
    call = {"id": "D681PevKs", "function": {"name": "get_weather", "arguments": arguments}}
    _, got = await play(rows(chunk(finish="tool_calls", tool_calls=[call]), "[DONE]"))
    assert json.loads(got.tool_calls[0].arguments) == {"city": "Kraków"}


@pytest.mark.parametrize(("word", "reason"), [("model_length", "length"), ("eos", "stop"), ("stop", "stop")])
async def test_words_for_the_end(word: str, reason: str) -> None:
    """Mistral's model_length, Together's eos."""
    _, got = await play(rows(chunk(content="Hi"), chunk(finish=word), "[DONE]"))
    assert (finished(got).state, finished(got).finish_reason) == ("complete", reason)


async def test_mistrals_word_for_an_error_fails_the_answer() -> None:
    _, got = await play(rows(chunk(content="Hi"), chunk(finish="error"), "[DONE]"))
    assert (finished(got).state, finished(got).finish_reason) == ("failed", "error")


async def test_xai_leaves_the_reason_empty_where_a_tool_is_called() -> None:
    call = {"index": 0, "id": "c", "function": {"name": "get_weather", "arguments": "{}"}}
    _, got = await play(rows(chunk(tool_calls=[call]), chunk(finish=""), "[DONE]"))
    assert (finished(got).state, finished(got).finish_reason) == ("complete", "tool_calls")


async def test_xai_counts_reasoning_apart_and_states_the_cost_in_ticks() -> None:
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 4,
        "total_tokens": 33,
        "completion_tokens_details": {"reasoning_tokens": 20},
        "cost_in_usd_ticks": 42_000_000,
    }
    _, got = await play(rows(chunk(content="Hi"), {**STOP, "usage": usage}, "[DONE]"))
    assert got.usage == Usage(input=9, output=24, reasoning=20, reported_cost=Decimal("0.0042"))


async def test_perplexitys_old_chunks_carry_sources_and_a_cost() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 4, "cost": {"total_cost": 0.005, "currency": "USD"}}
    row = {**chunk(content="Hi"), "citations": ["https://a.example"], "search_results": [{"title": "x"}]}
    _, got = await play(rows(row, {**STOP, "usage": usage}, "[DONE]"))
    assert "".join(got.text) == "Hi"
    assert got.usage.reported_cost == Decimal("0.005")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"error": {"message": "the engine died", "type": "InternalServerError", "code": 500}}, ServerError),
        ({"object": "error", "message": "maximum context length is 4096 tokens", "type": "BadRequestError", "code": 400}, ContextTooLongError),
    ],
)  # fmt: skip
async def test_vllms_end_mark_after_an_error_is_no_success(error: object, kind: type) -> None:
    _, got = await play(rows(chunk(content="Hi"), error, "[DONE]"))
    end = finished(got)
    assert (end.state, type(end.error), "".join(got.text)) == ("failed", kind, "Hi")


async def test_llama_cpps_pings_are_no_text_and_its_timings_no_trouble() -> None:
    timings = {"cache_n": 3, "prompt_n": 9, "prompt_ms": 12.5, "predicted_n": 4, "predicted_ms": 80.1}
    body = b":\n\n" + rows(chunk(content="Hi")) + b": ping\n\n" + rows({**STOP, "timings": timings}, "[DONE]")
    _, got = await play(body)
    assert ("".join(got.text), finished(got).state) == ("Hi", "complete")


async def test_litellm_states_the_cost_in_a_header() -> None:
    headers = {
        "content-type": "application/json",
        "x-litellm-response-cost": "0.0042",
        "x-litellm-call-id": "call-7",
    }
    stream, got = await play(whole("Hi"), headers=headers)
    assert got.usage.reported_cost == Decimal("0.0042")
    assert stream.request_id == "call-7"


# -- refusals --------------------------------------------------------------------------------------

CASES: list[tuple[str, int, object, type[ProviderError], bool]] = [
    ("deepseek: no balance", 402, {"error": {"message": "Insufficient Balance", "type": "unknown_error", "code": "invalid_request_error"}}, NoCreditError, False),
    ("deepseek: parameters", 422, {"error": {"message": "Invalid parameter: top_p", "type": "invalid_request_error"}}, BadRequestError, False),
    ("deepseek: busy", 503, {"error": {"message": "Server busy"}}, OverloadedError, True),
    ("groq: flex capacity", 498, {"error": {"message": "Flex tier capacity exceeded", "type": "capacity"}}, OverloadedError, True),
    ("groq: one request over the minute", 413, {"error": {"message": "Request too large for model `x`: tokens per minute (TPM): Limit 6000, Requested 9000", "type": "tokens", "code": "rate_limit_exceeded"}}, ContextTooLongError, False),
    ("mistral: rate", 429, {"object": "error", "message": "Requests rate limit exceeded", "type": "rate_limited", "param": None, "code": "1300"}, RateLimitedError, True),
    ("mistral: bad key", 401, {"detail": "Unauthorized"}, InvalidCredentialsError, False),
    ("mistral: quota gone", 401, {"message": "Your quota has been exhausted", "request_id": "x"}, NoCreditError, False),
    ("mistral: unknown field", 422, {"object": "error", "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}, "type": "invalid_request_error"}, BadRequestError, False),
    ("mistral: model", 400, {"object": "error", "message": "Invalid model: nonsense", "type": "invalid_model", "code": "1500"}, ModelUnavailableError, False),
    ("xai: bad key", 400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***yz."}, InvalidCredentialsError, False),
    ("xai: bad key, encoded", 400, {"code": "x", "error": "Incorrect%20API%20key%20provided%3A%20xa***yz."}, InvalidCredentialsError, False),
    ("xai: credits", 429, {"code": "x", "error": "Your team has used all available credits or reached its monthly spending limit."}, NoCreditError, False),
    ("together: context", 403, {"error": {"message": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 32769", "type": "invalid_request_error"}}, ContextTooLongError, False),
    ("together: spending", 402, {"error": {"message": "You have reached your spending limit"}}, NoCreditError, False),
    ("fireworks: suspended", 412, {"error": {"message": "precondition failed"}}, NoCreditError, False),
    ("fireworks: no access", 404, {"error": {"message": "Model not found, inaccessible, and/or not deployed", "code": "NOT_FOUND"}}, ModelUnavailableError, False),
    ("perplexity: credit", 401, {"error": {"message": "You have no remaining credits", "code": 401}}, NoCreditError, False),
    ("vllm: older, flat", 400, {"object": "error", "message": "This model's maximum context length is 4096 tokens", "type": "BadRequestError", "code": 400}, ContextTooLongError, False),
    ("vllm: model", 404, {"error": {"message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404}}, ModelUnavailableError, False),
    ("llama.cpp: loading", 503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, OverloadedError, True),
    ("litellm: budget now", 422, {"error": {"message": "Budget has been exceeded!", "type": "budget_exceeded", "param": None, "code": "422"}}, NoCreditError, False),
    ("litellm: budget before", 429, {"error": {"message": "x", "type": "budget_exceeded", "code": "429"}}, NoCreditError, False),
    ("litellm: unknown key", 401, {"error": {"message": "x", "type": "token_not_found_in_db", "code": "401"}}, InvalidCredentialsError, False),
    ("litellm: expired key", 400, {"error": {"message": "x", "type": "expired_key", "code": "400"}}, InvalidCredentialsError, False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "body", "kind", "again"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_refusals(status: int, body: object, kind: type[ProviderError], again: bool) -> None:
    error = error_from_answer(Origin("prov", "m"), status, {}, json.dumps(body).encode())
    assert type(error) is kind
    assert error.retryable is again


def test_fireworks_missing_access_names_the_key() -> None:
    body = {"error": {"message": "Model not found, inaccessible, and/or not deployed"}}
    error = error_from_answer(Origin("prov", "m"), 404, {}, json.dumps(body).encode())
    assert error.hint is not None
    assert "the key may use" in error.hint


# -- lists -----------------------------------------------------------------------------------------


def test_groq_lists_windows_and_what_is_switched_off() -> None:
    entries = [
        {"id": "a", "active": True, "context_window": 131072, "max_completion_tokens": 65536},
        {"id": "b", "active": False},
    ]
    [a, b], _ = read_models({"object": "list", "data": entries})
    assert (a.context_window, a.max_output, a.status, b.status) == (131072, 65536, None, "retired")


def test_mistral_lists_abilities_windows_other_names_and_last_days() -> None:
    entry = {
        "id": "mistral-large-2512",
        "capabilities": {
            "completion_chat": True,
            "function_calling": True,
            "vision": True,
            "reasoning": False,
        },
        "max_context_length": 262144,
        "aliases": ["mistral-large-latest"],
        "deprecation": "2027-03-31T12:00:00Z",
    }
    [model, ocr], _ = read_models(
        {"data": [entry, {"id": "ocr", "capabilities": {"completion_chat": False}}]}
    )
    assert model.capabilities == ("tools", "vision")
    assert (model.context_window, model.details["aliases"]) == (262144, "mistral-large-latest")
    assert (model.shutdown_date or "").startswith("2027-03-31")
    assert (model.chat, ocr.chat) == (True, False)


def test_xai_prices_are_whole_numbers_of_a_hundredth_of_a_cent() -> None:
    entry = {
        "id": "grok-4",
        "aliases": ["grok-4-latest"],
        "input_modalities": ["text", "image"],
        "prompt_text_token_price": 30000,
        "cached_prompt_text_token_price": 7500,
        "completion_text_token_price": 150000,
    }
    [model], _ = read_models({"models": [entry]})
    assert model.price is not None
    assert (model.price.input, model.price.cache_read, model.price.output) == (3, Decimal("0.75"), 15)
    assert model.capabilities == ("vision",)


def test_together_lists_a_bare_array() -> None:
    entry = {
        "id": "a/b",
        "type": "chat",
        "context_length": 131072,
        "pricing": {"hourly": 0, "input": 0.88, "output": 0.88},
    }
    for body in ([entry], {"data": [entry]}):
        [model], _ = read_models(body)
        assert (model.id, model.chat, model.context_window) == ("a/b", True, 131072)
        assert model.price is not None
        assert model.price.input == Decimal("0.88")


def test_fireworks_ids_have_slashes() -> None:
    [model], _ = read_models({"data": [{"id": "accounts/fireworks/models/kimi-k2", "supports_chat": True, "context_length": 262144, "supports_tools": True}]})  # fmt: skip
    assert (model.id, model.chat) == ("accounts/fireworks/models/kimi-k2", True)
    assert model.capabilities == ("tools",)


def test_local_servers_list_windows_and_what_is_loaded() -> None:
    [vllm], _ = read_models({"data": [{"id": "a", "max_model_len": 32768, "owned_by": "vllm"}]})
    [llama], _ = read_models({"data": [{"id": "a", "meta": {"n_ctx_train": 131072}}]})
    old = {"id": "a", "type": "vlm", "arch": "qwen2_vl", "quantization": "4bit", "state": "not-loaded", "max_context_length": 32768}  # fmt: skip
    [studio], _ = read_models({"data": [old]})
    new = {"key": "a", "type": "llm", "max_context_length": 32768, "loaded_instances": [{"config": {"context_length": 8192}}], "capabilities": {"vision": False, "trained_for_tool_use": True}}  # fmt: skip
    [newer], _ = read_models({"models": [new]})
    assert (vllm.context_window, llama.context_window) == (32768, 131072)
    assert (studio.details["loaded"], studio.capabilities) == ("no", ("vision",))
    assert (newer.details["loaded"], newer.details["loaded_context"], newer.capabilities) == (
        "yes",
        8192,
        ("tools",),
    )
