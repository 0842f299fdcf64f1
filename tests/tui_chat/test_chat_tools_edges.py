"""Tools and images in the chat where things end badly: the program was killed, the model sees nothing, a choice names no tool."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chat_stage import BIG, SMALL, Stage, ask, busy, enter_chat, until, window
from textual import events
from textual.pilot import Pilot

from adapters.events import ToolCall
from adapters.fake_scripts import Answer, Script
from services.attachments import Attached
from services.tool_specs import tools_of
from store.conversations import MessageRow
from tui.modals.confirm import Confirm
from tui.modals.form import Form
from tui.modals.pick import Pick
from tui.screens.chat_state import ChatState
from tui.screens.chat_tools import typed
from tui.screens.chat_turns import tool_result
from tui.widgets.line import Line

CALL = ToolCall("c1", "get_weather", '{"city": "Kraków"}')


@pytest.fixture
def stage(home: Path) -> Stage:
    stage = Stage(home)
    answers = (Answer("", "two", calls=(CALL,)), Answer("Cold in Kraków. " * 4))
    models = (replace(BIG, capabilities=("tools", "vision")), replace(SMALL, capabilities=("tools",)))
    stage.script = Script("test", models, answers)
    folder = home / "config" / "tools"
    folder.mkdir(parents=True)
    (folder / "weather.json").write_text('[{"name": "get_weather", "mock": "4"}]')
    (folder / "by-hand.json").write_text('[{"name": "get_weather"}, {"name": "get_time"}]')
    return stage


async def choose(stage: Stage, pilot: Pilot[Any], name: str) -> None:
    await pilot.press("f3")
    await window(stage, pilot, Pick)
    await pilot.press(*name, "enter")
    await until(pilot, lambda: not stage.app.screen.is_modal and not busy(stage))


async def test_a_program_that_was_killed_in_the_second_round_goes_on_from_the_results(stage: Stage) -> None:
    async with stage.app.run_test(size=(100, 40)) as pilot:
        await enter_chat(stage, pilot)
        assert stage.services is not None
        conversations = stage.services.conversations
        row = await conversations.create(model_ref="acme/big")
        calls = json.dumps([{"id": CALL.id, "name": CALL.name, "arguments": CALL.arguments}])
        await conversations.append_all(
            [
                MessageRow(None, row.id, -1, "user", "Weather?"),
                MessageRow(None, row.id, -1, "assistant", "", tool_calls_json=calls, model_ref="acme/big"),
                MessageRow(None, row.id, -1, "tool", "4", tool_call_id=CALL.id),
                MessageRow(None, row.id, -1, "assistant", "", state="streaming", model_ref="acme/big"),
            ]
        )
        await stage.chat.open_conversation(row)
        assert ". continues, r retries" in stage.shown()
        await pilot.press("escape", "full_stop")
        await until(pilot, lambda: not busy(stage) and "Cold in Kraków" in stage.shown())
        assert stage.adapter is not None
        stored = await stage.stored()
        assert [(role, state) for role, _, state in stored] == [
            ("user", "complete"),
            ("assistant", "complete"),
            ("tool", "complete"),
            ("assistant", "complete"),
        ]
        assert "not finished" not in stage.shown()


async def test_images_of_the_history_are_asked_about_however_it_is_sent(stage: Stage) -> None:
    async with stage.app.run_test(size=(100, 40)) as pilot:
        await enter_chat(stage, pilot)
        stage.chat.attach([Attached("cat.png", "image/png", b"\x89PNG")])
        stage.chat.state.shown_images.add("acme/big")
        await ask(stage, pilot, "What is it?")
        stage.chat.choose_model("acme/small")
        await until(
            pilot, lambda: stage.chat.state.view is not None and stage.chat.state.view.ref == "acme/small"
        )
        await pilot.press("escape", "r")
        await window(stage, pilot, Confirm)
        await pilot.press("n")
        await until(pilot, lambda: not stage.app.screen.is_modal)
        assert len(await stage.stored()) == 2
        await pilot.press("r")
        await window(stage, pilot, Confirm)
        await pilot.press("y")
        await until(pilot, lambda: not busy(stage) and "small  acme" in stage.shown())
        assert len(await stage.stored()) == 2, "the answer of the one that sees gave way to the new one"


def test_large_images_are_not_sent_just_to_be_counted() -> None:
    from services.models import ModelView

    view: ModelView = object()  # type: ignore[assignment]
    state = ChatState(view=view, attached=(Attached("a.png", "image/png", b"x" * 900_000),))
    assert state.countable("What?")
    state.attached *= 2
    assert not state.countable("What?")


async def test_a_tool_choice_that_names_no_tool_of_the_set_is_refused_in_the_form(stage: Stage) -> None:
    async with stage.app.run_test(size=(100, 40)) as pilot:
        await enter_chat(stage, pilot)
        await choose(stage, pilot, "by-hand")
        await pilot.press("f4")
        form = await window(stage, pilot, Form)
        line = next(line for line in form.query(Line) if line.name == "tool_choice")
        line.value = ""
        line.post_message(events.Paste("get_wether\nand more"))
        await until(pilot, lambda: line.value == "get_wether")
        await pilot.press("enter")
        await pilot.pause()
        assert stage.app.screen is form, "what was written is still there"
        said = str(form.query_one(".problem").render())
        assert said == "tool choice: one of auto, none, required, get_weather, get_time"
        assert line.has_focus
        line.value = "get_time"
        await pilot.press("enter")
        await until(pilot, lambda: stage.chat.state.params.tool_choice == "get_time")
        await choose(stage, pilot, "weather")
        assert stage.chat.state.params.tools_from == "weather"
        assert stage.chat.state.params.tool_choice is None, "another set has no such tool to demand"


async def test_a_result_of_several_lines_is_pasted_whole(stage: Stage) -> None:
    pasted = '{\n  "celsius": 4\n}'
    async with stage.app.run_test(size=(100, 40)) as pilot:
        await enter_chat(stage, pilot)
        await choose(stage, pilot, "by-hand")
        await ask(stage, pilot, "two")
        await pilot.press("escape", "a")
        form = await window(stage, pilot, Form)
        form.query_one(Line).post_message(events.Paste(pasted.replace("\n", "\r")))
        await until(pilot, lambda: form.query_one(Line).value)
        assert "↵" in form.query_one(Line)._value.plain
        await pilot.press("enter")
        await until(pilot, lambda: not busy(stage) and "Cold in Kraków" in stage.shown())
        assert [text for role, text, _ in await stage.stored() if role == "tool"] == [pasted]


def test_a_long_result_is_shown_by_its_beginning() -> None:
    block = tool_result("dump", MessageRow(1, "c", 0, "tool", "a line of text\n" * 70_000))
    block.lay_out(100)
    assert block.height < 600
    assert (
        block.row(block.height - 1)
        .text.strip()
        .endswith("… 1 042 000 characters more: sent, kept and exported whole")
    )
    short = tool_result("dump", MessageRow(1, "c", 0, "tool", "x" * 8_000))
    short.lay_out(100)
    assert "more" not in short.row(short.height - 1).text


def test_a_line_left_as_it_was_sends_the_mocks_own_answer() -> None:
    mock = '! not an error\n{\n  "celsius": 4\n}'
    tools = tools_of([{"name": "get_weather", "mock": mock}])
    prepared = {"c1": mock}
    (left,) = typed([CALL], {"c1": mock}, prepared, tools)
    assert (left.text, left.failed, left.mocked) == (mock, False, True)
    (changed,) = typed([CALL], {"c1": "! no such city"}, prepared, tools)
    assert (changed.text, changed.failed, changed.mocked) == ("no such city", True, False)
