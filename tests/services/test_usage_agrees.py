"""One sum, wherever it is told: chart, table, report, limits and the status line agree to the nano-dollar."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from test_usage import at, spend

from services import clock, usage, usage_limits
from services.container import Services, open_services
from services.demo import seed_demo
from services.paths import under
from services.usage_range import RANGES, custom_range, named_range

FRIDAY_NOON = 1_795_176_000_000
GROUPS = ("provider", "model", "caller", "grade", "outcome", None)


@pytest.fixture
async def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    for module in (clock, usage, usage_limits):
        monkeypatch.setattr(module, "now_ms", lambda: FRIDAY_NOON)
    paths = under(tmp_path / "home")
    await seed_demo(paths)
    async with open_services(paths, actor="tui") as services:
        yield services


async def test_chart_table_report_and_status_line_agree(demo: Services) -> None:
    today, month = clock.day_bounds(FRIDAY_NOON), clock.month_bounds(FRIDAY_NOON)
    spans = [named_range(name, FRIDAY_NOON) for name in RANGES] + [custom_range(*today, FRIDAY_NOON)]
    for span in spans:
        for group in GROUPS:
            table = await demo.usage.table(span, group=group)
            chart = await demo.usage.chart(span.since, span.until, group=group)
            assert sum(total or 0 for total in chart.totals) == table.total.now.cost, (span.name, group)
            drawn = sum(value or 0 for line in chart.values for value in line)
            assert drawn == pytest.approx(float(table.total.now.cost or 0), abs=1e-6)
            runs = await demo.usage.chart(span.since, span.until, group=group, measure="runs")
            assert sum(total or 0 for total in runs.totals) == table.total.now.runs
        report = await demo.usage.report("provider", span.since, span.until)
        if span.name != "1h":  # a report goes by quarters of an hour
            assert (report.total.cost, report.total.runs) == (table.total.now.cost, table.total.now.runs)
    assert table.total.now.cost == await demo.usage.today()
    this_month = await demo.usage.table(custom_range(*month, FRIDAY_NOON))
    assert this_month.total.now.cost == await demo.usage.month()
    for budget in await demo.budgets.list():
        if budget.scope == "global":
            assert budget.spent == await (
                demo.usage.today() if budget.period == "daily" else demo.usage.month()
            )


async def test_why_adds_up_to_the_tables_difference(demo: Services) -> None:
    for name in RANGES:
        span = named_range(name, FRIDAY_NOON)
        found, table = await demo.usage.why(span), await demo.usage.table(span)
        assert found.total == sum(found.parts.values())
        assert found.total == table.total.delta("cost"), name


async def test_runs_of_unknown_cost_are_no_reason(services: Services) -> None:
    """A model whose vendor sometimes says nothing of its use: those runs make the others no cheaper."""
    span = named_range("24h", at("2026-11-20T14:30"))
    for number in range(4):
        await spend(services, span.since - 60_000 * (number + 90), 1)
        await spend(services, span.since + 60_000 * number, 1)
        await spend(services, span.since + 60_000 * number + 7, None, grade="unknown")
    found = await services.usage.why(span)
    assert (found.total, set(found.parts.values()), found.unpriced) == (Decimal(0), {Decimal(0)}, 4)


@pytest.mark.parametrize("minutes", [1, 40, 300])
async def test_a_range_between_two_bars_is_one_range_everywhere(services: Services, minutes: int) -> None:
    since = at("2026-11-01T10:02")
    await spend(services, since - 60_000, 1)
    await spend(services, since + 10, 2)
    until = since + minutes * 60_000
    table = await services.usage.table(custom_range(since, until, until + clock.DAY_MS))
    chart = await services.usage.chart(since, until)
    assert chart.totals == (table.total.now.cost,) == (Decimal(3),)


async def test_nothing_known_but_a_free_failure_is_no_sum_of_zero(services: Services) -> None:
    when = clock.now_ms()
    await spend(services, when, 0, provider="failed", outcome="failed")
    await spend(services, when, None, provider="dark")
    table = await services.usage.table(named_range("24h", when))
    assert table.total.now.cost is None
    assert await services.usage.today() is None
