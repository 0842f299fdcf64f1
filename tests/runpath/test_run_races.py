"""Limits under any number of runs and processes, and what a killed process leaves behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runpath_play import PRICE, Play, PlayedAdapter, PlayedStream, Room, ask, furnish

from adapters.events import ChatRequest, Finished, TextDelta, UsageUpdate
from catalog.errors import BudgetExceededError
from catalog.usage import Usage
from services import clock, process
from services.container import open_services
from services.paths import Paths, under
from services.run import RunStartedEvent, RunText, Timing
from store.ledger import Ledger
from store.reservations import ReservationRow, Reservations

WORKER = Path(__file__).with_name("runpath_worker.py")


RUN = st.fixed_dictionaries(
    {
        "prompt": st.integers(0, 4_000),
        "max_tokens": st.one_of(st.none(), st.integers(1, 1_200)),
        "share": st.floats(0, 1),
        "input_error": st.sampled_from([0.0, 0.0, -0.5, 0.3, 1.5]),
        "turns": st.integers(0, 12),
        "cancel": st.booleans(),
    }
)


class Drawn(PlayedAdapter):
    """Answers as the example says; notes by how much the input estimate was too low."""

    def __init__(self, wishes: list[dict[str, object]]) -> None:
        super().__init__()
        self.wishes = wishes
        self.excess = Decimal(0)

    def stream(self, request: ChatRequest):  # type: ignore[no-untyped-def, override]
        from contextlib import asynccontextmanager

        number, text = request.messages[0].text.split("|", 1)
        wish = self.wishes[int(number)]

        @asynccontextmanager
        async def opened():  # type: ignore[no-untyped-def]
            for _ in range(int(wish["turns"])):  # type: ignore[call-overload]
                await asyncio.sleep(0)
            assert request.max_tokens is not None
            estimated = -(-(len(text) + len(number) + 1) // 4) + 4
            actual = int(estimated * (1 + float(wish["input_error"])))  # type: ignore[arg-type]
            output = int(request.max_tokens * float(wish["share"]))  # type: ignore[arg-type]
            assert PRICE.input is not None
            self.excess += max(0, actual - estimated) * PRICE.input / 1_000_000
            usage = UsageUpdate(Usage(input=actual, output=output))
            yield PlayedStream(Play([TextDelta("word "), usage, Finished("complete", "stop")]))

        return opened()


async def spend_all(home: Path, limit: Decimal, wishes: list[dict[str, object]]) -> None:
    async with open_services(under(home), actor="test") as services:
        await furnish(services)
        await services.budgets.set("global", "daily", limit)
        adapter = Drawn(wishes)

        async def played(_slug: str) -> PlayedAdapter:
            return adapter

        services.registry.adapter = played  # type: ignore[method-assign, assignment]

        async def no_time(_seconds: float) -> None:
            await asyncio.sleep(0)

        services.runs.timing = Timing(sleep=no_time)

        async def one(number: int, wish: dict[str, object]) -> None:
            request = ask(f"{number}|{'x' * int(wish['prompt'])}", max_tokens=wish["max_tokens"])  # type: ignore[call-overload]
            run = services.runs.start(request)
            try:
                async for event in run.events():
                    if wish["cancel"] and isinstance(event, RunStartedEvent | RunText):
                        run.cancel()
            except BudgetExceededError:
                pass

        await asyncio.gather(*(one(number, wish) for number, wish in enumerate(wishes)))
        [view] = await services.budgets.list()
        assert view.reserved == 0
        assert view.spent <= limit + adapter.excess


@settings(max_examples=25, deadline=None)
@given(limit=st.integers(0, 30_000), wishes=st.lists(RUN, min_size=1, max_size=8))
def test_recorded_spend_stays_within_the_limit(limit: int, wishes: list[dict[str, object]]) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(spend_all(Path(folder), Decimal(limit) / 1_000_000, wishes))


def start(paths: Paths, *arguments: str) -> subprocess.Popen[str]:
    assert paths.home is not None
    return subprocess.Popen(
        [sys.executable, str(WORKER), str(paths.home), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(WORKER.parents[2])},
    )


async def test_two_processes_share_one_limit(room: Room, paths: Paths) -> None:
    limit = Decimal("0.05")
    await room.services.budgets.set("global", "daily", limit)
    workers = [start(paths, "spend", "25", str(seed)) for seed in (1, 2)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    outputs = await asyncio.gather(*(asyncio.to_thread(worker.communicate, "go\n") for worker in workers))
    assert [worker.returncode for worker in workers] == [0, 0]
    states = " ".join(output for output, _ in outputs).split()
    [view] = await room.services.budgets.list()
    assert (view.spent <= limit, view.reserved) == (True, 0)
    assert view.spent > limit * Decimal("0.9"), "it is used, not only kept"
    assert len(states) == 50
    assert {"complete", "refused"} == set(states)
    assert len(await Ledger(room.services.db).recent(100)) == states.count("complete")


@pytest.mark.parametrize(
    ("ref", "limited", "grade"),
    [
        ("acme/big", True, "estimated"),
        ("acme/big", False, "unknown"),
        ("acme/mystery", False, "unknown"),
        ("home/llama", True, "own"),
    ],
)
async def test_a_killed_process_is_settled_at_the_next_start(
    room: Room,
    paths: Paths,
    open_room: Callable[[], Awaitable[Room]],
    ref: str,
    limited: bool,
    grade: str,
) -> None:
    """The whole worst case counts only where a limit has to hold; own hardware stays own."""
    if limited:
        await room.services.budgets.set("global", "daily", Decimal(1))
    worker = start(paths, "hang", ref)
    assert worker.stdout is not None
    run_id = (await asyncio.to_thread(worker.stdout.readline)).strip()
    alive = await open_room()
    assert await alive.reserved() == 1, "a live process's run is left alone"
    assert await Ledger(alive.services.db).run(run_id) == []
    worker.send_signal(signal.SIGKILL)
    await asyncio.to_thread(worker.communicate)
    again = await open_room()
    [row] = await Ledger(again.services.db).run(run_id)
    assert (row.outcome, row.final, f"{row.provider}/{row.model}") == ("interrupted", True, ref)
    assert (row.input, row.grade, row.finish_reason) == (104, grade, None)
    assert (row.cost_nanos is not None) == (grade == "estimated")
    assert await again.reserved() == 0
    [entry] = await again.services.audit.list(action="run.recovered")
    assert (entry.subject, entry.result, entry.detail["run_id"]) == (ref, "interrupted", run_id)
    assert (await again.services.audit.verify()).intact
    third = await open_room()
    assert len(await Ledger(third.services.db).run(run_id)) == 1, "once"


async def test_a_killed_process_is_not_waited_for(room: Room) -> None:
    """Nobody restarts, but the money is needed: what the dead run had set aside counts as spent at once."""
    await room.services.budgets.set("global", "daily", Decimal("0.02"))
    gone = f"{process.host()}:999999999:12345"
    row = ReservationRow("r1", "r1", "acme", "big", 19_900_000, 10, clock.now_ms(), gone)
    async with room.services.db.transaction() as tx:
        await Reservations(room.services.db).insert(tx, row)
    with pytest.raises(BudgetExceededError):
        await room.services.runs.start(ask()).result()
    assert room.waits.slept == []
    assert await room.reserved() == 0
    [settled] = await Ledger(room.services.db).run("r1")
    assert settled.outcome == "interrupted"
