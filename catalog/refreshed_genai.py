"""What the genai-prices data says, in our types: prices by rule, since one entry stands for several names of a model."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from catalog import refreshed_values as read
from catalog.refreshed_lists import BadListError
from catalog.refreshed_values import Raw
from catalog.types import ModelInfo, OffPeak, Price, Scheduled, Window

_VENDORS = {"google": "gemini", "aws": "bedrock", "x-ai": "xai", "moonshotai": "moonshot", "zhipuai": "zhipu"}
"""Its names of vendors where ours differ."""
_RATES = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_5m_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_reasoning_mtok": "reasoning",
    "input_audio_mtok": "audio_input",
}
_DEPTH = 6
"""Rules within rules that are looked into."""

Rule = tuple[object, ModelInfo]
"""Which names of models are meant, as the source writes it, and what it says about them."""


def genai(document: object, known: frozenset[str], today: date) -> dict[str, list[Rule]]:
    """The data file: a bare array of vendors, each with models and the names they match."""
    if not isinstance(document, list):
        raise BadListError("not a list of vendors")
    found: dict[str, list[Rule]] = {}
    for raw in map(read.mapping, document):
        name = read.text(raw, "id") or ""
        vendor = _VENDORS.get(name, name)
        if vendor not in known:
            continue
        entries = read.items(raw.get("models"))
        rules = [rule for entry in entries if (rule := _rule(read.mapping(entry), today)) is not None]
        if len(entries) > 2 * len(rules):
            raise BadListError(
                f"{len(entries) - len(rules)} of {len(entries)} models of {vendor} cannot be read"
            )
        found[vendor] = rules
    return found


def _rule(raw: Raw, today: date) -> Rule | None:
    name = read.model_id(raw.get("id"))
    if name is None or not isinstance(raw.get("match"), dict):
        return None
    try:
        info = ModelInfo(
            id=name,
            name=read.text(raw, "name"),
            context_window=read.count(raw, "context_window"),
            price=read.priced(_price(raw.get("prices"), today)),
            status="deprecated" if raw.get("deprecated") is True else None,
        )
    except (ValueError, TypeError, ArithmeticError):
        return None
    return raw["match"], info


# -- names ---------------------------------------------------------------------------------------


def names_of(clause: object, depth: int = _DEPTH) -> list[str] | None:
    """The names of a rule that lists them one by one; None where it describes them otherwise."""
    match clause:
        case {"equals": str(name)}:
            return [name]
        case {"or": [*parts]} if depth:
            found = [names_of(part, depth - 1) for part in parts]
            return None if None in found else [name for names in found for name in names or ()]
        case _:
            return None


def matches(clause: object, name: str, depth: int = _DEPTH) -> bool:
    """Whether a rule means this name. Regular expressions out of a fetched file are not run."""
    match clause:
        case {"equals": str(text)}:
            return name == text
        case {"starts_with": str(text)}:
            return name.startswith(text)
        case {"ends_with": str(text)}:
            return name.endswith(text)
        case {"contains": str(text)}:
            return text in name
        case {"or": [*parts]} if depth:
            return any(matches(part, name, depth - 1) for part in parts)
        case {"and": [*parts]} if depth:
            return bool(parts) and all(matches(part, name, depth - 1) for part in parts)
        case _:
            return False


# -- prices --------------------------------------------------------------------------------------


def _price(prices: object, today: date) -> Price | None:
    """One price, or several with conditions of which the last that holds counts: from a date on, or by time of day."""
    if isinstance(prices, dict):
        return _block(prices)
    conditional = [read.mapping(entry) for entry in read.items(prices)]
    base: Price | None = None
    later: list[tuple[str, Price]] = []
    daily: list[tuple[Raw, Price]] = []
    for entry in conditional:
        block = _block(read.mapping(entry.get("prices")))
        condition = read.mapping(entry.get("constraint"))
        if block is None:
            continue
        if (start := read.day(condition, "start_date")) is not None:
            if date.fromisoformat(start) <= today:
                base = block
            else:
                later.append((start, block))
        elif "start_time" in condition:
            daily.append((condition, block))
        else:
            base = block
    if base is None:
        return None
    if daily:
        base = _by_hours(base, *daily[-1])
    if later:
        steps = tuple(_scheduled(start, block) for start, block in sorted(later, key=lambda step: step[0]))
        base = base.model_copy(update={"scheduled": steps})
    return base


def _block(prices: Raw) -> Price | None:
    base: dict[str, Decimal] = {}
    steps: dict[int, dict[str, Decimal]] = {}
    for theirs, ours in _RATES.items():
        said = prices.get(theirs)
        plain = said.get("base") if isinstance(said, dict) else said
        if (value := read.amount(plain)) is not None:
            base[ours] = value
        for tier in map(read.mapping, read.items(read.mapping(said).get("tiers"))):
            if (start := read.count(tier, "start")) and (rate := read.amount(tier.get("price"))) is not None:
                steps.setdefault(start, {})[ours] = rate
    if not base:
        return None
    return Price.model_validate(
        {
            **base,
            "tiers": [{"over_input_tokens": start, **rates} for start, rates in sorted(steps.items())],
            "per_1k_requests": read.amount(prices.get("requests_kcount")),
            "per_1k_web_searches": read.amount(prices.get("web_searches_kcount")),
        }
    )


def _scheduled(start: str, block: Price) -> Scheduled:
    """The block in force from a date on, whole."""
    rates = {name: value for name in set(_RATES.values()) if (value := getattr(block, name)) is not None}
    return Scheduled.model_validate(
        {**rates, "from_date": start, "whole": True, "per_1k_requests": block.per_1k_requests}
    )


def _by_hours(base: Price, condition: Raw, block: Price) -> Price:
    """Two prices by the hour: the dearer one is the list price, the other holds off-peak."""
    start, end = _clock(condition.get("start_time")), _clock(condition.get("end_time"))
    if start is None or end is None or start == end:
        return base
    inside = [f"{start}-{end}"] if start < end or end == "00:00" else [f"{start}-00:00", f"00:00-{end}"]
    outside = [f"{end}-00:00", f"00:00-{start}"] if start < end else [f"{end}-{start}"]
    outside = [hours for hours in outside if hours not in ("00:00-00:00",)]
    dear, cheap, hours = (block, base, outside) if _dearer(block, base) else (base, block, inside)
    rates = {name: value for name in set(_RATES.values()) if (value := getattr(cheap, name)) is not None}
    window = Window(hours_utc=tuple(hours), iso_weekdays=(1, 2, 3, 4, 5, 6, 7))
    return dear.model_copy(update={"off_peak": OffPeak.model_validate({**rates, "windows": (window,)})})


def _dearer(one: Price, other: Price) -> bool:
    def weight(price: Price) -> Decimal:
        return (price.input or Decimal(0)) + (price.output or Decimal(0))

    return weight(one) > weight(other)


def _clock(value: object) -> str | None:
    """`00:30:00Z` as `00:30`."""
    if not isinstance(value, str) or len(value) < 5 or value[2] != ":":
        return None
    hours, minutes = value[:2], value[3:5]
    if not (hours.isascii() and minutes.isascii() and hours.isdecimal() and minutes.isdecimal()):
        return None
    return f"{hours}:{minutes}" if int(hours) < 24 and int(minutes) < 60 else None
