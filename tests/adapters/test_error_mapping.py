"""Vendors' refusals in all their shapes become the right class, the right wait and a sentence without a key."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.errors import (
    BadRequestError,
    ContentFilteredError,
    ContextTooLongError,
    InvalidCredentialsError,
    ModelUnavailableError,
    NetworkError,
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
    error_from_body,
)
from adapters.errors.bodies import token_counts
from adapters.errors.waits import retry_after_ms, wait_in_text, wait_ms
from catalog.redact import remember_secret

ME = Origin("prov", "big-model")


def told(status: int, body: object, **headers: str) -> ProviderError:
    raw = body if isinstance(body, str) else json.dumps(body)
    return error_from_answer(ME, status, {k.replace("_", "-"): v for k, v in headers.items()}, raw.encode())


def err(
    message: str = "x", type_: str | None = None, code: object = None, **more: object
) -> dict[str, object]:
    return {"error": {"message": message, "type": type_, "param": None, "code": code, **more}}


def quota(*violations: object) -> dict[str, object]:
    """Google's 429, which says the same words whatever ran out."""
    details = [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED"},
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": list(violations)},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12.5s"},
    ]
    words = "You exceeded your current quota, please check your plan and billing details."
    return {"error": {"code": 429, "message": words, "status": "RESOURCE_EXHAUSTED", "details": details}}


@pytest.mark.parametrize("kind", ["server_error", "api_error", None])
def test_what_a_server_cannot_do_is_no_failure_of_its_own_however_it_is_typed(kind: str | None) -> None:
    """llama.cpp's own words for a picture; repeated, they cost time and say the same."""
    words = "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"
    error = told(500, err(words, kind, 500))
    assert type(error) is BadRequestError
    assert not error.retryable
    assert type(told(500, err("The server had an error", kind, 500))) is ServerError


