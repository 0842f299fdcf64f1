"""Everything that is known of one model, fact by fact with its source, for its page and for exports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.capabilities import Ability, abilities, source_words
from tui.formatting import Tone, ago, cents, duration, money, percent, rate, tokens, whole
from tui.screens.model_columns import Known, abilities_in_words, facts_age, price_source

if TYPE_CHECKING:
    from catalog.types import ModelInfo, Price, Rates
    from services.model_records import ModelRecord
    from services.models import ModelView

EXPORTED = (
    "ref", "provider", "model", "name", "enabled", "available", "status", "chat", "capabilities", "context_window",
    "max_output", "usd_per_1m_input", "usd_per_1m_output", "usd_per_1m_cache_read", "own_cost", "price_source",
    "runs_30d", "cost_30d_usd", "ttft_p50_ms", "tok_per_s",
)  # fmt: skip


def exported_row(view: ModelView, known: Known) -> Mapping[str, object]:
    """One model as `X` writes it."""
    info, record = view.info, known.records.get(view.ref)
    price = info.price if not view.own_cost else None
    speed = record.tok_per_s if record else None
    return {
        "ref": view.ref,
        "provider": view.provider,
        "model": info.id,
        "name": info.name,
        "enabled": view.enabled,
        "available": view.available,
        "status": info.status,
        "chat": view.chat,
        "capabilities": None if info.capabilities is None else " ".join(info.capabilities),
        "context_window": info.context_window,
        "max_output": info.max_output,
        "usd_per_1m_input": price.input if price else None,
        "usd_per_1m_output": price.output if price else None,
        "usd_per_1m_cache_read": price.cache_read if price else None,
        "own_cost": view.own_cost,
        "price_source": price_source(view, known.now) or None,
        "runs_30d": record.runs if record else 0,
        "cost_30d_usd": record.cost if record else None,
        "ttft_p50_ms": record.ttft_p50 if record else None,
        "tok_per_s": None if speed is None else round(speed),
    }


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the page. A heading has only a name; an empty name continues the line above."""

    name: str
    value: str = ""
    tone: Tone = ""
    source: str = ""
    """Where the value is from and how old it is, in words."""
    heading: bool = False
    place: int = 0
    """Its line on the page."""


def facts(view: ModelView, known: Known) -> list[Fact]:
    """The page, from what is asked most to what is asked least."""
    from tui.screens.model_wire import wire_facts

    found = [
        *_standing(view, known),
        Fact(""),
        *_prices(view, known),
        Fact(""),
        *_limits(view, known),
        Fact(""),
        *_abilities(view, known),
        Fact(""),
        *wire_facts(view, known.now),
        *_usage(view, known.records.get(view.ref)),
    ]
    return [
        Fact(fact.name, fact.value, fact.tone, fact.source, fact.heading, place)
        for place, fact in enumerate(found)
    ]


_COLLECTIONS = {
    "modelsdev": "models.dev", "genai": "genai-prices", "catwalk": "Catwalk", "litellm": "LiteLLM", "sdk": "vendor's SDK",
}  # fmt: skip
"""Where the catalog's facts were collected, as people know it."""


def _collected(vendor: str) -> str:
    """`litellm+base:modelsdev` as people know it: `LiteLLM + models.dev`."""
    parts = [part.removeprefix("base:") for part in vendor.split("+")]
    return " + ".join(_COLLECTIONS.get(part, part) for part in parts)


def _source(view: ModelView, name: str, known: Known) -> str:
    """Where a field is from: `your catalog file`, `live list, 12m ago`, `catalog (models.dev), 3d old` …"""
    source, _, vendor = view.info.sources.get(name, "").partition(":")
    now = known.now
    match source:
        case "":
            return ""
        case "typed":
            return "typed by you; e changes it" if name == "price" else "typed by you"
        case "user":
            return "your catalog file"
        case "map":
            return f"as {vendor}; m changes it"
        case "live":
            return f"live list, {ago(view.seen, now)}"
        case "pattern":
            return "guessed from the name"
        case "refreshed":
            when = known.fetched.get(vendor)
            return f"refreshed from {_collected(vendor) or 'a list'}{f', {ago(when, now)}' if when else ''}"
    old = facts_age(now)
    whose = f" ({_collected(vendor)})" if vendor else ""
    return f"catalog{whose}, {old if old == 'today' else f'{old} old'}"


