"""One measure over time for a chart: buckets of the user's own clock, the largest keys, and the rest as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, get_args

from catalog.errors import UsageError
from catalog.money import from_nanos
from services.clock import DAY_MS, HOUR_MS, MINUTE_MS, local_date, to_ms
from services.usage_source import known_cost

if TYPE_CHECKING:
    from services.usage_source import UsageSource
    from store.rollups import UsageRow

ChartMeasure = Literal["cost", "tokens", "runs", "ttft", "errors"]
OTHER = "*"
"""The key of all that is not among the largest."""
MOST_KEYS = 7
MOST_LINES = 5
"""Of medians: more lines cross until nobody can follow one."""
_NANOS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class UsageChart:
    """One measure by key and bucket: cost in USD, ttft as the median in ms, the others as counts."""

    starts: tuple[int, ...]
    """UTC ms of the beginning of each bucket."""
    end: int
    keys: tuple[str, ...]
    """The largest first; `OTHER` last, where there are more than `MOST_KEYS`."""
    values: tuple[tuple[float | None, ...], ...]
    """Per key and bucket; None: something was used there, but what it cost (or took) is not known."""
    totals: tuple[Decimal | int | None, ...]
    """Per key; None: not known."""


def bucket_bounds(since: int, until: int) -> list[int]:
    """Where the buckets of a chart begin and the last one ends: 5 or 15 minutes, hours, quarters of a day, days,
    weeks or months of the user's clock, so that there are about 12 to 92. A day on which clocks change has 23
    or 25 hours."""
    if until <= since:
        raise UsageError("The range ends before it begins.", hint="Give the earlier day first.")
    span = until - since
    if span <= 2 * HOUR_MS:
        inner: Iterable[int] = _even(since, until, 5 * MINUTE_MS)
    elif span <= 12 * HOUR_MS:
        inner = _even(since, until, 15 * MINUTE_MS)
    elif span <= 49 * HOUR_MS:
        inner = _even(since, until, HOUR_MS)
    else:
        inner = _of_days(since, until)
    return [since, *(at for at in inner if since < at < until), until]


def _even(since: int, until: int, step: int) -> Iterable[int]:
    # Some zones' hours begin at :30 or :45 of UTC, so they are counted from a midnight.
    midnight = to_ms(datetime.combine(local_date(since), datetime.min.time()))
    return range(since - (since - midnight) % step, until, step)


def _of_days(since: int, until: int) -> Iterable[int]:
    days = (until - since) / DAY_MS
    day = local_date(since)
    hours = (0, 6, 12, 18) if days <= 14 else (0,)
    weekly, monthly = 93 < days <= 92 * 7, days > 92 * 7
    last = local_date(until)
    while day <= last:
        if not (weekly and day.weekday()) and not (monthly and day.day != 1):
            for hour in hours:
                yield to_ms(datetime(day.year, day.month, day.day, hour))  # noqa: DTZ001 - the user's own zone
        day += timedelta(days=1)


async def usage_chart(
    source: UsageSource, since: int, until: int, *, group: str | None, measure: ChartMeasure
) -> UsageChart:
    """The chart of [since, until). The range widens to whole quarters of an hour, or of 5 minutes in a short one."""
    if measure not in get_args(ChartMeasure):
        raise UsageError("That cannot be measured.", hint=f"One of {', '.join(get_args(ChartMeasure))}.")
    bounds = source.aligned(bucket_bounds(since, until))
    if measure == "ttft":
        return await _ttft(source, bounds, group)
    rows = await source.totals(bounds[0], bounds[-1], group)
    rows = sorted((row for row in rows if row.attempts), key=lambda row: _rank(row, measure))
    own = await source.own(bounds[0], bounds[-1], group) if measure == "cost" else {}
    shown, rest = rows[:MOST_KEYS], rows[MOST_KEYS:]
    if len(rest) == 1:
        shown, rest = rows, []
    keys = [row.key for row in shown]
    values = await _values(source, bounds, group, keys, measure)
    totals = [_total([row], measure, own) for row in shown]
    if rest:
        every = (await _values(source, bounds, None, [""], measure))[0]
        if group == "label":  # a run of two labels counts under each, so the rest is no difference
            every = _added(await _values(source, bounds, group, [row.key for row in rest], measure))
        else:
            every = tuple(_left(total, parts) for total, *parts in zip(every, *values, strict=True))
        keys, values, totals = [*keys, OTHER], [*values, every], [*totals, _total(rest, measure, own)]
    return UsageChart(tuple(bounds[:-1]), bounds[-1], tuple(keys), tuple(values), tuple(totals))


async def line(
    source: UsageSource, bounds: Sequence[int], measure: ChartMeasure, spans: Mapping[str, tuple[int, int]]
) -> tuple[tuple[float | None, ...], Decimal | int | None]:
    """(figure per bucket, total) of these providers together, each in its span of time; somebody else cut the buckets."""
    parts = await _values(source, bounds, "provider", list(spans), measure)
    columns = [
        [
            part[place]
            for part, (since, until) in zip(parts, spans.values(), strict=True)
            if since <= start < until
        ]
        for place, start in enumerate(bounds[:-1])
    ]
    rows: list[UsageRow] = []
    own: dict[str, int] = {}
    for slug, span in spans.items():
        rows += [row for row in await source.totals(*span, "provider") if row.key == slug]
        if measure == "cost":
            own[slug] = (await source.own(*span, "provider")).get(slug, 0)
    total = _total(rows, measure, own) if rows or not spans else Decimal(0)
    return tuple(map(_together, columns)), total


def _together(parts: Sequence[float | None]) -> float | None:
    known = sum(part or 0.0 for part in parts)
    return None if not known and None in parts else known


async def _values(
    source: UsageSource, bounds: Sequence[int], group: str | None, keys: Sequence[str], measure: ChartMeasure
) -> list[tuple[float | None, ...]]:
    if measure != "cost":
        name = {"tokens": "input + output", "errors": "failed_runs"}.get(measure, "runs")
        counts = await source.points(bounds, name, group, keys)
        return [tuple(map(float, line)) for line in counts]
    costs = await source.points(bounds, "cost_nanos", group, keys)
    unknown = await source.points(bounds, "unknown_attempts", group, keys)
    return [
        tuple(
            None if not nanos and dark else nanos / _NANOS for nanos, dark in zip(line, hidden, strict=True)
        )
        for line, hidden in zip(costs, unknown, strict=True)
    ]


async def _ttft(source: UsageSource, bounds: Sequence[int], group: str | None) -> UsageChart:
    whole = await source.ttft([bounds[0], bounds[-1]], group)
    found = sorted(((key, *line[0]) for key, line in whole.items()), key=lambda one: (-one[1], one[0]))
    keys = [key for key, count, _ in found[:MOST_LINES] if count]
    lines = await source.ttft(bounds, group, keys)
    return UsageChart(
        tuple(bounds[:-1]),
        bounds[-1],
        tuple(keys),
        tuple(tuple(None if ms is None else float(ms) for _, ms in lines[key]) for key in keys),
        tuple(ms for key, _, ms in found if key in keys),
    )


def _rank(row: UsageRow, measure: ChartMeasure) -> tuple[int, int, str]:
    return -_amount(row, measure), -row.attempts, row.key


def _amount(row: UsageRow, measure: ChartMeasure) -> int:
    if measure == "cost":
        return row.cost_nanos
    if measure == "tokens":
        return row.input + row.output
    return row.failed_runs if measure == "errors" else row.runs


def _total(rows: Sequence[UsageRow], measure: ChartMeasure, own: dict[str, int]) -> Decimal | int | None:
    amount = sum(_amount(row, measure) for row in rows)
    if measure != "cost":
        return amount
    dark = any(known_cost(row, own.get(row.key, 0)) is None for row in rows)
    return None if not amount and (dark or not rows) else from_nanos(amount)


def _left(total: float | None, parts: Sequence[float | None]) -> float | None:
    """What the keys that are shown leave over."""
    if total is None:
        return None if all(part is None for part in parts) else 0.0
    over = total - sum(part or 0.0 for part in parts)
    return over if over > 1e-9 else 0.0


def _added(lines: Sequence[tuple[float | None, ...]]) -> tuple[float | None, ...]:
    return tuple(
        None if all(part is None for part in parts) else sum(part or 0.0 for part in parts)
        for parts in zip(*lines, strict=True)
    )