TABLE: list[tuple[str, int, object, type[ProviderError]]] = [
    # OpenAI
    ("openai key", 401, err("x", "invalid_request_error", "invalid_api_key"), InvalidCredentialsError),
    ("openai not a member", 401, err("You must be a member of an organization"), InvalidCredentialsError),
    ("openai scope", 403, err("You have insufficient permissions for this operation."), PermissionDeniedError),
    ("openai country", 403, err("x", "request_forbidden", "unsupported_country_region_territory"), PermissionDeniedError),
    ("openai quota", 429, err("x", "insufficient_quota", "insufficient_quota"), NoCreditError),
    ("openai hard limit", 429, err("x", None, "billing_hard_limit_reached"), NoCreditError),
    ("openai spend", 429, err("x", None, "project_spend_limit_exceeded"), NoCreditError),
    ("openai rate", 429, err("Rate limit reached for gpt-4o", "tokens", "rate_limit_exceeded"), RateLimitedError),
    ("openai slow down", 503, err("Slow Down", None, "slow_down"), RateLimitedError),
    ("openai overloaded", 503, err("x", "server_error", "server_is_overloaded"), OverloadedError),
    ("openai model", 404, err("The model `x` does not exist", "invalid_request_error", "model_not_found"), ModelUnavailableError),
    ("openai context", 400, err("x", "invalid_request_error", "context_length_exceeded"), ContextTooLongError),
    ("openai filter", 400, err("x", None, "content_policy_violation"), ContentFilteredError),
    ("openai 500", 500, err("The server had an error", "server_error"), ServerError),
    ("openai parameter", 400, err("Unsupported parameter: 'max_tokens'", "invalid_request_error", "unsupported_parameter"), BadRequestError),
    # Anthropic shapes that pass through gateways
    ("anthropic rate", 429, {"type": "error", "error": {"type": "rate_limit_error", "message": "x"}}, RateLimitedError),
    ("anthropic overloaded", 529, {"type": "error", "error": {"type": "overloaded_error", "message": "x"}}, OverloadedError),
    ("anthropic credit as 400", 400, {"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low to access the API"}}, NoCreditError),
    ("anthropic spend as 429", 429, {"type": "error", "error": {"type": "rate_limit_error", "message": "x", "details": {"error_code": "enforced_spend_limit_reached"}}}, NoCreditError),
    ("anthropic ramp", 429, {"type": "error", "error": {"type": "rate_limit_error", "message": "x", "details": {"error_code": "ramp_limit_exceeded"}}}, RateLimitedError),
    ("anthropic long", 400, {"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens > 200000 maximum"}}, ContextTooLongError),
    # Gemini's compatible door, wrapped in a list
    ("gemini key", 400, [{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}], InvalidCredentialsError),
    ("gemini credit", 402, [{"error": {"code": 402, "message": "x", "status": "RESOURCE_EXHAUSTED"}}], NoCreditError),
    ("gemini rate", 429, [{"error": {"code": 429, "message": "x", "status": "RESOURCE_EXHAUSTED"}}], RateLimitedError),
    ("gemini leaked", 403, {"error": {"code": 403, "message": "Your API key was reported as leaked. Please use another API key.", "status": "PERMISSION_DENIED"}}, InvalidCredentialsError),
    ("gemini no key", 403, {"error": {"code": 403, "message": "Method doesn't allow unregistered callers (callers without established identity).", "status": "PERMISSION_DENIED"}}, InvalidCredentialsError),
    ("gemini switched off", 403, {"error": {"code": 403, "message": "Generative Language API has not been used in project 1 before or it is disabled.", "status": "PERMISSION_DENIED", "details": [{"reason": "SERVICE_DISABLED"}]}}, PermissionDeniedError),
    ("gemini referrer", 403, {"error": {"code": 403, "message": "Requests from referer <empty> are blocked.", "status": "PERMISSION_DENIED", "details": [{"reason": "API_KEY_HTTP_REFERRER_BLOCKED"}]}}, PermissionDeniedError),
    ("gemini region", 400, {"error": {"code": 400, "message": "User location is not supported for the API use.", "status": "FAILED_PRECONDITION"}}, PermissionDeniedError),
    ("gemini long", 400, {"error": {"code": 400, "message": "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", "status": "INVALID_ARGUMENT"}}, ContextTooLongError),
    ("gemini model", 404, {"error": {"code": 404, "message": "models/x is not found for API version v1beta", "status": "NOT_FOUND"}}, ModelUnavailableError),
    ("gemini overloaded", 503, [{"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}], OverloadedError),
    ("gemini deadline", 504, {"error": {"code": 504, "message": "x", "status": "DEADLINE_EXCEEDED"}}, ProviderTimeoutError),
    ("gemini day", 429, quota({"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "50"}), NoCreditError),
    ("gemini day and minute", 429, quota({"quotaId": "GenerateRequestsPerMinutePerProject"}, {"quotaId": "GenerateRequestsPerDayPerProject"}), NoCreditError),
    ("gemini nothing", 429, quota({"quotaId": "GenerateContentInputTokensPerModelPerMinute-FreeTier", "quotaValue": "0"}), NoCreditError),
    ("gemini nothing in words", 429, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "You exceeded your current quota. * Quota exceeded for metric: x/y, limit: 0, model: gemini-3-pro\nPlease retry in 36s.", "details": quota({"quotaId": "GenerateContentInputTokensPerModelPerMinute-FreeTier"})["error"]["details"]}}, NoCreditError),  # type: ignore[index]
    ("gemini little in words", 429, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Quota exceeded for metric: x/y, limit: 0.5, limit: 10", "details": quota({"quotaId": "RequestsPerMinute"})["error"]["details"]}}, RateLimitedError),  # type: ignore[index]
    ("gemini denied in a stream", 200, {"error": {"message": "x", "status": "PERMISSION_DENIED"}}, PermissionDeniedError),
    ("gemini minute", 429, quota({"quotaId": "GenerateRequestsPerMinutePerProjectPerModel", "quotaValue": "15"}), RateLimitedError),
    ("gemini prepaid", 429, {"error": {"code": 429, "message": "Your prepayment credits are depleted.", "status": "RESOURCE_EXHAUSTED"}}, NoCreditError),
    # xAI: the error is a text
    ("xai key", 400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***yz."}, InvalidCredentialsError),
    ("xai key encoded", 400, {"code": "Client specified an invalid argument", "error": "Incorrect%20API%20key%20provided"}, InvalidCredentialsError),
    ("xai credits", 429, {"code": "x", "error": "Your team has either used all available credits or reached its monthly spending limit"}, NoCreditError),
    ("xai rate", 429, {"code": "x", "error": "Too many requests"}, RateLimitedError),
    # Mistral, without an error object
    ("mistral rate", 429, {"object": "error", "message": "x", "type": "rate_limited", "param": None, "code": "1300"}, RateLimitedError),
    ("mistral key", 401, {"detail": "Unauthorized"}, InvalidCredentialsError),
    ("mistral model", 400, {"object": "error", "message": "Invalid model: x", "type": "invalid_model", "code": "1500"}, ModelUnavailableError),
    # FastAPI
    ("fastapi", 422, {"detail": [{"loc": ["body", "messages"], "msg": "field required", "type": "value_error.missing"}]}, BadRequestError),
    # LiteLLM: texts for codes
    ("litellm budget", 422, err("x", "budget_exceeded", "422"), NoCreditError),
    ("litellm token", 401, err("x", "token_not_found_in_db", "401"), InvalidCredentialsError),
    ("litellm model access", 401, err("x", "key_model_access_denied", "401"), PermissionDeniedError),
    ("litellm no db", 400, err("No connected db.", "no_db_connection", "400"), InvalidCredentialsError),
    # OpenRouter: numbers for codes, the truth in metadata
    ("openrouter credits", 402, {"error": {"code": 402, "message": "x", "metadata": {"limit_source": "openrouter_credits"}}}, NoCreditError),
    ("openrouter in flight", 402, {"error": {"code": 402, "message": "x", "metadata": {"limit_source": "openrouter_in_flight_budget"}}}, RateLimitedError),
    ("openrouter context", 400, {"error": {"code": 400, "message": "Provider returned error", "metadata": {"error_type": "context_length_exceeded"}}}, ContextTooLongError),
    ("openrouter raw", 400, {"error": {"code": 400, "message": "Provider returned error", "metadata": {"raw": json.dumps(err("x", None, "content_filter"))}}}, ContentFilteredError),
    ("openrouter moderation", 403, {"error": {"code": 403, "message": "Your input was flagged"}}, ContentFilteredError),
    ("openrouter no provider", 503, {"error": {"code": 503, "message": "No provider"}}, OverloadedError),
    # Azure
    ("azure deployment", 404, {"error": {"code": "DeploymentNotFound", "message": "x"}}, ModelUnavailableError),
    ("azure filter", 400, {"error": {"code": "content_filter", "message": "x", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, ContentFilteredError),
    # llama.cpp
    ("llama.cpp key", 401, {"error": {"code": 401, "message": "Invalid API Key", "type": "authentication_error"}}, InvalidCredentialsError),
    ("llama.cpp context", 400, {"error": {"code": 400, "message": "x", "type": "exceed_context_size_error", "n_prompt_tokens": 2000, "n_ctx": 1024}}, ContextTooLongError),
    ("llama.cpp loading", 503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, OverloadedError),
    ("llama.cpp path", 404, {"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}}, UnexpectedResponseError),
    ("llama.cpp 501", 501, {"error": {"code": 501, "message": "This server does not support it", "type": "not_supported_error"}}, BadRequestError),
    # the rest
    ("together context", 403, err("Input validation error: `inputs` tokens + `max_new_tokens` must be; the prompt is too long"), ContextTooLongError),
    ("fireworks suspended", 412, err("Account is suspended, possibly due to reaching the monthly spending limit"), NoCreditError),
    ("groq capacity", 498, err("Flex tier capacity exceeded"), OverloadedError),
    ("groq tpm", 413, err("Request too large for model on tokens per minute", "tokens"), ContextTooLongError),
    ("groq tpm code", 413, err("Request too large for model on tokens per minute", "tokens", "rate_limit_exceeded"), ContextTooLongError),
    ("groq tool", 400, err("Failed to call a function", "invalid_request_error", "tool_use_failed"), BadRequestError),
    ("deepseek balance", 402, err("Insufficient Balance"), NoCreditError),
    ("deepseek model", 400, err("Model Not Exist"), ModelUnavailableError),
    ("ollama", 404, {"error": 'model "x" not found'}, ModelUnavailableError),
    ("hub", 401, {"error": "Invalid credentials in Authorization header"}, InvalidCredentialsError),
    ("request timeout", 408, "", ProviderTimeoutError),
    ("conflict", 409, "", ServerError),
    ("gateway timeout", 504, "<html>504 Gateway Time-out</html>", ProviderTimeoutError),
    ("proxy", 407, "", NetworkError),
    ("bad gateway page", 502, "<html><head><title>502 Bad Gateway</title></head></html>", ServerError),
    ("cloudflare", 524, "error code: 524", ServerError),
    ("wall page", 403, "<!DOCTYPE html><title>Just a moment...</title>", PermissionDeniedError),
    ("no such path", 404, "404 page not found", UnexpectedResponseError),
    ("nothing", 404, "", UnexpectedResponseError),
    ("teapot", 418, "", BadRequestError),
    ("redirect", 302, "", UnexpectedResponseError),
    ("broken json", 500, '{"error":', ServerError),
    ("deep json", 400, "[" * 5000, BadRequestError),
    ("null", 400, {"error": None}, BadRequestError),
    ("odd types", 400, {"error": {"message": {"a": [1, 2]}, "code": [1], "type": {}}}, BadRequestError),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "body", "kind"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_refusals(status: int, body: object, kind: type[ProviderError]) -> None:
    error = told(status, body)
    assert type(error) is kind
    assert error.status == status
    assert error.provider == "prov"
    assert error.message
    assert len(error.message) < 450
    assert "\n" not in error.message
    assert error.title


RETRIES = [(429, True), (408, True), (409, True), (498, True), (500, True), (503, True), (529, True), (400, False), (401, False), (402, False), (403, False), (404, False), (413, False), (422, False), (501, False)]  # fmt: skip


@pytest.mark.parametrize(("status", "again"), RETRIES)
def test_what_is_worth_repeating(status: int, again: bool) -> None:
    assert told(status, "").retryable is again


def test_the_vendors_word_on_repeating_counts() -> None:
    assert told(429, "", x_should_retry="false").retryable is False
    assert told(400, "", x_should_retry="true").retryable is True
    assert told(401, "", x_should_retry="true").retryable is False
    assert RateLimitedError("x").retryable is True


def test_the_message_says_what_the_vendor_said_and_what_to_do() -> None:
    error = told(400, err("max_tokens must be at least 1"))
    assert error.message == "prov refuses the request (400). It says: “max_tokens must be at least 1”"
    error = told(401, err("bad"))
    assert error.hint == "Enter a new key for prov."
    error = told(404, err("The model `big-model` does not exist", None, "model_not_found"))
    assert "the model big-model" in error.message
    assert "Bad Gateway" in told(502, "<html><title>502 Bad\nGateway</title></html>").message


@pytest.mark.parametrize(
    ("message", "prompt", "context"),
    [
        ("This model's maximum context length is 8192 tokens. However, your messages resulted in 9,001 tokens.", 9001, 8192),
        ("This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (3000 in the messages, 2000 in the completion).", 5000, 4096),
        ("prompt is too long: 210000 tokens > 200000 maximum", 210000, 200000),
        ("request (2000 tokens) exceeds the available context size (1024 tokens), try increasing it", 2000, 1024),
        ("The input token count (40000) exceeds the maximum number of tokens allowed (32768).", 40000, 32768),
        ("it is long", None, None),
    ],
)  # fmt: skip
def test_token_counts(message: str, prompt: int | None, context: int | None) -> None:
    assert token_counts(message) == (prompt, context)
    error = told(400, err(message, None, "context_length_exceeded"))
    if prompt is not None and context is not None:
        assert error.message.startswith(
            f"The prompt has {prompt:,} tokens, and the model big-model takes {context:,}."
        )


def test_llama_cpp_counts_in_fields() -> None:
    error = told(400, {"error": {"code": 400, "message": "too big", "type": "exceed_context_size_error", "n_prompt_tokens": 2000, "n_ctx": 1024}})  # fmt: skip
    assert error.message.startswith("The prompt has 2,000 tokens, and the model big-model takes 1,024.")


# --- secrets and terminals -----------------------------------------------------------------------------------

KEY = "canary9f8e7d6c5b4a39281706-prefixless"


@pytest.mark.parametrize(
    "echo",
    [KEY, "sk-proj-abcdefghij0123456789ABCDEFGHIJ", "xa***yz", "sk-li****************WXYZ", "abcd1234...wxyz9876", "sk-1234…9876", "Bearer abcdefgh12345678"],
)  # fmt: skip
@pytest.mark.parametrize("shape", ["json", "text", "page", "nested", "flat"])
def test_no_error_echoes_a_key(echo: str, shape: str) -> None:
    remember_secret(KEY)
    message = f"Incorrect API key provided: {echo}. See the docs."
    body: object = {
        "json": err(message, None, "invalid_api_key"),
        "text": message,
        "page": f"<html><title>{message}</title>",
        "nested": {"error": {"code": 401, "metadata": {"raw": json.dumps(err(message))}}},
        "flat": {"object": "error", "message": message},
    }[shape]
    error = told(401, body, location=f"https://x.example/?key={KEY}", x_request_id="req_1")
    shown = f"{error} {error!r} {error.hint} {error.title} {error.as_dict()} {error.said!r}"
    assert echo not in shown
    assert KEY not in shown


@pytest.mark.parametrize(
    "text",
    [
        "1" * 250_000,
        "context length is 5 tokens " * 9_000,
        "model " * 40_000,
        "credit " * 35_000,
        "<" + "<script " * 30_000,
        "ab..." * 50_000,
    ],
)
@pytest.mark.parametrize("wrap", [False, True])
def test_no_body_stalls_the_program(text: str, wrap: bool) -> None:
    """Patterns are searched in it, on the event loop: a quarter of a megabyte takes milliseconds."""
    body = json.dumps({"error": {"message": text}}) if wrap else text
    started = time.process_time()
    error_from_answer(ME, 400, {}, body.encode())
    assert time.process_time() - started < 0.25


def test_a_redirect_names_its_target_without_secrets() -> None:
    remember_secret(KEY)
    error = told(307, "", location=f"https://other.example/v1?api_key={KEY}")
    assert "https://other.example/v1" in (error.hint or "")
    assert KEY not in f"{error.message} {error.hint}"


def test_a_vendors_text_cannot_steer_the_terminal() -> None:
    error = told(400, err("a\x1b[31mred\x1b]52;c;AAAA\x07\r\nb\u202ec" + "x" * 9000), x_request_id="r\x1b[2J")
    for text in (error.message, error.request_id or ""):
        assert "\x1b" not in text
        assert "\n" not in text
        assert "\u202e" not in text
    assert len(error.message) < 300


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(100, 599))
def test_no_body_upsets_it(content: bytes, status: int) -> None:
    error = error_from_answer(ME, status, {}, content)
    assert isinstance(error, ProviderError)
    assert "\x1b" not in error.message


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9), lambda i: st.lists(i, max_size=3) | st.dictionaries(st.sampled_from(["error", "message", "code", "type", "metadata", "details", "detail", "status", "param", "loc", "raw", "innererror"]), i, max_size=4), max_leaves=12))  # fmt: skip
def test_no_json_upsets_it(body: object) -> None:
    assert isinstance(error_from_body(ME, body, 200, {}), ProviderError)


# --- waits ---------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("20", 20_000), ("1.5", 1500), ("0", 0), ("-3", 0), ("12ms", 12), ("1s", 1000), ("6m0s", 360_000), ("2m59.56s", 179_560), ("1h2m", 3_720_000),
        ("Fri, 20 Nov 2026 12:00:30 GMT", 30_000), ("Fri, 20 Nov 2026 11:00:00 GMT", 0), ("2026-11-20T12:00:05Z", 5000), ("2026-11-20T12:00:05.250+00:00", 5250),
        ("1795176010", 10_000), ("1795176010000", 10_000), ("36s", 36_000), ("", None), ("soon", None), ("nan", None), ("inf", 31 * 86_400_000), ("1e400", 31 * 86_400_000),
        ("5 apples", None), ("1s!", None), (None, None), ("9" * 100, None), ("٣", 3000),
    ],
)  # fmt: skip
def test_one_wait(text: str | None, ms: int | None) -> None:
    assert wait_ms(text, now=NOW) == ms


@pytest.mark.parametrize(
    ("headers", "ms"),
    [
        ({"retry-after-ms": "250", "retry-after": "9"}, 250),
        ({"retry-after": "9"}, 9000),
        ({"retry-after-ms": "x", "retry-after": "2"}, 2000),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "12ms", "x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "6m0s"}, 12),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1s", "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, 360_000),
        ({"x-ratelimit-remaining-tokens-minute": "0", "x-ratelimit-reset-tokens-minute": "4.25"}, 4250),
        ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2026-11-20T12:00:07Z"}, 7000),
        ({"x-ratelimit-reset-requests": "1s"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795176010000"}, 10_000),
        ({}, None),
    ],
)  # fmt: skip
def test_waits_in_headers(headers: dict[str, str], ms: int | None) -> None:
    assert retry_after_ms(headers, now=NOW) == ms


def test_waits_in_bodies() -> None:
    assert wait_in_text("Rate limit reached. Please try again in 6m0s. Visit …") == 360_000
    assert wait_in_text("please try again in 1.2s") == 1200
    assert wait_in_text("Retry after 3 seconds") == 3000
    assert wait_in_text("try again in 2 minutes") == 120_000
    assert wait_in_text("try later") is None
    assert told(429, err("Please try again in 20s.", None, "rate_limit_exceeded")).retry_after_ms == 20_000
    body = [
        {
            "error": {
                "code": 429,
                "message": "x",
                "status": "RESOURCE_EXHAUSTED",
                "details": [{"retryDelay": "36.5s"}],
            }
        }
    ]
    assert told(429, body).retry_after_ms == 36_500
    assert told(400, err("try again in 20s")).retry_after_ms is None
    assert told(429, "", retry_after="2", x_request_id="req_9").request_id == "req_9"
