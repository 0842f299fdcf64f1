"""Trying again: how often, after how long, and when not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from runpath_play import Play, Room, answer, ask, refused

from adapters.errors import (
    BadRequestError,
    InvalidCredentialsError,
    NetworkError,
    NoCreditError,
    OverloadedError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitedError,
    ServerError,
    StreamInterruptedError,
)
from adapters.events import Finished, TextDelta
from catalog.errors import OfflineError, StoreError
from catalog.usage import Usage
from services.admission import Admission, Claim
from services.retry import Patience, RetryPolicy, policy_for
from services.run import RunFinished, RunRetry, RunWaiting
from services.settings_model import Retry
from store.ledger import Ledger
from store.providers import Providers

LIMITED = RateLimitedError("Slow down.", status=429)
FINE = answer("Yes.", usage=Usage(input=12, output=5))


async def test_rate_limited_then_answered(room: Room) -> None:
    room.plays(
        refused(RateLimitedError("Slow down.", status=429, retry_after_ms=2500, request_id="r1")), FINE
    )
    run = room.services.runs.start(ask())
    events = [event async for event in run.events()]
    retries = [event for event in events if isinstance(event, RunRetry)]
    assert [(event.attempt, event.delay_s, event.error.code) for event in retries] == [
        (2, 2.5, "rate_limited")
    ]
    countdown = [event for event in events if isinstance(event, RunWaiting)]
    assert countdown == [
        RunWaiting("Rate limited", 2.5),
        RunWaiting("Rate limited", 1.5),
        RunWaiting("Rate limited", 0.5),
    ]
    assert room.waits.slept == [1.0, 1.0, 0.5]
    finished = events[-1]
    assert isinstance(finished, RunFinished)
    result = finished.result
    assert (result.ttft_ms, result.answer_ms, result.duration_ms) == (0, 0, 2500), "the wait is no slow model"
    first, second = finished.result.attempts
    assert (first.state, first.status, first.request_id, first.retry_after_ms) == ("failed", 429, "r1", 2500)
    assert (second.state, second.error) == ("complete", None)
    assert finished.result.cost == Decimal("0.00008")
    rows = await Ledger(room.services.db).run(run.id)
    assert [(row.number, row.final, row.outcome, row.cost_nanos) for row in rows] == [
        (1, False, "failed", 0),
        (2, True, "complete", 80_000),
    ]
    assert (await room.services.registry.row("acme")).state == "ok"


async def test_it_gives_up_after_the_last_attempt(room: Room) -> None:
    room.plays(refused(ServerError("It failed.", status=500)))
    result = await room.services.runs.start(ask()).result()
    assert (result.state, len(result.attempts)) == ("failed", 3)
    assert room.waits.slept == [0.5, 1.0]
    assert (await room.services.registry.row("acme")).state == "error"


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (LIMITED, 2),
        (OverloadedError("Full.", status=529), 2),
        (ServerError("It failed.", status=503), 2),
        (NetworkError("No route."), 2),
        (ProviderTimeoutError("Silence."), 2),
        (StreamInterruptedError("Cut."), 2),
        (InvalidCredentialsError("Wrong key.", status=401), 1),
        (NoCreditError("No credit.", status=402), 1),
        (BadRequestError("No.", status=400), 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ProviderError) else None,
)
async def test_classes(room: Room, error: ProviderError, attempts: int) -> None:
    room.plays(refused(error), FINE)
    result = await room.services.runs.start(ask()).result()
    assert len(result.attempts) == attempts
    assert result.state == ("complete" if attempts == 2 else "failed")


async def test_an_error_in_the_stream_before_the_first_word_is_tried_again(room: Room) -> None:
    room.plays(Play([Finished("failed", "error", error=OverloadedError("Full."))]), FINE)
    result = await room.services.runs.start(ask()).result()
    assert [attempt.state for attempt in result.attempts] == ["failed", "complete"]
    assert result.text == "Yes."


async def test_never_after_the_first_word(room: Room) -> None:
    room.plays(
        Play([TextDelta("Because"), Finished("failed", "error", error=OverloadedError("Full."))]), FINE
    )
    result = await room.services.runs.start(ask()).result()
    assert (result.state, result.text, len(result.attempts)) == ("failed", "Because", 1)


async def test_nobody_watching_waits_thirty_seconds_at_most(room: Room) -> None:
    slow = RateLimitedError("Slow down.", status=429, retry_after_ms=20_000)
    room.plays(refused(slow))
    result = await room.services.runs.start(ask()).result()
    assert len(result.attempts) == 2, "20 s fit, another 20 s do not"
    assert sum(room.waits.slept) == pytest.approx(20)
    assert result.error is slow


@pytest.mark.parametrize("more", [{"retries": 2}, {"timeout_s": 300.0}, {"headless": False}])
async def test_unless_somebody_said_otherwise(room: Room, more: dict[str, object]) -> None:
    room.plays(refused(RateLimitedError("Slow down.", status=429, retry_after_ms=40_000)))
    result = await room.services.runs.start(ask(**more)).result()
    assert len(result.attempts) == 3
    assert sum(room.waits.slept) == pytest.approx(80)


async def test_the_runs_wish_goes_before_the_providers(room: Room) -> None:
    room.plays(refused(LIMITED))
    async with room.services.db.transaction() as tx:
        await Providers(room.services.db).update(
            tx, replace(await room.services.registry.row("acme"), retries=1)
        )
    assert len((await room.services.runs.start(ask()).result()).attempts) == 2
    assert len((await room.services.runs.start(ask(retries=0)).result()).attempts) == 1
    assert len((await room.services.runs.start(ask(retries=4)).result()).attempts) == 5


async def test_going_offline_in_between_ends_it(room: Room) -> None:
    room.plays(refused(LIMITED), refused(OfflineError("You are offline by choice.")))
    result = await room.services.runs.start(ask()).result()
    assert [attempt.error.code for attempt in result.attempts if attempt.error] == ["rate_limited", "offline"]
    assert result.state == "failed"


async def test_an_attempt_that_may_be_billed_stays_set_aside(room: Room) -> None:
    """A timeout costs the prompt; the second attempt gets what the limit leaves after that."""
    await room.services.budgets.set("global", "daily", Decimal("0.013"))
    room.plays(refused(ProviderTimeoutError("Silence.")), FINE)
    result = await room.services.runs.start(ask("x" * 4_000)).result()
    assert [attempt.state for attempt in result.attempts] == ["failed", "complete"]
    first, second = (request.max_tokens for request in room.adapter.requests)
    assert first is not None
    assert second is not None
    assert second < first
    assert result.grade == "estimated"
    assert result.cost is not None
    assert result.cost > Decimal("0.0025")


async def test_a_store_that_fails_between_two_attempts_loses_none(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await room.services.budgets.set("global", "daily", Decimal(1))
    room.plays(refused(ProviderTimeoutError("Silence.")), FINE)
    admit = Admission.admit

    async def busy_later(self: Admission, claim: Claim, *more: object) -> object:
        if claim.spent_nanos:
            raise StoreError("The database is busy.")
        return await admit(self, claim, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(Admission, "admit", busy_later)
    run = room.services.runs.start(ask("x" * 400))
    result = await run.result()
    assert (result.state, result.error and result.error.code) == ("failed", "timeout")
    [row] = await Ledger(room.services.db).run(run.id)
    assert (row.outcome, row.final, row.cost_nanos, row.grade) == ("failed", True, 260_000, "estimated")
    assert await room.reserved() == 0


def test_waits_grow_up_to_the_longest() -> None:
    policy = RetryPolicy(attempts=6, initial=1, factor=3, maximum=10, jitter=0.25, wait_limit=None)
    patience = Patience(policy, lambda: 0.0)
    assert [patience.next_delay(LIMITED) for _ in range(6)] == [1, 3, 9, 10, 10, None]
    assert Patience(policy, lambda: 1.0).next_delay(LIMITED) == 0.75, "chance only shortens"


def test_the_vendors_own_wish_wins() -> None:
    policy = RetryPolicy(attempts=3, initial=1, factor=2, maximum=10, jitter=0.25, wait_limit=None)
    wish = RateLimitedError("Slow down.", retry_after_ms=61_000)
    assert Patience(policy, lambda: 1.0).next_delay(wish) == 61


def test_policy_takes_the_settings() -> None:
    settings = Retry(attempts=5, initial_delay=1, factor=4, max_delay=9, jitter=0.1)
    policy = policy_for(settings, provider_retries=None, retries=None, timeout_s=None, headless=False)
    assert policy == RetryPolicy(5, 1, 4, 9, 0.1, None)
