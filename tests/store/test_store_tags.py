"""By any key, callers and labels too: whatever is asked, the roll-ups say what the ledger says."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from store.db import Database
from store.ledger import AttemptRow, Ledger
from store.ledger_scan import LedgerScan
from store.migrations import migrate
from store.rollup_sql import Group
from store.rollups import Rollups
from store.steps import STEPS

T0 = 1_763_596_800_000
SLOT = 900_000
GROUPS: tuple[Group | None, ...] = (None, "provider", "model", "grade", "outcome", "caller", "label")


def some_rows(attempt: Callable[..., AttemptRow], seed: int, count: int) -> list[AttemptRow]:
    """Several slots, some rows late, some of one burst."""
    chance = random.Random(seed)
    at = T0
    rows = []
    for number in range(count):
        at += chance.choice([0, 1, 1, 5_000, 60_000, 400_000])
        late = chance.randrange(3 * SLOT) if chance.random() < 0.1 else 0
        grade = chance.choice(["computed", "own", "unknown"])
        rows.append(
            attempt(
                run_id=f"r{number}", at=at - late, provider=chance.choice("ab"), model=chance.choice("xyz"), grade=grade,
                cost_nanos=chance.randrange(10**6) if grade == "computed" else None, caller=chance.choice(["tui", "cli"]),
                labels_json=chance.choice([None, "{}", '{"team":"red"}', '{"env":"dev","team":"blue"}']),
                outcome=chance.choice(["complete", "failed"]), ttft_ms=chance.randrange(3000), duration_ms=4000,
            )
        )  # fmt: skip
    return rows


async def agree(db: Database) -> None:
    """Totals, points, medians and what is spent are what a scan of the ledger finds."""
    rollups, scan = Rollups(db), LedgerScan(db)
    low, high = T0 - 4 * SLOT, T0 + 200 * SLOT
    bounds = list(range(low, high + 1, 4 * SLOT))
    for group in GROUPS:
        expected = await scan.totals([low, high], group)
        assert await rollups.totals(low, high, group) == expected, group
        points = await rollups.points(bounds, "cost_nanos", group, keys=[row.key for row in expected])
        exact = await scan.totals(bounds, group)
        assert {(p.key, p.start_ms): p.value for p in points} == {
            (row.key, row.start_ms): row.cost_nanos for row in exact if row.cost_nanos
        }, group
        assert await rollups.ttft(bounds, group) == await scan.ttft(bounds, group)
    spent = sum(row.cost_nanos for row in await scan.totals([low, high]))
    assert await Ledger(db).spent(low, high) == spent


@pytest.mark.parametrize("count", [0, 1, 40, 300])
async def test_the_rollups_say_what_the_ledger_says(
    db: Database, attempt: Callable[..., AttemptRow], count: int
) -> None:
    for start in range(0, count, 25):
        async with db.transaction() as tx:
            for row in some_rows(attempt, 7, count)[start : start + 25]:
                await Ledger(db).insert(tx, row)
    await agree(db)


async def test_they_agree_after_every_single_row(db: Database, attempt: Callable[..., AttemptRow]) -> None:
    for number, row in enumerate(some_rows(attempt, 3, 70)):
        async with db.transaction() as tx:
            await Ledger(db).insert(tx, row)
        if number % 7 == 0:
            await agree(db)


async def test_a_store_of_before_is_counted_by_caller_and_label_too(
    tmp_path: Path, attempt: Callable[..., AttemptRow]
) -> None:
    path = tmp_path / "old.db"
    migrate(path, tuple(step for step in STEPS if step.name < "0008"))
    names = [name for name in AttemptRow.__slots__ if name != "id"]
    conn = sqlite3.connect(path)
    conn.executemany(
        f"INSERT INTO ledger ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
        [tuple(getattr(row, name) for name in names) for row in some_rows(attempt, 11, 200)],
    )
    conn.commit()
    conn.close()
    db = await Database.open(path)
    try:
        await agree(db)
        async with db.transaction() as tx:
            for row in some_rows(attempt, 12, 80):
                await Ledger(db).insert(tx, row)
        await agree(db)
    finally:
        await db.aclose()
