"""The demo's other callers: runs arrive, fail, retry and end through the real run path, and stop with the program."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.container import Services, open_services
from services.demo import seed_demo
from services.demo_traffic import ASKED, AT_ONCE, traffic
from services.feed import RunEnded, RunProgress, RunStarted
from services.paths import under
from services.run import RunResult, Timing
from store.db import Database
from store.ledger import Ledger


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the demo must not open a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


async def no_time(_seconds: float) -> None:
    await asyncio.sleep(0)


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Services]:
    paths = under(tmp_path / "home")
    await seed_demo(paths)
    async with open_services(paths, actor="tui") as services:
        for row in await services.registry.rows():
            if row.enabled:
                adapter = await services.registry.adapter(row.slug)
                adapter._sleep = no_time  # type: ignore[attr-defined]
        yield services


async def test_runs_keep_arriving_and_stop_with_the_block(demo: Services) -> None:
    ended: list[RunResult] = []
    started: list[str] = []
    enough = asyncio.Event()

    def heard(event: object) -> None:
        if isinstance(event, RunStarted):
            started.append(event.run_id)
        if isinstance(event, RunEnded):
            ended.append(event.result)
            if len(ended) >= 60:
                enough.set()

    demo.feed.subscribe(heard)
    most = 0
    async with traffic(demo, no_time) as runs:
        runs.timing = Timing(sleep=no_time)
        async with asyncio.timeout(30):
            while not enough.is_set():
                most = max(most, len(runs.active()))
                await asyncio.sleep(0)
        assert not demo.runs.active(), "quitting does not ask about what others do"
        assert not demo.busy
    assert not runs.active()
    assert 1 < most <= AT_ONCE
    assert len(started) == len(ended), "every run is settled"
    assert {result.state for result in ended} >= {"complete", "failed"}
    assert any(len(result.attempts) > 1 for result in ended), "some are tried again"
    codes = {result.error.code for result in ended if result.error}
    assert "rate_limited" in codes
    rows = await Ledger(demo.db).recent(len(ended) * 4)
    written = {row.run_id for row in rows}
    assert written >= set(started)
    assert {row.caller for row in rows if row.run_id in set(started)} >= {"support-bot", "ci"}
    assert (await demo.audit.verify()).intact
    states = {row.slug: row.state for row in await demo.registry.rows()}
    assert states["azure-eu"] == "invalid_key"
    assert states["together"] == "unreachable"
    assert states["mistral"] == "slow", "nobody else asks the slow one"


async def test_nothing_is_written_after_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = under(tmp_path / "home")
    await seed_demo(paths)
    closed = False
    begin = Database.transaction

    def watched(self: Database, **options: bool) -> object:
        assert not closed, "written after the end"
        return begin(self, **options)

    monkeypatch.setattr(Database, "transaction", watched)
    streaming = asyncio.Event()
    async with open_services(paths, actor="tui") as services:
        services.feed.subscribe(lambda _event: streaming.set(), RunProgress, RunStarted)
        async with traffic(services, no_time):
            await asyncio.wait_for(streaming.wait(), 20)
    closed = True
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert not [task for task in tasks if task.get_name().startswith(("run ", "demo"))]


def test_they_ask_for_little_money() -> None:
    assert all(asked.max_tokens <= 300 for asked in ASKED), "an hour of it must not eat the limit"
