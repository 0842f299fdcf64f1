"""OpenRouter's recorded exchanges, through its own dialect, agree with what the official SDK made of them."""

from __future__ import annotations

import json

import pytest
from recorded import SDK_CLASSES, SIZES, exchange, needs_recordings, of
from test_recorded import check
from wire_replay import finished, play

from adapters.errors import Origin
from adapters.openrouter.reader import OpenRouterReader

pytestmark = needs_recordings
NAMES = [name for name in of("openai-chat") if name.startswith("openrouter-")]


def reader() -> OpenRouterReader:
    return OpenRouterReader(Origin("prov", "m"))


@pytest.mark.parametrize("name", NAMES)
async def test_agrees_with_the_sdk_at_every_piece_size(name: str) -> None:
    row, oracle = exchange(name)
    answer = row["response"]
    for size in SIZES:
        how = {"size": size, "status": answer["status"], "headers": answer["headers"], "reader": reader()}
        if answer["status"] >= 400:
            with pytest.raises(SDK_CLASSES[oracle["error"]["class"]]) as caught:
                await play(answer["body"].encode(), **how)
            assert caught.value.status == oracle["error"]["status"]
            return
        _stream, got = await play(answer["body"].encode(), **how)
        check(row, oracle, got)


@pytest.mark.parametrize("name", [name for name in NAMES if "-stream" in name])
@pytest.mark.parametrize("broken", [True, False])
async def test_a_stream_cut_half_way_is_a_prefix_and_interrupted(name: str, broken: bool) -> None:
    row, oracle = exchange(name)
    body = row["response"]["body"].encode()
    headers = row["response"]["headers"]
    stream, got = await play(body[: len(body) // 2], size=7, headers=headers, broken=broken, reader=reader())
    assert oracle["text"].startswith("".join(got.text))
    assert finished(got).state == stream.state == "interrupted"
    assert got.keepsake is None


@pytest.mark.parametrize("name", [name for name in NAMES if "reasoning" in name])
async def test_signed_and_sealed_reasoning_is_kept_as_it_came(name: str) -> None:
    """Streamed or whole: the parts that were recorded, in their order, with their signatures and sealed data."""
    row, _ = exchange(name)
    answer = row["response"]
    lines = [line[6:] for line in answer["body"].splitlines() if line.startswith("data: {")]
    bodies = [json.loads(line) for line in lines] or [json.loads(answer["body"])]
    given = [
        part
        for body in bodies
        for choice in body["choices"]
        for part in (choice.get("delta") or choice["message"]).get("reasoning_details") or ()
    ]
    _stream, got = await play(answer["body"].encode(), headers=answer["headers"], reader=reader())
    assert got.keepsake is not None
    kept = json.loads(got.keepsake.content)
    for field in ("signature", "data"):
        told = [part[field] for part in given if part.get(field)]
        assert [part[field] for part in kept if part.get(field)] == told
    assert "".join(p.get("text") or "" for p in kept) == "".join(p.get("text") or "" for p in given)
