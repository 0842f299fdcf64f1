"""Fetched lists in our types, and which layer is believed: user, live, refreshed, bundled, field by field."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import bundled, refreshed
from catalog.lookup import Catalog
from catalog.merge import merge_model
from catalog.refreshed_genai import genai, matches, names_of
from catalog.refreshed_lists import BadListError, catwalk, modelsdev, openrouter
from catalog.types import ModelInfo, Price

KNOWN = frozenset(bundled.provider_ids())
TODAY = date(2026, 11, 21)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
        ["id", "models", "data", "prices", "match", "equals", "or", "cost", "limit", "pricing", "tiers", "input_mtok",
         "start_date", "constraint", "context", "prompt", "openai", "name", "base", "modalities", "input"]), inner, max_size=5),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_no_document_breaks_a_translator(document: Any) -> None:
    for read in (catwalk, modelsdev, openrouter, lambda raw, known: genai(raw, known, TODAY)):
        try:
            found = read(
                [document] if isinstance(document, dict) and "models" in document else document, KNOWN
            )
        except BadListError:
            continue
        assert set(found) <= KNOWN


def _one(**model: object) -> ModelInfo | None:
    rules = genai(
        [{"id": "openai", "models": [{"id": "m", "match": {"equals": "m"}, **model}]}], KNOWN, TODAY
    )
    return rules["openai"][0][1]


def test_genai_prices_by_date_by_hour_and_by_size() -> None:
    info = _one(prices=[
        {"prices": {"input_mtok": {"base": 5, "tiers": [{"start": 200_000, "price": 10}]}, "output_mtok": 25}},
        {"constraint": {"start_date": "2026-03-13"}, "prices": {"input_mtok": 4, "output_mtok": 20, "cache_write_5m_mtok": 5}},
        {"constraint": {"start_date": "2027-01-01"}, "prices": {"input_mtok": 6, "output_mtok": 30}},
    ])  # fmt: skip
    assert info is not None
    price = info.price
    assert price is not None
    assert (price.input, price.output, price.cache_write, price.tiers) == (
        Decimal(4),
        Decimal(20),
        Decimal(5),
        (),
    )
    [later] = price.scheduled
    assert (later.from_date, later.input, later.whole) == ("2027-01-01", Decimal(6), True)
    info = _one(prices=[
        {"prices": {"input_mtok": 1, "output_mtok": 2}},
        {"constraint": {"start_time": "00:30:00Z", "end_time": "16:30:00Z"}, "prices": {"input_mtok": 3, "output_mtok": 4}},
    ])  # fmt: skip
    assert info is not None
    assert info.price is not None
    assert info.price.input == 3  # the dear hours are the list price
    assert info.price.off_peak is not None
    assert info.price.off_peak.input == 1
    assert info.price.off_peak.windows[0].hours_utc == ("16:30-00:00", "00:00-00:30")


def test_rules_name_models_without_running_expressions_of_others() -> None:
    clause = {"or": [{"starts_with": "gpt-x"}, {"and": [{"contains": "4o"}, {"ends_with": "-mini"}]}]}
    assert names_of(clause) is None
    assert matches(clause, "gpt-x-2026")
    assert matches(clause, "gpt-4o-mini")
    assert not matches(clause, "gpt-4o")
    assert not matches({"regex": "(a+)+$"}, "a" * 40)
    assert not matches({"and": []}, "anything")
    deep: dict[str, object] = {"equals": "m"}
    for _ in range(50):
        deep = {"or": [deep]}
    assert not matches(deep, "m")
    assert names_of({"or": [{"equals": "a"}, {"equals": "b"}]}) == ["a", "b"]


def test_zeros_of_a_list_that_knows_no_price_are_no_price() -> None:
    raw = {"id": "m", "cost_per_1m_in": 0, "cost_per_1m_out": 0, "context_window": 0, "can_reason": False, "supports_attachments": True}  # fmt: skip
    info = catwalk([{"id": "openai", "models": [raw]}], KNOWN)["openai"]["m"]
    assert info.price is None
    assert info.context_window is None
    free = {"id": "m:free", "pricing": {"prompt": "0", "completion": "0"}}
    router = {"id": "auto", "pricing": {"prompt": "-1", "completion": "-1"}}
    models = openrouter({"data": [free, router]}, KNOWN)["openrouter"]
    assert models["m:free"].price == Price(input=Decimal(0), output=Decimal(0))  # OpenRouter means it
    assert models["auto"].price is None


def test_openrouter_speaks_in_dollars_per_token() -> None:
    raw = {"id": "m", "expiration_date": "2026-12-03", "pricing": {
        "prompt": "0.0000025", "completion": "0.00001", "input_cache_read": "0.00000025", "web_search": "0.01",
        "overrides": [{"min_prompt_tokens": 200_000, "prompt": "0.000005"}]}}  # fmt: skip
    info = openrouter({"data": [raw]}, KNOWN)["openrouter"]["m"]
    assert info.price is not None
    assert (info.price.input, info.price.output, info.price.cache_read) == (
        Decimal("2.5"),
        10,
        Decimal("0.25"),
    )
    assert info.price.per_1k_web_searches == 10
    assert (info.price.tiers[0].over_input_tokens, info.price.tiers[0].input) == (200_000, Decimal(5))
    assert (info.status, info.shutdown_date) == ("deprecated", "2026-12-03")


def test_modelsdev_tiers_limits_and_abilities() -> None:
    raw = {"name": "M", "tool_call": True, "reasoning": False, "modalities": {"input": ["text", "image"], "output": ["text"]},
           "limit": {"context": 1000, "input": 900, "output": 100}, "status": "beta", "open_weights": False,
           "cost": {"input": 1, "output": 2, "cache_write": 0, "context_over_200k": {"input": 3, "output": 4}}}  # fmt: skip
    info = modelsdev({"google": {"models": {"m": raw}}}, KNOWN)["gemini"]["m"]
    assert info.capabilities == ("tools", "vision")
    assert (info.context_window, info.max_input, info.max_output, info.status) == (1000, 900, 100, "preview")
    assert info.price is not None
    assert info.price.cache_write is None  # a 0 there is a list that does not know
    assert info.price.tiers[0].output == 4


def test_a_vendor_is_read_alone_and_only_when_asked(tmp_path: Path) -> None:
    vendors = {name: {"m": ModelInfo(id="m", context_window=7)} for name in ("openai", "groq")}
    refreshed.put(
        refreshed.prepare(tmp_path, "modelsdev", vendors, url="u", etag=None, at=5), tmp_path, "modelsdev"
    )
    layer = refreshed.Refreshed(tmp_path)
    assert layer.model("openai", "m") is not None
    assert set(layer._vendors) == {"openai"}
    assert layer.heads["modelsdev"].fetched_at == 5
    assert layer.model("openai", "other") is None


def _info(draw: Any, with_marks: bool) -> ModelInfo | None:
    if draw(st.booleans()) and draw(st.booleans()):
        return None
    money = st.none() | st.integers(0, 9).map(Decimal)
    can = draw(st.none() | st.sets(st.sampled_from(["tools", "vision", "json"])))
    marks = (
        {f"capabilities.{name}": "said" for name in draw(st.sets(st.sampled_from(["tools", "vision", "json"]))) | (can or set())}
        if with_marks and can is not None
        else {}
    )  # fmt: skip
    rates = {"input": draw(money), "output": draw(money), "cache_read": draw(money)}
    return ModelInfo(
        id="zzz-1",
        context_window=draw(st.none() | st.integers(1, 5)),
        max_output=draw(st.none() | st.integers(1, 5)),
        status=draw(st.none() | st.sampled_from(["active", "deprecated"])),
        price=(draw(st.booleans()) and Price(**rates)) or None,
        capabilities=None
        if can is None
        else tuple(name for name in ("tools", "vision", "json") if name in can),
        sources=marks,
    )


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_each_field_is_of_the_first_layer_with_an_opinion_and_prices_are_one_block(
    data: st.DataObject,
) -> None:
    layers = {
        name: _info(data.draw, name in ("user", "refreshed"))
        for name in ("user", "live", "refreshed", "bundled")
    }
    found = merge_model("zzz-1", **layers)  # type: ignore[arg-type]
    ranked = [info for info in layers.values() if info is not None]
    for name in ("context_window", "max_output", "status"):
        said = [getattr(info, name) for info in ranked if getattr(info, name) is not None]
        assert getattr(found, name) == (said[0] if said else None)
        assert (name in found.sources) == bool(said)
    prices = [info.price for info in ranked if info.price is not None and info.price != Price()]
    assert found.price == (prices[0] if prices else None)
    for ability in ("tools", "vision", "json"):
        expected: bool | None = None
        for info in ranked:
            marked = any(key.startswith("capabilities.") for key in info.sources)
            if info.capabilities is not None and (not marked or f"capabilities.{ability}" in info.sources):
                expected = ability in info.capabilities
                break
        if expected is not None:
            assert (ability in (found.capabilities or ())) == expected
        else:
            assert ability not in (found.capabilities or ())


def test_a_users_file_overrides_any_field_of_vendor_and_model(tmp_path: Path) -> None:
    (tmp_path / "openai.json").write_text(
        '{"name": "House OpenAI", "api_endpoint": "https://llm.house.example/v1", "default_large_model_id": "gpt-4o-mini",'
        ' "models": [{"id": "gpt-4o", "supports_attachments": false, "context_window": 64000},'
        ' {"id": "house-1", "cost_per_1m_in": 1.5, "cost_per_1m_out": 3}]}'
    )
    catalog = Catalog(tmp_path)
    plain = bundled.spec("openai")
    spec = catalog.spec("openai")
    assert plain is not None
    assert spec is not None
    assert (spec.name, spec.endpoint, spec.default_model) == (
        "House OpenAI", "https://llm.house.example/v1", "gpt-4o-mini",
    )  # fmt: skip
    assert (spec.env, spec.url_patterns, spec.key_url) == (plain.env, plain.url_patterns, plain.key_url)
    info, shipped = catalog.info("openai", "gpt-4o"), Catalog().info("openai", "gpt-4o")
    assert info.context_window == 64_000
    assert info.sources["context_window"] == "user"
    assert info.price == shipped.price
    assert set(info.capabilities or ()) == set(shipped.capabilities or ()) - {"vision"}
    vendor = catalog.provider("openai")
    assert vendor is not None
    by_id = {model.id: model for model in vendor.models}
    assert by_id["house-1"].price == Price(input=Decimal("1.5"), output=Decimal(3))
    assert (
        by_id["gpt-4o"].max_output == shipped.max_output
    )  # what the file leaves out is not lost in the list
