"""What matters now, in one answer: spend and where it is heading, the last runs, and prices that went up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING

from services.clock import DAY_MS, HOUR_MS, day_bounds, month_bounds, now_ms

if TYPE_CHECKING:
    from services.catalog_news import News
    from services.container import Services
    from services.projection import Projection
    from services.registry import ProviderView
    from services.usage_chart import UsageChart
    from services.usage_limits import LimitStanding
    from store.ledger import AttemptRow

RISES_MS = 14 * DAY_MS
"""How long a price that went up is news."""
_SYNCS = 200
"""How many syncs of a provider are looked through for it."""
CHART_HOURS = 24
NEWS = "catalog_news"
"""What the catalog has told and nobody has looked at yet (store.state)."""


@dataclass(frozen=True, slots=True)
class Spend:
    """Money of the user's own day and month, and how well it is known."""

    today: Decimal | None
    month: Decimal | None
    limits: tuple[LimitStanding, ...]
    projection: Projection | None
    """Of the month; None: nothing to project from."""
    grades: tuple[tuple[str, float], ...]
    """(`measured`, `estimated`, `unknown` or `own`, share of the month's runs), the well known first; empty: no runs."""

    def limit(self, period: str) -> Decimal | None:
        """The limit for everything in a `daily` or `monthly` period; None: there is none."""
        for standing in self.limits:
            if (standing.budget.scope, standing.budget.period) == ("global", period):
                return standing.budget.limit
        return None


@dataclass(frozen=True, slots=True)
class RecentRun:
    """A run by its final attempt, with what went before that."""

    row: AttemptRow
    before: tuple[AttemptRow, ...]
    """Its earlier attempts, the first first."""


@dataclass(frozen=True, slots=True)
class PriceRise:
    """The steepest rise of one sync, of a model that is on."""

    slug: str
    model: str
    field: str
    old: Decimal
    new: Decimal
    others: int
    """Further models that became dearer with it."""
    at: int
    """When it was seen, UTC ms."""

    @property
    def share(self) -> float:
        """0.2: a fifth dearer."""
        return float((self.new - self.old) / self.old)


async def spend(services: Services) -> Spend:
    """Today, this month, and what it will come to."""
    now = now_ms()
    report = await services.usage.report("grade", month_bounds(now)[0], now + 1)
    return Spend(
        today=await services.usage.spent(*day_bounds(now)),
        month=report.total.cost,
        limits=await services.usage.limits(),
        projection=report.projection,
        grades=_grades([(line.key, line.runs) for line in report.rows]),
    )


def _grades(runs: list[tuple[str, int]]) -> tuple[tuple[str, float], ...]:
    counts = dict.fromkeys(("measured", "estimated", "own", "unknown"), 0)
    for grade, count in runs:
        counts["measured" if grade in ("reported", "computed") else grade] += count
    every = sum(counts.values())
    return tuple((name, count / every) for name, count in counts.items() if count)


async def cost_by_hour(services: Services) -> UsageChart:
    """Cost by provider over the last 24 hours of the user's clock, the present one included."""
    now = now_ms()
    end = now - (now - day_bounds(now)[0]) % HOUR_MS + HOUR_MS
    return await services.usage.chart(end - CHART_HOURS * HOUR_MS, end, group="provider", measure="cost")


async def recent(services: Services, limit: int = 40) -> tuple[RecentRun, ...]:
    """The last runs that ended, newest first."""
    rows = await services.usage.recent(limit * 2)
    before: dict[str, list[AttemptRow]] = {}
    for row in reversed(rows):
        if not row.final:
            before.setdefault(row.run_id, []).append(row)
    found = [RecentRun(row, tuple(before.get(row.run_id, ()))) for row in rows if row.final]
    return tuple(found[:limit])


async def price_rises(services: Services, views: list[ProviderView]) -> tuple[PriceRise, ...]:
    """One for each provider whose last syncs made something dearer that is on, the steepest first."""
    from store.sync_runs import SyncRuns

    since, runs = now_ms() - RISES_MS, SyncRuns(services.db)
    found = []
    for view in views:
        if view.last_sync is None or view.last_sync.started_at < since:
            continue
        for run in await runs.history(view.row.slug, _SYNCS):
            if run.updated and run.id is not None and run.started_at >= since:
                await asyncio.to_thread(import_module, "services.sync")  # so that the screen goes on
                rise = await _rise(services, view.row.slug, run.id, run.started_at)
                if rise is not None:
                    found.append(rise)
                    break
    return tuple(sorted(found, key=lambda rise: -rise.share))


async def catalog_news(services: Services) -> tuple[News, ...]:
    """What the catalog has told and nobody has looked at yet, the newest last."""
    if not await services.state.get(NEWS):
        return ()
    await asyncio.to_thread(import_module, "services.catalog_news")
    from services.catalog_news import news

    return tuple(await news(services))


async def _rise(services: Services, slug: str, run_id: int, at: int) -> PriceRise | None:
    from services.sync_diff import usd

    dearer = [change for change in await services.sync.changes(run_id) if (change.rise or 0) > 0]
    if not dearer:
        return None
    charged = {
        model.info.id
        for model in await services.models.list(slug, enabled=True)
        if not model.own_cost
        and model.info.sources.get("price") == "live"  # a price of the user's goes before
    }
    dearer = [change for change in dearer if change.model in charged]
    if not dearer:
        return None
    first = dearer[0]
    old, new = usd(first.old), usd(first.new)
    assert old is not None
    assert new is not None
    others = len({change.model for change in dearer}) - 1
    return PriceRise(slug, first.model, first.field, old, new, others, at)
