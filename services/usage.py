"""What was used and what it cost, in the user's own days and months; unknown money stays unknown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, get_args

from catalog.errors import SwitchroomError, UsageError
from services.clock import HOUR_MS, day_bounds, iso, local_date, month_bounds, now_ms
from services.projection import Projection, project

if TYPE_CHECKING:
    from fractions import Fraction

    from services.container import Services
    from services.usage_chart import ChartMeasure, UsageChart
    from services.usage_limits import LimitStanding
    from services.usage_range import UsageRange
    from services.usage_table import UsageTable, Used
    from services.usage_why import Why
    from store.ledger import AttemptRow
    from store.rollups import UsageRow

By = Literal["provider", "model", "day", "hour", "label", "caller", "grade", "outcome"]
MOST_BUCKETS = 10_000
_PRICED = 20
"""For so many models the price is looked up to tell longer answers from dearer tokens."""
_NO_MONEY = ("own", "unknown")
"""The grades that carry no money."""


@dataclass(frozen=True, slots=True)
class UsageLine:
    """What was used under one key. Token counts sum what the vendors reported or was counted here."""

    key: str
    runs: int
    errors: int
    """Runs that ended failed or interrupted."""
    input: int
    output: int
    cost: Decimal | None
    """USD; None: nothing with a known price (unknown, or own hardware)."""
    measured_share: float
    """0…1: how much of it is reported or computed from reported tokens; below 1 something is estimated or unknown."""
    start_ms: int
    """Start of the day or hour, or of the whole range."""


@dataclass(frozen=True, slots=True)
class UsageReport:
    """The answer to `usage`. The range is widened to whole quarters of an hour."""

    since: int
    until: int
    rows: tuple[UsageLine, ...]
    total: UsageLine
    projection: Projection | None
    """Of the calendar month; None without any cost to project from."""


class UsageService:
    """Reports out of the roll-ups: the cost does not grow with the ledger."""

    def __init__(self, services: Services) -> None:
        from store.ledger import Ledger
        from store.rollups import Rollups

        self._services = services
        self._db = services.db
        self._rollups = Rollups(services.db)
        self._ledger = Ledger(services.db)

    async def report(self, by: str, since_ms: int, until_ms: int | None = None) -> UsageReport:
        """What was used in [since, until), by one of `By`. A run of two labels is in two rows, once in the total."""
        until_ms = now_ms() + 1 if until_ms is None else until_ms
        if by not in get_args(By):
            raise UsageError("Usage cannot be grouped like that.", hint=f"By {', '.join(get_args(By))}.")
        if until_ms <= since_ms:
            raise UsageError(
                "The range ends before it begins.", hint="--since 30d, or --from 2026-11-01 --to …"
            )
        grades = await self._rollups.totals(since_ms, until_ms, "grade")
        total = _line("total", since_ms, grades)
        if by in ("day", "hour"):
            rows = await self._by_time(by, since_ms, until_ms)
        elif by == "grade":
            rows = [_line(row.key, since_ms, [row]) for row in grades]
        elif by == "outcome":
            rows = await self._by_outcome(since_ms, until_ms)
        else:
            rows = await self._by_key(by, since_ms, until_ms)
        return UsageReport(since_ms, until_ms, tuple(rows), total, await self.projection())

    async def chart(
        self,
        since_ms: int,
        until_ms: int,
        *,
        group: str | None = "provider",
        measure: ChartMeasure = "cost",
        billed: bool = False,
    ) -> UsageChart:
        """One measure over [since, until) by `provider`, `model`, `label`, `caller`, `grade`, `outcome` or None.

        `billed`: as the vendors state it, in whole UTC days, by provider or model.
        """
        from services.usage_chart import usage_chart
        from services.usage_source import source_for

        source = source_for(self._db, since_ms, until_ms, group, billed=billed)
        return await usage_chart(source, since_ms, until_ms, group=group, measure=measure)

    async def table(
        self,
        span: UsageRange,
        *,
        group: str | None = "provider",
        measure: ChartMeasure = "cost",
        billed: bool = False,
    ) -> UsageTable:
        """What each key used in the range, beside the previous equal period; `billed` as for `chart`."""
        from services.usage_source import source_for
        from services.usage_table import usage_table

        source = source_for(self._db, span.since, span.until, group, billed=billed)
        since, until = source.aligned((span.since, span.until))  # as the chart does
        return await usage_table(
            source,
            (since, until),
            (span.before_since, span.before_until),
            group=group,
            measure=measure,
        )

    async def why(self, span: UsageRange) -> Why:
        """What the difference in cost to the previous equal period is made of."""
        from services.usage_source import source_for
        from services.usage_table import priced
        from services.usage_why import why

        source = source_for(self._db, span.since, span.until, "model")
        since, until = source.aligned((span.since, span.until))
        now, dark = await priced(source, since, until)
        before, dark_before = await priced(source, span.before_since, span.before_until)
        return why(now, before, await self._ratios(now), unpriced=dark + dark_before)

    async def runs(
        self,
        since: int,
        until: int,
        *,
        group: str | None,
        key: str,
        limit: int = 100,
        before: AttemptRow | None = None,
    ) -> list[AttemptRow]:
        """The runs (their final attempts) of one key in [since, until), last first; `before` pages on."""
        from store.run_pages import RunPages

        return await RunPages(self._db).page(since, until, group, key, limit=limit, before=before)

    async def run(self, run_id: str) -> list[AttemptRow]:
        """The attempts of a run, first to last; empty: there is no such run."""
        return await self._ledger.run(run_id)

    async def limits(self) -> tuple[LimitStanding, ...]:
        """The limits in force and when each runs out at its pace, the fullest first."""
        from services.usage_limits import limit_standings

        return await limit_standings(self._services)

    async def today(self) -> Decimal | None:
        """USD since the user's midnight; None when runs were made and none has a known cost."""
        return await self.spent(*day_bounds(now_ms()))

    async def month(self) -> Decimal | None:
        """USD since the first of the user's month; None when runs were made and none has a known cost."""
        return await self.spent(*month_bounds(now_ms()))

    async def spent(self, start: int, end: int, provider: str | None = None) -> Decimal | None:
        """USD in [start, end); None when runs were made and none has a known cost (unknown, or own hardware)."""
        return _line("", start, await self._rollups.totals(start, end, "grade", provider=provider)).cost

    async def projection(self, provider: str | None = None) -> Projection | None:
        """What the calendar month will come to, of everything or of one provider."""
        now = now_ms()
        start, end = month_bounds(now)
        today = day_bounds(now)[0]
        first = min(start, day_bounds(now, -28)[0])
        bounds = [*_days(first, today), now + 1]
        rows = await self._rollups.buckets(bounds, provider=provider)
        daily = {row.start_ms: row.cost_nanos for row in rows}
        spent = sum(nanos for at, nanos in daily.items() if at >= start)
        whole = [daily.get(at, 0) for at in bounds[:-2]]
        return project(spent, whole, elapsed_ms=now - start, left_ms=end - now)

    async def recent(self, limit: int = 50, before_id: int | None = None) -> list[AttemptRow]:
        """The last attempts, newest first."""
        return await self._ledger.recent(limit, before_id)

    async def _by_time(self, by: str, since: int, until: int) -> list[UsageLine]:
        bounds = [
            since,
            *(at for at in (_days if by == "day" else _hours)(since, until) if since < at < until),
            until,
        ]
        if len(bounds) > MOST_BUCKETS:
            raise UsageError("That are too many hours.", hint="Take days, or a shorter range.")
        groups: dict[int, list[UsageRow]] = {}
        for row in await self._rollups.buckets(bounds, "grade"):
            groups.setdefault(row.start_ms, []).append(row)
        lines = []
        for start, rows in sorted(groups.items()):
            key = local_date(start).isoformat() if by == "day" else _hour_key(start)
            lines.append(_line(key, start, rows))
        return lines

    async def _by_outcome(self, since: int, until: int) -> list[UsageLine]:
        groups: dict[str, list[UsageRow]] = {}
        for row in await self._rollups.totals(since, until, "outcome/grade"):
            outcome, _, grade = row.key.partition("/")
            groups.setdefault(outcome, []).append(replace(row, key=grade))
        return _ordered(_line(outcome, since, rows) for outcome, rows in groups.items() if _used(rows))

    async def _by_key(self, by: str, since: int, until: int) -> list[UsageLine]:
        from services.usage_source import RollupSource

        source = RollupSource(self._db)
        own = await source.own(since, until, by)
        lines = []
        for row in await source.totals(since, until, by):
            if _used([row]):
                priced = row.attempts - row.unknown_attempts - own.get(row.key, 0)
                lines.append(_line(row.key, since, [row], money=row.cost_nanos != 0 or priced > 0))
        return _ordered(lines)

    async def _ratios(self, now: Mapping[str, Used]) -> dict[str, Fraction]:
        """What a token of the answer costs in tokens of the prompt, for the dearest models whose price is known."""
        from fractions import Fraction

        found = {}
        for ref in sorted(now, key=lambda ref: -(now[ref].cost or 0))[:_PRICED]:
            try:
                price = (await self._services.models.get(ref)).info.price
            except SwitchroomError:
                continue
            if price is not None and price.input and price.output:
                found[ref] = Fraction(price.output) / Fraction(price.input)
        return found


