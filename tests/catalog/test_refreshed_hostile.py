"""A list that lies: what it says can neither steer a terminal, nor end models too early, nor carry absurd amounts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import refreshed_values as read
from catalog.merge import merge_model
from catalog.refreshed_genai import genai
from catalog.refreshed_lists import catwalk, modelsdev, openrouter
from catalog.types import ModelInfo, Price

KNOWN = frozenset({"openai", "alibaba", "gemini", "moonshot", "xai", "zhipu", "bedrock", "openrouter"})


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("2026-11", "2026-11"),
        ("2026-11-20", "2026-11-20"),
        ("2026-11-20T10:00:00Z", "2026-11-20"),
        ("2026-11\x1b[2J", None),
        ("2026-11-\x1b]", None),
        ("2026-13", None),
        ("2026-02-30", None),
        ("2026-11-201", None),
        ("２０２６-11", None),
        (20261120, None),
    ],
)
def test_a_date_is_one_or_none(said: object, taken: str | None) -> None:
    assert read.date({"knowledge": said}, "knowledge") == taken


def test_a_model_does_not_end_on_the_first_of_a_month_that_somebody_named() -> None:
    pricing = {"prompt": "0.000001", "completion": "0.000002"}
    model = {"id": "m", "expiration_date": "2026-12", "pricing": pricing}
    info = openrouter({"data": [model]}, KNOWN)["openrouter"]["m"]
    assert info.shutdown_date is None
    assert not info.retired_on("2026-12-02")


@given(st.text(max_size=12) | st.integers() | st.floats() | st.decimals() | st.from_regex(r"-?[0-9]{1,3}(\.[0-9]{1,9})?([eE]-?[0-9]{1,7})?", fullmatch=True))  # fmt: skip
def test_an_amount_is_exact_and_within_reason_or_none(said: Any) -> None:
    for factor in (Decimal(1), Decimal(1_000_000)):
        found = read.amount(said, factor)
        assert found is None or found == 0 or Decimal("0.000001") <= found <= 100_000
        assert found is None or len(f"{found:f}") < 60


def test_a_price_the_decimal_module_cannot_hold_is_no_opinion() -> None:
    assert read.amount("9e999999", Decimal(1_000_000)) is None


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("google", "gemini"), ("moonshotai", "moonshot"), ("zhipuai", "zhipu"), ("openai", "openai")],
)
def test_vendors_go_by_our_names(theirs: str, ours: str) -> None:
    cost = {"input": 1, "output": 2}
    models = modelsdev({theirs: {"models": {"m": {"cost": cost}}}}, KNOWN)[ours]
    assert models["m"].price == Price(input=Decimal(1), output=Decimal(2))
    entry = {"id": "m", "match": {"equals": "m"}, "prices": {"input_mtok": 1, "output_mtok": 2}}
    rules = genai([{"id": theirs, "models": [entry]}], KNOWN, date(2026, 11, 21))[ours]
    assert rules[0][1].price == Price(input=Decimal(1), output=Decimal(2))


def test_of_two_names_of_a_vendor_the_one_with_our_endpoint_counts_in_any_order() -> None:
    def vendor(name: str, cost: int) -> dict[str, object]:
        return {"id": name, "models": [{"id": "m", "cost_per_1m_in": cost, "cost_per_1m_out": cost}]}

    both = [vendor("alibaba-singapore", 1), vendor("alibaba", 9)]
    for document in (both, both[::-1]):
        price = catwalk(document, KNOWN)["alibaba"]["m"].price
        assert price is not None
        assert price.input == 1


NAMES = st.sampled_from(["typed", "user", "live", "refreshed", "bundled"])
USD = st.none() | st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(3)])
INFOS = st.builds(
    ModelInfo,
    id=st.just("m"),
    name=st.none() | st.sampled_from(["A", "B"]),
    context_window=st.none() | st.sampled_from([1, 2]),
    open_weights=st.none() | st.booleans(),
    price=st.none() | st.builds(Price, input=USD, output=USD, cache_read=USD),
    capabilities=st.none() | st.sampled_from([(), ("tools",), ("tools", "vision")]),
    status=st.none() | st.sampled_from(["active", "deprecated"]),
)


@given(st.dictionaries(NAMES, INFOS))
def test_merging_takes_every_field_whole_from_the_strongest_layer_that_has_it(
    layers: dict[str, ModelInfo],
) -> None:
    merged = merge_model("m", **layers)  # type: ignore[arg-type]
    order = [layers[name] for name in ("typed", "user", "live", "refreshed", "bundled") if name in layers]
    for field in ("name", "context_window", "open_weights", "status"):
        said = [value for info in order if (value := getattr(info, field)) is not None]
        assert getattr(merged, field) == (said[0] if said else None), field
        assert (field in merged.sources) == bool(said)
    prices = [info.price for info in order if info.price is not None and info.price != Price()]
    assert merged.price == (prices[0] if prices else None)  # a block: no rate of another source gets in
    lists = [info.capabilities for info in order if info.capabilities is not None]
    if lists:
        assert set(merged.capabilities or ()) == set(lists[0])


@given(st.dictionaries(NAMES, INFOS), NAMES)
def test_a_layer_without_an_opinion_changes_nothing(layers: dict[str, ModelInfo], name: str) -> None:
    layers = {key: info for key, info in layers.items() if key != name}
    silent = {**layers, name: ModelInfo(id="m")}
    assert merge_model("m", **silent) == merge_model("m", **layers)  # type: ignore[arg-type]
