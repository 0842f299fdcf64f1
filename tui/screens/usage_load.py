"""Everything the Usage mode shows, asked for in one go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from tui.screens.usage_billed import both_chart, both_sides
from tui.screens.usage_words import chart_data

if TYPE_CHECKING:
    from services.billed import Comparison
    from services.container import Services
    from services.projection import Projection
    from services.usage_chart import ChartMeasure, UsageChart
    from services.usage_limits import LimitStanding
    from services.usage_range import UsageRange
    from services.usage_table import UsageTable
    from tui.screens.usage_billed import Source
    from tui.widgets.chart import ChartData


@dataclass(frozen=True, slots=True)
class Loaded:
    """One answer: what is equal to the one before paints nothing."""

    span: UsageRange
    bar: tuple[int, int] | None
    """The stretch of time the table is narrowed to; None: all of the range."""
    group: str
    measure: ChartMeasure
    chart: UsageChart
    data: ChartData
    table: UsageTable
    month: Decimal | None
    projection: Projection | None
    limits: tuple[LimitStanding, ...]
    source: Source = "here"
    comparison: Comparison | None = None
    """Both sides; None unless both are looked at."""


async def load(
    services: Services,
    span: UsageRange,
    bar: tuple[int, int] | None,
    group: str,
    measure: ChartMeasure,
    source: Source = "here",
) -> Loaded:
    """Chart and table of a range, what the month comes to, and where the limits stand."""
    usage = services.usage
    billed = source != "here"
    since, until = span.since, span.until
    chart = await usage.chart(
        since, until, group=None if source == "both" else group, measure=measure, billed=billed
    )
    table = await usage.table(
        span if bar is None else span.bar(*bar), group=group, measure=measure, billed=billed
    )
    limits = await usage.limits()
    limit = _line_across(limits, measure, chart.starts) if not billed else None
    cut = [*chart.starts, chart.end]
    if billed:  # the vendors' days stand where the user's of the same date do
        from services.clock import own_day

        chart = replace(chart, starts=tuple(map(own_day, chart.starts)), end=own_day(chart.end))
    data = chart_data(chart, group, measure, limit)
    comparison = None
    if source == "both":
        from services.billed import compare, told
        from services.usage_chart import line
        from services.usage_source import RollupSource

        here = await line(RollupSource(services.db), cut, measure, await told(services, cut[0], cut[-1]))
        chart = both_sides(here, chart)
        data = both_chart(chart, data.unit, measure)
        comparison = await compare(services, *(bar or (since, until)), group)
    return Loaded(
        span,
        bar,
        group,
        measure,
        chart,
        data,
        table,
        await usage.month(),
        await usage.projection(),
        limits,
        source,
        comparison,
    )


def _line_across(
    limits: tuple[LimitStanding, ...], measure: ChartMeasure, starts: tuple[int, ...]
) -> Decimal | None:
    """The daily limit of all providers, where a bar is a day."""
    if measure != "cost" or len(starts) < 2 or not 22 <= (starts[1] - starts[0]) / 3_600_000 <= 26:
        return None
    found = (one.budget for one in limits if one.budget.scope == "global" and one.budget.period == "daily")
    return next((budget.limit for budget in found), None)
