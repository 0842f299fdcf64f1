"""Limits that hold: what is set aside, shortened, waited for, refused, and who is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest
from runpath_play import Play, Room, answer, ask, model

from adapters.events import Finished, TextDelta, UsageUpdate
from catalog.errors import BudgetExceededError, NotFoundError, UnpricedError, UsageError
from catalog.types import Price
from catalog.usage import Usage
from services import clock, process
from services.admission import Admission, Claim
from services.budgets import period_bounds
from services.feed import Alert, BudgetsChanged
from services.run import RunStartedEvent, RunText, RunWaiting
from services.tariff import WorstCase
from store.ledger import Ledger
from store.models import Models
from store.reservations import ReservationRow, Reservations

FINE = answer("Yes.", usage=Usage(input=12, output=5))


def hold() -> tuple[Play, asyncio.Event]:
    """An answer that goes on until it is let go."""
    gate = asyncio.Event()
    steps = [
        TextDelta("Because"),
        gate,
        UsageUpdate(Usage(input=10, output=10)),
        Finished("complete", "stop"),
    ]
    return Play(steps), gate  # type: ignore[arg-type]


async def started(room: Room, **more: object) -> RunStartedEvent:
    run = room.services.runs.start(ask(**more))
    events = run.events()
    event = await anext(events)
    assert isinstance(event, RunStartedEvent)
    async for _ in events:
        pass
    return event


async def test_under_a_limit_the_longest_answer_is_always_sent(room: Room) -> None:
    await room.services.budgets.set("global", "monthly", Decimal(5))
    room.plays(FINE)
    event = await started(room)
    assert (event.max_tokens, event.note) == (1_000, None)
    assert room.adapter.requests[0].max_tokens == 1_000


async def test_the_answer_is_shortened_to_fit_and_the_user_is_told(room: Room) -> None:
    await room.services.budgets.set("global", "daily", Decimal("0.005"))
    room.plays(FINE)
    event = await started(room)
    assert event.max_tokens is not None
    assert 256 <= event.max_tokens < 500
    assert event.note is not None
    assert "instead of 1000" in event.note
    assert "$0.005" in event.note
    assert room.adapter.requests[0].max_tokens == event.max_tokens


async def test_too_little_for_sixteen_tokens_is_refused(room: Room) -> None:
    await room.services.budgets.set("provider:acme", "daily", Decimal("0.0002"))
    run = room.services.runs.start(ask())
    with pytest.raises(BudgetExceededError) as caught:
        await run.result()
    assert caught.value.code == "budget"
    assert "daily limit of acme" in caught.value.message
    assert caught.value.hint is not None
    assert caught.value.hint.endswith("Try home/llama."), "own hardware costs nothing per token"
    assert await Ledger(room.services.db).recent() == []
    assert await room.reserved() == 0
    assert room.adapter.requests == []
    [entry] = await room.services.audit.list(action="run")
    assert (entry.result, entry.detail["code"]) == ("refused", "budget")


async def test_own_hardware_and_other_providers_are_not_held_up(room: Room) -> None:
    await room.services.budgets.set("provider:acme", "daily", Decimal(0))
    await room.services.budgets.set("provider:home", "daily", Decimal(0))
    room.plays(FINE)
    result = await room.services.runs.start(ask(model="home/llama")).result()
    assert (result.state, result.grade) == ("complete", "own")
    assert room.adapter.requests[0].max_tokens is None


async def test_a_free_model_is_not_held_up_by_a_spent_limit(room: Room) -> None:
    await room.services.budgets.set("global", "daily", Decimal(0))
    nothing = Price(input=Decimal(0), output=Decimal(0))
    async with room.services.db.transaction() as tx:
        await Models(room.services.db).replace_live(tx, "acme", [model("acme", "free", nothing)])
    room.plays(FINE)
    result = await room.services.runs.start(ask(model="acme/free")).result()
    assert (result.state, result.cost, result.grade) == ("complete", Decimal(0), "computed")


async def test_what_earlier_attempts_cost_stays_set_aside_while_the_next_one_waits(room: Room) -> None:
    """It is in no ledger yet: a run elsewhere must not spend it meanwhile."""
    services = room.services
    await services.budgets.set("global", "daily", Decimal("0.02"))
    other = ReservationRow("o", "o", "acme", "big", 15_000_000, 1, clock.now_ms(), process.identity())
    async with services.db.transaction() as tx:
        await Reservations(services.db).insert(tx, other)
    held: list[int] = []

    async def sleep(seconds: float) -> None:
        held.append(sum(row.amount_nanos or 0 for row in await Reservations(services.db).all()))
        await room.waits.sleep(seconds)

    async def waiting(_reason: str, _seconds: float) -> None:
        pass

    worst = WorstCase(Decimal(0), Decimal("0.00001"))
    claim = Claim(
        "me", "acme", "big", 1, 1_000, worst, own=False, allow_unpriced=False, spent_nanos=3_000_000
    )
    grant = await Admission(services).admit(claim, waiting, sleep)
    assert set(held) == {18_000_000}
    assert 190 <= grant.max_output <= 200


async def test_money_in_flight_is_waited_for(room: Room) -> None:
    await room.services.budgets.set("global", "daily", Decimal("0.0115"))
    play, gate = hold()
    room.plays(play, FINE)
    first = room.services.runs.start(ask())
    reading = first.events()
    assert isinstance(await anext(reading), RunStartedEvent)
    second = room.services.runs.start(ask())
    events = second.events()
    waiting = await anext(events)
    assert isinstance(waiting, RunWaiting)
    assert waiting.seconds == 30
    [view] = await room.services.budgets.list()
    assert view.reserved > Decimal("0.01")
    gate.set()
    async for _ in reading:
        pass
    rest = [event async for event in events]
    begun = next(event for event in rest if isinstance(event, RunStartedEvent))
    assert begun.max_tokens is not None
    assert begun.max_tokens > 256
    assert (await second.result()).state == "complete"


async def test_after_thirty_seconds_it_takes_what_there_is(room: Room) -> None:
    await room.services.budgets.set("global", "daily", Decimal("0.0115"))
    play, gate = hold()
    room.plays(play, FINE)
    first = room.services.runs.start(ask())
    reading = first.events()
    await anext(reading)
    second = room.services.runs.start(ask())
    result = await second.result()
    assert sum(room.waits.slept) == pytest.approx(30)
    assert result.note is not None
    assert 16 <= (room.adapter.requests[1].max_tokens or 0) < 256
    gate.set()
    async for _ in reading:
        pass
    assert (await first.result()).state == "complete"


async def test_cancel_while_waiting_for_money(room: Room) -> None:
    await room.services.budgets.set("global", "daily", Decimal("0.0115"))
    play, _ = hold()
    room.plays(play)
    first = room.services.runs.start(ask())
    await anext(first.events())
    second = room.services.runs.start(ask())
    events = second.events()
    assert isinstance(await anext(events), RunWaiting)
    second.cancel()
    result = await second.result()
    assert (result.state, result.attempts) == ("cancelled", ())
    assert await room.reserved() == 1


async def test_spent_money_is_not_waited_for(room: Room) -> None:
    await room.services.budgets.set("global", "daily", Decimal("0.0005"))
    room.plays(answer("Yes.", usage=Usage(input=12, output=40)))
    await room.services.runs.start(ask()).result()
    with pytest.raises(BudgetExceededError):
        await room.services.runs.start(ask("x" * 400)).result()
    assert room.waits.slept == []


async def test_unpriced_under_a_limit(room: Room) -> None:
    await room.services.budgets.set("global", "daily", Decimal(1))
    room.plays(FINE)
    with pytest.raises(UnpricedError, match="acme/mystery"):
        await room.services.runs.start(ask(model="acme/mystery")).result()
    with pytest.raises(UnpricedError) as caught:
        await room.services.runs.start(ask(model="acme/mystery", ask_unpriced=True)).result()
    assert "--allow-unpriced" not in (caught.value.hint or ""), "a screen asks; it has no options"
    assert room.adapter.requests == []
    result = await room.services.runs.start(ask(model="acme/mystery", allow_unpriced=True)).result()
    assert (result.cost, result.grade) == (None, "unknown")
    assert room.adapter.requests[0].max_tokens == 1_000


async def test_without_a_limit_unpriced_is_sent(room: Room) -> None:
    room.plays(FINE)
    assert (await room.services.runs.start(ask(model="acme/mystery")).result()).state == "complete"


async def test_the_alert_comes_once_a_period(room: Room) -> None:
    await room.services.budgets.set("global", "daily", Decimal("0.1"), alert=0.5)
    await room.services.budgets.set("global", "monthly", Decimal(10))

    async def spend(output: int) -> list[str]:
        room.events.clear()
        room.adapter.requests.clear()
        room.plays(answer("Yes.", usage=Usage(input=0, output=output)))
        await room.services.runs.start(ask()).result()
        return [event.title for event in room.events if isinstance(event, Alert)]

    assert await spend(1_000) == []
    assert await spend(4_500) == ["Limit runs low"]
    assert await spend(1_000) == []
    assert await spend(4_500) == ["Limit reached"]
    await room.services.budgets.set("global", "daily", Decimal("0.13"), alert=0.5)
    assert await spend(100) == ["Limit runs low"], "a new limit is a new threshold"


async def test_two_processes_do_not_both_tell(room: Room, open_room: Callable[[], Awaitable[Room]]) -> None:
    other = await open_room()
    await room.services.budgets.set("global", "daily", Decimal("0.01"))
    room.plays(answer("Yes.", usage=Usage(input=0, output=900)))
    await room.services.runs.start(ask()).result()
    await other.services.budgets.alert_crossed("acme")
    assert sum(isinstance(event, Alert) for event in [*room.events, *other.events]) == 1


async def test_a_limit_is_set_changed_listed_and_removed(room: Room) -> None:
    budgets = room.services.budgets
    room.plays(answer("Yes.", usage=Usage(input=0, output=100_000)))
    await room.services.runs.start(ask()).result()
    await budgets.set("provider:acme", "monthly", Decimal(20))
    await budgets.set("global", "daily", Decimal("2.5"), alert=0.9, reason="trial")
    changed = await budgets.set("global", "daily", Decimal(5))
    views = await budgets.list()
    assert [(view.scope, view.period, view.limit, view.spent) for view in views] == [
        ("global", "daily", 5, 1),
        ("provider:acme", "monthly", 20, 1),
    ]
    assert views[0].remaining == 4
    assert views[0].resets_at == clock.day_bounds(clock.now_ms())[1]
    assert views[0].changed_by.endswith(f"test[{__import__('os').getpid()}]")
    assert BudgetsChanged() in room.events
    headroom = await budgets.headroom("acme")
    assert headroom.remaining == 4
    assert headroom.binding is not None
    assert headroom.binding.id == changed.id
    assert (await budgets.headroom()).remaining == 4
    removed = await budgets.remove(changed.id)
    assert removed.limit == 5
    assert [view.scope for view in await budgets.list()] == ["provider:acme"]
    entries = await room.services.audit.list(action="budget.set")
    assert [entry.subject for entry in entries] == ["global daily", "global daily", "provider:acme monthly"]
    assert entries[0].detail["before"]["limit_usd"] == "2.500000000"
    assert entries[0].detail["after"]["limit_usd"] == "5.000000000"
    with pytest.raises(NotFoundError):
        await budgets.remove(changed.id)
    assert (await budgets.headroom("home")).remaining is None


@pytest.mark.parametrize(
    ("scope", "period", "limit", "error"),
    [
        ("global", "hourly", Decimal(1), UsageError),
        ("global", "daily", Decimal(-1), UsageError),
        ("global", "daily", Decimal("NaN"), UsageError),
        ("model:x", "daily", Decimal(1), UsageError),
        ("provider:nobody", "daily", Decimal(1), NotFoundError),
    ],
)
async def test_limits_that_make_no_sense(
    room: Room, scope: str, period: str, limit: Decimal, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await room.services.budgets.set(scope, period, limit)
    assert await room.services.budgets.list() == []


async def test_a_limit_that_has_ended_holds_nothing_up(room: Room) -> None:
    await room.services.budgets.set("global", "daily", Decimal(0), until=clock.now_ms() - 1)
    room.plays(FINE)
    assert (await room.services.runs.start(ask()).result()).state == "complete"
    assert [view.in_force for view in await room.services.budgets.list()] == [False]


async def test_what_is_set_aside_is_the_worst_case(room: Room) -> None:
    play, _ = hold()
    room.plays(play)
    run = room.services.runs.start(ask("x" * 400, max_tokens=100))
    events = run.events()
    async for event in events:
        if isinstance(event, RunText):
            break
    [row] = await Reservations(room.services.db).all()
    assert (row.provider, row.model, row.input_tokens) == ("acme", "big", 104)
    assert row.amount_nanos == round(172 * 2.5 * 1_000) + 100 * 10_000 + 1
    run.cancel()
    await run.result()
    assert await room.reserved() == 0


def test_months_and_days_are_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        # 2026-11-01 06:00 UTC is 01:00 or 02:00 on the night the clocks go back: a day of 25 hours.
        start, end = period_bounds("daily", 1_793_512_800_000)
        assert end - start == 25 * 3_600_000
        start, end = period_bounds("monthly", 1_793_512_800_000)
        assert clock.iso(start) == "2026-11-01T04:00:00.000Z"
        assert clock.iso(end) == "2026-12-01T05:00:00.000Z"
    finally:
        monkeypatch.undo()
        time.tzset()
