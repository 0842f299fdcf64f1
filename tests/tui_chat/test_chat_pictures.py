"""Pictures of the chat: a finished answer and the picker at three sizes, and what stands there first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
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


async def _read(stage: Stage, pilot: Pilot[Any], *keys: str) -> None:
    await enter_chat(stage, pilot)
    await ask(stage, pilot, "what does it cost?")
    await _settle(stage, pilot)
    await pilot.press("escape", *keys)
    await pilot.pause(0.3)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 60)], ids=_named)
def test_a_picked_code_block(stage: Stage, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def play(pilot: Pilot[Any]) -> None:
        await _read(stage, pilot, "left_square_bracket")
        await until(pilot, lambda: stage.chat.transcript.picked is not None)

    assert snap_compare(stage.app, terminal_size=size, run_before=play)


@pytest.mark.parametrize("look", ["dark", "light", "ansi", "no colour", "ascii"])
def test_a_search_and_a_mark(
    home: Path, snap_compare: Compare, look: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if look == "no colour":
        monkeypatch.setenv("NO_COLOR", "1")
    elif look == "ascii":
        monkeypatch.setenv("SWITCHROOM_APPEARANCE__ASCII", "on")
    else:
        monkeypatch.setenv("SWITCHROOM_APPEARANCE__THEME", look)
    stage = Stage(home)

    async def play(pilot: Pilot[Any]) -> None:
        await _read(stage, pilot, "g", "slash", *"cost", "enter", "n", "v", "j", "j")
        await until(pilot, lambda: stage.chat.transcript.marking is not None)
        await pilot.pause(0.2)

    assert snap_compare(stage.app, terminal_size=(80, 24), run_before=play)
