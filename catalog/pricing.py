"""What a run costs: the one place where tokens meet prices, exact in Decimal and never zero for unknown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from catalog.money import EXACT
from catalog.types import OffPeak, Price, Rates, Window
from catalog.usage import Usage

Bucket = Literal[
    "input", "cache_read", "cache_write", "cache_write_1h", "audio_input", "output", "reasoning", "request"
]

_ZERO = Decimal(0)
_RATE_FIELDS = tuple(Rates.model_fields)


@dataclass(frozen=True, slots=True)
class Part:
    """One line of a bill."""

    bucket: Bucket
    tokens: int | None
    """None: the vendor did not say. For `request` the number of requests."""
    rate: Decimal | None
    """USD per 1,000,000 (per 1,000 for `request`); None: unknown."""
    cost: Decimal | None
    """USD; None where it depends on something unknown."""


def cost(price: Price, usage: Usage, at: datetime, *, batch: bool = False) -> Decimal | None:
    """USD for this usage at this moment (aware datetime), or None when it cannot be known.

    Cache, audio and reasoning buckets that the vendor did not report are billed inside `input` and `output`.
    """
    total = _ZERO
    for part in parts(price, usage, at, batch=batch):
        if part.cost is None:
            return None
        total = EXACT.add(total, part.cost)
    return total


def parts(price: Price, usage: Usage, at: datetime, *, batch: bool = False) -> tuple[Part, ...]:
    """The bill by bucket. The sum of the parts is `cost()`; one part of unknown cost makes it unknown."""
    moment = at.astimezone(UTC)
    price = price_at(price, moment.date())
    if price.tiers and usage.input is None:
        bands = [(0, Rates())]  # which tier holds depends on a number nobody knows
    else:
        bands = _bands(price, usage.input or 0, moment, batch)
    bill = [*_input_parts(usage, bands), *_output_parts(usage, bands[-1][1])]
    if price.per_1k_requests is not None:
        fee = EXACT.scaleb(price.per_1k_requests, Decimal(-3))
        bill.append(Part("request", 1, price.per_1k_requests, fee))
    return tuple(bill)


def price_at(price: Price, day: date) -> Price:
    """The price in force on a UTC day: scheduled changes up to it applied, later ones still listed.

    Tiers stay, unless the change is a whole price. Batch and off-peak rates were stated for the old base, so a
    change of base drops them.
    """
    due = sorted((s for s in price.scheduled if s.from_date <= day.isoformat()), key=lambda s: s.from_date)
    if not due:
        return price
    changes: dict[str, object] = {}
    for change in due:
        if change.whole:
            changes = {**dict.fromkeys(_RATE_FIELDS), "tiers": (), "per_1k_requests": change.per_1k_requests}
        changes.update(_named(change))
    later = tuple(s for s in price.scheduled if s not in due)
    return price.model_copy(update={**changes, "scheduled": later, "batch": None, "off_peak": None})


def rates_for(price: Price, input_tokens: int, at: datetime, batch: bool = False) -> Rates:
    """The rates of a prompt of this size at this moment. With a marginal tier: those of its last token."""
    moment = at.astimezone(UTC)
    return _bands(price_at(price, moment.date()), input_tokens, moment, batch)[-1][1]


def _named(rates: Rates) -> dict[str, Decimal]:
    return {name: value for name in _RATE_FIELDS if (value := getattr(rates, name)) is not None}


def _over(base: Rates, change: Rates) -> Rates:
    """The base rates with those that the change names taken from it."""
    return Rates(**({name: getattr(base, name) for name in _RATE_FIELDS} | _named(change)))


def _bands(price: Price, input_tokens: int, moment: datetime, batch: bool) -> list[tuple[int, Rates]]:
    """Where in the prompt which rates begin, first band at 0. More than one band only with marginal tiers.

    No source states a batch price above a tier, so that is unknown; off-peak hours lower the base band only.
    """
    base: Rates = price
    if batch:
        base = _over(price, price.batch) if price.batch is not None else Rates()
    elif price.off_peak is not None and in_window(price.off_peak, moment):
        base = _over(price, price.off_peak)
    bands = [(0, base)]
    for tier in sorted(price.tiers, key=lambda t: t.over_input_tokens):
        if input_tokens <= tier.over_input_tokens:
            break
        rates = Rates() if batch else _over(price, tier)
        if tier.marginal:
            bands.append((tier.over_input_tokens, rates))
        else:
            bands = [(0, rates)]
    return bands


def in_window(off_peak: OffPeak, moment: datetime) -> bool:
    """True when the UTC moment lies in one of the windows. A range over midnight belongs to the day it begins on."""
    return any(_inside(window, moment) for window in off_peak.windows)


def _inside(window: Window, moment: datetime) -> bool:
    minute = moment.hour * 60 + moment.minute
    today = moment.isoweekday() in window.iso_weekdays
    yesterday = (moment - timedelta(days=1)).isoweekday() in window.iso_weekdays
    for text in window.hours_utc:
        first, last = (_minutes(part) for part in text.split("-"))
        last = last or 24 * 60
        if first < last:
            if today and first <= minute < last:
                return True
        elif (today and minute >= first) or (yesterday and minute < last):
            return True
    return False


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _input_parts(usage: Usage, bands: list[tuple[int, Rates]]) -> Iterator[Part]:
    """The prompt's tokens in their order (cached prefix, what was written, sound, the rest) laid over the bands."""
    if usage.input is None:
        yield _part("input", None, bands[-1][1].input)
    read = usage.cache_read or 0
    hour = usage.cache_write_1h or 0
    written = max((usage.cache_write or 0) - hour, 0)
    plain = 0 if usage.input is None else max(usage.input - read - written - hour, 0)
    audio = min(usage.audio_input or 0, plain)  # what was cached is billed as that
    position = 0
    runs: tuple[tuple[Bucket, int], ...] = (
        ("cache_read", read),
        ("cache_write", written),
        ("cache_write_1h", hour),
        ("audio_input", audio),
        ("input", plain - audio),
    )
    for bucket, count in runs:
        end = position + count
        for index, (start, rates) in enumerate(bands):
            stop = bands[index + 1][0] if index + 1 < len(bands) else max(end, start)
            inside = min(end, stop) - max(position, start)
            if inside > 0:
                yield _part(bucket, inside, _rate(rates, bucket))
        position = end


