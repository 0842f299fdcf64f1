"""The chat, as a person at the keys sees it."""

from __future__ import annotations

from pathlib import Path

import pytest
from chat_stage import ANSWER, Stage, ask, busy, enter_chat, send, until, window
from textual.widgets import Input

from adapters.fake_scripts import CUT, NO_CREDIT, RATE_LIMITED
from catalog.errors import StoreError
from services.feed import ConversationsChanged
from tui.modals.chat_list import ChatList
from tui.modals.confirm import Confirm
from tui.modals.form import Form
from tui.modals.model_picker import ModelPicker
from tui.modals.pick import Pick
from tui.widgets.footer import KeyLine


async def test_a_prompt_is_answered_billed_and_kept(stage: Stage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await enter_chat(stage, pilot)
        assert stage.app.focused is stage.chat.prompt
        await ask(stage, pilot, "what does it cost?")
        shown = stage.shown()
        assert "▌ what does it cost?" in shown
        assert "the manual (https://example.com/prices)" in shown
        assert "[red]markup[/red] ␛[31mESC" in shown
        assert " tok · $" in shown
        assert " computed" in shown
        assert await stage.stored() == [
            ("user", "what does it cost?", "complete"),
            ("assistant", ANSWER, "complete"),
        ]
        assert stage.chat.state.row is not None
        assert stage.chat.state.row.title == "what does it cost?"


async def test_esc_stops_the_stream_and_keeps_what_came(stage: Stage) -> None:
    async with stage.app.run_test() as pilot:
        await enter_chat(stage, pilot)
        stage.hold(12)
        await send(stage, pilot, "a long one")
        await until(pilot, lambda: "An answer" in stage.shown())
        await pilot.press("escape")
        await until(pilot, lambda: not busy(stage))
        assert "○ stopped" in stage.shown()
        (_, _, _), (role, text, state) = await stage.stored()
        assert (role, state) == ("assistant", "cancelled")
        assert text.startswith("An answer")
        assert len(text) < 200


async def test_quitting_in_mid_stream_still_keeps_the_answer(home: Path) -> None:
    first = Stage(home)
    async with first.app.run_test() as pilot:
        await enter_chat(first, pilot)
        first.hold(12)
        await send(first, pilot, "a long one")
        await until(pilot, lambda: "An answer" in first.shown())
    second = Stage(home)
    async with second.app.run_test() as pilot:
        await enter_chat(second, pilot)
        (_, (_, text, state)) = await second.stored()
        assert (text[:9], state) == ("An answer", "cancelled")
        await pilot.press("ctrl+g")
        await window(second, pilot, ChatList)
        await pilot.press("enter")
        await until(
            pilot, lambda: not isinstance(second.app.screen, ChatList) and "An answer" in second.shown()
        )


async def test_esc_leaves_the_prompt_and_i_comes_back(stage: Stage) -> None:
    async with stage.app.run_test() as pilot:
        await enter_chat(stage, pilot)
        await pilot.press("2", "j")
        assert stage.chat.prompt.text == "2j"
        await pilot.press("escape")
        assert stage.app.focused is stage.chat.transcript
        await pilot.press("i", "x")
        assert stage.chat.prompt.text == "2jx"
        await pilot.press("tab")
        assert stage.app.focused is stage.chat.transcript


async def test_new_lines_in_the_prompt(stage: Stage) -> None:
    async with stage.app.run_test() as pilot:
        await enter_chat(stage, pilot)
        await pilot.press("a", "ctrl+j", "b", "backslash", "enter", "c")
        assert stage.chat.prompt.text == "a\nb\nc"


async def test_a_colon_in_the_empty_prompt_opens_the_palette(stage: Stage) -> None:
    async with stage.app.run_test() as pilot:
        await enter_chat(stage, pilot)
        await pilot.press("a", "colon")
        assert stage.chat.prompt.text == "a:"
        stage.chat.prompt.clear()
        await pilot.press("colon")
        await window(stage, pilot, Pick)


async def test_the_line_of_keys_names_only_keys_that_work_while_one_types(stage: Stage) -> None:
    def named(ident: str) -> str:
        return next(key for name, key, _ in stage.chat.query_one(KeyLine)._keys if name == ident)

    async with stage.app.run_test(size=(200, 40)) as pilot:
        await enter_chat(stage, pilot)
        await until(pilot, lambda: (named("app.palette"), named("app.help")) == (":", "F1"))
        await pilot.press("a")
        await until(pilot, lambda: named("app.palette") == "ctrl+p")
        await pilot.press("backspace")
        await until(pilot, lambda: named("app.palette") == ":")
        await pilot.press("escape")
        await until(pilot, lambda: (named("app.palette"), named("app.help")) == (":", "?"))


async def test_the_estimate_follows_the_typing(stage: Stage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await enter_chat(stage, pilot)
        await until(pilot, lambda: "in · $" in str(stage.chat.prompt.border_title))
        before = str(stage.chat.prompt.border_title)
        stage.chat.prompt.insert("many words " * 50)
        await until(pilot, lambda: str(stage.chat.prompt.border_title) != before)
        assert "no limit set" in before


async def test_retry_replaces_the_answer(stage: Stage) -> None:
    async with stage.app.run_test() as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "hi")
        await pilot.press("escape", "r")
        await until(pilot, lambda: stage.adapter is not None and stage.adapter._runs == 2 and not busy(stage))
        assert [role for role, _, _ in await stage.stored()] == ["user", "assistant"]
        assert stage.shown().count("▌ hi") == 1
        assert stage.shown().count("Hello there.") == 1


async def test_edit_and_resend(stage: Stage) -> None:
    async with stage.app.run_test() as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "hi")
        await pilot.press("escape", "e")
        assert stage.chat.prompt.text == "hi"
        await ask(stage, pilot, " and once again")
        assert await stage.stored() == [
            ("user", "hi and once again", "complete"),
            ("assistant", "First I was asked, then I answered.", "complete"),
        ]


