"""What a provider cost is said alike in Usage, in its Metrics and in its line: unknown money is never $0."""

from __future__ import annotations

from decimal import Decimal

import pytest
from test_usage import spend

from services.clock import DAY_MS, HOUR_MS, MINUTE_MS, now_ms
from services.container import Services
from services.provider_metrics import Metrics, provider_metrics
from services.usage_range import custom_range
from services.usage_table import Used


async def _figures(services: Services, slug: str, hours: int) -> tuple[Used, Decimal | int | None, Metrics]:
    """One provider as Usage's table, as Usage's chart and as its own Metrics have it."""
    now = now_ms() + 1
    span = custom_range(now - hours * HOUR_MS, now, now)
    table = await services.usage.table(span, group="provider")
    chart = await services.usage.chart(span.since, span.until, group="provider")
    found = await provider_metrics(services, slug, hours * HOUR_MS)
    line = next(entry.now for entry in table.entries if entry.key == slug)
    return line, dict(zip(chart.keys, chart.totals, strict=True))[slug], found.whole


@pytest.mark.parametrize("hours", [1, 24], ids=["ledger", "roll-ups"])
async def test_failures_that_cost_nothing_do_not_make_the_unknown_free(
    services: Services, hours: int
) -> None:
    now = now_ms()
    await spend(services, now - 20 * MINUTE_MS, 0, outcome="failed", provider="azure-eu")
    await spend(services, now - 25 * MINUTE_MS, None, provider="azure-eu")
    await spend(services, now - 26 * MINUTE_MS, None, provider="azure-eu")
    await spend(services, now - 20 * MINUTE_MS, 0, outcome="failed", provider="refused")
    await spend(services, now - 20 * MINUTE_MS, None, grade="own", provider="lab")
    await spend(services, now - 20 * MINUTE_MS, 2, provider="mine")
    await spend(services, now - 20 * MINUTE_MS, None, provider="mine")
    for slug, cost, unknown in (("azure-eu", None, 2), ("refused", 0, 0), ("lab", None, 0), ("mine", 2, 1)):
        used, charted, metrics = await _figures(services, slug, hours)
        assert used.cost == charted == metrics.cost == cost, slug
        assert used.unknown == metrics.unknown == unknown
        assert used.own == metrics.own == (1 if slug == "lab" else 0)
    report = await services.usage.report("provider", now - hours * HOUR_MS)
    assert {line.key: line.cost for line in report.rows}["azure-eu"] is None


async def test_errors_are_counted_over_the_same_time_as_the_runs(services: Services) -> None:
    since = now_ms() - DAY_MS
    await spend(services, since - since % (15 * MINUTE_MS), 0, outcome="failed", error_code="network")
    found = await provider_metrics(services, "mine", DAY_MS)
    assert (found.whole.failed, found.errors) == (1, (("network", 1),))
    assert sum(found.bad) == 1


async def test_a_provider_without_runs_has_no_figures(services: Services) -> None:
    found = await provider_metrics(services, "nobody", DAY_MS)
    assert (found.whole.runs, found.whole.error_share, found.models, found.errors) == (0, None, (), ())
    assert sum(found.good) == sum(found.bad) == 0
