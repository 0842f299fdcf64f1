"""The recorded model lists of OpenAI, Cerebras and OpenRouter, sent over loopback to the adapter, agree with the oracle."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from loop_server import Exchange, serving

from adapters.base import Connection, RemoteModel
from adapters.fetch import Fetcher
from adapters.openai.adapter import OpenAIAdapter

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "recorded"
pytestmark = pytest.mark.skipif(
    not (FOLDER / "shared.jsonl").exists(), reason="the recorded exchanges are not here"
)


def recorded(provider: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The one model list of a vendor, and what its oracle read in it."""

    def lines(name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (FOLDER / name).read_text("utf-8").splitlines()]

    [row] = [r for r in lines("shared.jsonl") if r["api"] == "models" and r["provider"] == provider]
    return row, next(r for r in lines("shared.oracle.jsonl") if r["id"] == row["id"])


async def listed(row: dict[str, Any]) -> list[RemoteModel]:
    answer = row["response"]

    async def handler(exchange: Exchange) -> None:
        kept = {
            name.replace("-", "_"): value
            for name, value in answer["headers"].items()
            if name not in ("transfer-encoding", "content-length", "content-encoding")
        }
        if exchange.path.endswith("/models"):
            await exchange.answer(answer["status"], answer["body"], **kept)
        else:
            await exchange.answer(404, {"error": {"message": "not here"}})

    fetcher = Fetcher()
    async with serving(handler) as server:
        adapter = OpenAIAdapter(Connection("mine", "openai", f"{server.url}/v1"), fetcher)
        try:
            return await adapter.list_models()
        finally:
            await fetcher.aclose()


@pytest.mark.parametrize("provider", ["openai", "cerebras", "openrouter"])
async def test_every_id_arrives_once_and_in_the_vendors_order(provider: str) -> None:
    row, oracle = recorded(provider)
    models = await listed(row)
    assert oracle["ok"]
    assert [model.id for model in models] == oracle["models"]
    assert models


@pytest.mark.parametrize("provider", ["openai", "cerebras"])
async def test_a_bare_list_is_no_opinion_on_prices_limits_or_abilities(provider: str) -> None:
    for model in await listed(recorded(provider)[0]):
        assert (model.price, model.context_window, model.max_output) == (None, None, None), model.id
        assert not model.capabilities, model.id


async def test_openrouter_says_names_limits_abilities_and_prices() -> None:
    row, _ = recorded("openrouter")
    raw = {entry["id"]: entry for entry in json.loads(row["response"]["body"])["data"]}
    for model in await listed(row):
        stated, price = raw[model.id], model.price
        assert model.name == stated["name"]
        assert model.context_window == stated["context_length"]
        assert model.max_output == stated["top_provider"]["max_completion_tokens"]
        assert ("tools" in (model.capabilities or ())) == ("tools" in stated["supported_parameters"])
        assert ("vision" in (model.capabilities or ())) == (
            "image" in stated["architecture"]["input_modalities"]
        )
        assert price is not None
        pricing = stated["pricing"]
        for ours, theirs in (
            ("input", "prompt"),
            ("output", "completion"),
            ("cache_read", "input_cache_read"),
            ("cache_write", "input_cache_write"),
            ("cache_write_1h", "input_cache_write_1h"),
        ):
            told = pricing.get(theirs)
            assert getattr(price, ours) == (None if told is None else Decimal(told) * 10**6), (model.id, ours)
        steps = pricing.get("overrides", [])
        assert [tier.over_input_tokens for tier in price.tiers] == [
            step["min_prompt_tokens"] for step in steps
        ]
        for tier, step in zip(price.tiers, steps, strict=True):
            assert tier.input == Decimal(step["prompt"]) * 10**6
            assert tier.output == Decimal(step["completion"]) * 10**6
            assert tier.cache_write_1h == Decimal(step["input_cache_write_1h"]) * 10**6
