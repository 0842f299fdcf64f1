"""The bundled data: complete, reproducible, and without the traps of its sources."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from catalog import build, bundled
from catalog.lookup import Catalog, Facts
from catalog.types import CAPABILITIES, CatalogProvider

FACTS = Path(__file__).parents[3] / "shared" / "data" / "models_facts.json"
IDS = bundled.provider_ids()


def _shipped(provider_id: str) -> CatalogProvider:
    provider = bundled.provider(provider_id)
    assert provider is not None
    return provider


@pytest.mark.parametrize("provider_id", IDS)
def test_every_vendor_loads_and_says_where_each_value_is_from(provider_id: str) -> None:
    provider = bundled.provider(provider_id)
    spec = bundled.spec(provider_id)
    assert provider is not None
    assert spec is not None
    assert spec.model_dump() == provider.model_dump(exclude={"models"})
    assert len({model.id for model in provider.models}) == len(provider.models)
    for model in provider.models:
        assert set(model.capabilities or ()) <= set(CAPABILITIES)
        for field in model.model_fields_set - {"id", "sources"}:
            assert model.sources.get(field, "").startswith("catalog"), (model.id, field)


def test_all_vendors_are_there_and_most_models_have_prices() -> None:
    assert len(IDS) == 33
    models = [model for provider_id in IDS for model in _shipped(provider_id).models]
    priced = [model for model in models if model.price is not None and model.price.known]
    assert len(models) > 1300
    assert len(priced) > 0.9 * len(models)


@pytest.mark.parametrize("provider_id", IDS)
def test_no_default_is_missing_or_retired(provider_id: str) -> None:
    assert build.problems(_shipped(provider_id), bundled.facts_date()) == []


def test_a_retired_default_is_not_built(tmp_path: Path) -> None:
    facts = {"generated_at": "2026-01-01", "providers": [
        {"id": "v", "type": "openai", "api_endpoint": "https://v.example", "default_large_model_id": "old", "default_small_model_id": "none",
         "models": [{"id": "old", "status": "deprecated", "shutdown_date": "2025-12-31"}, {"id": "twice"}, {"id": "twice"}]}]}  # fmt: skip
    source = tmp_path / "facts.json"
    source.write_text(json.dumps(facts))
    with pytest.raises(SystemExit) as refused:
        build.build(source, tmp_path / "out")
    assert str(refused.value).splitlines() == [
        "v: a model id is there twice",
        "v: the default model old is retired",
        "v: the small model none is not in the list",
    ]
    assert list((tmp_path / "out").iterdir()) == []


def test_all_of_it_loads_fast_and_one_vendor_alone() -> None:
    code = (
        "import time, catalog.types, catalog.bundled as b\n"
        "start = time.process_time(); b.provider('cerebras'); print(b.provider.cache_info().currsize)\n"
        "[b.provider(name) for name in b.provider_ids()]; print((time.process_time() - start) * 1000)"
    )
    root = Path(__file__).parents[2]
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
        for _ in range(3)
    ]
    assert {done.stdout.split()[0] for done in runs} == {"1"}
    assert min(float(done.stdout.split()[1]) for done in runs) < 40


def test_unknown_ids_are_none() -> None:
    assert bundled.provider("nobody") is None
    assert bundled.spec("nobody") is None


def test_a_spec_costs_no_models() -> None:
    code = "import catalog.bundled as b; assert b.spec('openai').name == 'OpenAI'; print(b.provider.cache_info().misses)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == "0"


def test_local_servers_keep_the_fact_that_they_cost_nothing_per_token() -> None:
    own, _refreshed, shipped = Catalog().model("ollama", "llama3.2:latest")
    assert own is None
    assert shipped is not None
    assert shipped.price is not None
    assert shipped.price.input == 0
    spec = bundled.spec("ollama")
    assert spec is not None
    assert spec.local


def test_ids_are_found_with_the_vendors_own_additions() -> None:
    shipped = Catalog().model("gemini", "models/gemini-2.5-flash").bundled
    assert shipped is not None
    assert shipped.name == "Gemini 2.5 Flash"
    assert Catalog().model("openai", "gpt-unheard-of") == Facts()
    assert Catalog().model(None, "gpt-4o") == Facts()


@pytest.mark.skipif(not FACTS.is_file(), reason="the facts file is not beside this checkout")
def test_the_same_facts_make_the_same_bytes(tmp_path: Path) -> None:
    build.build(FACTS, tmp_path)
    shipped = Path(bundled.__file__).parent / "data"
    for path in sorted(tmp_path.iterdir()):
        assert path.read_bytes() == (shipped / path.name).read_bytes(), path.name
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in shipped.iterdir())


def test_the_builder_reads_explicit_prices_over_the_ambiguous_ones(tmp_path: Path) -> None:
    facts = {
        "generated_at": "2026-01-01",
        "providers": [
            {"id": "v", "name": "V", "type": "openai", "api_endpoint": "https://v.example/v1",
             "models": [
                 {"id": "m", "cost_per_1m_in": 0.1, "cost_per_1m_out": 0.30000000000000004, "cost_per_1m_in_cached": 7,
                  "cost_per_1m_cache_write": 0.125, "cost_per_1m_out_cached": 0.01,
                  "off_peak": {"cost_per_1m_in": 0.05, "windows": [{"hours_utc": ["00:00-01:00"], "iso_weekdays": [1]}]},
                  "scheduled_prices": [{"from_date": "2027-01-01", "cost_per_1m_in": 1}],
                  "tiers": [{"over_input_tokens": 10, "cost_per_1m_in": 2}], "batch": {"cost_per_1m_in": 0.05},
                  "cost_per_1k_requests": 12.0, "sources": {"genai": ["cost_per_1m_in"]}},
                 {"id": "unpriced", "context_window": 0},
             ]}
        ],
    }  # fmt: skip
    source = tmp_path / "facts.json"
    source.write_text(json.dumps(facts))
    build.build(source, tmp_path / "out")
    price = json.loads((tmp_path / "out" / "v.json").read_text())["models"][0]["price"]
    assert (price["cache_write"], price["cache_read"]) == ("0.125", "0.01")
    assert (price["input"], price["output"], price["per_1k_requests"]) == ("0.1", "0.30000000000000004", "12")
    assert price["off_peak"]["input"] == "0.05"
    assert price["scheduled"] == [{"input": "1", "from_date": "2027-01-01"}]
    assert price["tiers"][0]["input"] == "2"
    unpriced = json.loads((tmp_path / "out" / "v.json").read_text())["models"][1]
    assert unpriced == {"id": "unpriced"}


def test_anthropics_cache_prices_are_the_right_way_round() -> None:
    model = Catalog().model("anthropic", "claude-haiku-4-5").bundled
    assert model is not None
    assert model.price is not None
    price = model.price
    assert (price.cache_read, price.cache_write, price.cache_write_1h) == (
        Decimal("0.1"),
        Decimal("1.25"),
        Decimal(2),
    )


def test_where_the_hub_is_says_nothing_of_the_router() -> None:
    env = _shipped("huggingface").env
    assert "HF_ENDPOINT" not in env.base_url
    assert "HF_ENDPOINT" in env.other
