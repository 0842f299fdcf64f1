"""History written at once leaves the very tables that the triggers would have left, and the store goes on from there."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store.db import Database
from store.history import write_history
from store.ledger import AttemptRow, Ledger

T0 = 1_763_596_800_000
TABLES = ("ledger", "usage_series", "usage_kinds", "usage_members", "rollup_running", "rollup_current")


def some_past(attempt: Callable[..., AttemptRow], count: int = 400) -> list[AttemptRow]:
    chance = random.Random(5)
    rows = []
    for number in range(count):
        grade = chance.choice(["computed", "reported", "estimated", "unknown", "own"])
        rows.append(
            attempt(
                run_id=f"run-{number}",
                final=chance.random() < 0.9,
                at=T0 + number * 97_000 + chance.randrange(900_000),
                provider=chance.choice(["a", "b"]),
                model=chance.choice(["x", "y", "z"]),
                outcome=chance.choice(["complete", "complete", "failed", "interrupted", "cancelled"]),
                grade=grade,
                cost_nanos=None if grade in ("unknown", "own") else chance.randrange(10**9),
                cache_read=chance.choice([None, 7]),
                cache_write=chance.choice([None, 3]),
                reasoning=chance.choice([None, 11]),
                caller=chance.choice(["tui", "cli"]),
                labels_json=chance.choice([None, '{"team":"red"}', '{"env":"dev","team":"blue"}']),
                input=chance.choice([None, 900]),
                ttft_ms=chance.choice([None, 15, 380, 10_000_000]),
                duration_ms=chance.choice([None, 2_000, 90_000]),
            )
        )
    return sorted(rows, key=lambda row: row.at)


async def everything(db: Database) -> dict[str, list[Any]]:
    """All tables, a series by its names: which number it got is nobody's business."""
    found = {
        table: [tuple(row) for row in await db.reader.execute_fetchall(f"SELECT * FROM {table}")]
        for table in TABLES
    }
    names = {row[0]: row[1:] for row in found.pop("usage_series")}
    kinds = {row[0]: row[1:] for row in found.pop("usage_kinds")}
    found["usage_series"] = list(names.values())
    found["usage_kinds"] = list(kinds.values())
    found["usage_members"] = [(kinds[one], names[whole]) for one, whole in found["usage_members"]]
    found["rollup_current"] = [(slot, kinds[one], *rest) for slot, one, *rest in found["rollup_current"]]
    found["rollup_running"] = [
        (names[place >> 32], place & 0xFFFFFFFF, *rest) for *rest, place in found["rollup_running"]
    ]
    sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name"
    triggers = [tuple(row) for row in await db.reader.execute_fetchall(sql)]
    return {**{table: sorted(rows) for table, rows in found.items()}, "triggers": triggers}


@pytest.mark.parametrize("count", [0, 1, 5, 400])
async def test_it_leaves_what_the_triggers_leave(
    tmp_path: Path, attempt: Callable[..., AttemptRow], count: int
) -> None:
    rows = some_past(attempt, count)
    later = attempt(run_id="later", at=T0 + 10**9, provider="a", model="new")
    seen = []
    for name in ("row by row", "at once"):
        db = await Database.open(tmp_path / name / "switchroom.db")
        async with db.transaction() as tx:
            if name == "at once":
                await write_history(tx, rows)
            else:
                for row in rows:
                    await Ledger(db).insert(tx, row)
        before = await everything(db)
        async with db.transaction() as tx:
            await Ledger(db).insert(tx, later)
            await Ledger(db).insert(tx, attempt(run_id="late", at=T0 + 5_000_000, provider="b", model="x"))
        seen.append((before, await everything(db)))
        await db.aclose()
    assert seen[0] == seen[1]


async def test_a_ledger_in_use_is_left_alone(db: Database, attempt: Callable[..., AttemptRow]) -> None:
    async with db.transaction() as tx:
        await Ledger(db).insert(tx, attempt())
    before = await everything(db)
    with pytest.raises(ValueError, match="empty ledger"):
        async with db.transaction() as tx:
            await write_history(tx, some_past(attempt))
    assert await everything(db) == before
