"""Several programs on one store: a scheduled sync is done once, whoever is quicker, and not lost with a dead one."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

from services import process
from services.clock import HOUR_MS, MINUTE_MS, now_ms
from services.container import Services
from services.registry import ProviderDraft
from store.schedule_claims import hold

WORKER = Path(__file__).with_name("sync_worker.py")
ROOT = Path(__file__).resolve().parents[2]


async def run_together(count: int, rounds: int = 3) -> list[int]:
    """How many syncs each of so many programs did that were started at the same moment."""
    go_at = time.time() + 2.5
    workers = [
        await asyncio.create_subprocess_exec(
            sys.executable, WORKER, str(go_at), str(rounds),
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(count)
    ]  # fmt: skip
    outputs = [await worker.communicate() for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * count
    return [int(out) for out, _ in outputs]


async def rewound(services: Services, slug: str, ms: int) -> None:
    """Its last sync was so long ago."""
    async with services.db.transaction() as tx:
        await tx.execute("UPDATE sync_runs SET started_at = started_at - ? WHERE provider = ?", (ms, slug))


async def added(services: Services, vendor: Any, slug: str, schedule: str) -> None:
    await services.registry.add(
        ProviderDraft(slug=slug, url=vendor.url, auto_sync=schedule), None, test=False
    )


async def test_two_programs_fetch_what_is_due_once(services: Services, make_vendor: Any) -> None:
    interval, cron, at_start, not_due, by_hand = [await make_vendor() for _ in range(5)]
    for slug, vendor, schedule in (
        ("interval", interval, "6h"),
        ("cron", cron, "*/10 * * * *"),
        ("at-start", at_start, "start"),
        ("not-due", not_due, "6h"),
        ("by-hand", by_hand, "off"),
    ):
        vendor.delay = 0.2
        await added(services, vendor, slug, schedule)
    await services.sync.sync(["interval", "cron", "not-due"])
    await rewound(services, "interval", 6 * HOUR_MS)
    await rewound(services, "cron", 10 * MINUTE_MS)
    for vendor in (interval, cron, not_due):
        vendor.requests.clear()
    done = await run_together(2)
    assert sum(done) == 3
    asked = {"interval": interval, "cron": cron, "at-start": at_start, "not-due": not_due, "by-hand": by_hand}
    assert {slug: len(vendor.requests) for slug, vendor in asked.items()} == {
        "interval": 1, "cron": 1, "at-start": 1, "not-due": 0, "by-hand": 0,
    }  # fmt: skip
    assert await claims(services) == []


async def claims(services: Services) -> list[str]:
    return [row[0] for row in await services.db.reader.execute_fetchall("SELECT job FROM schedule_claims")]


async def test_what_a_killed_program_had_taken_is_done_by_the_next(services: Services, vendor: Any) -> None:
    await added(services, vendor, "mine", "6h")
    victim = await asyncio.create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(60)")
    owner = process.identity(victim.pid)
    async with services.db.transaction() as tx:
        await hold(tx, "mine", owner, now_ms())
    assert await services.schedules.fire() == [], "the other one is at it"
    victim.kill()
    await victim.wait()
    assert [one.state for one in await services.schedules.fire()] == ["ok"]
    assert len(vendor.requests) == 1


async def test_a_start_right_after_another_fetches_nothing_again(services: Services, vendor: Any) -> None:
    await added(services, vendor, "mine", "start")
    assert len(await services.schedules.fire(starting=True)) == 1
    assert await services.schedules.fire(starting=True) == []
    await rewound(services, "mine", MINUTE_MS)
    assert len(await services.schedules.fire(starting=True)) == 1
    vendor.status = 401
    await rewound(services, "mine", MINUTE_MS)
    assert [one.state for one in await services.schedules.fire(starting=True)] == ["error"]
    assert await services.schedules.fire(starting=True) == []
    vendor.status = 200
    await rewound(services, "mine", 10_000)
    assert [one.state for one in await services.schedules.fire(starting=True)] == ["ok"], (
        "mended, started anew"
    )


async def test_stopped_or_failed_it_gives_its_claims_back(services: Services, vendor: Any) -> None:
    await added(services, vendor, "mine", "6h")
    vendor.delay = 30
    task = asyncio.create_task(services.schedules.fire())
    await vendor.reached.wait()
    assert await claims(services) == ["mine"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await claims(services) == []
