"""Real exchanges of many vendors agree with what their official SDKs made of them, whatever the cut."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from collected import Collected
from recorded import SDK_CLASSES, SIZES, exchange, lines, needs_recordings, of
from wire_replay import finished, play

from adapters.finish import FINISH
from adapters.openai.models import read_models
from catalog.usage import Usage

pytestmark = needs_recordings


def expected_usage(row: dict[str, Any]) -> Usage | None:
    """From the body by the vendors' documented conventions, written down apart from the code under test."""
    bodies: list[dict[str, Any]] = []
    for line in row["response"]["body"].splitlines():
        if line.startswith("data: {"):
            bodies.append(json.loads(line[6:]))
    if "stream" not in row["kinds"]:
        bodies = [json.loads(row["response"]["body"])]
    found = [b.get("usage") or (b.get("x_groq") or {}).get("usage") for b in bodies]
    told = [u for u in found if u]
    if not told:
        return None
    last = told[-1]
    output, reasoning = (
        last["completion_tokens"],
        (last.get("completion_tokens_details") or {}).get("reasoning_tokens"),
    )
    if row["provider"] == "xai":
        output += reasoning
    if row["provider"] == "gemini":
        output = last["total_tokens"] - last["prompt_tokens"]
        reasoning = output - last["completion_tokens"]
    details = last.get("prompt_tokens_details") or {}
    cost = None
    if "cost_in_usd_ticks" in last:
        cost = Decimal(last["cost_in_usd_ticks"]) / 10**10
    if "cost" in last:
        cost = Decimal(str(last["cost"]))
        if last.get("is_byok"):
            cost += Decimal(str(last["cost_details"]["upstream_inference_cost"]))
    cached = details.get("cached_tokens", last.get("cached_tokens"))
    return Usage(
        input=last["prompt_tokens"],
        output=output,
        cache_read=cached if cached is not None else last.get("prompt_cache_hit_tokens"),
        cache_write=details.get("cache_write_tokens"),
        reasoning=reasoning,
        audio_input=details.get("audio_tokens"),
        reported_cost=cost,
    )


def check(row: dict[str, Any], oracle: dict[str, Any], got: Collected) -> None:
    assert "".join(got.text) == oracle["text"]
    assert "".join(got.thinking) == oracle["reasoning"]
    assert [(c.name, json.loads(c.arguments)) for c in got.tool_calls] == [
        (t["name"], json.loads(t["args"] or "{}")) for t in oracle["tools"]
    ]
    expected = expected_usage(row)
    assert got.usage == (expected or Usage())
    if oracle.get("usage"):
        assert got.usage.input == oracle["usage"]["in"]
    end = finished(got)
    if "error" in oracle:
        assert end.state == "failed"
        assert isinstance(end.error, SDK_CLASSES[oracle["error"]["class"]])
        return
    assert end.state == "complete"
    assert end.error is None
    assert end.finish_reason == ("tool_calls" if oracle["tools"] else FINISH[oracle["finish"]])


@pytest.mark.parametrize("name", of("openai-chat"))
async def test_agrees_with_the_sdk_at_every_piece_size(name: str) -> None:
    row, oracle = exchange(name)
    answer = row["response"]
    body = answer["body"].encode()
    hidden = row["provider"] == "gemini"
    for size in SIZES:
        how = {
            "size": size,
            "status": answer["status"],
            "headers": answer["headers"],
            "hidden_reasoning": hidden,
        }
        if answer["status"] >= 400:
            with pytest.raises(SDK_CLASSES[oracle["error"]["class"]]) as caught:
                await play(body, **how)
            assert caught.value.status == oracle["error"]["status"]
        else:
            _stream, got = await play(body, **how)
            check(row, oracle, got)


@pytest.mark.parametrize(
    "name", [i for i in of("openai-chat") if "stream" in lines("shared.jsonl")[i]["kinds"]]
)
@pytest.mark.parametrize("how", ["broken", "closed"])
async def test_a_stream_cut_half_way_is_a_prefix_and_interrupted(name: str, how: str) -> None:
    row, oracle = exchange(name)
    body = row["response"]["body"].encode()
    half = body[: len(body) // 2]
    stream, got = await play(half, size=7, headers=row["response"]["headers"], broken=how == "broken")
    assert oracle["text"].startswith("".join(got.text))
    assert oracle["reasoning"].startswith("".join(got.thinking))
    assert finished(got).state == stream.state == "interrupted"
    assert finished(got).finish_reason is None
    assert stream.error is not None
    assert stream.error.retryable


def is_list(name: str) -> bool:
    body = json.loads(lines("shared.jsonl")[name]["response"]["body"])
    return isinstance(body, list) or isinstance(body.get("data"), list)


@pytest.mark.parametrize("name", [name for name in of("models") if is_list(name)])
def test_model_lists(name: str) -> None:
    row, oracle = exchange(name)
    body = json.loads(row["response"]["body"])
    models, bad = read_models(body)
    assert [m.id for m in models] == oracle["models"]
    assert bad == 0
