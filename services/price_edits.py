"""What can be said of how a model is charged: a price from a day on, what it is, how it is paid, and each taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

from catalog.errors import NotFoundError, UsageError
from catalog.money import EXACT, to_nanos
from catalog.plaintext import one_line
from catalog.pricing import price_at
from catalog.types import Price, Scheduled
from services.merging import parse_price
from store.models import ModelRow

MOST = Decimal(10_000)
"""USD per 1,000,000 tokens; more is a slip of the unit."""
LEAST = Decimal("0.0001")
"""The same: less, and not 0, is a price per token."""
MOST_PER_REQUEST = Decimal(1_000)
_PLACES = 9
_FINE = "at most nine decimals"
_MOST_DATES = 50
CostMode = Literal["own", "flat", "metered"]


@dataclass(frozen=True, slots=True)
class TypedPrice:
    """A whole price as the user types it: USD per 1,000,000 tokens; 0 is free."""

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    """None: cached input is billed as input."""
    cache_write: Decimal | None = None
    """None: written input is billed as input."""
    per_request: Decimal | None = None
    """USD for each request on top of the tokens; None: no such fee."""
    from_date: date | None = None
    """UTC day it comes into force; None, today and days that are past: at once."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of how a model is charged, to look at or to make."""

    action: str
    """As the audit log names it."""
    apply: Callable[[ModelRow], ModelRow]
    day: date | None = None
    """The UTC day from which it holds; None: at once."""


def typed_edit(typed: TypedPrice) -> Edit:
    """Type a price. UsageError: an amount or a date that cannot be meant."""
    _check(typed)
    today = datetime.now(UTC).date()
    day = typed.from_date if typed.from_date is not None and typed.from_date > today else None

    def apply(row: ModelRow) -> ModelRow:
        if day is not None and row.cost_mode in ("own", "flat"):
            raise UsageError(
                f"{row.provider}/{one_line(row.id, 80)} has no price per token: a later one would never count.",
                hint="Say first that it is paid by tokens: switchroom models map REF --metered, or m in Models.",
            )
        price = _with(parse_price(row.typed_price_json), typed, day, today)
        mode = row.cost_mode if day is not None else None  # what was said last holds
        return replace(row, typed_price_json=_json(price), cost_mode=mode)

    return Edit("model.price", apply, day)


def clear_edit(day: date | None = None) -> Edit:
    """Take back what was typed; `day`: only the price from that day on."""
    today = datetime.now(UTC).date()

    def apply(row: ModelRow) -> ModelRow:
        price = parse_price(row.typed_price_json)
        if price is None and day is None and row.typed_price_json is not None:
            return replace(row, typed_price_json=None)  # what is stored cannot be read
        price = None if price is None else price_at(price, today)
        if price is None or (
            day is not None and all(c.from_date != day.isoformat() for c in price.scheduled)
        ):
            when = f" from {day.isoformat()} on" if day is not None else ""
            raise NotFoundError(f"No price was typed for {row.provider}/{one_line(row.id, 80)}{when}.")
        if day is None:
            return replace(row, typed_price_json=None)
        later = tuple(change for change in price.scheduled if change.from_date != day.isoformat())
        left = price.model_copy(update={"scheduled": later})
        return replace(row, typed_price_json=_json(left) if left != Price() else None)

    return Edit("model.price", apply, day)


def map_edit(base: str | None) -> Edit:
    """Say which catalog model it is, `vendor/model` as `base_of` gives it; None: itself again."""

    def apply(row: ModelRow) -> ModelRow:
        mode = (
            row.cost_mode if base is None or row.cost_mode == "metered" else None
        )  # what was said last holds
        return replace(row, map_to=base, cost_mode=mode)

    return Edit("model.map", apply)


def plain_edit() -> Edit:
    """Take back what it is mapped to and how it is paid: as the catalog and its provider say."""
    return Edit("model.map", lambda row: replace(row, map_to=None, cost_mode=None, gpu_hour_nanos=None))


def cost_edit(mode: CostMode | None, gpu_hour: Decimal | None = None) -> Edit:
    """Say how it is paid: own hardware (USD per hour, if counted), flat rate, by tokens; None: as its provider."""
    if gpu_hour is not None and not 0 <= gpu_hour <= 100_000:
        raise UsageError("An hour of hardware costs from 0 to 100,000 USD.")
    if gpu_hour is not None and 0 < gpu_hour < Decimal("1e-9"):
        raise UsageError(
            "Less than a nano-dollar cannot be counted.", hint="Give 0, or at least 0.000000001."
        )
    hour = None if gpu_hour is None or mode != "own" else to_nanos(gpu_hour)
    return Edit("model.cost", lambda row: replace(row, cost_mode=mode, gpu_hour_nanos=hour))


def amount_problem(amount: Decimal) -> str | None:
    """What is wrong with a price per 1,000,000 tokens, in words; None when it can be meant."""
    if not amount.is_finite() or amount < 0:
        return "an amount from 0 up; 0 is free"
    if amount > MOST:
        shown = f"${amount:,f}" if amount.adjusted() < 15 else "That"
        return f"{shown} per 1M tokens is more than {MOST:,}: prices are per 1M tokens"
    if amount and amount.adjusted() < -_PLACES - 6:
        return _FINE  # not even per token; written out it could fill the screen
    if 0 < amount < LEAST:
        return f"a price per token? per 1M it is {amount.scaleb(6).normalize():f}"
    return _too_fine(amount)


def _too_fine(amount: Decimal) -> str | None:
    exponent = amount.normalize(EXACT).as_tuple().exponent
    return _FINE if isinstance(exponent, int) and -exponent > _PLACES else None


def _check(typed: TypedPrice) -> None:
    for name in ("input", "output", "cache_read", "cache_write"):
        amount: Decimal | None = getattr(typed, name)
        if amount is not None and (problem := amount_problem(amount)) is not None:
            raise UsageError(
                f"The price for {name.replace('_', ' ')}: {problem}.",
                hint="Write 2.5 for $2.50 per 1M tokens.",
            )
    fee = typed.per_request
    if fee is not None and (not fee.is_finite() or not 0 <= fee <= MOST_PER_REQUEST or _too_fine(fee)):
        raise UsageError(
            f"The fee per request is an amount from 0 to {MOST_PER_REQUEST:,}, of at most nine decimals."
        )
    if typed.from_date is not None and typed.from_date.year > datetime.now(UTC).year + 10:
        raise UsageError("That day is more than ten years ahead.")


def _with(stored: Price | None, typed: TypedPrice, day: date | None, today: date) -> Price:
    """What was typed before, with one more price; its past is folded into today's."""
    now = price_at(stored, today) if stored is not None else Price()
    fee = None if typed.per_request is None else EXACT.scaleb(typed.per_request, Decimal(3))
    rates = {name: getattr(typed, name) for name in ("input", "output", "cache_read", "cache_write")}
    if day is None:
        return Price(**rates, per_1k_requests=fee, scheduled=now.scheduled)
    change = Scheduled(from_date=day.isoformat(), whole=True, **rates, per_1k_requests=fee)
    others = [other for other in now.scheduled if other.from_date != change.from_date]
    if len(others) >= _MOST_DATES:
        raise UsageError(f"A model has at most {_MOST_DATES} dated prices.", hint="Take some back first.")
    later = tuple(sorted((*others, change), key=lambda one: one.from_date))
    return now.model_copy(update={"scheduled": later})


def _json(price: Price) -> str:
    return price.model_dump_json(exclude_none=True, exclude_defaults=True)
