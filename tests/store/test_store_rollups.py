"""What the roll-ups say is what adding up the ledger says, whatever came in which order and wherever a day begins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.db import Database
from store.histogram import BUCKETS, EDGES, bucket, percentiles
from store.ledger import AttemptRow, Ledger
from store.rollup_sql import SLOT_MS
from store.rollups import Rollups, UsageRow

DAY = 96 * SLOT_MS
T0 = 1_763_596_800_000
MEASURES = ("attempts", "runs", "failed_runs", "errors", "input", "output", "cost_nanos")


def brute(
    rows: Iterable[AttemptRow], low: int, high: int, key: Callable[[AttemptRow], str]
) -> list[UsageRow]:
    """The answer, by adding up rows one after the other."""
    sums: dict[str, dict[str, Any]] = {}
    for row in rows:
        if not low <= row.at < high:
            continue
        bad = row.outcome in ("failed", "interrupted")
        cost = row.cost_nanos or 0
        one = {
            "attempts": 1,
            "runs": int(row.final),
            "failed_runs": int(row.final and bad),
            "errors": int(bad),
            "input": row.input or 0,
            "output": row.output or 0,
            "cache_read": row.cache_read or 0,
            "cache_write": row.cache_write or 0,
            "reasoning": row.reasoning or 0,
            "cost_nanos": cost,
            "measured_nanos": cost if row.grade in ("reported", "computed") else 0,
            "estimated_nanos": cost if row.grade == "estimated" else 0,
            "unknown_attempts": int(row.cost_nanos is None and row.grade != "own"),
        }
        total = sums.setdefault(key(row), dict.fromkeys(one, 0))
        for name, value in one.items():
            total[name] += value
    return [UsageRow(key=name, start_ms=low, **total) for name, total in sorted(sums.items())]


KEYS: dict[str | None, Callable[[AttemptRow], str]] = {
    None: lambda _: "",
    "provider": lambda row: row.provider,
    "model": lambda row: f"{row.provider}/{row.model}",
    "outcome": lambda row: row.outcome,
    "grade": lambda row: row.grade,
}

tokens = st.none() | st.integers(0, 10_000)
attempts = st.builds(
    AttemptRow,
    id=st.none(),
    run_id=st.just("r"),
    number=st.just(1),
    final=st.booleans(),
    at=st.integers(T0, T0 + 3 * DAY)
    | st.sampled_from([T0, T0 + SLOT_MS, T0 + SLOT_MS - 1, T0 + DAY, T0 + DAY - 1]),
    provider=st.sampled_from(["a", "b"]),
    model=st.sampled_from(["m", "x/y"]),
    outcome=st.sampled_from(["complete", "interrupted", "cancelled", "failed"]),
    input=tokens,
    output=tokens,
    cache_read=tokens,
    cache_write=tokens,
    reasoning=tokens,
    cost_nanos=st.none() | st.integers(0, 10**12),
    grade=st.sampled_from(["reported", "computed", "estimated", "unknown", "own"]),
    ttft_ms=st.none() | st.integers(0, 5_000_000),
    duration_ms=st.none() | st.integers(0, 5_000_000),
)
zones = st.sampled_from(["UTC", "Europe/Warsaw", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"])


async def write(db: Database, rows: Iterable[AttemptRow]) -> None:
    ledger = Ledger(db)
    for row in rows:
        async with db.transaction() as tx:
            await ledger.insert(tx, row)


def local_midnights(zone: str, days: int) -> list[int]:
    first = datetime(2025, 11, 20, tzinfo=ZoneInfo(zone))
    return [round((first + timedelta(days=n)).timestamp() * 1000) for n in range(days)]


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(attempts, max_size=25), zone=zones, exact=st.integers(0, DAY))
def test_rollups_agree_with_the_ledger(rows: list[AttemptRow], zone: str, exact: int) -> None:
    async def check() -> None:
        with TemporaryDirectory() as folder:
            db = await Database.open(Path(folder) / "s.db")
            try:
                await write(db, rows)
                await compare(db, rows, local_midnights(zone, 4), exact)
            finally:
                await db.aclose()

    asyncio.run(check())


async def compare(db: Database, rows: list[AttemptRow], bounds: list[int], exact: int) -> None:
    rollups, ledger = Rollups(db), Ledger(db)
    for group, key in KEYS.items():
        for low, high in (*pairwise(bounds), (T0 - DAY, T0 + 9 * DAY)):
            assert await rollups.totals(low, high, group) == brute(rows, low, high, key)  # type: ignore[arg-type]
            mine = [row for row in rows if row.provider == "a"]
            assert await rollups.totals(low, high, group, provider="a") == brute(mine, low, high, key)  # type: ignore[arg-type]
            model = [row for row in mine if row.model == "x/y"]
            found = await rollups.totals(low, high, group, provider="a", model="x/y")  # type: ignore[arg-type]
            assert found == brute(model, low, high, key)
        expected = [line for pair in pairwise(bounds) for line in brute(rows, *pair, key)]
        assert await rollups.buckets(bounds, group) == expected  # type: ignore[arg-type]
        for measure in MEASURES:
            points = await rollups.points(bounds, measure, group)  # type: ignore[arg-type]
            assert [(p.key, p.start_ms, p.value) for p in points] == [
                (line.key, line.start_ms, getattr(line, measure))
                for line in expected
                if getattr(line, measure)
            ]
    for provider in (None, "a"):
        low, high = bounds[0] + exact, bounds[2] - exact // 3
        spent = sum(
            row.cost_nanos or 0 for row in rows if low <= row.at < high and provider in (None, row.provider)
        )
        assert await ledger.spent(low, high, provider) == spent
        async with db.transaction() as tx:
            assert await ledger.spent(low, high, provider, tx) == spent


async def test_a_run_counts_once_however_many_attempts(
    db: Database, attempt: Callable[..., AttemptRow]
) -> None:
    await write(
        db,
        [
            attempt(final=False, outcome="failed", cost_nanos=None, grade="unknown"),
            attempt(number=2, final=False, outcome="failed", cost_nanos=None, grade="unknown", provider="b"),
            attempt(number=3),
        ],
    )
    [total] = await Rollups(db).totals(T0, T0 + DAY)
    assert (total.attempts, total.runs, total.failed_runs, total.errors, total.unknown_attempts) == (
        3,
        1,
        0,
        2,
        2,
    )
    assert (total.cost_nanos, total.measured_nanos) == (450_000, 450_000)


async def test_an_undone_attempt_is_in_no_rollup(db: Database, attempt: Callable[..., AttemptRow]) -> None:
    with pytest.raises(RuntimeError):  # noqa: PT012
        async with db.transaction() as tx:
            await Ledger(db).insert(tx, attempt())
            await tx.fetchall("SELECT 1")
            raise RuntimeError("the audit row could not be written")
    assert await Rollups(db).totals(0, T0 * 2) == []
    assert await Ledger(db).recent() == []


async def test_series_fill_whole_periods_and_leave_out_empty_ones(
    db: Database, attempt: Callable[..., AttemptRow]
) -> None:
    hour = 4 * SLOT_MS
    await write(db, [attempt(at=T0 + 1), attempt(at=T0 + hour - 1), attempt(at=T0 + 5 * hour)])
    found = await Rollups(db).series(T0 + 60_000, T0 + 6 * hour, "hour")
    assert [(row.start_ms, row.attempts) for row in found] == [(T0, 2), (T0 + 5 * hour, 1)]
    slots = await Rollups(db).series(T0, T0 + hour, "slot", "provider")
    assert [(row.key, row.start_ms) for row in slots] == [
        ("openai-prod", T0),
        ("openai-prod", T0 + 3 * SLOT_MS),
    ]


async def test_by_model_the_biggest_are_shown(db: Database, attempt: Callable[..., AttemptRow]) -> None:
    await write(db, [attempt(model=f"m{n}", cost_nanos=n * 1000) for n in range(10)])
    points = await Rollups(db).points([T0, T0 + DAY], "cost_nanos", "model")
    assert [point.key for point in points] == [f"openai-prod/m{n}" for n in range(3, 10)]


async def test_percentiles_come_from_complete_attempts(
    db: Database, attempt: Callable[..., AttemptRow]
) -> None:
    rows = [attempt(at=T0 + n, duration_ms=1_000 + n * 10, ttft_ms=200 + n) for n in range(100)]
    rows += [attempt(outcome="failed", duration_ms=5, ttft_ms=None) for _ in range(300)]
    await write(db, rows[:200])
    await write(db, [replace(row, at=row.at + DAY) for row in rows[200:]])
    found = (await Rollups(db).percentiles(T0, T0 + 2 * DAY, "provider"))["openai-prod"]
    assert found.count == 100
    assert found.latency_p50 == pytest.approx(1_500, rel=0.2)
    assert found.latency_p99 == pytest.approx(1_990, rel=0.2)
    assert found.ttft_p50 == pytest.approx(250, rel=0.2)
    nothing = await Rollups(db).percentiles(T0 + 5 * DAY, T0 + 6 * DAY)
    assert nothing == {}


@given(st.lists(st.integers(0, 3_000_000), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_percentiles_are_within_a_bucket_of_the_truth(durations: list[int], share: float) -> None:
    counts = [0] * BUCKETS
    for duration in durations:
        counts[bucket(duration)] += 1
    [found] = percentiles(counts, [share])
    assert found is not None
    rank = max(1, -(-len(durations) * round(share * 100) // 100))
    truth = sorted(durations)[rank - 1]
    place = bucket(truth)
    low = EDGES[place - 1] if place else 0
    high = EDGES[place] if place < len(EDGES) else EDGES[-1] * 1.3
    assert low <= found <= high + 1


def test_no_measurement_has_no_percentile() -> None:
    assert percentiles([0] * BUCKETS, (0.5, 0.99)) == (None, None)


@given(duration=st.integers(0, 4_000_000) | st.sampled_from([e + d for e in EDGES for d in (-1, 0, 1)]))
@settings(max_examples=30, deadline=None)
def test_sql_and_python_agree_on_the_buckets(duration: int) -> None:
    import sqlite3

    from store.rollup_schema import _bucket_of

    conn = sqlite3.connect(":memory:")
    found = conn.execute(f"SELECT {_bucket_of('d')} FROM (SELECT ? AS d)", (duration,)).fetchone()[0]
    conn.close()
    assert found == bucket(duration)
