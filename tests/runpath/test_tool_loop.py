"""Mocked tools answer a model round by round: each round is a run of its own, bounded, stoppable, and kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal

from runpath_play import Play, Room, answer

from adapters.events import Finished, Keepsake, Message, TextDelta, ToolCallDelta, UsageUpdate
from catalog.errors import BudgetExceededError
from catalog.usage import Usage
from services.attachments import Attached
from services.chat import Exchange
from services.chat_history import history, unanswered
from services.run_events import RunRequest, RunResult, RunText
from services.tool_loop import ToolLoop
from services.tool_specs import tools_of
from store.conversations import ConversationRow

WEATHER = tools_of(
    [
        {
            "name": "get_weather",
            "mock": [
                {"when": {"city": "Kraków"}, "then": {"celsius": 4}},
                {"when": {"city": "Atlantis"}, "error": "no such city"},
            ],
        }
    ]
)
KEEP = Keepsake("fake", "big", '["signed"]')


def calls(*arguments: str, name: str = "get_weather", keepsake: Keepsake | None = None) -> Play:
    steps: list[object] = [TextDelta("Let me look.")]
    for index, text in enumerate(arguments):
        steps += [ToolCallDelta(index, f"c{index}", name), ToolCallDelta(index, arguments=text)]
    if keepsake is not None:
        steps.append(keepsake)
    steps += [UsageUpdate(Usage(input=100, output=10)), Finished("complete", "tool_calls")]
    return Play(steps)  # type: ignore[arg-type]


async def begin(
    room: Room, *, rounds: int = 8, choice: str | None = None
) -> tuple[ConversationRow, Exchange]:
    row = await room.services.conversations.create(model_ref="acme/big")
    request = RunRequest(
        "acme/big",
        (Message("user", "Weather?"),),
        conversation_id=row.id,
        tools=tuple(tool.spec for tool in WEATHER),
        tool_choice=choice,
    )
    return row, await room.services.chat.send(request, "Weather?", loop=ToolLoop(WEATHER, rounds))


async def to_the_end(exchange: Exchange) -> list[Exchange]:
    """Every round's exchange, the last one last."""
    played = [exchange]
    while (follow := await played[-1].stored) is not None and follow.exchange is not None:
        played.append(follow.exchange)
    return played


async def test_it_goes_on_until_the_model_is_done_each_round_a_run_of_its_own(room: Room) -> None:
    room.plays(
        calls('{"city": "kraków ", "unit": "c"}', keepsake=KEEP),
        calls('{"city": "Atlantis"}'),
        answer("4 °C."),
    )
    row, exchange = await begin(room, choice="required")
    played = await to_the_end(exchange)
    results: list[RunResult] = [await one.run.result() for one in played]
    assert [result.finish_reason for result in results] == ["tool_calls", "tool_calls", "stop"]
    stored = await room.services.conversations.messages(row.id)
    assert [(one.role, one.text, one.state, one.finish_reason) for one in stored if one.role == "tool"] == [
        ("tool", '{"celsius": 4}', "complete", "mocked"),
        ("tool", "no such city", "failed", "mocked"),
    ]
    ledger = await room.services.db.reader.execute_fetchall(
        "SELECT run_id FROM ledger WHERE conversation_id = ? ORDER BY at", (row.id,)
    )
    assert [one[0] for one in ledger] == [result.run_id for result in results]
    assert [request.tool_choice for request in room.adapter.requests] == ["required", "auto", "auto"]
    sent = room.adapter.requests[-1].messages
    assert sent == history(stored[:-1]), "what the loop sends is what a later prompt will send of it"
    assert sent[1].keepsake == KEEP
    assert (sent[2].is_error, sent[4].is_error) == (False, True)
    assert await room.reserved() == 0


async def test_the_bound_holds_and_the_calls_wait(room: Room) -> None:
    room.plays(calls('{"city": "Kraków"}'))
    row, exchange = await begin(room, rounds=2)
    played = await to_the_end(exchange)
    assert len(played) == 3
    assert exchange.loop is not None
    assert exchange.loop.why == "Stopped after 2 rounds of tool calls."
    rows = await room.services.conversations.messages(row.id)
    assert [call.name for call in unanswered(rows)] == ["get_weather"]
    _, never = await begin(room, rounds=0)
    assert len(await to_the_end(never)) == 1


async def test_what_no_mock_fits_waits_for_the_user_and_nothing_is_sent(room: Room) -> None:
    room.plays(calls('{"city": "Kraków"}', '{"city": "Paris"}'))
    row, exchange = await begin(room)
    assert await exchange.stored is None
    rows = await room.services.conversations.messages(row.id)
    assert len(unanswered(rows)) == 2
    assert len(room.adapter.requests) == 1


async def test_broken_arguments_and_unknown_functions_are_told_to_the_model(room: Room) -> None:
    room.plays(calls('{"city": "Kra'), calls("{}", name="get_time"), answer("Sorry."))
    row, exchange = await begin(room)
    await to_the_end(exchange)
    told = [one for one in await room.services.conversations.messages(row.id) if one.role == "tool"]
    assert [one.text for one in told] == [
        "The arguments are not a JSON object.",
        "There is no function get_time. There are: get_weather.",
    ]
    assert {one.state for one in told} == {"failed"}


