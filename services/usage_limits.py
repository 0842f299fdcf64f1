"""When each limit will be reached: a daily one at today's rate, a monthly one at the pace of the month's projection."""

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
    """UTC ms; None: it is reached already, starts anew or ends before that, or nothing is being spent."""
    pace: Decimal
    """USD a day that this reckons with; 0: nothing is being spent."""


async def limit_standings(services: Services) -> tuple[LimitStanding, ...]:
    """The limits in force, the nearest to its end first."""
    now = now_ms()
    budgets = await services.budgets.list()
    found = [await _standing(services, budget, now) for budget in budgets if budget.in_force]
    return tuple(sorted(found, key=lambda one: (-one.share, one.budget.scope, one.budget.period)))


async def _standing(services: Services, budget: BudgetView, now: int) -> LimitStanding:
    from services.budgets import provider_of

    if budget.period == "daily":
        elapsed = max(now - day_bounds(now)[0], HOUR_MS)
        pace = budget.spent * DAY_MS / elapsed
    else:  # one day says little about a month, so this agrees with what the month is projected to come to
        projection = await services.usage.projection(provider_of(budget.scope))
        pace = projection.pace if projection is not None else Decimal(0)
    share = float(budget.spent / budget.limit) if budget.limit else 1.0
    at = None
    if pace > 0 and share < 1:
        at = now + int(max(budget.remaining, Decimal(0)) * DAY_MS / pace)
    end = min(budget.resets_at, budget.until or budget.resets_at)
    return LimitStanding(budget, share, at if at is not None and at < end else None, pace)
