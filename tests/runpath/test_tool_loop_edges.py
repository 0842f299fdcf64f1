"""The loop of tools where models, files and other programs behave badly: nothing is lost, doubled or sent in vain."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from runpath_play import Play, Room, answer

from adapters.data_urls import base64_of, data_url
from adapters.errors import BadRequestError
from adapters.events import Finished, Image, Message, ToolCall, ToolCallDelta, UsageUpdate
from adapters.json_body import encoded
from catalog.errors import BudgetExceededError, UsageError
from catalog.usage import Usage
from cli import documents
from services.chat_history import history
from services.run_events import RunRequest
from services.tool_loop import ToolLoop, arguments_of
from services.tool_specs import read_tools, tools_of
from store.conversations import MessageRow

WEATHER = tools_of(
    [{"name": "get_weather", "mock": [{"when": {"city": "Kraków"}, "then": "4"}, {"error": "?"}]}]
)


def calls(*pieces: ToolCallDelta, reason: str = "tool_calls") -> Play:
    ends = (UsageUpdate(Usage(input=100, output=10)), Finished("complete", reason))  # type: ignore[arg-type]
    return Play([*pieces, *ends])


def wanted(index: int, call_id: str | None, arguments: str) -> ToolCallDelta:
    return ToolCallDelta(index, call_id, "get_weather", arguments)


def asking(conversation: str, *, model: str = "acme/big") -> RunRequest:
    specs = tuple(tool.spec for tool in WEATHER)
    return RunRequest(model, (Message("user", "Weather?"),), conversation_id=conversation, tools=specs)


async def stored(room: Room, conversation: str) -> list[MessageRow]:
    return await room.services.conversations.messages(conversation)


async def test_calls_of_one_id_are_told_apart_and_one_may_fail(room: Room) -> None:
    pieces = (wanted(0, "x", '{"city": "Kraków"}'), wanted(1, "x", "{}"), wanted(2, None, "{}"))
    room.plays(calls(*pieces), answer("Cold."))
    row = await room.services.conversations.create(model_ref="acme/big")
    exchange = await room.services.chat.send(asking(row.id), "Weather?", loop=ToolLoop(WEATHER, 8))
    follow = await exchange.stored
    assert follow is not None
    assert follow.exchange is not None
    await follow.exchange.stored
    _, said, *given, _ = history(await stored(room, row.id))
    ids = [call.id for call in said.tool_calls]
    assert len(set(ids)) == 3
    assert [one.tool_call_id for one in given] == ids
    assert [(one.text, one.is_error) for one in given] == [("4", False), ("?", True), ("?", True)]
    assert room.adapter.requests[-1].messages == history(await stored(room, row.id))[:-1]


@pytest.mark.parametrize("reason", ["length", "content_filter"])
async def test_calls_of_a_cut_answer_are_not_answered_by_themselves(room: Room, reason: str) -> None:
    room.plays(calls(wanted(0, "x", '{"city": "Kra'), reason=reason))
    row = await room.services.conversations.create(model_ref="acme/big")
    exchange = await room.services.chat.send(asking(row.id), "Weather?", loop=ToolLoop(WEATHER, 8))
    assert await exchange.stored is None
    assert exchange.loop is not None
    assert exchange.loop.why == "The answer was cut off at its tool calls."
    assert len(room.adapter.requests) == 1


async def test_a_refused_run_takes_nothing_away_that_another_program_wrote(
    open_room: Callable[[], Awaitable[Room]], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await open_room(), await open_room()
    await one.services.budgets.set("global", "daily", Decimal("0.0000001"))
    row = await one.services.conversations.create(model_ref="acme/big")
    elsewhere, write = asyncio.Event(), one.services.chat._written

    async def late(*what: Any) -> bool:
        await elsewhere.wait()
        return await write(*what)

    monkeypatch.setattr(one.services.chat, "_written", late)
    exchange = await one.services.chat.send(asking(row.id), "Weather?")
    await two.services.conversations.append(MessageRow(None, row.id, -1, "user", "And elsewhere?"))
    elsewhere.set()
    with pytest.raises(BudgetExceededError):
        await exchange.run.result()
    await exchange.stored
    assert [turn.text for turn in await stored(one, row.id)] == ["Weather?", "And elsewhere?"]


async def test_results_that_cannot_be_sent_on_are_kept_and_said_to_be(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.plays(calls(wanted(0, "x", "{}")))
    row = await room.services.conversations.create(model_ref="acme/big")
    exchange = await room.services.chat.send(asking(row.id), "Weather?", loop=ToolLoop(WEATHER, 8))

    async def full(*_: object, **__: object) -> None:
        raise UsageError("The disk is full.")

    monkeypatch.setattr(room.services.chat, "send", full)
    follow = await exchange.stored
    assert follow is not None
    assert ([one.text for one in follow.results], follow.exchange) == (["?"], None)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_numbers_that_json_has_not_neither_break_a_request_nor_a_document(number: str) -> None:
    call = ToolCall("c", "f", f'{{"x": {number}}}')
    assert arguments_of(call) is None
    assert documents.tool_call(call)["arguments"] == call.arguments
    body = {"input": json.loads(call.arguments), "more": [1.5, (json.loads(number),)]}
    assert json.loads(encoded(body)) == {"input": {"x": None}, "more": [1.5, [None]]}


def test_a_tools_file_with_what_cannot_be_sent_is_refused_or_mended(tmp_path: Path) -> None:
    file = tmp_path / "tools.json"
    file.write_text('[{"name": "f", "parameters": {"minimum": NaN}}]')
    with pytest.raises(UsageError, match="is not JSON"):
        read_tools(file)
    file.write_text('[{"name": "f", "mock": "sn\\ud800ow 👍"}]')
    assert read_tools(file)[0].cases[0].text == "sn\ufffdow 👍"


def test_images_are_put_into_a_body_as_they_are_between_everything_else() -> None:
    data = bytes(range(256)) * 30
    image = Image("image/png", data)
    body = {"a": ["🌍", data_url(image), {"b": base64_of(image)}], "c": "zażółć \ud800", "d": float("inf")}
    read = json.loads(encoded(body))
    text = base64.b64encode(data).decode()
    assert read == {
        "a": ["🌍", f"data:image/png;base64,{text}", {"b": text}],
        "c": "zażółć \ufffd",
        "d": None,
    }


async def test_an_error_that_is_kept_does_not_keep_what_was_sent(room: Room) -> None:
    def fails() -> Exception:
        try:
            try:
                raise OSError("reset")
            except OSError as cause:
                raise BadRequestError("No.") from cause
        except BadRequestError as error:
            return error

    room.plays(Play([fails()]))
    row = await room.services.conversations.create(model_ref="acme/big")
    result = await (await room.services.chat.send(asking(row.id), "Weather?")).run.result()
    assert result.error is not None
    assert (result.error.__traceback__, result.error.__cause__, result.error.__context__) == (
        None,
        None,
        None,
    )