async def test_continue_after_a_cut(home: Path) -> None:
    stage = Stage(home, (CUT,))
    async with stage.app.run_test() as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "a long one")
        assert "✕" in stage.shown()
        await pilot.press("escape", "full_stop")
        await until(pilot, lambda: not busy(stage) and "Hello there." in stage.shown())
        stored = await stage.stored()
        assert [state for _, _, state in stored] == ["complete", "interrupted", "complete", "complete"]


async def test_a_rate_limit_counts_down_and_is_retried(home: Path) -> None:
    stage = Stage(home, (RATE_LIMITED,))
    async with stage.app.run_test() as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "hi")
        assert "↻ answered after a retry" in stage.shown()
        assert "Hello there." in stage.shown()


async def test_an_error_names_the_way_on(home: Path) -> None:
    stage = Stage(home, (NO_CREDIT,))
    async with stage.app.run_test() as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "hi")
        assert "✕ No credit" in stage.shown()
        assert "ctrl+t picks another model" in stage.shown()
        assert [role for role, _, _ in await stage.stored()] == ["user", "assistant"]


async def test_the_picker_finds_prices_and_changes_the_model(stage: Stage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await enter_chat(stage, pilot)
        await pilot.press("ctrl+t")
        picker = await window(stage, pilot, ModelPicker)
        await pilot.press(*"sml")
        await until(pilot, lambda: picker._table.cursor_key == "acme/small")
        await until(pilot, lambda: "less." in str(picker.query_one("#difference").render()))
        await pilot.press("enter")
        await until(pilot, lambda: not stage.app.screen.is_modal and stage.chat.state.view is not None)
        await until(
            pilot, lambda: stage.chat.state.view is not None and stage.chat.state.view.ref == "acme/small"
        )
        await ask(stage, pilot, "hi")
        assert "small  acme" in stage.shown()


async def test_the_picker_says_what_a_month_would_have_cost(stage: Stage) -> None:
    async with stage.app.run_test(size=(140, 40)) as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "hi")
        await pilot.press("ctrl+t")
        picker = await window(stage, pilot, ModelPicker)
        months = {choice.view.info.id: choice.monthly for choice in picker._table.rows}
        assert months["big"] == 0
        small = months["small"]
        assert small is not None
        assert small < 0
        assert months["thinker"] is None


async def test_an_unpriced_model_under_a_limit_asks_once(stage: Stage) -> None:
    from decimal import Decimal

    async with stage.app.run_test(size=(120, 40)) as pilot:
        await enter_chat(stage, pilot)
        assert stage.services is not None
        await stage.services.budgets.set("global", "daily", Decimal(5))
        stage.chat.choose_model("acme/thinker")
        await until(
            pilot, lambda: stage.chat.state.view is not None and stage.chat.state.view.ref == "acme/thinker"
        )
        await until(pilot, lambda: "asks first" in str(stage.chat.prompt.border_title))
        await send(stage, pilot, "again")
        await window(stage, pilot, Confirm)
        await pilot.press("y")
        await until(pilot, lambda: not stage.app.screen.is_modal and "then I answered" in stage.shown())
        await until(pilot, lambda: not busy(stage))
        assert "▸ thinking" in stage.shown()
        await pilot.press("escape", "t")
        assert "┊ Let me think about it." in stage.shown()


async def test_copy_offers_the_answer_and_its_code(stage: Stage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "what does it cost?")
        await pilot.press("escape", "y")
        offered = await window(stage, pilot, Pick)
        assert [row[2] for row in offered._table.rows] == [
            "the whole answer",
            "python, 2 lines: def cost(tokens: int) -> float:",
        ]
        await pilot.press("down", "enter")
        await until(pilot, lambda: not stage.app.screen.is_modal)
        await until(pilot, lambda: stage.app.clipboard.startswith("def cost"))
        assert stage.app.clipboard == "def cost(tokens: int) -> float:\n    return tokens * 2.5 / 1_000_000\n"


