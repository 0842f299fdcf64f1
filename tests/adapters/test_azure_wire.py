"""Azure's addresses in every spelling, its errors in words, its streams, and the recorded exchanges by its whole path."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from collected import Collected
from hypothesis import given
from hypothesis import strategies as st
from loop_server import Exchange, serving
from pydantic import SecretStr
from recorded import SDK_CLASSES, SIZES, exchange, lines, needs_recordings
from wire_replay import Canned, cut, finished, play, sse

from adapters.azure import AzureAdapter
from adapters.azure.endpoint import resource
from adapters.azure.models import base_of, names_of, read_deployments
from adapters.base import Connection, Stream
from adapters.errors import (
    ContentFilteredError,
    InvalidCredentialsError,
    ModelUnavailableError,
    NoCreditError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    RateLimitedError,
)
from adapters.events import ChatRequest, Message
from adapters.fetch import Fetcher
from adapters.finish import FINISH
from catalog.detect import detect, normalise_base_url

ASK = ChatRequest("chat", (Message("user", "hello"),), max_tokens=50)
DATE = "2024-12-01-preview"
HOSTS = (
    "https://res.openai.azure.com", "https://res.cognitiveservices.azure.com", "https://res.services.ai.azure.com",
    "https://westeurope.api.cognitive.microsoft.com", "https://res.openai.azure.us", "https://gate.azure-api.net/llm",
    "https://res.services.ai.azure.com/api/projects/p1", "https://gate.example/a/b",
)  # fmt: skip
PASTED = (
    "", "/", "/openai", "/openai/", "/openai/v1", "/openai/v1/", "/openai/v1/models", "/openai/v1/chat/completions",
    "//openai//v1", "/openai/models", "/OpenAI/V1",
)  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("pasted", PASTED)
def test_an_address_is_completed_and_never_doubled(host: str, pasted: str) -> None:
    url = host + pasted
    newer = resource(url, None).url("chat/completions", "chat")
    assert newer.lower() == f"{host}/openai/v1/chat/completions".lower()
    assert resource(url, "v1") == resource(url, None)
    older = resource(url, DATE).url("chat/completions", "my chat/prod")
    assert (
        older.lower()
        == f"{host}/openai/deployments/my%20chat%2fprod/chat/completions?api-version={DATE}".lower()
    )
    assert resource(url, DATE).url("models").lower() == f"{host}/openai/models?api-version={DATE}".lower()


@pytest.mark.parametrize(
    ("url", "version", "expected"),
    [
        ("https://r.openai.azure.com/openai/deployments/d1", None, "https://r.openai.azure.com/openai/deployments/d2/chat/completions?api-version=2024-10-21"),
        ("https://r.openai.azure.com/openai/deployments/d1/chat/completions", DATE, f"https://r.openai.azure.com/openai/deployments/d2/chat/completions?api-version={DATE}"),
        ("https://r.openai.azure.com/openai/deployments/d1", "v1", "https://r.openai.azure.com/openai/v1/chat/completions"),
        ("https://gate.example/llm/deployments/d1", DATE, f"https://gate.example/llm/deployments/d2/chat/completions?api-version={DATE}"),
        ("https://gate.example/azure/v1", None, "https://gate.example/azure/v1/chat/completions"),
    ],
)  # fmt: skip
def test_the_form_goes_by_option_then_address(url: str, version: str | None, expected: str) -> None:
    place = resource(url, version)
    assert place.url("chat/completions", "d2") == expected
    assert place.deployment == ("d1" if "d1" in url else None)


@pytest.mark.parametrize("host", [h for h in HOSTS if "gate.example" not in h])
def test_the_hosts_are_known(host: str) -> None:
    assert detect(host).dialect == "azure"
    assert detect(f"{host}/openai/v1").catalog_id == "azure"


@given(st.text(max_size=60))
def test_no_address_breaks_it(text: str) -> None:
    try:
        url = normalise_base_url(f"https://h.example/{text}")
    except ValueError:
        return
    except Exception as error:
        assert type(error).__name__ == "UsageError"  # noqa: PT017
        return
    place = resource(url, None)
    assert place.url("models").count("/models") >= 1


def test_deployments_are_read_forgivingly() -> None:
    listed = [
        {"id": "a", "model": "gpt-4o", "status": "succeeded", "object": "deployment"},
        {"id": "b", "model": "text-embedding-3-large", "status": "succeeded"},
        {"id": "c", "model": "gpt-4o", "status": "running"},
        {"id": "a", "model": "other"}, {"id": 5}, "x", None, {"model": "gpt-4o"}, {"id": "d\x1b[2J"},
    ]  # fmt: skip
    found = read_deployments({"data": listed})
    assert [(m.id, m.details.get("behind"), m.chat) for m in found] == [
        ("a", "gpt-4o", None),
        ("b", "text-embedding-3-large", False),
        ("d␛[2J", None, None),
    ]
    with pytest.raises(ValueError, match="not a list"):
        read_deployments({"error": "x"})
    assert names_of(" a, b ,,a,") == ["a", "b"]
    assert base_of("gpt-4o-2024-08-06") == "gpt-4o"


REFUSED = [
    (401, {"code": "401", "message": "Access denied due to invalid subscription key or wrong API endpoint."}, {}, InvalidCredentialsError, "refuses the key", "keys of its own"),
    (401, {"code": "PermissionDenied", "message": "Principal does not have access to API/Operation."}, {}, PermissionDeniedError, "Principal does not", "Cognitive Services OpenAI User"),
    (403, {"code": "403", "message": "Access denied due to Virtual Network/Firewall rules."}, {}, PermissionDeniedError, "Firewall", "network"),
    (403, {"code": "403", "message": "Out of call volume quota. Quota will be replenished in 2.12:00:00."}, {}, NoCreditError, "no credit left", ""),
    (404, {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."}, {}, ModelUnavailableError, "has no deployment named chat", "deployment=NAME"),
    (429, {"code": "429", "message": "Requests have exceeded token rate limit. Please retry after 26 seconds."}, {}, RateLimitedError, "slow down", ""),
    (503, {"code": "503", "message": "busy"}, {}, OverloadedError, "out of capacity", ""),
]  # fmt: skip


@asynccontextmanager
async def answered(
    status: int, body: object, headers: Mapping[str, str] | None = None, **options: str
) -> AsyncIterator[tuple[AzureAdapter, list[Exchange]]]:
    async def handle(one: Exchange) -> None:
        await one.answer(status, body, **(headers or {}))

    fetcher = Fetcher()
    async with serving(handle) as server:
        adapter = AzureAdapter(
            Connection("prov", "azure", server.url, key=SecretStr("k" * 32), options=options), fetcher
        )
        yield adapter, server.requests
        await adapter.aclose()
        await fetcher.aclose()


@pytest.mark.parametrize(("status", "error", "headers", "kind", "words", "hint"), REFUSED)
async def test_a_refusal_says_what_it_means_at_azure(
    status: int,
    error: dict[str, str],
    headers: dict[str, str],
    kind: type[ProviderError],
    words: str,
    hint: str,
) -> None:
    async with answered(status, {"error": error}, headers) as (adapter, _):
        with pytest.raises(kind) as caught:
            async with adapter.stream(ASK):
                pass
    assert type(caught.value) is kind
    assert words in caught.value.message
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after_ms": "1200", "retry_after": "2"}, 1200),
        ({"retry_after": "26"}, 26_000),
        ({"x_ratelimit_remaining_requests": "0", "x_ratelimit_reset_requests": "10"}, 10_000),
        ({"x_ratelimit_remaining_tokens": "-1", "x_ratelimit_reset_tokens": "7"}, 7_000),
        ({}, 31_000),
    ],
)
async def test_how_long_to_wait(headers: dict[str, str], wait: int) -> None:
    told = {"code": "429", "message": "Too many. Please retry after 31 seconds."}
    async with answered(429, {"error": told}, headers) as (adapter, _):
        with pytest.raises(RateLimitedError) as caught:
            async with adapter.stream(ASK):
                pass
    assert caught.value.retry_after_ms == wait


async def test_a_filtered_prompt_says_for_what() -> None:
    result = {
        "hate": {"filtered": True, "severity": "high"},
        "self_harm": {"filtered": False, "severity": "safe"},
        "jailbreak": {"filtered": True, "detected": True},
    }
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": result}
    told = {"code": "content_filter", "message": "The response was filtered", "param": "prompt", "status": 400, "innererror": inner}  # fmt: skip
    async with answered(400, {"error": told}) as (adapter, requests):
        with pytest.raises(
            ContentFilteredError, match=r"refused the request for hate \(high\) and jailbreak"
        ):
            async with adapter.stream(ASK):
                pass
    assert len(requests) == 1


async def test_the_newer_name_of_the_limit_is_sent_and_repaired_where_it_is_refused() -> None:
    async def handle(one: Exchange) -> None:
        if "max_completion_tokens" in one.json:
            told = {"message": "Unrecognized request argument supplied: max_completion_tokens", "type": "invalid_request_error", "param": None, "code": None}  # fmt: skip
            await one.answer(400, {"error": told})
        else:
            await one.begin()
            await one.text("Hi")
            await one.done()

    fetcher = Fetcher()
    async with serving(handle) as server:
        adapter = AzureAdapter(
            Connection("prov", "azure", server.url, options={"api_version": DATE}), fetcher
        )
        for _ in range(2):
            async with adapter.stream(ASK) as stream:
                assert "".join((await _collected(stream)).text) == "Hi"
        await fetcher.aclose()
    sent = [one.json for one in server.requests]
    assert [("max_completion_tokens" in one, one.get("max_tokens")) for one in sent] == [
        (True, None),
        (False, 50),
        (False, 50),
    ]
    assert "api-key" not in server.requests[0].headers


ANNOTATED = sse(
    '{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}]}',
    '{"choices":[{"index":0,"delta":{"content":"","role":"assistant"},"content_filter_results":{},"finish_reason":null}],"model":"gpt-4o"}',
    '{"choices":[{"index":0,"delta":{"content":"A long burst of text, "},"content_filter_results":{"hate":{"filtered":false}},"finish_reason":null}]}',
    '{"choices":[{"index":0,"finish_reason":null,"content_filter_results":{},"content_filter_offsets":{"check_offset":1,"start_offset":1,"end_offset":2}}],"usage":null}',
    '{"choices":[{"index":0,"delta":{"content":"and some more"},"content_filter_results":{},"finish_reason":null}]}',
    '{"choices":[{"index":0,"delta":{},"finish_reason":"FINISH"}]}',
    "[DONE]",
)  # fmt: skip


@pytest.mark.parametrize("finish", ["stop", "content_filter"])
async def test_annotations_do_not_break_the_text(finish: str) -> None:
    body = ANNOTATED.replace(b"FINISH", finish.encode())
    for size in range(17):
        stream, got = await play(body, size=size)
        assert "".join(got.text) == "A long burst of text, and some more"
        assert (finished(got).state, stream.finish_reason) == ("complete", finish)
    assert stream.served_model == "gpt-4o"


# the recorded exchanges


def ids() -> list[str]:
    return [name for name, row in lines("shared.jsonl").items() if row["provider"] == "azure"]


class Recorded(Canned):
    """Gives the recorded answer, and remembers what it was asked."""

    asked: httpx.Request

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked = request
        return await super().handle_async_request(request)


async def _collected(stream: Stream) -> Collected:
    got = Collected()
    async for event in stream:
        got.add(event)
    return got


async def replayed(
    row: dict[str, Any], size: int, share: float = 1.0
) -> tuple[httpx.Request, Stream, Collected]:
    """One exchange by the adapter's whole path, from its address to its events."""
    said, answer = row["request"], row["response"]
    url, _, query = said["url"].partition("?api-version=")
    body = answer["body"].encode()
    body = body[: int(len(body) * share)]
    wire = Recorded(answer["status"], answer["headers"], cut(body, size) if size else [body], share < 1)
    fetcher = Fetcher()
    adapter = AzureAdapter(
        Connection("prov", "azure", url, key=SecretStr("0" * 32), options={"api_version": query}), fetcher
    )
    adapter._client._transport = wire
    turns = tuple(Message(m["role"], m["content"]) for m in said["json"]["messages"])
    request = ChatRequest(url.split("/")[5], turns, stream=said["json"].get("stream", False))
    try:
        async with adapter.stream(request) as stream:
            return wire.asked, stream, await _collected(stream)
    finally:
        await fetcher.aclose()


