"""Nothing the facts say is lost or misread on the way into the bundled data: read back field by field."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalog import bundled, discoverable
from catalog.types import CatalogProvider, ModelInfo, Price, Rates

SHARED = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not (SHARED / "models_facts.json").is_file(), reason="the facts file is not beside this checkout"
)

RATES = {
    "input": "cost_per_1m_in",
    "output": "cost_per_1m_out",
    "cache_read": "cost_per_1m_cache_read",
    "cache_write": "cost_per_1m_cache_write",
    "cache_write_1h": "cost_per_1m_cache_write_1h",
    "reasoning": "cost_per_1m_reasoning_out",
    "audio_input": "cost_per_1m_audio_in",
}
PLAIN = {
    "name": "name",
    "max_input": "max_input_tokens",
    "max_output": "max_output_tokens",
    "context_window": "context_window",
    "default_max_tokens": "default_max_tokens",
    "status": "status",
    "shutdown_date": "shutdown_date",
    "release_date": "release_date",
    "family": "family",
    "reasoning_default": "default_reasoning_effort",
    "knowledge_cutoff": "knowledge_cutoff",
    "open_weights": "open_weights",
}
LISTS = {"modalities_in", "modalities_out", "reasoning_levels"}
FLAGS = {
    "tools": "supports_tools",
    "vision": "supports_vision",
    "reasoning": "can_reason",
    "json": "supports_structured_output",
}


def _variables(vendor: str, stated: dict[str, list[str]]) -> dict[str, list[str]]:
    """A vendor's variables as they are to be kept: where the hub is says nothing of the router."""
    if vendor != "huggingface" or "HF_ENDPOINT" not in stated.get("base_url", []):
        return stated
    others = [name for name in stated["base_url"] if name != "HF_ENDPOINT"]
    return {**stated, "base_url": others, "other": [*stated.get("other", []), "HF_ENDPOINT"]}


def _facts(name: str) -> Any:
    return json.loads((SHARED / name).read_text("utf-8"), parse_float=Decimal)


def _providers() -> list[tuple[dict[str, Any], CatalogProvider]]:
    pairs = []
    for raw in _facts("models_facts.json")["providers"]:
        shipped = bundled.provider(raw["id"])
        assert shipped is not None, raw["id"]
        pairs.append((raw, shipped))
    return pairs


def _models() -> list[tuple[dict[str, Any], ModelInfo]]:
    return [pair for raw, shipped in _providers() for pair in zip(raw["models"], shipped.models, strict=True)]


def _same_rates(rates: Rates, raw: dict[str, Any], ambiguous: bool = False) -> None:
    for ours, theirs in RATES.items():
        stated = raw.get(theirs)
        if stated is None and ambiguous and ours in ("cache_read", "cache_write"):
            # Crush's reading of Catwalk's two fields: written is "in cached", read is "out cached", 0 is unknown
            stated = raw.get(
                {"cache_write": "cost_per_1m_in_cached", "cache_read": "cost_per_1m_out_cached"}[ours]
            )
            stated = stated or None
        assert getattr(rates, ours) == (None if stated is None else Decimal(str(stated))), (raw, ours)


def test_every_vendor_keeps_its_own_fields() -> None:
    pairs = _providers()
    assert [shipped.id for _, shipped in pairs] == list(bundled.provider_ids())
    for raw, shipped in pairs:
        assert (shipped.name, shipped.endpoint) == (raw["name"], raw["api_endpoint"])
        assert (shipped.auth, shipped.local) == (raw["auth"], raw["local"])
        assert (shipped.key_url, shipped.docs_url) == (raw.get("key_url"), raw.get("models_docs_url"))
        assert (shipped.note, list(shipped.alt_endpoints)) == (raw.get("note"), raw.get("alt_endpoints", []))
        assert list(shipped.url_patterns) == raw["url_patterns"]
        assert {name: list(getattr(shipped.env, name)) for name in raw["env"]} == _variables(
            raw["id"], raw["env"]
        )
        hint = shipped.key_hint
        kept = {"prefixes": list(hint.prefixes), "regex": hint.regex, "note": hint.note}
        assert kept == raw["key_hint"]
        assert shipped.default_model == raw.get("default_large_model_id")
        assert shipped.small_model == raw.get("default_small_model_id")


def test_how_each_list_is_asked_for_is_kept() -> None:
    for raw, shipped in _providers():
        stated, kept = raw.get("models_endpoint"), shipped.models_endpoint
        assert (stated is None) == (kept is None), raw["id"]
        if stated is not None and kept is not None:
            assert kept.path == stated.get("path", stated.get("url"))
            assert (kept.shape, kept.auth) == (stated["shape"], stated["auth"])
            assert kept.detail == stated.get("detail", stated.get("public_detail"))
            assert kept.headers == stated.get("headers", {})
            for name in ("fallback", "marker", "note"):
                assert getattr(kept, name) == stated.get(name), raw["id"]


