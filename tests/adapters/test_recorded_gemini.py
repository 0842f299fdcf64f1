"""Google's recorded answers agree with what its SDK made of them: events, arrays and plain bodies, whatever the cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from collected import Collected
from recorded import SIZES, exchange, needs_recordings, of
from wire_replay import finished, play

from adapters.errors import ModelUnavailableError, Origin, RateLimitedError, error_from_answer
from adapters.finish import FINISH
from adapters.gemini.decoder import GeminiDecoder
from adapters.gemini.reader import GeminiReader
from catalog.usage import Usage

pytestmark = needs_recordings
STREAMS, PLAIN = of("gemini-stream"), of("gemini-generate")


def chunks(body: str) -> list[dict[str, Any]]:
    """The chunks of a whole body, read in the plainest way there is."""
    if body.startswith("data:"):
        return [json.loads(line[5:]) for line in body.splitlines() if line.startswith("data:")]
    document = json.loads(body)
    return document if isinstance(document, list) else [document]


def expected_usage(body: str) -> Usage:
    """By Google's documented conventions, written down apart from the code under test."""
    last = [chunk["usageMetadata"] for chunk in chunks(body) if "usageMetadata" in chunk][-1]
    thoughts = last.get("thoughtsTokenCount")
    return Usage(
        input=last["promptTokenCount"] + last.get("toolUsePromptTokenCount", 0),
        output=last["candidatesTokenCount"] + (thoughts or 0),
        reasoning=thoughts,
        cache_read=last.get("cachedContentTokenCount"),
    )


def signatures(value: object) -> list[str]:
    """Every signature in a document, in order."""
    if isinstance(value, list):
        return [found for one in value for found in signatures(one)]
    if not isinstance(value, dict):
        return []
    own = [value["thoughtSignature"]] if "thoughtSignature" in value else []
    return own + [found for one in value.values() for found in signatures(one)]


async def played(
    row: dict[str, Any], body: bytes, size: int, *, broken: bool = False
) -> tuple[Any, Collected]:
    return await play(
        body,
        size=size,
        status=row["response"]["status"],
        headers=row["response"]["headers"],
        broken=broken,
        reader=GeminiReader(Origin("prov", "m")),
        decoder=GeminiDecoder,
    )


def check(row: dict[str, Any], oracle: dict[str, Any], got: Collected) -> None:
    body = row["response"]["body"]
    assert "".join(got.text) == oracle["text"]
    assert "".join(got.thinking) == oracle["reasoning"]
    assert [(c.name, json.loads(c.arguments)) for c in got.tool_calls] == [
        (t["name"], json.loads(t["args"] or "{}")) for t in oracle["tools"]
    ]
    assert got.usage == expected_usage(body)
    end = finished(got)
    assert (end.state, end.error) == ("complete", None)
    assert end.finish_reason == ("tool_calls" if oracle["tools"] else FINISH[oracle["finish"].lower()])
    kept = json.loads(got.keepsake.content) if got.keepsake is not None else []
    assert signatures(kept) == signatures(chunks(body))


@pytest.mark.parametrize("name", [*STREAMS, *(n for n in PLAIN if "error" not in n)])
async def test_agrees_with_the_sdk_at_every_piece_size(name: str) -> None:
    row, oracle = exchange(name)
    for size in SIZES:
        _stream, got = await played(row, row["response"]["body"].encode(), size)
        check(row, oracle, got)


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("broken", [True, False])
async def test_a_stream_cut_half_way_is_a_prefix_and_interrupted(name: str, broken: bool) -> None:
    row, oracle = exchange(name)
    body = row["response"]["body"].encode()
    stream, got = await played(row, body[: len(body) // 2], 7, broken=broken)
    assert oracle["text"].startswith("".join(got.text))
    assert oracle["reasoning"].startswith("".join(got.thinking))
    assert finished(got).state == stream.state == "interrupted"
    assert stream.error is not None
    assert stream.error.retryable
    assert got.keepsake is None


async def test_a_limit_per_minute_may_be_tried_again_after_the_wait_it_names() -> None:
    [name] = [n for n in PLAIN if "error" in n]
    row, oracle = exchange(name)
    assert oracle["error"]["status"] == 429
    with pytest.raises(RateLimitedError) as caught:
        await played(row, row["response"]["body"].encode(), 0)
    assert caught.value.status == 429
    assert caught.value.retryable
    assert caught.value.retry_after_ms == 34_400


async def test_counting_for_a_model_that_is_not_there() -> None:
    row, oracle = exchange("gemini-count-tokens-error-2efceab7")
    answer = row["response"]
    error = error_from_answer(
        Origin("prov", "nonexistent-model"), answer["status"], answer["headers"], answer["body"].encode()
    )
    assert isinstance(error, ModelUnavailableError)
    assert error.status == oracle["error"]["status"]
