"""The demo's other callers: runs arrive, fail, retry and end through the real run path, and stop with the program."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.container import Services, open_services
from services.demo import seed_demo
from services.demo_traffic import _PAGE, ASKED, AT_ONCE, traffic
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


async def test_the_audit_log_names_who_asked(demo: Services) -> None:
    asked = asyncio.Event()
    seen: list[RunEnded] = []

    def heard(event: object) -> None:
        if isinstance(event, RunEnded):
            seen.append(event)
            if len(seen) >= 20:
                asked.set()

    demo.feed.subscribe(heard)
    async with traffic(demo, no_time) as runs:
        runs.timing = Timing(sleep=no_time)
        await asyncio.wait_for(asked.wait(), 30)
    by_model = {ask.ref: ask.actor for ask in ASKED}
    rows = [row for row in await demo.audit.list(limit=500) if row.action == "run"]
    assert len(rows) >= len(seen)
    assert all(row.actor == by_model[row.subject] for row in rows), "they are not what the user did"
    await demo.registry.set_enabled("groq", False)
    assert (await demo.audit.list(limit=1))[0].actor == demo.actor


async def test_hours_of_it_fit_the_limits(demo: Services) -> None:
    """Every run at its dearest: all its tokens, one attempt. Some 700 come in an hour."""
    spent = dict.fromkeys((None, "openai-prod", "anthropic"), 0.0)
    for ask in ASKED:
        price = (await demo.models.get(ask.ref)).info.price
        if price is None or price.input is None or price.output is None:
            continue
        sent = len(_PAGE) * ask.pages // 4 + 30
        cost = (sent * float(price.input) + ask.max_tokens * float(price.output)) / 1e6
        share = ask.weight / sum(other.weight for other in ASKED) * cost * 700
        for whose in (None, ask.ref.partition("/")[0]):
            spent[whose] = spent.get(whose, 0.0) + share
    assert spent[None] < 0.3
    for whose, hourly in spent.items():
        left = (await demo.budgets.headroom(whose)).remaining
        assert left is None or float(left) > 6 * hourly, f"{whose or 'all'}: the demo would go dead"
