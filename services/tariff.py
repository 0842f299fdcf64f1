"""What a model's tokens cost here: its list price less the provider's discount, a typed price as it is, nothing per
token, or unknown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from catalog.money import from_nanos, to_nanos
from catalog.pricing import cost, price_at, rates_for
from catalog.types import Price, Rates
from catalog.usage import Usage

if TYPE_CHECKING:
    from services.models import ModelView


_MILLION = Decimal(1_000_000)
_ABSURD = Decimal(1_000_000)
"""USD per 1,000,000 tokens, or for 1,000 requests: more is a broken list, and could not be kept in nano-dollars."""
_MOST_NANOS = 10**17
"""Set aside for one run at most: $100,000,000, of which many still fit the store's whole numbers together."""
_LONG_RUN = timedelta(hours=1)
"""A run may wait this long between the setting aside of its money and the attempt that is billed."""


@dataclass(frozen=True, slots=True)
class WorstCase:
    """Peak hours, and a prompt that is all read from or written to a cache where that is dearer: USD, a straight line
    over the answer's length."""

    prompt: Decimal
    per_output_token: Decimal

    def nanos(self, output_tokens: int) -> int:
        """Nano-dollars for an answer of this length, rounded up."""
        if self.free:
            return 0
        return min(to_nanos(self.prompt + self.per_output_token * output_tokens) + 1, _MOST_NANOS)

    @property
    def free(self) -> bool:
        """True when it costs nothing however long it gets: a spent limit does not hold it up."""
        return self.prompt == 0 and self.per_output_token == 0

    def affordable(self, nanos: int) -> int | None:
        """The longest answer for this much money, below 0 when the prompt alone is dearer; None: any."""
        if self.free:
            return None
        left = from_nanos(nanos - 2) - self.prompt
        if self.per_output_token == 0:
            return None if left >= 0 else -1
        return math.floor(left / self.per_output_token)


@dataclass(frozen=True, slots=True)
class Tariff:
    """How one model on one provider is charged."""

    price: Price | None
    """USD per 1,000,000 tokens, as it is paid, with what is known of later days; None: unknown, or `own`."""
    own: bool
    """Own hardware or flat rate: no price per token."""

    @property
    def known(self) -> bool:
        """True when a run of today can be priced in money."""
        return self.price is not None and price_at(self.price, datetime.now(UTC).date()).known

    def cost(self, usage: Usage, at: datetime) -> Decimal | None:
        """USD; None where there is no price per token."""
        return None if self.price is None else cost(self.price, usage, at)

    def worst(self, input_tokens: int, at: datetime) -> WorstCase | None:
        """The most that a prompt of this size can cost; None where there is no price per token.

        Near midnight UTC, when a new price may come into force before the attempt begins: the dearer of both, part
        by part. A price that ends in the unknown counts as it is now.
        """
        if self.price is None or (now := _worst(self.price, input_tokens, at)) is None:
            return None
        soon = at + _LONG_RUN
        if soon.astimezone(UTC).date() == at.astimezone(UTC).date():
            return now
        then = _worst(self.price, input_tokens, soon) or now
        return WorstCase(max(now.prompt, then.prompt), max(now.per_output_token, then.per_output_token))

    def snapshot(self) -> str | None:
        """The price as JSON, to be kept with the ledger row."""
        return (
            None
            if self.price is None
            else self.price.model_dump_json(exclude_none=True, exclude_defaults=True)
        )


def _worst(price: Price, input_tokens: int, at: datetime) -> WorstCase | None:
    day = price_at(price, at.astimezone(UTC).date())
    peak = day.model_copy(update={"off_peak": None})  # the lower rates may end before the run does
    rates = rates_for(peak, input_tokens, at)
    if rates.input is None or rates.output is None:
        return None
    dearest = max(rates.input, rates.cache_write or rates.input, rates.cache_read or rates.input)
    prompt = input_tokens * dearest / _MILLION
    request = (day.per_1k_requests or Decimal(0)) / 1000
    return WorstCase(prompt + request, max(rates.output, rates.reasoning or rates.output) / _MILLION)


def tariff_of(view: ModelView) -> Tariff:
    """The tariff of a model on its provider. A typed price is what the user pays: no discount is taken off it."""
    if view.own_cost:
        return Tariff(None, own=True)
    price = view.info.price
    if price is None or not (price.known or price.scheduled) or _absurd(price):
        return Tariff(None, own=False)
    if view.discount_pct and view.info.sources.get("price") != "typed":
        price = discounted(price, Decimal(view.discount_pct))
    return Tariff(price, own=False)


def _absurd(price: Price) -> bool:
    """Whether any of its amounts cannot be meant: what a run costs is unknown then."""
    blocks = (price, price.batch, price.off_peak, *price.tiers, *price.scheduled)
    amounts = [getattr(block, name) for block in blocks if block is not None for name in Rates.model_fields]
    amounts += [price.per_1k_requests, *(change.per_1k_requests for change in price.scheduled)]
    return any(amount is not None and amount > _ABSURD for amount in amounts)


def discounted(price: Price, percent: Decimal) -> Price:
    """Every rate of a list price, `percent` lower; later prices that were typed in stay as they are."""
    scaled = _scaled(price, (100 - percent) / 100)
    assert isinstance(scaled, Price)
    later = tuple(
        old if old.whole else new for old, new in zip(price.scheduled, scaled.scheduled, strict=True)
    )
    return scaled.model_copy(update={"scheduled": later})


def _scaled(value: Any, factor: Decimal) -> Any:
    match value:
        case Decimal():
            return value * factor
        case BaseModel():
            names = type(value).model_fields
            return value.model_copy(update={name: _scaled(getattr(value, name), factor) for name in names})
        case tuple():
            return tuple(_scaled(item, factor) for item in value)
        case _:
            return value