async def test_a_limit_refuses_the_second_round_and_the_results_stay(room: Room) -> None:
    room.plays(calls('{"city": "Kraków"}'))
    await room.services.budgets.set("global", "daily", Decimal("0.0006"))
    row, exchange = await begin(room)
    follow = await exchange.stored
    assert follow is not None
    assert follow.exchange is not None
    try:
        await follow.exchange.run.result()
        raise AssertionError("it was not refused")
    except BudgetExceededError:
        pass
    assert await follow.exchange.stored is None
    rows = await room.services.conversations.messages(row.id)
    assert [one.role for one in rows] == ["user", "assistant", "tool"], "no empty answer is left"
    assert history(rows)[-1].role == "tool", "it can be sent on once there is money"
    assert await room.reserved() == 0


async def test_a_stop_in_the_second_round_ends_it(room: Room) -> None:
    held = replace(answer("never"), steps=[TextDelta("half"), asyncio.Event()])
    room.plays(calls('{"city": "Kraków"}'), held)
    row, exchange = await begin(room)
    follow = await exchange.stored
    assert follow is not None
    assert follow.exchange is not None
    async for event in follow.exchange.run.events():
        if isinstance(event, RunText):
            break
    assert room.services.chat.stop(row.id)
    assert await follow.exchange.stored is None
    assert (await follow.exchange.run.result()).state == "cancelled"
    assert held.closed.is_set(), "the connection is closed: the vendor stops billing"
    rows = await room.services.conversations.messages(row.id)
    assert (rows[-1].text, rows[-1].state) == ("half", "cancelled")
    assert not room.services.chat.stop(row.id)


async def test_a_stop_as_the_first_round_ends_sends_nothing_more(room: Room) -> None:
    room.plays(calls('{"city": "Kraków"}'))
    row, exchange = await begin(room)
    await exchange.run.result()
    room.services.chat.stop(row.id)
    follow = await exchange.stored
    assert follow is None or follow.exchange is None
    assert len(room.adapter.requests) == 1


async def test_the_conversation_is_deleted_while_it_goes_on(room: Room) -> None:
    held = replace(answer("never"), steps=[asyncio.Event()])
    room.plays(calls('{"city": "Kraków"}'), held)
    row, exchange = await begin(room)
    follow = await exchange.stored
    assert follow is not None
    assert follow.exchange is not None
    await held.opened.wait()
    await room.services.conversations.delete(row.id)
    assert (await follow.exchange.run.result()).state == "cancelled"
    await follow.exchange.stored
    assert await room.services.conversations.list() == []


async def test_images_and_keepsakes_are_there_after_a_restart_and_go_with_the_whole_history(
    open_room: Callable[[], Awaitable[Room]],
) -> None:
    room = await open_room()
    cat = Attached("cat.png", "image/png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    room.plays(calls('{"city": "Kraków"}', keepsake=KEEP), answer("A cat."))
    row = await room.services.conversations.create(model_ref="acme/big")
    request = RunRequest(
        "acme/big",
        history([], "What is it?", attached=[cat]),
        conversation_id=row.id,
        tools=tuple(tool.spec for tool in WEATHER),
    )
    loop = ToolLoop(WEATHER, 8)
    await to_the_end(await room.services.chat.send(request, "What is it?", images=[cat], loop=loop))
    assert [one.messages[0].images for one in room.adapter.requests] == [(cat.image,)] * 2

    again = (await open_room()).services
    rows = await again.conversations.messages(row.id)
    assert [(one.name, one.media_type, one.size) for one in rows[0].images] == [("cat.png", "image/png", 264)]
    sent = history(rows, "And now?", images=await again.conversations.images(rows))
    assert sent[:4] == (*room.adapter.requests[-1].messages, Message("assistant", "A cat."))
    assert sent[0].images == (cat.image,)
    assert sent[1].keepsake == KEEP

    await again.conversations.remove(row.id, [one.id for one in rows[1:] if one.id is not None])
    assert (await again.conversations.messages(row.id))[0].images
    await again.conversations.delete(row.id)
    assert not list(await again.db.reader.execute_fetchall("SELECT 1 FROM attachments"))


def test_prompts_that_are_joined_keep_their_images_in_order() -> None:
    from store.attachments import AttachmentRow
    from store.conversations import MessageRow

    one, two = Attached("a.png", "image/png", b"a"), Attached("b.png", "image/png", b"b")
    row = MessageRow(7, "c", 0, "user", "First", images=(AttachmentRow("image/png", "a.png", 1),))
    (joined,) = history([row], "Second", images={7: [one]}, attached=[two])
    assert joined == Message("user", "First\n\nSecond", images=(one.image, two.image))


def test_a_keepsake_of_an_interrupted_answer_is_not_sent() -> None:
    from store.conversations import MessageRow

    kept = json.dumps({"dialect": "fake", "model": "big", "content": "[]"})
    row = MessageRow(1, "c", 0, "assistant", "half", state="interrupted", keepsake_json=kept)
    assert history([row])[0].keepsake is None
    assert history([replace(row, state="complete")])[0].keepsake is not None