async def test_parameters_are_checked_sent_and_kept(stage: Stage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await enter_chat(stage, pilot)
        await pilot.press("f4")
        await window(stage, pilot, Form)
        await pilot.press(*"brief", "tab", *"9", "enter")
        assert isinstance(stage.app.screen, Form)
        await pilot.press("backspace", *"0.5", "tab", *"100", "enter")
        await until(pilot, lambda: not stage.app.screen.is_modal)
        assert stage.chat.state.params.words == "temp 0.5  max 100  system prompt"
        await ask(stage, pilot, "hi")
        assert stage.chat.state.row is not None
        assert stage.chat.state.row.system == "brief"
        assert stage.chat.state.row.params_json == '{"temperature": 0.5, "max_tokens": 100}'


async def test_a_second_conversation_leaves_the_first_running(stage: Stage) -> None:
    async with stage.app.run_test() as pilot:
        await enter_chat(stage, pilot)
        stage.hold(12)
        await send(stage, pilot, "a long one")
        await until(pilot, lambda: "An answer" in stage.shown())
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "An answer" not in stage.shown())
        stage.hold_after = None
        stage.open_gate.set()
        assert stage.services is not None
        runs = stage.services.runs
        await until(pilot, lambda: not runs.active())
        await pilot.press("ctrl+g")
        await window(stage, pilot, ChatList)
        await pilot.press("enter")
        await until(pilot, lambda: not stage.app.screen.is_modal and "goes on and on." in stage.shown())


async def test_conversations_are_found_renamed_and_deleted(stage: Stage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "hi")
        await pilot.press("ctrl+n")
        await ask(stage, pilot, "what does it cost?")
        await pilot.press("ctrl+g")
        found = await window(stage, pilot, ChatList)
        await pilot.press(*"hello")
        await until(pilot, lambda: len(found._table.rows) == 1)
        await pilot.press("f2")
        await until(pilot, lambda: stage.app.screen is not found)
        stage.app.screen.query_one(Input).value = "greeting"
        await pilot.press("enter")
        await until(
            pilot,
            lambda: stage.app.screen is found and [r.title for r in found._table.rows] == ["greeting"],
        )
        await pilot.press("f8")
        await window(stage, pilot, Confirm)
        await pilot.press("y")
        await until(pilot, lambda: stage.app.screen is found and not found._table.rows)


async def test_a_conversation_deleted_while_its_answer_streams_makes_room_for_a_new_one(stage: Stage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await enter_chat(stage, pilot)
        stage.hold(12)
        await send(stage, pilot, "a long one")
        await until(pilot, lambda: "An answer" in stage.shown())
        await pilot.press("ctrl+g")
        found = await window(stage, pilot, ChatList)
        await pilot.press("f8")
        await window(stage, pilot, Confirm)
        await pilot.press("y")
        await until(pilot, lambda: stage.app.screen is found and not found._table.rows)
        await pilot.press("escape")
        stage.hold_after = None
        stage.open_gate.set()
        await until(pilot, lambda: not busy(stage))
        assert "An answer" not in stage.shown()
        assert "no longer exists" in stage.app.notices[-1].message
        await ask(stage, pilot, "hi")
        assert "Hello there." in stage.shown()


async def test_quitting_takes_what_draws_along_before_the_screens_go(stage: Stage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await enter_chat(stage, pilot)
        stage.hold(12)
        await send(stage, pilot, "a long one")
        await until(pilot, lambda: "An answer" in stage.shown())
        drawing = next(worker for worker in stage.app.workers if worker.group == "exchange")
        stage.hold_after = None
        stage.open_gate.set()
    assert drawing.is_cancelled


async def test_services_that_open_while_the_chat_is_being_built_find_it_once_it_stands(stage: Stage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        stage.app.switch_mode("chat")
        await until(pilot, lambda: stage.app.opened)
        await until(pilot, lambda: stage.chat.ready and stage.chat.state.view is not None)


async def test_a_store_that_is_busy_leaves_the_conversation_where_it_is(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_id: str) -> None:
        raise StoreError("The database is busy.")

    async with stage.app.run_test(size=(120, 40)) as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "hi")
        row = stage.chat.state.row
        assert stage.services is not None
        monkeypatch.setattr(stage.services.conversations, "open", refuse)
        stage.services.feed.publish(ConversationsChanged(None))
        await until(pilot, lambda: any("busy" in notice.message for notice in stage.app.notices))
        assert stage.chat.state.row == row
        assert "Hello there." in stage.shown()


async def test_without_a_model_the_screen_says_which_key_adds_one(home: Path, stage: Stage) -> None:
    async def nothing(_services: object) -> None:
        return None

    stage._furnish = nothing  # type: ignore[method-assign]
    async with stage.app.run_test() as pilot:
        await until(pilot, lambda: stage.app.opened)
        await pilot.press("6")
        await until(pilot, lambda: "No model yet." in stage.shown())
        await pilot.press("a", "enter")
        assert stage.chat.run is None
        assert "no model to ask" in stage.app.notices[-1].message
