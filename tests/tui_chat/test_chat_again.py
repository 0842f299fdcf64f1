"""Asking again loses nothing: retry, edit, tool results, two conversations at once, what is too long."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from chat_stage import Stage, ask, busy, enter_chat, send, until, window

from adapters.fake_scripts import CUT, NO_CREDIT
from tui.modals.chat_list import ChatList
from tui.modals.confirm import Confirm
from tui.modals.form import Form
from tui.widgets.line import Line

KEPT = "↺ the answer before is kept"


async def again(stage: Stage, pilot: Any, *keys: str) -> None:
    """Press keys that send, and wait for the end of the answer."""
    await pilot.press(*keys)
    await until(pilot, lambda: not busy(stage) and not stage.chat._sending)


async def test_the_partial_answer_stays_until_the_new_one_is_complete(home: Path) -> None:
    stage = Stage(home, (CUT,))
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "a long one")
        partial = (await stage.stored())[1]
        assert partial[2] == "interrupted"
        stage.hold(1)
        await pilot.press("escape", "r")
        await until(pilot, lambda: KEPT in stage.shown())
        assert (await stage.stored())[1] == partial
        stage.hold_after = None
        stage.open_gate.set()
        await until(pilot, lambda: not busy(stage))
        assert KEPT not in stage.shown()
        assert [(role, state) for role, _, state in await stage.stored()] == [
            ("user", "complete"),
            ("assistant", "complete"),
        ]
        assert "interrupted" not in stage.shown()


async def test_a_retry_that_fails_gives_the_partial_answer_back(home: Path) -> None:
    stage = Stage(home, (CUT, replace(NO_CREDIT, times=1)))
    async with stage.app.run_test(size=(100, 40)) as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "a long one")
        partial = (await stage.stored())[1]
        await again(stage, pilot, "escape", "r")
        assert (await stage.stored())[1] == partial
        shown = stage.shown()
        assert KEPT not in shown
        assert shown.index("An answer of many words") < shown.index("✕ No credit")
        await again(stage, pilot, "r")
        assert [state for _, _, state in await stage.stored()] == ["complete", "complete"]


async def test_an_edit_that_is_refused_changes_nothing(stage: Stage) -> None:
    async with stage.app.run_test(size=(100, 40)) as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "hi")
        before = await stage.stored()
        assert stage.services is not None
        await stage.services.budgets.set("global", "daily", Decimal("0.0000001"))
        await pilot.press("escape", "e")
        stage.chat.prompt.insert(" and once again")
        await pilot.press("enter")
        await until(pilot, lambda: not busy(stage) and stage.chat.prompt.text == "hi and once again")
        assert await stage.stored() == before
        assert "Hello there." in stage.shown()
        assert stage.chat.state.editing == 0
        await pilot.press("escape")
        assert stage.chat.state.editing is None
        assert not stage.chat.prompt.text


async def test_a_conversation_left_in_mid_stream_goes_on_where_it_is_shown_again(stage: Stage) -> None:
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await enter_chat(stage, pilot)
        stage.hold(12)
        await send(stage, pilot, "a long one")
        await until(pilot, lambda: "An answer" in stage.shown())
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "An answer" not in stage.shown())
        assert stage.chat.run is None
        await pilot.press("ctrl+g")
        await window(stage, pilot, ChatList)
        await pilot.press("enter")
        await until(pilot, lambda: not stage.app.screen.is_modal and "An answer" in stage.shown())
        assert "not finished" not in stage.shown()
        assert stage.chat.run is not None
        stage.hold_after = None
        stage.open_gate.set()
        await until(pilot, lambda: not busy(stage) and "computed" in stage.shown())
        assert stage.shown().count("▌ a long one") == 1


async def test_a_prompt_goes_to_the_conversation_it_was_written_in(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await enter_chat(stage, pilot)
        assert stage.services is not None
        create = stage.services.conversations.create

        async def slowly(**values: Any) -> Any:
            await gate.wait()
            return await create(**values)

        monkeypatch.setattr(stage.services.conversations, "create", slowly)
        await send(stage, pilot, "hi")
        await pilot.press("ctrl+n")
        await until(pilot, lambda: stage.chat.state.row is None and not stage.chat.prompt.text)
        await pilot.pause(0.05)
        gate.set()
        await until(pilot, lambda: not busy(stage))
        assert stage.chat.state.row is None
        assert "Hello there." not in stage.shown()
        assert await stage.stored() == [("user", "hi", "complete"), ("assistant", "Hello there.", "complete")]


async def test_a_prompt_longer_than_the_model_reads_is_asked_about(stage: Stage) -> None:
    async with stage.app.run_test(size=(120, 30)) as pilot:
        await enter_chat(stage, pilot)
        stage.chat.prompt.insert("many words and more " * 40_000)
        await until(pilot, lambda: "too long: the model reads 128 000" in str(stage.chat.prompt.border_title))
        assert stage.chat.prompt.has_class("-warn")
        await pilot.press("enter")
        asked = await window(stage, pilot, Confirm)
        assert "longer than the model reads" in asked.heading
        await pilot.press("n")
        await until(pilot, lambda: not stage.app.screen.is_modal)
        assert await stage.stored() == []
        assert stage.chat.prompt.text.startswith("many words")


async def test_results_of_tool_calls_are_typed_and_sent_on(stage: Stage, tmp_path: Path) -> None:
    tools = tmp_path / "tools.json"
    tools.write_text('[{"type": "function", "function": {"name": "get_weather", "description": "Now"}}]')
    async with stage.app.run_test(size=(100, 40)) as pilot:
        await enter_chat(stage, pilot)
        await pilot.press("f4")
        form = await window(stage, pilot, Form)
        line = next(line for line in form.query(Line) if line.name == "tools")
        line.value = str(tools) + "x"
        await pilot.press("enter")
        assert "cannot be read" in str(form.query_one(".problem").render())
        line.value = str(tools)
        await pilot.press("enter")
        await until(pilot, lambda: stage.chat.state.params.words == "1 tool")
        await ask(stage, pilot, "use a tool")
        assert '"city": "Kraków"' in stage.shown()
        assert "the model waits for results" in stage.shown()
        await pilot.press("escape", "a")
        await window(stage, pilot, Form)
        await pilot.press(*"12 degrees")
        await again(stage, pilot, "enter")
        shown = stage.shown()
        assert "▌ result of get_weather" in shown
        assert "▌ 12 degrees" in shown
        assert shown.count("the model waits for results") == 1, "the scripted model asks the same again"
        assert [role for role, _, _ in await stage.stored()] == ["user", "assistant", "tool", "assistant"]


async def test_a_list_shows_what_was_searched_last(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = asyncio.Event()
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "hi")
        await pilot.press("ctrl+g")
        found = await window(stage, pilot, ChatList)
        service = found._service
        listed = service.list

        async def slowly(limit: int = 200, search: str | None = None) -> Any:
            rows = await listed(limit, search)
            if search is None:
                await gate.wait()
            return rows

        monkeypatch.setattr(service, "list", slowly)
        late = asyncio.create_task(found._search(""))
        await asyncio.sleep(0)
        await found._search("zebra")
        gate.set()
        await late
        assert found._table.rows == []


def test_a_long_model_name_loses_its_middle() -> None:
    from tui.screens.chat_turns import label

    line = label("acme/a-model-with-a-very-long-name-and-a-date-at-its-end-2026-11-20", 0)
    line.lay_out(40)
    (row,) = line.frozen
    assert row.width == 40
    assert row.text.startswith("a-model-with")
    assert row.text.endswith("2026-11-20  acme")
