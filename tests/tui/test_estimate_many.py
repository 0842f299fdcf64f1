"""A prompt is estimated on every marked model: what is left out of a very long list is said, and what cannot read it too."""

from __future__ import annotations

import pytest
from models_stage import stock
from textual.widgets import Input
from tui_stage import opened, until

from services.paths import Paths
from tui.app import SwitchroomApp
from tui.screens import model_actions


async def _estimated(app: SwitchroomApp, prompt: str) -> str:
    async with app.run_test(size=(120, 40)) as pilot:
        await stock(await opened(pilot))
        await until(pilot, "10 models of 4 providers")
        await pilot.press("asterisk", "E")
        await until(pilot, "Type or paste it")
        app.screen.query_one(Input).value = prompt
        await pilot.press("enter")
        return await until(pilot, "What this prompt would cost")


async def test_a_cut_list_says_so(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_actions, "MOST", 3)
    text = await _estimated(SwitchroomApp(paths, mode="models"), "hello")
    assert "the cheapest of the first 3 of 8 models first" in text


async def test_a_model_that_cannot_read_the_prompt_says_so(paths: Paths) -> None:
    text = await _estimated(SwitchroomApp(paths, mode="models"), "many words go here " * 12_000)
    lines = [line for line in text.splitlines() if "does not fit" in line]
    assert any("日本語" in line for line in lines)
    assert not any("opus-9" in line for line in lines)
