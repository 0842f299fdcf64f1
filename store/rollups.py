"""What was used, out of the roll-ups: totals, series and percentiles without touching the ledger.

The roll-ups hold running totals (see `store.steps`), so whatever a range holds is the difference of two rows
per series. Ranges are in UTC ms and widen to whole 15-minute slots; wherever a local day begins, that is exact.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from operator import add, sub
from typing import Any, Literal, TypeVar

from store.db import Database, Tx
from store.histogram import BUCKETS, mean, percentiles
from store.rollup_sql import KEYS, SLOT_MS, Group, between, cumulated, lines, series_of
from store.rows import dump

R = TypeVar("R")
Bucket = Literal["slot", "hour", "day"]
Measure = Literal[
    "attempts",
    "runs",
    "failed_runs",
    "errors",
    "input",
    "output",
    "input + output",
    "cost_nanos",
    "unknown_attempts",
]
TOP_MODELS = 7
"""How many models a series by model shows."""
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
class Point:
    """One measure of one key in one bucket of time."""

    key: str
    start_ms: int
    value: int


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
    latency_mean: float | None = None
    ttft_mean: float | None = None


_FIGURES = tuple(field.name for field in fields(UsageRow))[2:]
_TTFT = tuple(f"t{i}" for i in range(BUCKETS))
_SHARES = (0.5, 0.95, 0.99)
_LATENCY = tuple(f"l{i}" for i in range(BUCKETS))


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
        only_grade: str | None = None,
        tx: Tx | None = None,
    ) -> list[UsageRow]:
        """What was used in [start, end), one row per key in use, ordered by key."""
        low = _down(start)
        params = {"low": low, "high": _up(end), "provider": provider, "model": model, "grade": only_grade}
        where = series_of(group, provider, model)
        if only_grade is not None:
            where = "s.grade = :grade AND s.model <> '' AND s.outcome <> ''"
        sql = between(KEYS[group], _FIGURES, where)
        return await self._fetch(
            sql, params, lambda rows: [UsageRow(key, low * SLOT_MS, *line) for key, line in _by_key(rows)], tx
        )

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
        params = {"low": _down(start), "high": _up(end), "provider": provider, "model": model}
        sql = between(KEYS[group], (*_LATENCY, *_TTFT), series_of(group, provider, model))
        return await self._fetch(
            sql,
            params,
            lambda rows: {
                key: _percentiles(key, counts[:BUCKETS], counts[BUCKETS:]) for key, counts in _by_key(rows)
            },
        )

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
        return await self.buckets(_bounds(start, end, bucket), group, provider=provider, model=model)

    async def buckets(
        self,
        bounds: Sequence[int],
        group: Group | None = None,
        *,
        provider: str | None = None,
        model: str | None = None,
    ) -> list[UsageRow]:
        """What was used between each two neighbours of `bounds` (local days, say), by time, then key.

        Buckets without any attempt are left out; by model, only the TOP_MODELS models with the most attempts
        are given. All figures of many keys in many buckets cost time: a chart of one measure asks `points`.
        """
        slots, params = _slots(bounds, provider, model)
        most = TOP_MODELS if group == "model" else None
        sql = cumulated(KEYS[group], _FIGURES, series_of(group, provider, model), most)
        return await self._fetch(
            sql,
            params,
            lambda rows: [UsageRow(key, start, *line) for start, key, line in _differences(rows, slots)],
        )

    async def points(
        self,
        bounds: Sequence[int],
        measure: Measure,
        group: Group | None = None,
        *,
        keys: Sequence[str] | None = None,
        provider: str | None = None,
        model: str | None = None,
    ) -> list[Point]:
        """One measure between each two neighbours of `bounds`, by time, then key; zeroes are left out.

        `keys`: only these. Without them, by model, only the TOP_MODELS models with the most of it are given.
        """
        slots, params = _slots(bounds, provider, model)
        most = TOP_MODELS if group == "model" and keys is None else None
        if keys is not None:
            params["keys"] = dump(list(keys))
        sql = lines(KEYS[group], measure, series_of(group, provider, model), most, chosen=keys is not None)
        return await self._fetch(sql, params, lambda rows: _points(rows, slots))

    async def ttft(
        self, bounds: Sequence[int], group: Group | None = None, keys: Sequence[str] | None = None
    ) -> dict[str, list[tuple[int, int | None]]]:
        """Key → (attempts measured, median ms to the first token) between each two neighbours of `bounds`."""
        slots, params = _slots(bounds, None, None)
        where = series_of(group, None, None)
        if keys is not None:
            params["keys"] = dump(list(keys))
            where += f" AND {KEYS[group]} IN (SELECT value FROM json_each(:keys))"  # noqa: S608
        sql = cumulated(KEYS[group], _TTFT, where)
        return await self._fetch(sql, params, lambda rows: _medians(_differences(rows, slots), slots, keys))

    async def _fetch(
        self, sql: str, params: dict[str, Any], make: Callable[[list[Any]], R], tx: Tx | None = None
    ) -> R:
        """What `make` makes of the rows. A reader takes them apart on its own thread, not on the loop's."""
        if tx is not None:
            found = await tx.fetchall(sql, params)
            return make(json.loads(found[0][0]))
        made: R = await self._db.reader.read(lambda text: make(json.loads(text)), sql, params)
        return made


