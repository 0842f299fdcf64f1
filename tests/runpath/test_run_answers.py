"""A run that ends: what the face is told, what the ledger, the audit log and the provider's state hold."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal

import pytest
from runpath_play import PRICE, Play, Room, answer, ask, refused

from adapters.errors import (
    ContextTooLongError,
    InvalidCredentialsError,
    ModelUnavailableError,
    RateLimitedError,
    StreamInterruptedError,
)
from adapters.events import Finished, TextDelta, ThinkingDelta, ToolCallDelta, UsageUpdate
from catalog.errors import MissingKeyError, NotFoundError, OfflineError, UsageError
from catalog.types import Price
from catalog.usage import Usage
from services.feed import ProvidersChanged, RunEnded, RunProgress, RunStarted
from services.run import (
    QUEUE_EVENTS,
    RunFinished,
    RunRequest,
    RunStartedEvent,
    RunText,
    RunThinking,
    RunToolCall,
    RunUsage,
)
from store.ledger import Ledger
from store.providers import Providers

USAGE = Usage(input=12, output=5)


async def test_an_answer_streams_is_priced_and_written(room: Room) -> None:
    room.plays(answer("Because ", "it scatters.", usage=USAGE))
    run = room.services.runs.start(ask(labels={"team": "a"}, caller="tui"))
    events = [event async for event in run.events()]
    started, *middle, finished = events
    assert isinstance(started, RunStartedEvent)
    assert started.estimate.model == "acme/big"
    assert started.max_tokens is None, "without a limit nothing is sent that was not asked for"
    assert middle == [RunText("Because "), RunText("it scatters."), RunUsage(USAGE)]
    assert isinstance(finished, RunFinished)
    result = finished.result
    assert (result.text, result.state, result.finish_reason) == ("Because it scatters.", "complete", "stop")
    assert (result.cost, result.grade) == (Decimal("0.000080"), "computed")
    [row] = await Ledger(room.services.db).run(run.id)
    assert (row.provider, row.model, row.outcome, row.final) == ("acme", "big", "complete", True)
    assert (row.input, row.output, row.cost_nanos, row.grade) == (12, 5, 80_000, "computed")
    assert Price.model_validate_json(row.price_json or "") == PRICE
    assert (row.caller, json.loads(row.labels_json or "")) == ("tui", {"team": "a"})
    assert (row.http_status, row.request_id) == (200, "req-1")
    assert await room.reserved() == 0
    [entry] = await room.services.audit.list(action="run")
    assert (entry.subject, entry.result, entry.detail["run_id"]) == ("acme/big", "complete", run.id)
    assert "scatters" not in json.dumps(entry.detail), "never content"
    ended = [event for event in room.events if isinstance(event, RunEnded)]
    assert [event.result for event in ended] == [result]
    assert isinstance(room.events[0], RunStarted)


async def test_what_comes_before_the_sending_is_no_slow_model(room: Room) -> None:
    """The passphrase is typed, the adapter imported: the first word is timed from the request on."""
    room.plays(answer("At once."))
    adapter = room.services.registry.adapter

    async def late(slug: str) -> object:
        await room.waits.sleep(7.0)
        return await adapter(slug)

    room.services.registry.adapter = late  # type: ignore[method-assign, assignment]
    result = await room.services.runs.start(ask()).result()
    assert (result.ttft_ms, result.duration_ms) == (0, 0)


async def test_thinking_and_tool_calls_arrive_whole(room: Room) -> None:
    room.plays(
        Play(
            [
                ThinkingDelta("Hm, "),
                ThinkingDelta("tools."),
                ToolCallDelta(0, "c1", "weather", '{"city":'),
                ToolCallDelta(0, arguments='"Łódź"}'),
                UsageUpdate(USAGE),
                Finished("complete", "tool_calls"),
            ]
        )
    )
    run = room.services.runs.start(ask())
    events = [event async for event in run.events()]
    result = await run.result()
    assert RunThinking("Hm, ") in events
    assert RunToolCall(0, "c1", "weather", '{"city":') in events
    assert result.thinking == "Hm, tools."
    [call] = result.tool_calls
    assert (call.id, call.name, json.loads(call.arguments)) == ("c1", "weather", {"city": "Łódź"})
    assert result.ttft_ms == 0
    assert result.finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("ref", "usage", "cost", "grade"),
    [
        ("acme/big", Usage(input=12, output=5, reported_cost=Decimal("0.5")), Decimal("0.5"), "reported"),
        ("acme/big", Usage(input=100, output=10, cache_read=80), Decimal("0.00025"), "computed"),
        ("acme/mystery", USAGE, None, "unknown"),
        ("acme/never-heard-of", USAGE, None, "unknown"),
        ("home/llama", USAGE, None, "own"),
    ],
)
async def test_grades(room: Room, ref: str, usage: Usage, cost: Decimal | None, grade: str) -> None:
    room.plays(answer("Yes.", usage=usage))
    run = room.services.runs.start(ask(model=ref))
    result = await run.result()
    assert (result.cost, result.grade) == (cost, grade)
    [row] = await Ledger(room.services.db).run(run.id)
    assert (row.cost_nanos is None) == (cost is None)


async def test_silent_vendor_is_counted_here(room: Room) -> None:
    room.plays(answer("word " * 40))
    result = await room.services.runs.start(ask("x" * 400)).result()
    assert result.grade == "estimated"
    assert result.usage.input == 104
    assert result.usage.output == 50
    assert result.cost == Decimal("0.00026") + Decimal("0.0005")


async def test_the_providers_discount_is_taken_off(room: Room) -> None:
    async with room.services.db.transaction() as tx:
        row = await Providers(room.services.db).get("acme", tx)
        assert row is not None
        from dataclasses import replace

        await Providers(room.services.db).update(tx, replace(row, discount_pct="25"))
    room.plays(answer("Yes.", usage=USAGE))
    result = await room.services.runs.start(ask()).result()
    assert result.cost == Decimal("0.000060")


@pytest.mark.parametrize(
    ("ref", "error"),
    [("nobody/big", NotFoundError), ("big", UsageError)],
    ids=["no provider", "no reference"],
)
async def test_what_does_not_exist_is_refused(room: Room, ref: str, error: type[Exception]) -> None:
    run = room.services.runs.start(ask(model=ref))
    with pytest.raises(error):
        await run.result()
    assert await Ledger(room.services.db).recent() == []
    assert await room.reserved() == 0


async def test_refusals_reach_the_reader_of_events_too(room: Room) -> None:
    run = room.services.runs.start(ask(model="nobody/big"))
    with pytest.raises(NotFoundError):
        [event async for event in run.events()]
    with pytest.raises(NotFoundError):
        await run.result()


async def test_a_provider_that_is_off_is_not_asked(room: Room) -> None:
    async with room.services.db.transaction() as tx:
        await tx.execute("UPDATE providers SET enabled = 0 WHERE slug = 'acme'")
    with pytest.raises(UsageError, match="switched off"):
        await room.services.runs.start(ask()).result()
    assert room.adapter.requests == []


async def test_a_key_that_is_missing_is_no_run(room: Room) -> None:
    async def keyless(_slug: str) -> None:
        raise MissingKeyError("There is no key.")

    room.services.registry.adapter = keyless  # type: ignore[method-assign, assignment]
    with pytest.raises(MissingKeyError):
        await room.services.runs.start(ask()).result()
    assert await Ledger(room.services.db).recent() == []


async def test_the_offline_gate_refuses_and_frees_the_money(room: Room) -> None:
    room.plays(refused(OfflineError("You are offline by choice.")))
    with pytest.raises(OfflineError):
        await room.services.runs.start(ask()).result()
    assert await Ledger(room.services.db).recent() == []
    assert await room.reserved() == 0
    [entry] = await room.services.audit.list(action="run")
    assert (entry.result, entry.detail["code"]) == ("refused", "offline")


async def test_an_error_of_the_vendor_is_a_failed_run_with_a_row(room: Room) -> None:
    room.plays(refused(InvalidCredentialsError("The key is wrong.", status=401, request_id="r9")))
    result = await room.services.runs.start(ask()).result()
    assert result.state == "failed"
    assert result.error is not None
    assert result.error.code == "invalid_credentials"
    assert (result.cost, result.usage) == (Decimal(0), Usage(input=0, output=0)), "refused is not billed"
    [row] = await Ledger(room.services.db).run(result.run_id)
    assert (row.outcome, row.error_code, row.http_status, row.request_id) == (
        "failed",
        "invalid_credentials",
        401,
        "r9",
    )
    stored = await Providers(room.services.db).get("acme")
    assert stored is not None
    assert (stored.state, stored.state_message) == ("invalid_key", "The key is wrong.")
    assert ProvidersChanged(("acme",)) in room.events
    room.plays(answer("Yes.", usage=USAGE))
    room.adapter.requests.clear()
    await room.services.runs.start(ask()).result()
    stored = await Providers(room.services.db).get("acme")
    assert stored is not None
    assert (stored.state, stored.state_message) == ("ok", None)


async def test_an_answer_that_breaks_off_is_kept(room: Room) -> None:
    error = StreamInterruptedError("The connection ended.")
    room.plays(Play([TextDelta("Because "), Finished("interrupted", None, error=error)]))
    result = await room.services.runs.start(ask()).result()
    assert (result.state, result.text, result.error) == ("interrupted", "Because ", error)
    assert result.grade == "estimated"
    assert result.usage.output == 2
    assert len(room.adapter.requests) == 1, "never again after content reached the user"


async def test_an_adapter_that_crashes_still_leaves_its_row(room: Room) -> None:
    room.plays(Play([TextDelta("Beca"), KeyError("choices")]))
    result = await room.services.runs.start(ask()).result()
    assert (result.state, result.text) == ("failed", "Beca")
    assert result.error is not None
    assert result.error.code == "unexpected_response"
    [row] = await Ledger(room.services.db).run(result.run_id)
    assert row.outcome == "failed"
    assert await room.reserved() == 0


async def test_errors_name_the_way_on(room: Room) -> None:
    room.plays(refused(ModelUnavailableError("There is no big.", status=404)))
    result = await room.services.runs.start(ask()).result()
    assert result.error is not None
    assert result.error.hint == "Try acme/mystery, or home/llama."
    room.adapter.requests.clear()
    room.plays(refused(RateLimitedError("Slow down.", status=429)))
    result = await room.services.runs.start(ask(retries=0)).result()
    assert result.error is not None
    assert result.error.hint == "Try home/llama.", "another model of the same provider does not help"
    room.adapter.requests.clear()
    room.plays(refused(ContextTooLongError("Too long.", status=400)))
    result = await room.services.runs.start(ask()).result()
    assert result.error is not None
    assert result.error.hint is None, "no model here has a larger window"


async def test_progress_is_published_while_it_streams(room: Room) -> None:
    gate = asyncio.Event()
    room.plays(Play([TextDelta("a" * 40), gate, TextDelta("b" * 40), Finished("complete", "stop")]))
    run = room.services.runs.start(ask())
    events = run.events()
    await anext(events)
    await anext(events)
    room.waits.now += 2
    gate.set()
    async for _ in events:
        pass
    progress = [event for event in room.events if isinstance(event, RunProgress)]
    assert progress[-1] == RunProgress(run.id, 20, 10.0)


async def test_a_slow_reader_stops_the_socket_not_the_memory(room: Room) -> None:
    play = answer(*["token "] * 5_000, usage=USAGE)
    room.plays(play)
    run = room.services.runs.start(ask())
    events = run.events()
    first = [await anext(events) for _ in range(3)]
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(first) == 3
    assert play.sent <= QUEUE_EVENTS + 4
    rest = [event async for event in events]
    assert sum(isinstance(event, RunText) for event in [*first, *rest]) == 5_000


async def test_a_reader_that_leaves_does_not_stop_the_run(room: Room) -> None:
    room.plays(answer(*["token "] * 2_000, usage=USAGE))
    run = room.services.runs.start(ask())
    async for event in run.events():
        if isinstance(event, RunText):
            break
    result = await run.result()
    assert result.state == "complete"
    assert len(result.text) == 12_000


async def test_nobody_has_to_read(room: Room) -> None:
    room.plays(answer(*["token "] * 2_000, usage=USAGE))
    assert (await room.services.runs.start(ask()).result()).state == "complete"


async def test_who_waits_for_the_result_does_not_take_the_events_away(room: Room) -> None:
    room.plays(answer("Yes.", usage=USAGE))
    run = room.services.runs.start(ask())
    waiting = asyncio.create_task(run.result())
    await asyncio.sleep(0)
    events = [event async for event in run.events()]
    assert RunText("Yes.") in events
    assert (await waiting).state == "complete"


async def test_a_read_only_session_sends_nothing(room: Room) -> None:
    room.services.db.read_only = True
    with pytest.raises(Exception, match="read-only"):
        await room.services.runs.start(ask()).result()
    assert room.adapter.requests == []


async def test_parameters_reach_the_vendor(room: Room) -> None:
    room.plays(answer("Yes.", usage=USAGE))
    request = ask(
        system="Be brief.", max_tokens=7, temperature=0.5, top_p=0.9, reasoning_effort="low", stream=False
    )
    await room.services.runs.start(request).result()
    [sent] = room.adapter.requests
    assert (sent.model, sent.system, sent.max_tokens, sent.temperature) == ("big", "Be brief.", 7, 0.5)
    assert (sent.top_p, sent.reasoning_effort, sent.stream) == (0.9, "low", False)
    assert isinstance(request, RunRequest)
