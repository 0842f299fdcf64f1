"""Answers under way: left and found again, deleted, refused by the store; nothing of them is lost and nothing sent twice."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chat_stage import Stage, ask, busy, enter_chat, send, until, window
from textual.pilot import Pilot

from adapters.events import ToolCall
from adapters.fake_scripts import NO_CREDIT
from catalog.errors import StoreError
from services import chat as chat_service
from services import chat_history
from services.run_events import RunRequest
from store.conversations import ConversationRow, Conversations, MessageRow
from tui.modals.chat_list import ChatList
from tui.screens.chat_turns import blocks_of


async def leave_and_return(stage: Stage, pilot: Pilot[Any]) -> None:
    """A new conversation, and back to the one before through the list."""
    await pilot.press("ctrl+n")
    await until(pilot, lambda: stage.chat.state.row is None)
    await pilot.press("ctrl+g")
    await window(stage, pilot, ChatList)
    await pilot.press("enter")
    await until(pilot, lambda: not stage.app.screen.is_modal and stage.chat.state.row is not None)


def let_go(stage: Stage) -> None:
    stage.hold_after = None
    stage.open_gate.set()


def heard(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[RunRequest]:
    """The requests of the runs that begin from now on."""
    assert stage.services is not None
    runs, asked = stage.services.runs, []
    start = runs.start

    def listening(request: RunRequest, *arguments: Any, **options: Any) -> Any:
        asked.append(request)
        return start(request, *arguments, **options)

    monkeypatch.setattr(runs, "start", listening)
    return asked


async def test_an_answer_that_ends_after_one_came_back_to_it_is_part_of_what_is_sent_next(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await enter_chat(stage, pilot)
        stage.hold(12)
        await send(stage, pilot, "a long one")
        await until(pilot, lambda: "An answer" in stage.shown())
        await leave_and_return(stage, pilot)
        let_go(stage)
        await until(pilot, lambda: not busy(stage))
        asked = heard(stage, monkeypatch)
        await ask(stage, pilot, "hi")
        assert [message.role for message in asked[0].messages] == ["user", "assistant", "user"]
        assert asked[0].messages[1].text.startswith("An answer of many words")


async def test_a_retry_one_came_back_to_shows_the_answer_once(stage: Stage) -> None:
    async with stage.app.run_test(size=(100, 60)) as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "what does it cost?")
        stage.hold(4)
        await pilot.press("escape", "r")
        await until(pilot, lambda: stage.chat.run is not None and stage.chat.live is not None)
        await leave_and_return(stage, pilot)
        let_go(stage)
        await until(pilot, lambda: not busy(stage))
        assert stage.shown().count("A run costs") == 1
        assert [role for role, _, _ in await stage.stored()] == ["user", "assistant"]


async def test_a_prompt_still_on_its_way_leaves_nothing_in_the_conversation_shown_instead(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await enter_chat(stage, pilot)
        assert stage.services is not None
        create = stage.services.conversations.create

        async def slowly(**values: Any) -> ConversationRow:
            await gate.wait()
            return await create(**values)

        monkeypatch.setattr(stage.services.conversations, "create", slowly)
        await send(stage, pilot, "hi")
        await pilot.press("ctrl+n")
        await until(pilot, lambda: not stage.chat.prompt.text)
        before = stage.shown()
        gate.set()
        await until(pilot, lambda: not busy(stage))
        assert stage.shown() == before


async def test_a_conversation_deleted_while_its_answer_streams_costs_no_more(stage: Stage) -> None:
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await enter_chat(stage, pilot)
        stage.hold(12)
        await send(stage, pilot, "a long one")
        await until(pilot, lambda: "An answer" in stage.shown())
        assert stage.services is not None
        run, row = stage.chat.run, stage.chat.state.row
        assert run is not None
        assert row is not None
        await stage.services.conversations.delete(row.id)
        let_go(stage)
        await until(pilot, lambda: not busy(stage))
        assert (await run.result()).state == "cancelled"


async def test_a_busy_store_keeps_neither_half_of_an_exchange_and_gives_the_prompt_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Conversations.append

    async def refuse(self: Conversations, tx: Any, row: MessageRow) -> MessageRow:
        if row.role == "assistant":
            raise StoreError("The database is busy.")
        return await append(self, tx, row)

    async with stage.app.run_test(size=(100, 30)) as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "what does it cost?")
        before = await stage.stored()
        with monkeypatch.context() as patch:
            patch.setattr(Conversations, "append", refuse)
            stage.chat.prompt.insert("hi")
            await pilot.press("enter")
            await until(pilot, lambda: any("busy" in notice.message for notice in stage.app.notices))
            await until(pilot, lambda: not busy(stage))
            assert await stage.stored() == before
            assert stage.chat.prompt.text == "hi"
            stage.chat.prompt.clear()
            await pilot.press("escape", "r")
            await until(pilot, lambda: len(stage.app.notices) > 1 and not busy(stage))
        await pilot.press("i")
        await ask(stage, pilot, "hi")
        assert await stage.stored() == [
            *before,
            ("user", "hi", "complete"),
            ("assistant", "Hello there.", "complete"),
        ]


async def test_an_answer_that_a_busy_store_refuses_is_written_a_moment_later(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = Conversations.update_message
    tries = 0

    async def refuse(self: Conversations, tx: Any, message_id: int, **changes: Any) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise StoreError("The database is busy.")
        await update(self, tx, message_id, **changes)

    monkeypatch.setattr(chat_service, "_STORE_AGAIN", (0.0, 0.0))
    monkeypatch.setattr(Conversations, "update_message", refuse)
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "hi")
        assert (await stage.stored())[1] == ("assistant", "Hello there.", "complete")


async def test_a_retry_that_fails_keeps_the_tool_calls_of_the_answer_before(home: Path) -> None:
    stage = Stage(home, (replace(NO_CREDIT, times=1),))
    async with stage.app.run_test(size=(100, 60)) as pilot:
        await enter_chat(stage, pilot)
        assert stage.services is not None
        conversations = stage.services.conversations
        row = await conversations.create(model_ref="acme/big")
        call = '[{"id": "c1", "name": "get_weather", "arguments": "{}"}]'
        await conversations.append_all(
            [
                MessageRow(None, row.id, -1, "user", "the weather?"),
                MessageRow(None, row.id, -1, "assistant", "", tool_calls_json=call, model_ref="acme/big"),
                MessageRow(None, row.id, -1, "tool", "rain", tool_call_id="c1"),
                MessageRow(None, row.id, -1, "assistant", "Take an umbrella.", model_ref="acme/big"),
            ]
        )
        await stage.chat.open_conversation(row)
        await pilot.press("escape", "r")
        await until(pilot, lambda: not busy(stage) and "No credit" in stage.shown())
        assert [role for role, _, _ in await stage.stored()] == [
            "user",
            "assistant",
            "tool",
            "assistant",
            "assistant",
        ]
        assert "get_weather" in stage.shown()
        assert "rain" in stage.shown()


def test_tool_results_go_back_under_their_calls_and_cut_answers_are_continued() -> None:
    calls = '[{"id": "a", "name": "f", "arguments": "{}"}, {"id": "b", "name": "g", "arguments": "{}"}]'
    rows = [
        MessageRow(1, "c", 0, "user", "one"),
        MessageRow(2, "c", 1, "assistant", "", tool_calls_json=calls),
        MessageRow(3, "c", 2, "tool", "of b", tool_call_id="b"),
        MessageRow(4, "c", 3, "tool", "of a", tool_call_id="a"),
        MessageRow(5, "c", 4, "assistant", "first", state="cancelled"),
        MessageRow(6, "c", 5, "assistant", "second", state="interrupted"),
        MessageRow(7, "c", 6, "assistant", "", state="failed"),
    ]
    sent = chat_history.history(rows, chat_service.CONTINUE)
    assert [(m.role, m.text, m.tool_call_id) for m in sent] == [
        ("user", "one", None),
        ("assistant", "", None),
        ("tool", "of a", "a"),
        ("tool", "of b", "b"),
        ("assistant", "second", None),
        ("user", chat_service.CONTINUE, None),
    ]
    assert sent[1].tool_calls == (ToolCall("a", "f", "{}"), ToolCall("b", "g", "{}"))
    assert not chat_history.history(rows[:3])[1:], "a call without all its results is not sent"


def test_a_screen_reader_is_told_who_speaks() -> None:
    rows = [
        MessageRow(1, "c", 0, "user", "why?"),
        MessageRow(2, "c", 1, "assistant", "Because.", model_ref="acme/big"),
    ]
    for reader, words in ((True, ["> You: why?", "Answer: big  acme"]), (False, ["> why?", "big  acme"])):
        blocks = blocks_of(rows, reader=reader)
        for block in blocks:
            block.lay_out(60)
        assert [block.row(1).text.replace("▌", ">") for block in blocks[:2]] == words


@pytest.mark.parametrize(
    ("script", "text"), [("exit 3", "kept"), ("printf 'new\\n' > $2", "new"), (": > $2", "")]
)
async def test_an_editor_that_fails_leaves_the_prompt_as_it_was(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, text: str
) -> None:
    editor = tmp_path / "my editor"
    editor.write_text(f"#!/bin/sh\n[ $1 = --wait ] || exit 9\n{script}\n")
    editor.chmod(0o700)
    monkeypatch.setenv("VISUAL", f"'{editor}' --wait")
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await enter_chat(stage, pilot)
        monkeypatch.setattr(stage.app, "suspend", contextlib.nullcontext)
        stage.chat.prompt.insert("kept")
        await pilot.press("ctrl+o")
        await until(pilot, lambda: not busy(stage))
        assert stage.chat.prompt.text == text
        assert [notice.message for notice in stage.app.notices] == (
            ["The editor ended with status 3."] if text == "kept" else []
        )
