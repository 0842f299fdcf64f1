"""Real exchanges of the Responses form agree with what the official SDK made of them, whatever the cut."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from collected import Collected
from recorded import SDK_CLASSES, SIZES, exchange, lines, needs_recordings, of
from wire_replay import finished, play

from adapters.errors import Origin
from adapters.http_stream import HttpStream
from adapters.openai.responses_reader import ResponsesReader
from catalog.usage import Usage

pytestmark = needs_recordings
API = "openai-responses"


def last_response(row: dict[str, Any]) -> dict[str, Any]:
    if "stream" not in row["kinds"]:
        return json.loads(row["response"]["body"])  # type: ignore[no-any-return]
    events = [json.loads(line[6:]) for line in row["response"]["body"].splitlines() if line[:7] == "data: {"]
    return events[-1]["response"]  # type: ignore[no-any-return]


def expected_usage(told: dict[str, Any]) -> Usage:
    cost = told.get("cost")
    return Usage(
        input=told["input_tokens"],
        output=told["output_tokens"],
        cache_read=told["input_tokens_details"]["cached_tokens"],
        cache_write=told["input_tokens_details"].get("cache_write_tokens"),
        reasoning=told["output_tokens_details"]["reasoning_tokens"],
        reported_cost=None if cost is None else Decimal(str(cost)),
    )


async def played(row: dict[str, Any], body: bytes, size: int, **how: Any) -> tuple[HttpStream, Collected]:
    answer = row["response"]
    return await play(
        body,
        size=size,
        status=answer["status"],
        headers=answer["headers"],
        reader=ResponsesReader(Origin("prov", "m")),
        **how,
    )


@pytest.mark.parametrize("name", of(API))
async def test_agrees_with_the_sdk_at_every_piece_size(name: str) -> None:
    row, oracle = exchange(name)
    body = row["response"]["body"].encode()
    for size in SIZES:
        if row["response"]["status"] >= 400:
            with pytest.raises(SDK_CLASSES[oracle["error"]["class"]]) as caught:
                await played(row, body, size)
            assert caught.value.status == oracle["error"]["status"]
            continue
        _, got = await played(row, body, size)
        last = last_response(row)
        assert "".join(got.text) == oracle["text"]
        assert [(c.name, json.loads(c.arguments)) for c in got.tool_calls] == [
            (t["name"], json.loads(t["args"])) for t in oracle["tools"]
        ]
        summaries = [part["text"] for item in last["output"] for part in item.get("summary", ())]
        assert "".join(got.thinking) == "\n\n".join(summaries)  # the oracle did not look at summaries
        assert got.usage == expected_usage(last["usage"])
        assert (got.usage.input, got.usage.output) == (oracle["usage"]["in"], oracle["usage"]["out"])
        end = finished(got)
        assert (end.state, end.error) == ("complete", None)
        assert end.finish_reason == ("tool_calls" if oracle["tools"] else "stop")
        sealed = [item for item in last["output"] if item.get("encrypted_content")]
        assert (got.keepsake is not None) is bool(sealed)
        if got.keepsake is not None:
            assert json.loads(got.keepsake.content) == last["output"]


@pytest.mark.parametrize("name", [i for i in of(API) if "stream" in lines("shared.jsonl")[i]["kinds"]])
@pytest.mark.parametrize("broken", [True, False])
async def test_a_stream_cut_half_way_is_a_prefix_and_interrupted(name: str, broken: bool) -> None:
    row, oracle = exchange(name)
    body = row["response"]["body"].encode()
    stream, got = await played(row, body[: len(body) // 2], 7, broken=broken)
    assert oracle["text"].startswith("".join(got.text))
    assert finished(got).state == stream.state == "interrupted"
    assert stream.error is not None
    assert stream.error.retryable
