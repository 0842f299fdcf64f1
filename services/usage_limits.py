"""When each limit will be reached at today's rate."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from services.clock import DAY_MS, HOUR_MS, day_bounds, now_ms

if TYPE_CHECKING:
    from services.budgets import BudgetView
    from services.container import Services


@dataclass(frozen=True, slots=True)
class LimitStanding:
    """One limit in force and where it is heading."""

    budget: BudgetView
    share: float
    """Spent of the limit: 1 is all of it."""
    runs_out: int | None
    """UTC ms; None: it starts anew before that, or nothing is being spent."""


async def limit_standings(services: Services) -> tuple[LimitStanding, ...]:
    """The limits in force, the nearest to its end first."""
    now = now_ms()
    budgets = await services.budgets.list()
    found = [await _standing(services, budget, now) for budget in budgets if budget.in_force]
    return tuple(sorted(found, key=lambda one: (-one.share, one.budget.scope, one.budget.period)))


async def _standing(services: Services, budget: BudgetView, now: int) -> LimitStanding:
    from services.budgets import provider_of

    midnight = day_bounds(now)[0]
    if budget.period == "daily":
        rate = budget.spent / max(now - midnight, HOUR_MS)
    else:  # a day of its own rhythm: nights are quiet, so the last 24 hours say more than since midnight
        lately = await services.usage.spent(now - DAY_MS, now + 1, provider_of(budget.scope))
        rate = (lately or Decimal(0)) / DAY_MS
    share = float(budget.spent / budget.limit) if budget.limit else 1.0
    at = now + int(max(budget.remaining, Decimal(0)) / rate) if rate > 0 else None
    return LimitStanding(budget, share, at if at is not None and at < budget.resets_at else None)
