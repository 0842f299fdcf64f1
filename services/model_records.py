"""What each model did here lately: runs, cost, time to the first token, and how fast its answers came."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.money import from_nanos
from services.clock import HOUR_MS, now_ms

if TYPE_CHECKING:
    from services.container import Services
    from store.rollups import Percentiles, UsageRow

DAYS = 30
"""How far back is looked."""


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """The last 30 days of one model."""

    ref: str
    runs: int
    failed: int
    """Runs that ended failed or interrupted."""
    input: int
    output: int
    cost: Decimal | None
    """USD of what has a known cost; None: nothing has (unknown, or no price per token)."""
    ttft_p50: int | None
    """Milliseconds; None: no first token was timed."""
    ttft_p95: int | None
    tok_per_s: float | None
    """Output tokens per second after the first one; None where that cannot be told."""


async def model_records(services: Services, ref: str | None = None) -> dict[str, ModelRecord]:
    """Ref → record, of the models that were used; `ref`: only this one."""
    from store.rollups import Rollups

    rollups = Rollups(services.db)
    until = now_ms() + 1
    since = until - DAYS * 24 * HOUR_MS
    slug, _, model = ref.partition("/") if ref is not None else ("", "", "")
    totals, times = await asyncio.gather(
        rollups.totals(since, until, "model", provider=slug or None, model=model or None),
        rollups.percentiles(since, until, "model", provider=slug or None, model=model or None),
    )
    return {row.key: _record(row, times.get(row.key)) for row in totals if row.attempts}


def _record(row: UsageRow, times: Percentiles | None) -> ModelRecord:
    return ModelRecord(
        ref=row.key,
        runs=row.runs,
        failed=row.failed_runs,
        input=row.input,
        output=row.output,
        cost=from_nanos(row.cost_nanos) if row.cost_nanos else None,
        ttft_p50=times.ttft_p50 if times else None,
        ttft_p95=times.ttft_p95 if times else None,
        tok_per_s=speed(row, times),
    )


def speed(row: UsageRow, times: Percentiles | None) -> float | None:
    """Mean output over the mean time between first token and end, both out of the histograms."""
    if times is None or times.latency_mean is None or times.ttft_mean is None or not times.count:
        return None
    seconds = (times.latency_mean - times.ttft_mean) / 1000
    answered = row.attempts - row.errors
    return row.output / answered / seconds if seconds > 0.02 and answered and row.output else None