def test_every_model_keeps_limits_kinds_dates_and_abilities() -> None:
    for raw, shipped in _models():
        assert shipped.id == raw["id"]
        for ours, theirs in PLAIN.items():
            assert getattr(shipped, ours) == raw.get(theirs), (raw["id"], ours)
        for name in LISTS:
            assert list(getattr(shipped, name) or ()) == raw.get(name, []), (raw["id"], name)
        for capability, flag in FLAGS.items():
            assert (capability in (shipped.capabilities or ())) == bool(raw.get(flag)), (raw["id"], flag)
        assert ("audio" in (shipped.capabilities or ())) == ("audio" in raw["modalities_in"])


def test_every_price_is_kept_with_all_its_rules() -> None:
    seen = dict.fromkeys(("tiers", "batch", "off_peak", "scheduled", "per_1k_requests", "searches"), 0)
    for raw, shipped in _models():
        price = shipped.price or Price()
        _same_rates(price, raw, ambiguous=True)
        tiers = raw.get("tiers", [])
        assert [tier.over_input_tokens for tier in price.tiers] == [
            tier["over_input_tokens"] for tier in tiers
        ]
        for tier, stated in zip(price.tiers, tiers, strict=True):
            _same_rates(tier, stated)
            assert tier.marginal is stated.get("marginal", False)
        for kept, stated in ((price.batch, raw.get("batch")), (price.off_peak, raw.get("off_peak"))):
            assert (kept is None) == (stated is None)
            if kept is not None and stated is not None:
                _same_rates(kept, stated)
        if price.off_peak is not None:
            windows = [
                {"hours_utc": list(window.hours_utc), "iso_weekdays": list(window.iso_weekdays)}
                for window in price.off_peak.windows
            ]
            assert windows == raw["off_peak"]["windows"]
        later = raw.get("scheduled_prices", [])
        assert [change.from_date for change in price.scheduled] == [change["from_date"] for change in later]
        for change, stated in zip(price.scheduled, later, strict=True):
            _same_rates(change, stated)
        assert price.per_1k_requests == raw.get("cost_per_1k_requests")
        assert price.per_1k_web_searches == raw.get("cost_per_1k_web_searches")
        seen["tiers"] += bool(tiers)
        seen["batch"] += price.batch is not None
        seen["off_peak"] += price.off_peak is not None
        seen["scheduled"] += bool(later)
        seen["per_1k_requests"] += price.per_1k_requests is not None
        seen["searches"] += price.per_1k_web_searches is not None
    assert all(seen.values()), seen  # each rule is really met with, so each was compared


def test_each_value_names_the_source_the_facts_name() -> None:
    for raw, shipped in _models():
        by_field = {field: source for source, fields in raw["sources"].items() for field in fields}
        for ours, theirs in (("name", "name"), ("context_window", "context_window"), ("status", "status")):
            if theirs in by_field and getattr(shipped, ours) is not None:
                assert shipped.sources[ours] == f"catalog:{by_field[theirs]}", raw["id"]
        if "cost_per_1m_in" in by_field:
            assert f"catalog:{by_field['cost_per_1m_in']}" in shipped.sources["price"], raw["id"]


def test_what_discovery_looks_for_is_kept() -> None:
    raw = _facts("detection_facts.json")
    servers = discoverable.local_servers()
    assert [(server.server, server.port) for server in servers] == [
        (server["server"], server["default_port"]) for server in raw["local_servers"]
    ]
    for server, stated in zip(servers, raw["local_servers"], strict=True):
        assert (server.list_path, server.detail) == (stated["list"], stated.get("detail"))
        probes = [
            {"get": probe.get}
            | ({"json_has": list(probe.json_has)} if probe.json_has else {})
            | ({"json_value": dict(probe.json_value)} if probe.json_value else {})
            | ({"body_has": probe.body_has} if probe.body_has else {})
            for probe in server.probes
        ]
        assert probes == stated["probes"]
        assert server.vendor is None or bundled.spec(server.vendor) is not None
    ambiguous = {row["var"]: tuple(row["may_be"]) for row in raw["env_vars"]["ambiguous"]}
    assert {name: row.may_be for name, row in discoverable.ambiguous_variables().items()} == ambiguous
    assert list(discoverable.key_prefixes()) == raw["key_prefix_match_order"]
    for provider_id, names in raw["env_vars"]["by_provider"].items():
        spec = bundled.spec(provider_id)
        assert spec is not None
        kept = {name: list(getattr(spec.env, name)) for name in names}
        assert kept == _variables(provider_id, names)
