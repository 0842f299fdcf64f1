"""What a model's tokens cost here: its list price less the provider's discount, nothing per token, or unknown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from catalog.money import from_nanos, to_nanos
from catalog.pricing import cost, rates_for
from catalog.types import Price
from catalog.usage import Usage

if TYPE_CHECKING:
    from services.models import ModelView
    from store.providers import ProviderRow


_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class WorstCase:
    """Peak hours, and a prompt that is all written to a cache: USD, a straight line over the answer's length."""

    prompt: Decimal
    per_output_token: Decimal

    def nanos(self, output_tokens: int) -> int:
        """Nano-dollars for an answer of this length, rounded up."""
        if self.free:
            return 0
        return to_nanos(self.prompt + self.per_output_token * output_tokens) + 1

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
    """USD per 1,000,000 tokens, discount taken off; None: unknown, or `own`."""
    own: bool
    """Own hardware or flat rate: no price per token."""

    @property
    def known(self) -> bool:
        """True when a run can be priced in money."""
        return self.price is not None and self.price.known

    def cost(self, usage: Usage, at: datetime) -> Decimal | None:
        """USD; None where there is no price per token."""
        return None if self.price is None else cost(self.price, usage, at)

    def worst(self, input_tokens: int, at: datetime) -> WorstCase | None:
        """The most that a prompt of this size can cost; None where there is no price per token."""
        if self.price is None:
            return None
        peak = self.price.model_copy(update={"off_peak": None})  # the lower rates may end before the run does
        rates = rates_for(peak, input_tokens, at)
        if rates.input is None or rates.output is None:
            return None
        prompt = input_tokens * max(rates.input, rates.cache_write or rates.input) / _MILLION
        request = (self.price.per_1k_requests or Decimal(0)) / 1000
        return WorstCase(prompt + request, max(rates.output, rates.reasoning or rates.output) / _MILLION)

    def snapshot(self) -> str | None:
        """The price as JSON, to be kept with the ledger row."""
        return (
            None
            if self.price is None
            else self.price.model_dump_json(exclude_none=True, exclude_defaults=True)
        )


def tariff_of(view: ModelView, row: ProviderRow) -> Tariff:
    """The tariff of a model on its provider."""
    if view.own_cost:
        return Tariff(None, own=True)
    price = view.info.price
    if price is None or not price.known:
        return Tariff(None, own=False)
    if row.discount_pct:
        price = discounted(price, Decimal(row.discount_pct))
    return Tariff(price, own=False)


def discounted(price: Price, percent: Decimal) -> Price:
    """Every rate of a price, `percent` lower."""
    scaled = _scaled(price, (100 - percent) / 100)
    assert isinstance(scaled, Price)
    return scaled


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