def _standing(view: ModelView, known: Known) -> Iterator[Fact]:
    words, tone = known.standing(view)
    info, now = view.info, known.now
    why = {
        "✕ gone": "not in the provider's list; s asks again",
        "✕ retired": "the vendor has shut it down",
        "○ off": "x switches it on",
    }.get(words, "x switches it off")
    if view.provider in known.off:
        why = f"{view.provider} is off: 2, then x on it"
    yield Fact("state", words, tone, why)
    if info.name and info.name != info.id:
        yield Fact("name", info.name, "", _source(view, "name", known))
    yield Fact("provider", view.provider)
    chats = "yes; new chats start with it" if view.ref == known.default else "yes" if view.chat else "no"
    yield Fact("chats", chats, "" if view.chat else "dim", "c chats with it" if view.chat else "")
    if info.status and info.status not in ("active", "unavailable"):
        yield Fact(
            "status", info.status, "warn" if info.status != "preview" else "", _source(view, "status", known)
        )
    if info.shutdown_date:
        yield Fact("shut down on", info.shutdown_date, "warn", _source(view, "shutdown_date", known))
    if info.release_date:
        yield Fact("released", info.release_date, "", _source(view, "release_date", known))
    if info.family:
        yield Fact("family", info.family, "", _source(view, "family", known))
    if info.knowledge_cutoff:
        yield Fact("knows until", info.knowledge_cutoff, "", _source(view, "knowledge_cutoff", known))
    if info.open_weights:
        yield Fact("weights", "open", "", _source(view, "open_weights", known))
    yield Fact("in a live list", ago(view.seen, now) if view.seen else "never; s fetches the list", "" if view.seen else "dim")  # fmt: skip


def _prices(view: ModelView, known: Known) -> Iterator[Fact]:
    yield Fact("Price", "USD per 1M tokens", "dim", heading=True)
    if view.own_cost:
        yield Fact("tokens", "own hardware or flat rate: no price per token", "dim", "m changes it")  # fmt: skip
        return
    price = view.info.price
    if price is None or price.input is None:
        yield Fact("tokens", "unknown", "warn", "e types a price in, m names the model it is")
        yield from _rules(price) if price is not None else ()
        return
    source = _source(view, "price", known)
    yield from (Fact(name, rate(amount), "", source) for name, amount in _rates(price))
    if known.discount and view.info.sources.get("price") != "typed":
        yield Fact("discount", f"{known.discount:g} % off all of it", "ok", "the provider's settings")
    yield from _rules(price)


_RATES = (
    ("input", "input"), ("output", "output"), ("cached input", "cache_read"), ("written to cache", "cache_write"),
    ("written for 1 h", "cache_write_1h"), ("reasoning", "reasoning"), ("audio input", "audio_input"),
)  # fmt: skip


def _rates(rates: Rates) -> list[tuple[str, Decimal]]:
    found = [(words, getattr(rates, name)) for words, name in _RATES]
    return [(words, amount) for words, amount in found if amount is not None]


def _changed(name: str, rates: Rates, source: str = "", tone: Tone = "") -> Iterator[Fact]:
    """Rates in force under a condition: input and output on one line, the others below."""
    words = [f"{words} {rate(amount)}" for words, amount in _rates(rates)] or ["as above"]
    both = 2 if rates.input is not None and rates.output is not None else 1
    for place, line in enumerate((", ".join(words[:both]), *words[both:])):
        yield Fact("" if place else name, line, tone, "" if place else source)


def _rules(price: Price) -> Iterator[Fact]:
    """What changes the base rates."""
    for tier in price.tiers:
        how = "for the tokens above" if tier.marginal else "for the whole prompt"
        yield from _changed(f"over {tokens(tier.over_input_tokens)} in", tier, how)
    if price.batch is not None:
        yield from _changed("in a batch", price.batch)
    if price.off_peak is not None:
        hours = ", ".join(hours for window in price.off_peak.windows for hours in window.hours_utc)
        yield from _changed("off-peak", price.off_peak, f"{hours} UTC" if hours else "")
    for change in price.scheduled:
        whose = "typed by you; e takes it back" if change.whole else "announced"
        yield from _changed(f"from {change.from_date}", change, whose, "warn")
    if price.per_1k_requests is not None:
        yield Fact("1,000 requests", rate(price.per_1k_requests), "", "on top of the tokens")
    if price.per_1k_web_searches is not None:
        yield Fact("1,000 searches", rate(price.per_1k_web_searches), "", "the vendor's own web search")


