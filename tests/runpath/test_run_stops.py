"""Runs that are stopped: by the user, by quitting, by a deadline, by the money."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from runpath_play import Play, Room, answer, ask, refused

from adapters.errors import RateLimitedError
from adapters.events import ChatRequest, Finished, TextDelta, UsageUpdate
from catalog.usage import Usage
from services.run import RunFinished, RunRetry, RunText
from services.run_events import RunEvent
from store.ledger import Ledger


def endless(text: str = "Because ") -> Play:
    """An answer that begins and then says nothing more."""
    return Play([TextDelta(text), asyncio.Event()])


async def until(events: object, kind: type[RunEvent]) -> RunEvent:
    async for event in events:  # type: ignore[attr-defined]
        if isinstance(event, kind):
            return event
    raise AssertionError(f"no {kind}")


async def test_cancel_closes_the_connection_and_keeps_what_came(room: Room) -> None:
    play = endless("Because it scatters")
    room.plays(play)
    run = room.services.runs.start(ask("x" * 400))
    events = run.events()
    await until(events, RunText)
    run.cancel()
    run.cancel()
    finished = await until(events, RunFinished)
    assert isinstance(finished, RunFinished)
    result = finished.result
    assert play.closed.is_set()
    assert (result.state, result.text, result.finish_reason) == ("cancelled", "Because it scatters", None)
    assert (result.usage, result.grade) == (Usage(input=104, output=5), "estimated")
    [row] = await Ledger(room.services.db).run(run.id)
    assert (row.outcome, row.output, row.grade) == ("cancelled", 5, "estimated")
    assert await room.reserved() == 0
    assert room.services.runs.active() == []


async def test_usage_that_the_vendor_counts_as_it_goes_is_believed(room: Room) -> None:
    room.plays(Play([TextDelta("Because"), UsageUpdate(Usage(input=90, output=30)), asyncio.Event()]))
    run = room.services.runs.start(ask())
    events = run.events()
    await until(events, RunText)
    await anext(events)
    run.cancel()
    result = await run.result()
    assert (result.usage, result.grade) == (Usage(input=90, output=30), "computed")


async def test_usage_that_lags_behind_the_text_is_not(room: Room) -> None:
    early = UsageUpdate(Usage(input=90, output=1))
    room.plays(Play([early, TextDelta("word " * 40), asyncio.Event()]))
    run = room.services.runs.start(ask())
    await until(run.events(), RunText)
    run.cancel()
    result = await run.result()
    assert (result.usage, result.grade) == (Usage(input=90, output=50), "estimated")


async def test_cancel_before_the_first_step(room: Room) -> None:
    room.plays(endless())
    run = room.services.runs.start(ask())
    run.cancel()
    result = await run.result()
    assert (result.state, result.attempts, result.cost) == ("cancelled", (), Decimal(0))
    assert room.adapter.requests == []
    assert await room.reserved() == 0


async def test_cancel_before_the_first_word(room: Room) -> None:
    play = Play([asyncio.Event()])
    room.plays(play)
    run = room.services.runs.start(ask("x" * 400))
    await play.opened.wait()
    run.cancel()
    result = await run.result()
    assert result.state == "cancelled"
    assert (result.usage, result.grade) == (Usage(input=104, output=0), "estimated"), "the prompt was read"
    assert result.ttft_ms is None


async def test_cancel_before_the_vendor_answered_at_all(room: Room) -> None:
    """The request is out, and nobody knows whether the vendor began: the prompt is counted, not called free."""
    sent = asyncio.Event()

    @asynccontextmanager
    async def silent(_request: ChatRequest) -> AsyncIterator[None]:
        sent.set()
        await asyncio.Event().wait()
        yield

    room.adapter.stream = silent  # type: ignore[method-assign, assignment]
    run = room.services.runs.start(ask("x" * 400, stream=False))
    await sent.wait()
    run.cancel()
    result = await run.result()
    assert (result.usage, result.grade) == (Usage(input=104, output=0), "estimated")
    assert result.cost == Decimal("0.00026")


async def test_cancel_during_a_countdown(room: Room) -> None:
    room.plays(refused(RateLimitedError("Slow down.", status=429)))
    asleep, forever = asyncio.Event(), asyncio.Event()

    async def sleep(_seconds: float) -> None:
        asleep.set()
        await forever.wait()

    room.waits.sleep = sleep  # type: ignore[method-assign]
    room.services.runs.timing = room.waits.timing()
    run = room.services.runs.start(ask())
    events = run.events()
    retry = await until(events, RunRetry)
    assert isinstance(retry, RunRetry)
    await asleep.wait()
    run.cancel()
    result = await run.result()
    assert (result.state, len(result.attempts)) == ("cancelled", 1)
    [row] = await Ledger(room.services.db).run(run.id)
    assert (row.outcome, row.final) == ("failed", True)


async def test_quitting_settles_every_run(room: Room, open_room: Callable[[], Awaitable[Room]]) -> None:
    room.plays(endless())
    runs = [room.services.runs.start(ask()) for _ in range(5)]
    readers = [run.events() for run in runs]
    for reader in readers:
        await until(reader, RunText)
    unread = room.services.runs.start(ask())
    await room.services.runs.aclose()
    again = await open_room()
    for run in runs:
        [row] = await Ledger(again.services.db).run(run.id)
        assert row.outcome == "cancelled"
        assert (await run.result()).state == "cancelled"
    assert (await unread.result()).state == "cancelled"
    assert await again.reserved() == 0


async def test_quitting_does_not_wait_for_a_reader_that_sleeps(room: Room) -> None:
    room.plays(answer(*["token "] * 5_000))
    run = room.services.runs.start(ask())
    await anext(run.events())
    await asyncio.wait_for(room.services.runs.aclose(), 2)
    assert (await run.result()).state == "cancelled"


async def test_a_waiting_reader_is_told_when_the_program_closes(room: Room) -> None:
    room.plays(endless())
    run = room.services.runs.start(ask())
    events = run.events()
    await until(events, RunText)
    waiting = asyncio.create_task(anext(events))
    await asyncio.sleep(0)
    await room.services.runs.aclose()
    finished = await waiting
    assert isinstance(finished, RunFinished)
    assert finished.result.state == "cancelled"


async def test_the_deadline_keeps_what_came(room: Room) -> None:
    room.plays(endless())
    result = await room.services.runs.start(ask(timeout_s=0.05)).result()
    assert (result.state, result.text) == ("interrupted", "Because ")
    assert result.error is not None
    assert result.error.code == "timeout"
    [row] = await Ledger(room.services.db).run(result.run_id)
    assert (row.outcome, row.error_code) == ("interrupted", "timeout")


async def test_a_deadline_says_nothing_of_the_provider(room: Room) -> None:
    room.plays(Play([asyncio.Event()]))
    result = await room.services.runs.start(ask(timeout_s=0.05)).result()
    assert (result.state, result.text) == ("failed", "")
    assert result.usage.output == 0
    assert (await room.services.registry.row("acme")).state == "ok"


async def test_a_vendor_that_ignores_the_limit_is_stopped(room: Room) -> None:
    await room.services.budgets.set("global", "daily", Decimal("0.0005"))
    play = Play([*[TextDelta("word ")] * 500, Finished("complete", "stop")])
    room.plays(play)
    result = await room.services.runs.start(ask(max_tokens=20)).result()
    assert (result.state, result.finish_reason) == ("complete", "budget")
    assert play.closed.is_set()
    assert play.sent < 60
    assert result.usage.output == 20, "what was not to be sent is not billed"


async def test_reported_usage_beyond_the_money_stops_it(room: Room) -> None:
    await room.services.budgets.set("global", "daily", Decimal(1))
    play = Play(
        [
            TextDelta("word "),
            UsageUpdate(Usage(input=20, output=90_000)),
            TextDelta("word "),
            TextDelta("word "),
            Finished("complete", "stop"),
        ]
    )
    room.plays(play)
    result = await room.services.runs.start(ask()).result()
    assert (result.finish_reason, result.text) == ("budget", "word ")
    assert result.usage.output == 90_000, "what the vendor states is recorded, however much"


@pytest.mark.parametrize("usage", [Usage(input=20, output=90_000)])
async def test_an_answer_that_is_done_is_not_called_cut(room: Room, usage: Usage) -> None:
    await room.services.budgets.set("global", "daily", Decimal(1))
    room.plays(answer("Yes.", usage=usage))
    result = await room.services.runs.start(ask()).result()
    assert (result.finish_reason, result.cost) == ("stop", Decimal("0.90005"))


async def test_an_answer_without_end_is_stopped_and_kept(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.run_task.MOST_BYTES", 1 << 20)
    play = Play([TextDelta("x" * 65_536) for _ in range(64)])
    room.plays(play)
    result = await room.services.runs.start(ask()).result()
    assert (result.state, len(result.text)) == ("interrupted", (1 << 20) + 65_536)
    assert result.error is not None
    assert result.error.code == "unexpected_response"
    [row] = await Ledger(room.services.db).run(result.run_id)
    assert row.outcome == "interrupted"
