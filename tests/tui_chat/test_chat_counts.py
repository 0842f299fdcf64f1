"""The estimate line becomes exact after a pause in typing, and no key ever waits for it."""

from __future__ import annotations

import asyncio

import pytest
from chat_stage import Stage, enter_chat, send, until

from adapters.events import ChatRequest
from adapters.fake import FakeAdapter
from tui.screens import chat_count
from tui.screens.chat_state import ChatState


class Vendor:
    """Counts letters, as soon as it is let."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.left = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def count(self, request: ChatRequest) -> int:
        self.asked.append(request.messages[-1].text)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.left += 1
            raise
        return 9_000 + len(request.messages[-1].text)


class CountingAdapter(FakeAdapter):
    """The scripted vendor, who also counts."""

    vendor: Vendor

    async def count_tokens(self, request: ChatRequest) -> int:
        return await self.vendor.count(request)


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Vendor:
    made = Vendor()
    monkeypatch.setattr(CountingAdapter, "vendor", made, raising=False)
    monkeypatch.setattr("adapters.loader.can", lambda _dialect, _ability: True)
    monkeypatch.setattr(chat_count, "COUNT_AFTER", 0.02)
    monkeypatch.setenv("SWITCHROOM_CHAT__EXACT_COUNTS", "typing")
    return made


async def test_no_draft_leaves_unless_the_user_wants_it(
    stage: Stage, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SWITCHROOM_CHAT__EXACT_COUNTS")
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await enter_chat(stage, pilot)
        assert stage.adapter is not None
        stage.adapter.__class__ = CountingAdapter
        await pilot.press("h", "i")
        await until(pilot, lambda: "est. " in str(stage.chat.prompt.border_title))
        assert stage.chat._count._timer is None, "nothing waits to be asked"
        assert vendor.asked == []


async def test_a_pause_makes_the_estimate_exact_and_a_key_takes_it_back(
    stage: Stage, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await enter_chat(stage, pilot)
        assert stage.adapter is not None
        stage.adapter.__class__ = CountingAdapter

        def line() -> str:
            return str(stage.chat.prompt.border_title or "")

        await pilot.press("h", "i")
        await until(pilot, lambda: "9 002 in" in line())
        assert "est." not in line()
        vendor.gate.clear()
        await pilot.press("!")
        await until(pilot, lambda: vendor.asked[-1:] == ["hi!"] and "est. " in line())
        await pilot.press("?")
        await until(pilot, lambda: vendor.left == 1)
        vendor.gate.set()
        await until(pilot, lambda: "9 004 in" in line())
        assert stage.chat.prompt.text == "hi!?"

        await pilot.press("backspace", "backspace")
        await until(pilot, lambda: "9 002 in" in line())
        assert vendor.asked.count("hi") == 1, "a prompt that was counted is not counted again"

        monkeypatch.setattr(chat_count, "COUNT_AFTER", 60)
        asked = len(vendor.asked)
        stage.chat.prompt.clear()
        await send(stage, pilot, "never counted")
        await until(pilot, lambda: "complete" in str(stage.chat.state.messages))
        assert len(vendor.asked) == asked, "sending asks for no count"


def test_a_count_that_comes_in_after_the_turns_changed_is_of_another_prompt() -> None:
    state = ChatState()
    asked = state.count_key("hi")
    assert asked == state.count_key("hi")
    state.changed()
    assert asked != state.count_key("hi")
