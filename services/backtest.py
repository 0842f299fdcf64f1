"""What a model's real use of late would cost at another price: the mix of last month, out of the roll-ups."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.money import EXACT, from_nanos
from catalog.pricing import cost, price_at, rates_for
from catalog.types import Price, Rates
from catalog.usage import Usage
from services.clock import DAY_MS, month_bounds, now_ms

if TYPE_CHECKING:
    from services.container import Services
    from services.tariff import Tariff
    from store.rollups import UsageRow

DAYS = 30


@dataclass(frozen=True, slots=True)
class Mix:
    """What one model was used for in a span of time. Counts are tokens; what nobody counted is in none of them."""

    words: str
    """`last month`, `the last 30 days`."""
    since: int
    until: int
    runs: int
    answered: int
    """Requests that a fee per request is taken for: those that did not fail."""
    input: int
    output: int
    cache_read: int
    cache_write: int
    reasoning: int
    recorded: Decimal | None
    """USD as the ledger has it; None: nothing has a known cost."""
    dark: int
    """Requests whose cost the ledger does not know."""

    @property
    def used(self) -> bool:
        """True when there is something to reckon with."""
        return bool(self.input or self.output)


def cost_of(mix: Mix, tariff: Tariff, day: date) -> Decimal | None:
    """USD for the whole mix at the price of a day, exact where one rate holds for all prompts; None: unknown, or own.

    Peak hours; with tiers, the tier of the average prompt.
    """
    if tariff.price is None:
        return None
    noon = datetime.combine(day, time(12), UTC)
    price = price_at(tariff.price, day).model_copy(update={"off_peak": None, "batch": None})
    if price.tiers:
        rates = rates_for(price, mix.input // max(mix.answered, 1), noon)
        price = Price(**{name: getattr(rates, name) for name in Rates.model_fields})
    fee = price_at(tariff.price, day).per_1k_requests
    usage = Usage(
        input=mix.input,
        output=mix.output,
        cache_read=mix.cache_read,
        cache_write=mix.cache_write,
        reasoning=mix.reasoning,
    )
    tokens = cost(price.model_copy(update={"per_1k_requests": None}), usage, noon)
    if tokens is None or fee is None:
        return tokens
    return EXACT.add(tokens, EXACT.multiply(EXACT.scaleb(fee, Decimal(-3)), Decimal(mix.answered)))


@dataclass(frozen=True, slots=True)
class Backtest:
    """One mix at the price before and after a change. Money is USD."""

    mix: Mix
    before: Decimal | None
    """None: unknown, or no price per token."""
    after: Decimal | None
    own_before: bool
    own_after: bool
    rough: bool
    """True where tiers or hours make it depend on more than the sums."""

    def sentence(self, money: Callable[[Decimal | None], str]) -> str:
        """`last month's mix: $412 → $538 (estimate)`, with what is unknown said."""
        whose = f"{self.mix.words}’" if self.mix.words.endswith("s") else f"{self.mix.words}’s"
        if not self.mix.runs:
            return "no runs last month or since: nothing to compare"
        if not self.mix.used:
            return f"{whose} tokens were not counted: unknown"
        new = (
            "no price per token" if self.own_after else "unknown" if self.after is None else money(self.after)
        )
        if self.before is None and self.after is not None:
            return f"{whose} runs would have cost {new} (estimate)"
        old = (
            "no price per token"
            if self.own_before
            else "unknown"
            if self.before is None
            else money(self.before)
        )
        guess = " (estimate)" if self.before is not None or self.after is not None else ""
        return f"{whose} mix: {old} → {new}{guess}"

    def notes(self) -> list[str]:
        """What the figures leave out."""
        found = []
        if self.mix.dark and self.mix.used and self.before is not None:
            found.append(
                f"{self.mix.dark} requests have no recorded cost: only their counted tokens are in it"
            )
        if self.rough:
            found.append("tiers by the average prompt, peak hours")
        return found


def compared(mix: Mix, before: Tariff, after: Tariff, today: date, day: date) -> Backtest:
    """The mix at today's price and at the other one, as it is on its first day."""
    rough = any(
        tariff.price is not None and (tariff.price.tiers or tariff.price.off_peak)
        for tariff in (before, after)
    )
    return Backtest(
        mix,
        cost_of(mix, before, today),
        cost_of(mix, after, day),
        before.own,
        after.own,
        rough=bool(rough),
    )


def summed(found: Sequence[Backtest]) -> Backtest:
    """Those of several models over one span as one; a used model of unknown cost makes the sum unknown."""
    used = [one for one in found if one.mix.used] or found
    counts = ("runs", "answered", "input", "output", "cache_read", "cache_write", "reasoning", "dark")
    known = [one.mix.recorded for one in found if one.mix.recorded is not None]
    mix = replace(
        found[0].mix,
        recorded=sum(known, Decimal(0)) if known else None,
        **{name: sum(getattr(one.mix, name) for one in found) for name in counts},
    )
    own_before, own_after = all(one.own_before for one in used), all(one.own_after for one in used)
    return Backtest(
        mix,
        None if own_before else _together([one.before for one in used if not one.own_before]),
        None if own_after else _together([one.after for one in used if not one.own_after]),
        own_before,
        own_after,
        rough=any(one.rough for one in used),
    )


def _together(costs: Sequence[Decimal | None]) -> Decimal | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


async def mixes(services: Services, ref: str, now: int | None = None) -> tuple[Mix, Mix]:
    """What a model was used for: in the last full month of the user's calendar, and in the last 30 days."""
    from store.rollups import Rollups

    rollups, now = Rollups(services.db), now_ms() if now is None else now
    slug, _, model = ref.partition("/")
    month = month_bounds(now, -1)
    days = (now - DAYS * DAY_MS, now + 1)
    found = await asyncio.gather(
        *(rollups.totals(*span, "model", provider=slug, model=model) for span in (month, days))
    )
    return _mix("last month", month, found[0]), _mix(f"the last {DAYS} days", days, found[1])


def telling(found: tuple[Mix, Mix]) -> Mix:
    """The one that says most: last month's, or the last 30 days' where the month has none."""
    month, days = found
    return month if month.used or not days.runs else days


def _mix(words: str, span: tuple[int, int], rows: list[UsageRow]) -> Mix:
    row = next(iter(rows), None)
    if row is None:
        return Mix(words, *span, 0, 0, 0, 0, 0, 0, 0, None, 0)
    return Mix(
        words,
        *span,
        runs=row.runs,
        answered=row.attempts - row.errors,
        input=row.input,
        output=row.output,
        cache_read=row.cache_read,
        cache_write=row.cache_write,
        reasoning=row.reasoning,
        recorded=from_nanos(row.cost_nanos) if row.cost_nanos else None,
        dark=row.unknown_attempts,
    )
