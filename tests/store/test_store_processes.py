"""Several processes on one store, and processes that are killed: nothing committed is lost, nothing is half-done."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import sys
from pathlib import Path

import pytest

from store.audit import AuditLog, load_key
from store.db import Database
from store.reservations import Reservations
from store.rollups import Rollups

ROOT = Path(__file__).parents[2]
T0 = 1_763_596_800_000
FOREVER = T0 * 2


class Writer:
    """A running `store_writer.py`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, path: Path, name: str, count: int = 0) -> Writer:
        script = Path(__file__).with_name("store_writer.py")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(script),
            str(path),
            name,
            str(count),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        return cls(process)

    async def line(self) -> str:
        assert self.process.stdout is not None
        return (await asyncio.wait_for(self.process.stdout.readline(), 30)).decode().strip()

    async def rest(self) -> list[str]:
        assert self.process.stdout is not None
        return (await asyncio.wait_for(self.process.stdout.read(), 60)).decode().split()


async def counted(db: Database) -> tuple[int, int, int]:
    """(ledger rows, attempts in the roll-ups, audit rows), the money checked on the way."""
    [(rows, nanos)] = await db.reader.execute_fetchall(
        "SELECT count(*), coalesce(sum(cost_nanos), 0) FROM ledger"
    )
    totals = await Rollups(db).totals(0, FOREVER)
    attempts, cost = (totals[0].attempts, totals[0].cost_nanos) if totals else (0, 0)
    assert cost == nanos
    by_provider = await Rollups(db).totals(0, FOREVER, "provider")
    assert sum(row.attempts for row in by_provider) == attempts
    verdict = await AuditLog(db, load_key(db.path.parent / "audit.key")).verify()
    assert verdict.intact, verdict
    return rows, attempts, verdict.rows


async def test_two_processes_lose_nothing_and_see_each_other(db: Database, path: Path) -> None:
    await db.changed_elsewhere()  # before they start: they may be done before we look again
    writers = [await Writer.start(path, name, 150) for name in ("one", "two")]
    assert [await writer.line() for writer in writers] == ["ready", "ready"]
    await writers[0].line()
    assert await db.changed_elsewhere()
    seen = await Rollups(db).totals(0, FOREVER, "provider")
    assert any(row.key == "one" and row.attempts >= 1 for row in seen)
    for writer in writers:
        assert (await writer.rest())[-1] == "150"
        assert await writer.process.wait() == 0
    assert await counted(db) == (300, 300, 300)
    assert await Reservations(db).all() == []


@pytest.fixture
async def killed(path: Path) -> list[int]:
    """Five writers, each killed at a moment of chance; how many commits each had told of."""
    chance = random.Random(20251120)
    told: list[int] = []
    for round_ in range(5):
        writer = await Writer.start(path, f"round{round_}")
        assert await writer.line() == "ready"
        for _ in range(chance.randrange(1, 40)):
            last = await writer.line()
        await asyncio.sleep(chance.random() * 0.01)
        writer.process.kill()
        rest = await writer.rest()
        await writer.process.wait()
        told.append(int(rest[-1] if rest else last))
    return told


async def test_kill_9_leaves_a_whole_store(killed: list[int], path: Path) -> None:
    conn = sqlite3.connect(path)
    assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    written = dict(conn.execute("SELECT provider, count(*) FROM ledger GROUP BY provider"))
    conn.close()
    for round_, told in enumerate(killed):
        # The commit that was under way may have happened; none that was told of is missing.
        assert written[f"round{round_}"] - told in (0, 1)
    db = await Database.open(path)
    rows, attempts, audited = await counted(db)
    assert rows == attempts == audited == sum(written.values())
    left = await Reservations(db).all()
    assert all(row.run_id.startswith("round") for row in left)
    await db.aclose()
