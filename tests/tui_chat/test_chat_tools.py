"""Tools and images in the chat, as a user works with them: chosen, answered, stopped, attached, taken away, pictured."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chat_stage import BIG, SMALL, THINKER, Stage, ask, busy, enter_chat, send, until, window
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from adapters.events import ToolCall
from adapters.fake_scripts import Answer, Script
from tui.modals.confirm import Confirm
from tui.modals.form import Form
from tui.modals.pick import Pick
from tui.screens.chat_export import markdown
from tui.widgets.line import Line

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 5000
CITIES = (
    ToolCall("c1", "get_weather", '{"city": "Kraków"}'),
    ToolCall("c2", "get_weather", '{"city": "Gdańsk"}'),
)
ANSWERS = (
    Answer("", "two", calls=CITIES),
    Answer(
        "", "broken", calls=(ToolCall("c1", "get_weather", '{"city": "Kra'), ToolCall("c2", "rm_rf", "{}"))
    ),
    Answer("", "endless", calls=CITIES[:1]),
    Answer("Again.", "endless", calls=CITIES[:1]),
    Answer("Cold in **Kraków**, windy in Gdańsk. " * 4),
)
TOOLS = [
    {
        "name": "get_weather",
        "mock": [{"when": {"city": "Kraków"}, "then": {"celsius": 4}}, {"error": "no such city"}],
    }
]
Compare = Callable[..., bool]


@pytest.fixture
def stage(home: Path) -> Stage:
    stage = Stage(home)
    seeing = tuple(replace(model, capabilities=("tools", "vision")) for model in (BIG, SMALL, THINKER))
    stage.script = Script("test", seeing, ANSWERS)
    folder = home / "config" / "tools"
    folder.mkdir(parents=True)
    (folder / "weather.json").write_text(json.dumps(TOOLS))
    (folder / "by-hand.json").write_text('[{"name": "get_weather"}]')
    (folder / "broken.json").write_text('[\n  {"name": 1}\n]')
    return stage


async def choose(stage: Stage, pilot: Pilot[Any], name: str) -> None:
    await pilot.press("f3")
    await window(stage, pilot, Pick)
    await pilot.press(*name, "enter")
    await until(pilot, lambda: not stage.app.screen.is_modal and not busy(stage))


async def test_mocks_answer_by_themselves_in_sight_and_esc_stops_them(stage: Stage) -> None:
    async with stage.app.run_test(size=(100, 60)) as pilot:
        await enter_chat(stage, pilot)
        await choose(stage, pilot, "weather")
        assert stage.chat.state.params.words == "1 tool"
        await ask(stage, pilot, "two")
        shown = stage.shown()
        assert shown.index("⚒ tool call get_weather") < shown.index("result of get_weather  mocked")
        assert shown.index('{"celsius": 4}') < shown.index("✕ error from get_weather  mocked")
        assert shown.index("no such city") < shown.index("Cold in Kraków")
        assert "waits for results" not in shown
        assert [role for role, _, _ in await stage.stored()] == [
            "user",
            "assistant",
            "tool",
            "tool",
            "assistant",
        ]
        row = stage.chat.state.row
        stage.chat.new_conversation()
        assert row is not None
        await stage.chat.open_conversation(row)
        assert stage.shown() == shown, "stored, it looks the same"
        assert stage.chat.state.params.tools_from == "weather"

        await send(stage, pilot, "endless")
        await until(pilot, lambda: stage.shown().count("Again.") >= 1)
        stage.hold(1)
        await pilot.press("escape")
        await until(pilot, lambda: not busy(stage))
        stage.hold_after = None
        stage.open_gate.set()
        rounds = len(await stage.stored())
        await pilot.pause(0.05)
        assert len(await stage.stored()) == rounds, "nothing follows a stop"
        assert stage.chat.run is None


async def test_it_goes_on_while_another_conversation_is_shown(stage: Stage) -> None:
    async with stage.app.run_test(size=(100, 60)) as pilot:
        await enter_chat(stage, pilot)
        await choose(stage, pilot, "weather")
        stage.hold(3)
        await send(stage, pilot, "two")
        await until(pilot, lambda: "⚒ tool call" in stage.shown())
        row = stage.chat.state.row
        assert row is not None
        stage.chat.new_conversation()
        stage.open_gate.set()
        stage.hold(30)  # what stood still goes on, and stands still again in the second round
        assert stage.services is not None
        chat = stage.services.chat
        await until(pilot, lambda: stage.adapter is not None and stage.adapter._runs == 2)
        assert "tool call" not in stage.shown()
        await stage.chat.open_conversation(row)
        assert stage.shown().count("⚒ tool call") == 2
        assert stage.chat.run is not None, "the round under way can be stopped from here"
        stage.hold_after = None
        stage.open_gate.set()
        await until(pilot, lambda: not busy(stage) and chat.running(row.id) is None)
        assert stage.shown().count("result of get_weather") == 1
        assert stage.shown().count("big  acme") == 2


async def test_the_bound_is_told_and_a_goes_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHROOM_CHAT__TOOL_ROUNDS", "2")
    async with stage.app.run_test(size=(100, 60)) as pilot:
        await enter_chat(stage, pilot)
        await choose(stage, pilot, "weather")
        await ask(stage, pilot, "endless")
        assert "◐ Stopped after 2 rounds of tool calls.   a sends the results on" in stage.shown()
        await pilot.press("escape", "a")
        form = await window(stage, pilot, Form)
        assert form.query_one(Line).value == '{"celsius": 4}'
        await pilot.press("enter")
        await until(pilot, lambda: not busy(stage) and stage.shown().count("result of get_weather") == 5)


async def test_broken_arguments_and_unknown_functions_can_be_answered(stage: Stage) -> None:
    async with stage.app.run_test(size=(100, 60)) as pilot:
        await enter_chat(stage, pilot)
        await choose(stage, pilot, "by-hand")
        await ask(stage, pilot, "broken")
        assert '{"city": "Kra' in stage.shown()
        assert "⚒ tool call rm_rf" in stage.shown()
        await pilot.press("escape", "a")
        form = await window(stage, pilot, Form)
        first, second = form.query(Line)
        assert first.placeholder == 'no JSON object: {"city": "Kra'
        assert second.value == "! There is no function rm_rf."
        await pilot.press(*"! not JSON", "enter")
        await until(pilot, lambda: not busy(stage) and "Cold in Kraków" in stage.shown())
        assert stage.shown().count("✕ error from") == 2
        stored = await stage.stored()
        assert [(text, state) for role, text, state in stored if role == "tool"] == [
            ("not JSON", "failed"),
            ("There is no function rm_rf.", "failed"),
        ]
        await choose(stage, pilot, "broken")
        assert stage.chat.state.params.tools_from == "by-hand", "a broken set is told and not taken"


async def attach(stage: Stage, pilot: Pilot[Any], path: Path) -> None:
    stage.chat.prompt.post_message(events.Paste(f"'{path}'"))
    await window(stage, pilot, Confirm)
    await pilot.press("y")
    await until(pilot, lambda: stage.chat.state.attached)


async def test_a_pasted_image_goes_along_and_stays_with_its_prompt(stage: Stage, tmp_path: Path) -> None:
    cat, other = tmp_path / "a cat.png", tmp_path / "other.gif"
    cat.write_bytes(PNG)
    other.write_bytes(b"GIF89a" + b"\0" * 90)
    async with stage.app.run_test(size=(100, 50)) as pilot:
        await enter_chat(stage, pilot)
        before = stage.chat.state.estimate(stage.chat.app.services, "")
        await attach(stage, pilot, cat)
        after = stage.chat.state.estimate(stage.chat.app.services, "")
        assert before is not None
        assert after is not None
        assert after.input_tokens - before.input_tokens == 1_100
        assert stage.chat.prompt.text == ""
        await pilot.press("f5")
        await window(stage, pilot, Form)
        field = stage.app.screen.focused
        assert isinstance(field, Input)
        field.insert_text_at_cursor(str(other))
        await pilot.press("enter")
        await until(pilot, lambda: len(stage.chat.state.attached) == 2)
        await pilot.press("f5")
        await window(stage, pilot, Form)
        await pilot.press("tab", "tab", "backspace", "enter")
        await until(pilot, lambda: [image.name for image in stage.chat.state.attached] == ["a cat.png"])

        stage.chat.prompt.insert("What is it?")
        await pilot.press("enter")
        asked = await window(stage, pilot, Confirm)
        assert "big" in asked.heading
        await pilot.press("n")
        await until(pilot, lambda: not stage.app.screen.is_modal)
        assert stage.chat.state.attached, "nothing was sent, nothing is lost"
        await pilot.press("enter")
        await window(stage, pilot, Confirm)
        await pilot.press("y")
        await until(pilot, lambda: not busy(stage) and "Cold in Kraków" in stage.shown())
        assert "▪ a cat.png  PNG · 5 KB" in stage.shown()
        assert not stage.chat.state.attached

        await pilot.press("escape", "e")
        await until(pilot, lambda: [image.name for image in stage.chat.state.attached] == ["a cat.png"])
        await pilot.press("escape")
        assert not stage.chat.state.attached
        row, rows = stage.chat.state.row, stage.chat.state.messages
        assert row is not None
        assert "*Image: a cat.png (PNG · 5 KB)*" in "".join(markdown(row, rows))
        assert len(rows[0].images) == 1


async def test_a_path_that_is_none_is_pasted_as_text(stage: Stage, tmp_path: Path) -> None:
    cat = tmp_path / "cat.png"
    cat.write_bytes(PNG)
    async with stage.app.run_test(size=(80, 24)) as pilot:
        await enter_chat(stage, pilot)
        stage.chat.prompt.post_message(events.Paste("/nowhere/at/all.png"))
        await until(pilot, lambda: stage.chat.prompt.text == "/nowhere/at/all.png")
        stage.chat.prompt.clear()
        stage.chat.prompt.post_message(events.Paste(str(cat)))
        await window(stage, pilot, Confirm)
        await pilot.press("n")
        await until(pilot, lambda: stage.chat.prompt.text == str(cat))
        assert not stage.chat.state.attached


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_calls_with_mocked_results_and_an_image(
    stage: Stage, snap_compare: Compare, tmp_path: Path, size: tuple[int, int]
) -> None:
    cat = tmp_path / "a cat.png"
    cat.write_bytes(PNG)

    async def play(pilot: Pilot[Any]) -> None:
        await enter_chat(stage, pilot)
        stage.chat.state.shown_images.add("acme/big")
        await choose(stage, pilot, "weather")
        await attach(stage, pilot, cat)
        await ask(stage, pilot, "two")
        await attach(stage, pilot, cat)
        await until(pilot, lambda: "est." in str(stage.chat.prompt.border_title))
        await pilot.pause(0.2)

    assert snap_compare(stage.app, terminal_size=size, run_before=play)


def test_the_form_of_several_calls(stage: Stage, snap_compare: Compare) -> None:
    async def play(pilot: Pilot[Any]) -> None:
        await enter_chat(stage, pilot)
        await choose(stage, pilot, "by-hand")
        await ask(stage, pilot, "two")
        await pilot.press("escape", "a")
        await window(stage, pilot, Form)
        await pilot.press(*"4 degrees")
        await pilot.pause(0.1)

    assert snap_compare(stage.app, terminal_size=(80, 24), run_before=play)
