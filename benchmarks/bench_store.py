"""B6 and B7: what a ledger row and a settle cost, and every usage question at one and five million rows.

`python -m benchmarks.bench_store [ROWS …]` (default 1000000 5000000; five million take about five minutes to write).
The store is made in a temporary folder and removed.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import Any

from store.audit import AuditLog
from store.budgets import Budgets
from store.db import Database
from store.ledger import AttemptRow, Ledger
from store.ledger_scan import LedgerScan
from store.migrations import migrate
from store.reservations import ReservationRow, Reservations
from store.rollup_sql import Group
from store.rollups import Rollups
from store.run_pages import RunPages
from store.steps import STEPS

NOW = 1_763_600_000_000
HOUR = 3_600_000
DAY = 24 * HOUR
ROW_BAR_US, SETTLE_BAR_US, QUERY_BAR_MS, STALL_BAR_MS = 160, 500, 5.0, 10.0
RANGES = {"1 h": HOUR, "24 h": DAY, "7 d": 7 * DAY, "30 d": 30 * DAY, "90 d": 90 * DAY, "365 d": 365 * DAY}
CHARTS = {"1 h": 900_000, "24 h": HOUR, "7 d": 6 * HOUR, "30 d": DAY, "90 d": DAY, "365 d": 7 * DAY}
COLUMNS = "run_id, number, final, at, provider, model, outcome, input, output, cost_nanos, grade, ttft_ms, duration_ms, caller"
INSERT = f"INSERT INTO ledger ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
GROUPS: tuple[Group | None, ...] = (None, "provider", "model", "grade", "outcome", "caller", "label")
FIVE = [f"provider-{n % 10}/model-{n}" for n in range(5)]
MODELS, PROVIDERS = 100, 10


def history(rows: int) -> Iterator[tuple[Any, ...]]:
    """A year of runs: 10 providers, 100 models of unequal use, a few failures, some local models."""
    chance = random.Random(1)
    picks = chance.choices(range(MODELS), [1 / (n + 1) for n in range(MODELS)], k=rows)
    step = 365 * DAY / rows
    for number, pick in enumerate(picks):
        luck = chance.random()
        outcome = (
            "complete"
            if luck < 0.95
            else "failed"
            if luck < 0.98
            else "cancelled"
            if luck < 0.995
            else "interrupted"
        )
        grade = "own" if pick % 10 == 9 else "reported" if pick % 10 == 8 else "computed"
        if outcome == "failed":
            grade = "unknown"
        elif outcome != "complete" and grade != "own":
            grade = "estimated"
        cost = None if grade in {"own", "unknown"} else chance.randrange(10**7)
        at = int(NOW - 365 * DAY + number * step)
        ttft, duration = int(chance.lognormvariate(6, 0.6)), int(chance.lognormvariate(8, 0.8))
        yield (
            f"run-{number}",
            1,
            1,
            at,
            f"provider-{pick % PROVIDERS}",
            f"model-{pick}",
            outcome,
            1_000 + number % 3_000,
            number % 900,
            cost,
            grade,
            ttft,
            duration,
            "bench",
        )


def fill(path: Path, rows: int) -> None:
    migrate(path, STEPS)
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA synchronous=OFF")
    conn.execute("PRAGMA cache_size=-400000")
    started = time.perf_counter()
    source = history(rows)
    left = rows
    while left > 0:
        conn.execute("BEGIN")
        chunk = [row for row, _ in zip(source, range(min(left, 100_000)), strict=False)]
        conn.executemany(INSERT, chunk)
        conn.execute("COMMIT")
        left -= 100_000
    conn.close()
    seconds = time.perf_counter() - started
    size = path.stat().st_size / 1e6
    print(
        f"\n{rows:,} rows written in {seconds:.0f} s ({seconds / rows * 1e6:.0f} µs each), file {size:,.0f} MB"
    )


def verdict(name: str, figure: float, limit: float, unit: str) -> bool:
    held = figure <= limit
    print(
        f"  {name:<52}{figure:9.2f} {unit}  bar {limit:g}  × {figure / limit:5.2f}  {'ok' if held else 'MISSED'}"
    )
    return held


def attempt(number: int) -> AttemptRow:
    pick = number % MODELS
    return AttemptRow(
        None,
        f"new-{number}",
        1,
        True,
        NOW + number * 100,
        f"provider-{pick % PROVIDERS}",
        f"model-{pick}",
        "complete",
        input=812,
        output=340,
        cost_nanos=5_400_000,
        grade="computed",
        ttft_ms=380,
        duration_ms=4_000,
    )


async def timed(work: Callable[[int], Awaitable[None]], times: int, *, name: str = "") -> float:
    """Median of microseconds; the mean and the worst, which a new quarter of an hour is part of, are printed beside it."""
    spans = []
    for number in range(times):
        started = time.perf_counter()
        await work(number)
        spans.append((time.perf_counter() - started) * 1e6)
    if name:
        print(f"  ({name}: mean {mean(spans):.0f} µs, worst {max(spans):.0f} µs)")
    return median(spans)


async def writing(db: Database) -> bool:
    ledger, reservations, audit = Ledger(db), Reservations(db), AuditLog(db, bytes(32))
    budgets = Budgets(db)

    async def row(number: int) -> None:
        async with db.transaction() as tx:
            await ledger.insert(tx, attempt(number))

    async def settle(number: int) -> None:
        async with db.transaction() as tx:
            await ledger.insert(tx, attempt(number))
            await reservations.delete(tx, f"reserved-{number}")
            detail = {"model": "model-1", "input": 812, "output": 340}
            await audit.append(
                tx, at=NOW, actor="bench", action="run.settle", subject=f"new-{number}", detail=detail
            )

    async def reserve(number: int) -> None:
        async with db.transaction() as tx:
            made = ReservationRow(
                f"reserved-{number}", f"new-{number}", "provider-1", "model-1", 100, 10, NOW, "bench"
            )
            today = NOW // DAY * DAY
            await budgets.standing((today, today + DAY), (today - 30 * DAY, today + DAY), tx)
            await reservations.insert(tx, made)

    await timed(row, 300)
    rows = await timed(row, 2_000, name="row")
    print(f"  (reserve, with what is spent and set aside: {await timed(reserve, 1_000):.0f} µs)")
    settles = await timed(settle, 1_000, name="settle")
    print(f"  (the same row by sqlite3 itself, no other thread: {bare(db.path):.0f} µs)")
    return all(
        [
            verdict("a ledger row with its roll-ups", rows, ROW_BAR_US, "µs"),
            verdict("a settle: ledger, reservation, audit", settles, SETTLE_BAR_US, "µs"),
        ]
    )


def bare(path: Path) -> float:
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA synchronous=NORMAL")
    values = (
        "bare",
        1,
        1,
        NOW,
        "provider-1",
        "model-1",
        "complete",
        812,
        340,
        5_400_000,
        "computed",
        380,
        4_000,
        "b",
    )
    spans = []
    for _ in range(1_000):
        started = time.perf_counter()
        conn.execute("BEGIN IMMEDIATE")
        conn.execute(INSERT, values)
        conn.execute("COMMIT")
        spans.append((time.perf_counter() - started) * 1e6)
    conn.close()
    return median(spans)


async def stall(stop: asyncio.Event, worst: list[float]) -> None:
    """The longest time the event loop did not come round."""
    while not stop.is_set():
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        worst[0] = max(worst[0], (time.perf_counter() - before) * 1e3 - 1)


async def question(name: str, ask: Callable[[], Awaitable[Any]]) -> tuple[str, float, float, float, float]:
    """(name, first answer, median and best of the next nine, longest stall)."""
    stop, worst = asyncio.Event(), [0.0]
    watch = asyncio.create_task(stall(stop, worst))
    spans = []
    for _ in range(10):
        started = time.perf_counter()
        await ask()
        spans.append((time.perf_counter() - started) * 1e3)
        await asyncio.sleep(0.002)
    stop.set()
    await watch
    return name, spans[0], median(spans[1:]), min(spans[1:]), worst[0]


async def reading(db: Database) -> bool:
    rollups, ledger, scan, pages = Rollups(db), Ledger(db), LedgerScan(db), RunPages(db)
    found = []
    for name, span in RANGES.items():
        low, step = NOW - span, CHARTS[name]
        bounds = list(range(low, NOW + step, step))
        for group in GROUPS:
            label = f"{name} by {group or 'nothing'}"
            found.append(await question(f"totals {label}", partial(rollups.totals, low, NOW, group)))
            found.append(
                await question(f"percentiles {label}", partial(rollups.percentiles, low, NOW, group))
            )
            found.append(
                await question(f"chart {label}", partial(rollups.points, bounds, "cost_nanos", group))
            )
        label = f"{name} of five models"
        found.append(await question(f"medians {label}", partial(rollups.ttft, bounds, "model", FIVE)))
        found.append(
            await question(f"own {name}", partial(rollups.totals, low, NOW, "model", only_grade="own"))
        )
        for group, key in (("model", "provider-9/model-99"), ("caller", "bench"), ("grade", "own")):
            found.append(
                await question(
                    f"a page of runs {name} of one {group}",
                    partial(pages.page, low, NOW, group, key, limit=50),
                )
            )
        found.append(await question(f"table by time {name}", partial(rollups.buckets, bounds)))
        found.append(await question(f"spent {name}", partial(ledger.spent, low, NOW)))
    fives = list(range(NOW - HOUR, NOW + 1, 300_000))
    for group in GROUPS:
        found.append(
            await question(f"the last hour in 5 minutes by {group}", partial(scan.totals, fives, group))
        )
    found.append(await question("last 100 attempts", lambda: ledger.recent(100)))
    held = True
    for name, first, usual, best, _ in sorted(found, key=lambda one: -one[2])[:12]:
        held &= verdict(f"{name} (first {first:.1f}, best {best:.1f})", usual, QUERY_BAR_MS, "ms")
    print(
        f"  … and {len(found) - 12} faster ones; the median question {median(one[2] for one in found):.2f} ms"
    )
    _, _, _, _, idle = await question("nothing at all", lambda: asyncio.sleep(0.05))
    print(f"  (the longest stall of a loop that asks nothing, half a second: {idle:.1f} ms)")
    stalled = max(found, key=lambda one: one[4])
    return verdict(f"longest stall of the loop ({stalled[0]})", stalled[4], STALL_BAR_MS, "ms") and held


async def measure(rows: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as folder:
        path = Path(folder) / "switchroom.db"
        fill(path, rows)
        started = time.perf_counter()
        db = await Database.open(path)
        print(f"  (opened in {(time.perf_counter() - started) * 1e3:.1f} ms)")
        try:
            wrote = await writing(db)
            return await reading(db) and wrote
        finally:
            await db.aclose()


def main() -> int:
    sizes = [int(size) for size in sys.argv[1:]] or [1_000_000, 5_000_000]
    held = [asyncio.run(measure(size)) for size in sizes]
    return 0 if all(held) else 1


if __name__ == "__main__":
    raise SystemExit(main())
