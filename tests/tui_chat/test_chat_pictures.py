"""Pictures of the chat: a finished answer and the picker at three sizes, and what stands there first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from chat_stage import Stage, ask, enter_chat, until, window
from textual.pilot import Pilot

from tui.modals.model_picker import ModelPicker

SIZES = [(80, 24), (120, 40), (200, 60)]
Compare = Callable[..., bool]


def _named(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


async def _settle(stage: Stage, pilot: Pilot[Any]) -> None:
    await until(pilot, lambda: "est." in str(stage.chat.prompt.border_title))
    for toast in stage.app.screen.query("Toast"):
        toast.remove()
    await pilot.pause(0.2)


@pytest.mark.parametrize("size", SIZES, ids=_named)
def test_an_answer(stage: Stage, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def play(pilot: Pilot[Any]) -> None:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "what does it cost?")
        await _settle(stage, pilot)

    assert snap_compare(stage.app, terminal_size=size, run_before=play)


@pytest.mark.parametrize("theme", ["light", "ansi"])
def test_other_themes(
    stage: Stage, snap_compare: Compare, theme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHROOM_APPEARANCE__THEME", theme)

    async def play(pilot: Pilot[Any]) -> None:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "what does it cost?")
        await _settle(stage, pilot)

    assert snap_compare(stage.app, terminal_size=(120, 40), run_before=play)


@pytest.mark.parametrize("size", SIZES, ids=_named)
def test_the_picker(stage: Stage, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def play(pilot: Pilot[Any]) -> None:
        await enter_chat(stage, pilot)
        await _settle(stage, pilot)
        await pilot.press("ctrl+t")
        await window(stage, pilot, ModelPicker)
        await pilot.press("up")
        await pilot.pause(0.1)

    assert snap_compare(stage.app, terminal_size=size, run_before=play)


@pytest.mark.parametrize("size", SIZES, ids=_named)
def test_before_the_first_prompt(stage: Stage, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def play(pilot: Pilot[Any]) -> None:
        await enter_chat(stage, pilot)
        await _settle(stage, pilot)

    assert snap_compare(stage.app, terminal_size=size, run_before=play)