def _used(rows: Iterable[UsageRow]) -> bool:
    return any(row.attempts for row in rows)


def _ordered(lines: Iterable[UsageLine]) -> list[UsageLine]:
    """The dearest first."""
    return sorted(lines, key=lambda line: (-(line.cost or Decimal(0)), -line.runs, line.key))


def _line(key: str, start: int, rows: Sequence[UsageRow], *, money: bool = True) -> UsageLine:
    """One line out of rows; where those are grades, the ones without money say whether there is any."""
    rows = [row for row in rows if row.attempts]
    attempts = sum(row.attempts for row in rows)
    unknown = sum(row.unknown_attempts for row in rows)
    cost = sum(row.cost_nanos for row in rows)
    measured = sum(row.measured_nanos for row in rows)
    money = money and not (rows and all(row.key in _NO_MONEY for row in rows))
    of_money = measured / cost if cost else 1.0
    return UsageLine(
        key=key,
        runs=sum(row.runs for row in rows),
        errors=sum(row.failed_runs for row in rows),
        input=sum(row.input for row in rows),
        output=sum(row.output for row in rows),
        cost=_money(cost, unknown) if money else None,
        measured_share=round(of_money * (1 - unknown / attempts), 6) if attempts else 1.0,
        start_ms=start,
    )


def _money(nanos: int, unknown: int) -> Decimal | None:
    from catalog.money import from_nanos

    return None if nanos == 0 and unknown else from_nanos(nanos)


def _days(start: int, end: int) -> Iterable[int]:
    """The user's midnights from the one at or before `start` up to the one at or before `end`."""
    at = day_bounds(start)[0]
    while at <= end:
        yield at
        at = day_bounds(at)[1]


def _hours(start: int, end: int) -> Iterable[int]:
    """Whole hours of the user's clock, which in some zones begin at :30 or :45 of UTC."""
    offset = day_bounds(start)[0] % HOUR_MS
    return range(start - (start - offset) % HOUR_MS, end, HOUR_MS)


def _hour_key(start: int) -> str:
    return (iso(start) or "").replace(".000Z", "Z")
