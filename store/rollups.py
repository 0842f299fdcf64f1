"""What was used, out of the roll-ups: totals, series and percentiles without touching the ledger.

The roll-ups hold running totals (see `store.steps`), so whatever a range holds is the difference of two rows
per series. Ranges are in UTC ms and widen to whole 15-minute slots; wherever a local day begins, that is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from store.db import Database, Tx
from store.histogram import BUCKETS, percentile
from store.rows import dump

Group = Literal["provider", "model", "grade", "outcome"]
Bucket = Literal["slot", "hour", "day"]
SLOT_MS = 15 * 60_000
_PERIODS = {"slot": SLOT_MS, "hour": 4 * SLOT_MS, "day": 96 * SLOT_MS}


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What was used under one key (and in one bucket of time, for a series). Sums of known figures."""

    key: str
    """A provider's slug, a model ref, a grade, an outcome; empty for everything."""
    start_ms: int
    """Start of the bucket, or of the range asked for."""
    attempts: int
    runs: int
    """Runs that ended, each counted once (by its final attempt)."""
    failed_runs: int
    """Runs that ended failed or interrupted."""
    errors: int
    """Attempts that failed or were interrupted, the retried ones included."""
    input: int
    output: int
    cache_read: int
    cache_write: int
    reasoning: int
    cost_nanos: int
    """Money known, of whatever grade."""
    measured_nanos: int
    """The part of it that was reported or computed from reported tokens."""
    estimated_nanos: int
    unknown_attempts: int
    """Attempts whose cost nobody knows: never counted as free."""


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds; None where nothing was measured. Latency counts complete attempts only."""

    key: str
    count: int
    """Attempts with a measured latency."""
    latency_p50: int | None
    latency_p95: int | None
    latency_p99: int | None
    ttft_p50: int | None
    ttft_p95: int | None
    ttft_p99: int | None


_FIGURES = tuple(field.name for field in fields(UsageRow))[2:]
_TTFT = tuple(f"t{i}" for i in range(BUCKETS))
_LATENCY = tuple(f"l{i}" for i in range(BUCKETS))
_KEYS = {
    None: "''",
    "provider": "provider",
    "model": "provider || '/' || model",
    "outcome": "outcome",
    "grade": "grade",
}


class Rollups:
    """Answers the questions about usage."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def totals(
        self,
        start: int,
        end: int,
        group: Group | None = None,
        *,
        provider: str | None = None,
        model: str | None = None,
        tx: Tx | None = None,
    ) -> list[UsageRow]:
        """What was used in [start, end), one row per key in use, ordered by key."""
        low, high = _slots(start, end)
        where, params = _series(group, provider, model)
        sql = _between(_KEYS[group], _FIGURES, where)
        return [
            UsageRow(row[0], low, *row[1:]) for row in await self._fetch(sql, (high, low, low, *params), tx)
        ]

    async def percentiles(
        self,
        start: int,
        end: int,
        group: Group | None = None,
        *,
        provider: str | None = None,
        model: str | None = None,
    ) -> dict[str, Percentiles]:
        """Latency and time to the first token in [start, end), by key."""
        low, high = _slots(start, end)
        where, params = _series(group, provider, model)
        sql = _between(_KEYS[group], (*_LATENCY, *_TTFT), where)
        rows = await self._fetch(sql, (high, low, low, *params), None)
        return {row[0]: _percentiles(row[0], row[1 : BUCKETS + 1], row[BUCKETS + 1 :]) for row in rows}

    async def series(
        self,
        start: int,
        end: int,
        bucket: Bucket,
        group: Group | None = None,
        *,
        provider: str | None = None,
        model: str | None = None,
    ) -> list[UsageRow]:
        """What was used per whole UTC slot, hour or day of [start, end). See `buckets`."""
        period = _PERIODS[bucket]
        first = start - start % period
        return await self.buckets((*range(first, end, period), end), group, provider=provider, model=model)

    async def buckets(
        self,
        bounds: Sequence[int],
        group: Group | None = None,
        *,
        provider: str | None = None,
        model: str | None = None,
    ) -> list[UsageRow]:
        """What was used between each two neighbours of `bounds` (local days, say), by time, then key.

        Buckets without any attempt are left out.
        """
        slots = [_down(bounds[0]), *(_up(bound) for bound in bounds[1:])]
        where, params = _series(group, provider, model)
        sql = _per_bucket(_KEYS[group], where)
        rows = await self._fetch(sql, (dump(slots), *params), None)
        return [UsageRow(row[1], row[0], *row[2:]) for row in rows]

    async def _fetch(self, sql: str, params: tuple[Any, ...], tx: Tx | None) -> list[Any]:
        if tx is not None:
            return await tx.fetchall(sql, params)
        return list(await self._db.reader.execute_fetchall(sql, params))


