"""Real exchanges of Hugging Face's router agree with what the official SDK made of them, whatever the cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from recorded import SIZES, exchange, lines, needs_recordings, of
from test_recorded import check
from wire_replay import finished, play

from adapters.errors import Origin, RateLimitedError, error_from_answer
from adapters.huggingface.adapter import RouterReader
from adapters.huggingface.models import router_models

pytestmark = needs_recordings
ROUTER = [name for name in of("openai-chat") if name.startswith("huggingface")]


def test_all_of_them_are_here() -> None:
    assert len(ROUTER) == 4


@pytest.mark.parametrize("name", ROUTER)
async def test_agrees_with_the_sdk_at_every_piece_size(name: str) -> None:
    row, oracle = exchange(name)
    answer = row["response"]
    for size in SIZES:
        headers = {**answer["headers"], "x-inference-provider": "together"}
        reader = RouterReader(Origin("prov", "m"))
        stream, got = await play(
            answer["body"].encode(), size=size, status=answer["status"], headers=headers, reader=reader
        )
        check(row, oracle, got)
        assert stream.served_by == "together"


@pytest.mark.parametrize(
    "name", [name for name in ROUTER if "stream" in lines("shared.jsonl")[name]["kinds"]]
)
@pytest.mark.parametrize("how", ["broken", "closed"])
async def test_a_stream_cut_half_way_is_a_prefix_and_interrupted(name: str, how: str) -> None:
    row, oracle = exchange(name)
    body = row["response"]["body"].encode()
    stream, got = await play(
        body[: len(body) // 2],
        size=7,
        headers=row["response"]["headers"],
        broken=how == "broken",
        reader=RouterReader(Origin("prov", "m")),
    )
    assert oracle["text"].startswith("".join(got.text))
    assert finished(got).state == stream.state == "interrupted"
    assert finished(got).finish_reason is None


def test_the_hubs_page_of_a_model_is_no_list() -> None:
    """The fifth recording: its limits say how long to wait once they are used up."""
    [name] = [name for name in of("models") if name.startswith("huggingface")]
    row: dict[str, Any] = exchange(name)[0]
    with pytest.raises(ValueError, match="not a list"):
        router_models(json.loads(row["response"]["body"]))
    headers = dict(row["response"]["headers"])
    left = error_from_answer(Origin("prov"), 429, headers, b"")
    assert isinstance(left, RateLimitedError)
    assert left.retry_after_ms is None, "999 are left"
    used_up = {**headers, "ratelimit": headers["ratelimit"].replace("r=999", "r=0")}
    assert error_from_answer(Origin("prov"), 429, used_up, b"").retry_after_ms == 295_000