@needs_recordings
@pytest.mark.parametrize("name", ids())
async def test_recorded_exchanges_agree_with_the_sdk(name: str) -> None:
    row, oracle = exchange(name)
    for size in SIZES:
        if "error" in oracle:
            with pytest.raises(SDK_CLASSES[oracle["error"]["class"]], match="has no deployment named"):
                await replayed(row, size)
            continue
        asked, _stream, got = await replayed(row, size)
        assert str(asked.url) == row["request"]["url"]
        sent = json.loads(asked.content)
        assert len(sent["messages"]) == len(row["request"]["json"]["messages"])
        assert "".join(got.text) == oracle["text"]
        assert got.usage.input == oracle["usage"]["in"]
        assert got.usage.output == oracle["usage"]["out"]
        assert (finished(got).state, finished(got).finish_reason) == ("complete", FINISH[oracle["finish"]])


@needs_recordings
@pytest.mark.parametrize("name", [n for n in ids() if "stream-" in n and "nonstream" not in n])
async def test_a_recorded_stream_cut_half_way_is_a_prefix(name: str) -> None:
    row, oracle = exchange(name)
    _asked, stream, got = await replayed(row, 7, 0.5)
    assert oracle["text"].startswith("".join(got.text))
    assert stream.state == "interrupted"