def _output_parts(usage: Usage, rates: Rates) -> Iterator[Part]:
    """The answer follows the prompt, so the rates of the prompt's last band hold."""
    if usage.output is None:
        yield _part("output", None, rates.output)
        return
    reasoning = min(usage.reasoning or 0, usage.output)
    if reasoning:
        yield _part("reasoning", reasoning, _rate(rates, "reasoning"))
    if usage.output > reasoning:
        yield _part("output", usage.output - reasoning, rates.output)


def _rate(rates: Rates, bucket: Bucket) -> Decimal | None:
    """A bucket's rate with the fallbacks that `Rates` documents."""
    match bucket:
        case "cache_read":
            return rates.cache_read if rates.cache_read is not None else rates.input
        case "cache_write":
            return rates.cache_write if rates.cache_write is not None else rates.input
        case "cache_write_1h":
            return rates.cache_write_1h if rates.cache_write_1h is not None else _rate(rates, "cache_write")
        case "audio_input":
            return rates.audio_input if rates.audio_input is not None else rates.input
        case "reasoning":
            return rates.reasoning if rates.reasoning is not None else rates.output
        case "output":
            return rates.output
        case _:
            return rates.input


def _part(bucket: Bucket, tokens: int | None, rate: Decimal | None) -> Part:
    if tokens is None:
        amount = _ZERO if rate == 0 else None  # free whatever the count
    elif rate is None:
        amount = None
    else:
        amount = EXACT.scaleb(EXACT.multiply(Decimal(tokens), rate), Decimal(-6))
    return Part(bucket, tokens, rate, amount)