def _slots(
    bounds: Sequence[int], provider: str | None, model: str | None
) -> tuple[list[int], dict[str, Any]]:
    """The slots that `bounds` begin with, and the parameters of a query about what lies between them."""
    slots = [_down(bounds[0]), *(_up(bound) for bound in bounds[1:])]
    narrowed = {"provider": provider, "model": model}
    return slots, {"bounds": dump(slots), "low": slots[0], "high": slots[-1], **narrowed}


def _down(moment: int) -> int:
    """The number of the slot that a moment lies in."""
    return moment // SLOT_MS


def _up(moment: int) -> int:
    """The number of the first slot that begins at or after a moment."""
    return -(-moment // SLOT_MS)


def _bounds(start: int, end: int, bucket: Bucket) -> tuple[int, ...]:
    period = _PERIODS[bucket]
    return (*range(start - start % period, end, period), _up(end) * SLOT_MS)


def _medians(
    found: list[tuple[int, str, Sequence[int]]], slots: list[int], keys: Sequence[str] | None
) -> dict[str, list[tuple[int, int | None]]]:
    places = {slot * SLOT_MS: place for place, slot in enumerate(slots)}
    lines: dict[str, list[tuple[int, int | None]]] = {
        key: [(0, None)] * (len(slots) - 1) for key in keys or {key for _, key, _ in found}
    }
    for start, key, counts in found:
        lines[key][places[start]] = (sum(counts), percentiles(counts, (0.5,))[0])
    return lines


def _by_key(rows: Iterable[Sequence[Any]]) -> list[tuple[str, Sequence[int]]]:
    """(key, figures), those of one key added up, by key."""
    found: dict[str, Sequence[int]] = {}
    for key, *figures in rows:
        found[key] = tuple(map(add, found[key], figures)) if key in found else figures
    return sorted(found.items())


def _differences(rows: list[Any], slots: list[int]) -> list[tuple[int, str, Sequence[int]]]:
    """(start of the bucket, key, figures) by time and key; buckets with nothing in them are left out."""
    found: dict[tuple[int, str], Sequence[int]] = {}
    start_of = dict(zip(slots[1:], slots, strict=False))
    at = -1
    before: Sequence[int] = ()
    for series, key, slot, *figures in rows:
        if series == 0:
            bucket = bisect_right(slots, slot) - 1
            new, start = figures, slots[bucket] if 0 <= bucket < len(slots) - 1 else None
        else:
            if series != at:
                at, before = series, (0,) * len(figures)
            new, start = tuple(map(sub, figures, before)), start_of.get(slot)
            before = figures
        if start is not None and any(new):
            place = (start, key)
            found[place] = tuple(map(add, found[place], new)) if place in found else new
    return sorted((start * SLOT_MS, key, figures) for (start, key), figures in found.items())


def _points(rows: list[Any], slots: list[int]) -> list[Point]:
    """The points out of `lines`: what each key counted from slot to slot."""
    found: dict[str, list[int]] = {}
    for key, *figures in rows:
        if len(figures) == 1:
            running = figures[0]
            new = list(map(sub, running[1:], running))
        else:
            slot, count = figures
            new = [0] * (len(slots) - 1)
            if slots[0] <= slot < slots[-1]:
                new[bisect_right(slots, slot) - 1] = count
        found[key] = list(map(add, found[key], new)) if key in found else new
    keys = sorted(found)
    return [
        Point(key, slot * SLOT_MS, count)
        for slot, *counts in zip(slots, *(found[key] for key in keys), strict=False)
        for key, count in zip(keys, counts, strict=True)
        if count
    ]


def _percentiles(key: str, latency: Sequence[int], ttft: Sequence[int]) -> Percentiles:
    shares = (*percentiles(latency, _SHARES), *percentiles(ttft, _SHARES))
    found = Percentiles(key, sum(latency), *shares)
    return replace(found, latency_mean=mean(latency), ttft_mean=mean(ttft))
