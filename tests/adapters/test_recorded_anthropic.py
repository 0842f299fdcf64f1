"""Real exchanges of the Messages API agree with what the official SDK made of them, whatever the cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from collected import Collected
from recorded import SDK_CLASSES, SIZES, exchange, lines, needs_recordings, of
from wire_replay import finished, play

from adapters.anthropic.reader import MessageReader
from adapters.errors import BadRequestError, ModelUnavailableError, Origin, error_from_answer
from adapters.finish import FINISH
from catalog.usage import Usage

pytestmark = needs_recordings
CLASSES = {**SDK_CLASSES, "BadRequestError": BadRequestError}


def expected_usage(row: dict[str, Any]) -> Usage:
    """From the body by the documented convention: cumulative reports overwrite, both caches belong to the input."""
    body = row["response"]["body"]
    if body.lstrip().startswith("{"):
        told = [json.loads(body).get("usage") or {}]
    else:
        events = [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data: {")]
        told = [e.get("usage") or (e.get("message") or {}).get("usage") or {} for e in events]
    said: dict[str, Any] = {}
    for report in told:
        said.update(report)
    read, written = said.get("cache_read_input_tokens"), said.get("cache_creation_input_tokens")
    return Usage(
        input=said["input_tokens"] + (read or 0) + (written or 0),
        output=said["output_tokens"],
        cache_read=read,
        cache_write=written,
        cache_write_1h=(said.get("cache_creation") or {}).get("ephemeral_1h_input_tokens"),
    )


def check(row: dict[str, Any], oracle: dict[str, Any], got: Collected) -> None:
    assert "".join(got.text) == oracle["text"]
    assert "".join(got.thinking) == oracle["reasoning"]
    assert [(c.name, json.loads(c.arguments)) for c in got.tool_calls] == [
        (t["name"], json.loads(t["args"] or "{}")) for t in oracle["tools"]
    ]
    assert got.usage == expected_usage(row)
    end = finished(got)
    assert (end.state, end.error) == ("complete", None)
    assert end.finish_reason == ("tool_calls" if oracle["tools"] else FINISH[oracle["finish"]])
    kinds = {b["type"] for b in json.loads(got.keepsake.content)["content"]} if got.keepsake else set()
    wanted = {
        k for k in ("thinking", "redacted_thinking", "server_tool_use") if f'"{k}"' in row["response"]["body"]
    }
    assert wanted <= kinds


@pytest.mark.parametrize("name", of("anthropic-messages"))
async def test_agrees_with_the_sdk_at_every_piece_size(name: str) -> None:
    row, oracle = exchange(name)
    answer = row["response"]
    for size in SIZES:
        how: dict[str, Any] = {"size": size, "status": answer["status"], "headers": answer["headers"]}
        reader = MessageReader(Origin("prov", "m"))
        if answer["status"] >= 400:
            with pytest.raises(CLASSES[oracle["error"]["class"]]) as caught:
                await play(answer["body"].encode(), reader=reader, **how)
            assert caught.value.status == oracle["error"]["status"]
            assert caught.value.request_id == answer["headers"].get("request-id")
        else:
            stream, got = await play(answer["body"].encode(), reader=reader, **how)
            check(row, oracle, got)
            assert stream.served_model


@pytest.mark.parametrize(
    "name", [i for i in of("anthropic-messages") if "stream" in lines("shared.jsonl")[i]["kinds"]]
)
@pytest.mark.parametrize("how", ["broken", "closed"])
async def test_a_stream_cut_half_way_is_a_prefix_and_interrupted(name: str, how: str) -> None:
    row, oracle = exchange(name)
    body = row["response"]["body"].encode()
    reader = MessageReader(Origin("prov", "m"))
    stream, got = await play(
        body[: len(body) // 2],
        size=7,
        headers=row["response"]["headers"],
        broken=how == "broken",
        reader=reader,
    )
    assert oracle["text"].startswith("".join(got.text))
    assert oracle["reasoning"].startswith("".join(got.thinking))
    assert got.keepsake is None
    assert finished(got).state == stream.state == "interrupted"
    assert finished(got).finish_reason is None
    assert stream.error is not None
    assert stream.error.retryable


@pytest.mark.parametrize("name", [i for i in of("count-tokens") if i.startswith("anthropic")])
def test_a_refused_count(name: str) -> None:
    row, oracle = exchange(name)
    answer = row["response"]
    error = error_from_answer(
        Origin("prov", "claude-does-not-exist"), answer["status"], answer["headers"], answer["body"].encode()
    )
    assert isinstance(error, CLASSES[oracle["error"]["class"]])
    assert isinstance(error, ModelUnavailableError)
