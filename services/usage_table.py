"""What each key used in a range, beside what it used in the period before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.money import from_nanos
from services.usage_source import known_cost

if TYPE_CHECKING:
    from services.usage_chart import ChartMeasure
    from services.usage_source import UsageSource
    from store.rollups import UsageRow


@dataclass(frozen=True, slots=True)
class Used:
    """What was used. Token counts sum what vendors reported or was counted here."""

    runs: int
    errors: int
    """Runs that ended failed or interrupted."""
    input: int
    output: int
    cost: Decimal | None
    """USD; None: nothing with a known price (unknown, or own hardware)."""
    unknown: int
    """Attempts whose cost nobody knows; they are not in `cost`."""
    own: int
    """Attempts on own hardware or at a flat rate: no price per token."""
    ttft: int | None
    """Median ms to the first token; None: nothing was measured."""

    @property
    def tokens(self) -> int:
        """In and out."""
        return self.input + self.output

    @property
    def per_run(self) -> Decimal | None:
        """USD per run; None: not known."""
        return None if self.cost is None or not self.runs else self.cost / self.runs

    @property
    def tokens_per_run(self) -> int | None:
        return round(self.tokens / self.runs) if self.runs else None

    def amount(self, measure: ChartMeasure) -> Decimal | int | None:
        """The figure of a measure."""
        found: dict[str, Decimal | int | None] = {
            "cost": self.cost, "tokens": self.tokens, "runs": self.runs, "errors": self.errors, "ttft": self.ttft,
        }  # fmt: skip
        return found[measure]


NOTHING = Used(0, 0, 0, 0, Decimal(0), 0, 0, None)


@dataclass(frozen=True, slots=True)
class UsageEntry:
    """One line of the table."""

    key: str
    now: Used
    before: Used
    """In the previous equal period."""

    def delta(self, measure: ChartMeasure) -> Decimal | int | None:
        """How much more than before; None: one of the two is not known."""
        now, before = self.now.amount(measure), self.before.amount(measure)
        return None if now is None or before is None else now - before


@dataclass(frozen=True, slots=True)
class UsageTable:
    """Every key in use, the largest first, and all together."""

    entries: tuple[UsageEntry, ...]
    total: UsageEntry

    def share(self, entry: UsageEntry, measure: ChartMeasure) -> float | None:
        """The part of the whole, 0 to 1; None where that means nothing."""
        whole, part = self.total.now.amount(measure), entry.now.amount(measure)
        if measure == "ttft" or not whole or part is None:
            return None
        return float(part / whole)


async def usage_table(
    source: UsageSource,
    now: tuple[int, int],
    before: tuple[int, int],
    *,
    group: str | None,
    measure: ChartMeasure,
) -> UsageTable:
    """The lines of [now), ordered by the measure, and what they were in [before)."""
    current, earlier = await used(source, now, group), await used(source, before, group)
    entries = [UsageEntry(key, line, earlier.get(key, NOTHING)) for key, line in current.items()]
    entries.sort(key=lambda entry: (-(entry.now.amount(measure) or 0), -entry.now.runs, entry.key))
    if group == "label":  # a run of two labels is in two lines
        current, earlier = await used(source, now, None), await used(source, before, None)
    return UsageTable(
        tuple(entries), UsageEntry("", await _all(source, now, current), await _all(source, before, earlier))
    )


async def used(source: UsageSource, span: tuple[int, int], group: str | None) -> dict[str, Used]:
    """What each key used in a stretch of time."""
    since, until = span
    if until <= since:
        return {}
    own = await source.own(since, until, group)
    ttft = await source.ttft([since, until], group)
    return {
        row.key: used_of(row, own.get(row.key, 0), ttft.get(row.key, [(0, None)])[0][1])
        for row in await source.totals(since, until, group)
        if row.attempts
    }


async def priced(source: UsageSource, since: int, until: int) -> tuple[dict[str, Used], int]:
    """What each model used in its attempts of known cost, and how many runs are not among them."""
    found: dict[str, Used] = {}
    if until <= since:
        return found, 0
    for grade in ("reported", "computed", "estimated"):
        for row in await source.of_grade(since, until, grade):
            if row.attempts:
                known = found.get(row.key, NOTHING)
                found[row.key] = replace(
                    known,
                    runs=known.runs + row.runs,
                    input=known.input + row.input,
                    output=known.output + row.output,
                    cost=(known.cost or Decimal(0)) + from_nanos(row.cost_nanos),
                )
    runs = _sum(row.runs for row in await source.totals(since, until, None))
    return found, runs - _sum(one.runs for one in found.values())


def used_of(row: UsageRow, own: int, ttft: int | None) -> Used:
    """Figures of the store as a person reads them."""
    return Used(
        row.runs,
        row.failed_runs,
        row.input,
        row.output,
        known_cost(row, own),
        row.unknown_attempts,
        own,
        ttft,
    )


async def _all(source: UsageSource, span: tuple[int, int], lines: dict[str, Used]) -> Used:
    every = list(lines.values())
    if not every:
        return NOTHING
    known = [line.cost for line in every if line.cost is not None]
    cost, unknown = sum(known, Decimal(0)), _sum(line.unknown for line in every)
    ttft = await source.ttft(list(span), None)
    return Used(
        _sum(line.runs for line in every),
        _sum(line.errors for line in every),
        _sum(line.input for line in every),
        _sum(line.output for line in every),
        cost if cost or (known and not unknown) else None,
        unknown,
        _sum(line.own for line in every),
        ttft.get("", [(0, None)])[0][1],
    )


def _sum(numbers: Iterable[int]) -> int:
    return sum(numbers)