def _limits(view: ModelView, known: Known) -> Iterator[Fact]:
    yield Fact("Limits", "tokens", "dim", heading=True)
    info = view.info
    for words, name in (
        ("context", "context_window"), ("longest prompt", "max_input"), ("longest answer", "max_output"),
        ("usual limit", "default_max_tokens"),
    ):  # fmt: skip
        value: int | None = getattr(info, name)
        if value is not None:
            yield Fact(words, f"{tokens(value)}  {whole(value)}", "", _source(view, name, known))
        elif name in ("context_window", "max_output"):
            yield Fact(words, "unknown", "dim")


_ABLE: Mapping[str, tuple[str, Tone]] = {
    "✓": ("yes", "ok"), "✕": ("no", ""), "?": ("probably", "warn"), "·": ("not listed", "dim"), "—": ("unknown", "dim"),
}  # fmt: skip


_SILENT = ("·", "—")
"""Marks of what nobody speaks of: all of them on one line."""


def _who_says(view: ModelView, one: Ability, known: Known) -> str:
    """Who says so: `asked 2026-11-21`, `live list, 12m ago`; with what asking showed before the model changed."""
    single = f"capabilities.{one.name}"
    words = source_words(one)
    if one.can is not None and one.source not in ("probe", "pattern", "user"):
        _, changed, before = words.partition("; ")
        words = _source(view, single if single in view.info.sources else "capabilities", known)
        words += f"{changed}{before}"
    elif one.source == "user":
        words = "you say so" if single in view.info.sources else "your catalog file"
    return words if one.can is not None or one.outdated is not None else ""


def _abilities(view: ModelView, known: Known) -> Iterator[Fact]:
    yield Fact("Abilities", "p asks the model" if view.chat else "", "dim", heading=True)
    info: ModelInfo = view.info
    if view.chat:
        found = abilities(info, view.asked)
        for one in found:
            words, tone = _ABLE[one.mark]
            if one.mark not in _SILENT or one.outdated is not None:
                yield Fact(one.title, f"{one.mark} {words}", tone, _who_says(view, one, known))
        for mark in _SILENT:
            if names := [one.title for one in found if one.mark == mark and one.outdated is None]:
                yield Fact(_ABLE[mark][0], ", ".join(names), "dim")
    else:
        able = "embeddings" if "embeddings" in (info.capabilities or ()) else abilities_in_words(view)
        yield Fact("can", able, "", _source(view, "capabilities", known))
    for words, name in (
        ("reads", "modalities_in"),
        ("answers in", "modalities_out"),
        ("thinks", "reasoning_levels"),
    ):
        value: tuple[str, ...] | None = getattr(info, name)
        if value:
            yield Fact(words, ", ".join(value), "", _source(view, name, known))


def _usage(view: ModelView, record: ModelRecord | None) -> Iterator[Fact]:
    yield Fact("Here", "the last 30 days", "dim", heading=True)
    if record is None:
        yield Fact("runs", "none yet", "dim", "c chats with it" if view.chat else "")
        return
    failed = f", {percent(record.failed / record.runs)} failed" if record.failed and record.runs else ""
    often = record.failed >= 0.02 * record.runs
    yield Fact("runs", f"{whole(record.runs)}{failed}", "warn" if failed and often else "")
    yield Fact("tokens", f"{tokens(record.input)} in, {tokens(record.output)} out")
    cost = "no price per token" if view.own_cost and record.cost is None else cents(record.cost)
    each = f"{money(record.cost / record.runs)} a run" if record.cost is not None and record.runs else ""
    yield Fact("cost", cost, "dim" if record.cost is None else "", each)
    if record.ttft_p50 is not None:
        yield Fact("first token", f"{duration(record.ttft_p50)}, slow ones {duration(record.ttft_p95)}", "", "median, and 95 % are faster")  # fmt: skip
    if record.tok_per_s is not None:
        yield Fact("speed", f"{record.tok_per_s:.0f} tok/s", "", "after the first token")
