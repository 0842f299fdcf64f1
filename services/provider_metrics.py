"""How one provider did over a day, a week or a month: runs, errors by kind, times and tokens, whole and by model."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from services.clock import now_ms
from services.model_records import speed

if TYPE_CHECKING:
    from services.container import Services
    from store.rollups import Percentiles, UsageRow

NEWEST = 20_000
"""Attempts looked through for the kinds of their errors, the newest first: roll-ups do not tell kinds apart."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """What one model did, or all of them together. Times in ms; None: nothing was measured."""

    model: str
    """Empty: the whole provider."""
    runs: int
    failed: int
    """Runs that ended failed or interrupted."""
    times: Percentiles | None
    tok_per_s: float | None
    """While it answers: without the time to the first token."""
    input: int
    output: int
    cache_read: int
    cache_write: int
    reasoning: int
    cost: Decimal | None
    """USD, as Usage has it; None: nothing of known cost."""
    unknown: int
    """Attempts whose cost nobody knows; they are not in `cost`."""
    own: int
    """Attempts on own hardware or at a flat rate: no price per token."""

    @property
    def error_share(self) -> float | None:
        return self.failed / self.runs if self.runs else None


@dataclass(frozen=True, slots=True)
class ProviderMetrics:
    """The answer to one question."""

    since: int
    until: int
    whole: Metrics
    models: tuple[Metrics, ...]
    """Those with the most runs first."""
    errors: tuple[tuple[str, int], ...]
    """Code and number of attempts, retried ones included, the most frequent first; of the newest `NEWEST` attempts."""
    starts: tuple[int, ...]
    end: int
    good: tuple[int, ...]
    """Runs per bucket that ended well, or were stopped by the user."""
    bad: tuple[int, ...]


async def provider_metrics(services: Services, slug: str, span_ms: int) -> ProviderMetrics:
    """The metrics of a provider over the last so many milliseconds."""
    from services.usage_chart import bucket_bounds
    from services.usage_source import widened
    from store.ledger_errors import error_codes
    from store.rollup_sql import SLOT_MS
    from store.rollups import Rollups

    rollups = Rollups(services.db)
    until = now_ms() + 1
    since = until - span_ms
    rows = {row.key: row for row in await rollups.totals(since, until, "model", provider=slug)}
    times = await rollups.percentiles(since, until, "model", provider=slug)
    [*whole] = await rollups.totals(since, until, None, provider=slug)
    whole_times = (await rollups.percentiles(since, until, None, provider=slug)).values()
    bounds = widened(bucket_bounds(since, until), SLOT_MS)
    runs = {point.start_ms: point.value for point in await rollups.points(bounds, "runs", provider=slug)}
    bad = {
        point.start_ms: point.value for point in await rollups.points(bounds, "failed_runs", provider=slug)
    }
    own = {row.key: row.attempts for row in await rollups.totals(since, until, "model", only_grade="own")}
    models = [
        _metrics(key.partition("/")[2], row, times.get(key), own.get(key, 0))
        for key, row in rows.items()
        if row.attempts
    ]
    starts = tuple(bounds[:-1])
    return ProviderMetrics(
        since=since,
        until=until,
        whole=_metrics(
            "", whole[0] if whole else None, next(iter(whole_times), None), sum(one.own for one in models)
        ),
        models=tuple(sorted(models, key=lambda one: (-one.runs, one.model))),
        errors=tuple(await error_codes(services.db, slug, since - since % SLOT_MS, NEWEST)),
        starts=starts,
        end=bounds[-1],
        good=tuple(runs.get(start, 0) - bad.get(start, 0) for start in starts),
        bad=tuple(bad.get(start, 0) for start in starts),
    )


def _metrics(model: str, row: UsageRow | None, times: Percentiles | None, own: int) -> Metrics:
    from services.usage_source import known_cost

    if row is None:
        return Metrics(model, 0, 0, None, None, 0, 0, 0, 0, 0, Decimal(0), 0, 0)
    return Metrics(
        model, row.runs, row.failed_runs, times, speed(row, times), row.input, row.output, row.cache_read,
        row.cache_write, row.reasoning, known_cost(row, own), row.unknown_attempts, own,
    )  # fmt: skip