def _down(moment: int) -> int:
    return moment - moment % SLOT_MS


def _up(moment: int) -> int:
    return -_down(-moment)


def _slots(start: int, end: int) -> tuple[int, int]:
    return _down(start), _up(end)


def _series(group: Group | None, provider: str | None, model: str | None) -> tuple[str, tuple[str, ...]]:
    """The series whose sum answers the question: the fewest there are."""
    fine = " AND model <> ''"
    if model is not None:
        wanted, params = "model = ?", (model,)
        return (f"{wanted} AND provider = ?", (model, provider)) if provider is not None else (wanted, params)
    if provider is not None:
        coarse = group in {None, "provider"}
        return "provider = ?" + (" AND model = ''" if coarse else fine), (provider,)
    match group:
        case "model":
            return "model <> ''", ()
        case "outcome":
            return "provider = '' AND outcome <> ''", ()
        case "grade":
            return "provider = '' AND grade <> ''", ()
        case _:
            return "provider <> '' AND model = ''", ()


def _before(bound: str) -> str:
    """The last slot of series `s` before a bound."""
    return f"(SELECT max(start) FROM rollup_running WHERE series = s.id AND start < {bound})"


def _between(key: str, names: Sequence[str], where: str) -> str:
    """Sums of the differences between two moments; parameters: end, start, start, those of `where`."""
    sums = ", ".join(f"sum(h.{name} - coalesce(l.{name}, 0))" for name in names)
    return (
        f"SELECT {key} AS key, {sums} FROM usage_series AS s"  # noqa: S608 - names of ours
        f" CROSS JOIN rollup_running AS h ON h.series = s.id AND h.start = {_before('?')}"
        f" LEFT JOIN rollup_running AS l ON l.series = s.id AND l.start = {_before('?')}"
        f" WHERE h.start >= ? AND {where} GROUP BY key ORDER BY key"
    )


def _per_bucket(key: str, where: str) -> str:
    """Sums of the differences between neighbouring bounds; parameters: the bounds (JSON), those of `where`."""
    news = ", ".join(f"r.{name} - lag(r.{name}, 1, 0) OVER w AS {name}" for name in _FIGURES)
    return f"""
SELECT start, key, {", ".join(f"sum({name})" for name in _FIGURES)} FROM (
    SELECT lag(b.value) OVER w AS start, {key} AS key, {news}
      FROM usage_series AS s CROSS JOIN json_each(?) AS b
      LEFT JOIN rollup_running AS r ON r.series = s.id AND r.start = {_before("b.value")}
     WHERE {where} WINDOW w AS (PARTITION BY s.id ORDER BY b.value))
 WHERE start IS NOT NULL AND attempts > 0 GROUP BY start, key ORDER BY start, key
"""  # noqa: S608 - names of ours


def _percentiles(key: str, latency: Sequence[int], ttft: Sequence[int]) -> Percentiles:
    return Percentiles(
        key,
        sum(latency),
        *(percentile(latency, share) for share in (0.5, 0.95, 0.99)),
        *(percentile(ttft, share) for share in (0.5, 0.95, 0.99)),
    )
