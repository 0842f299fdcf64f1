"""Recommended models: the form, the list with its reasons, and where enter, c, R and esc go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from models_stage import stock
from textual.pilot import Pilot
from tui_stage import NOW, opened, type_text, until

from services.feed import ModelsChanged
from services.paths import Paths
from tui.app import SwitchroomApp
from tui.screens.model_recommend import ModelRecommend

Compare = Callable[..., bool]


@pytest.fixture
def app(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> SwitchroomApp:
    for module in ("model_columns", "model_detail"):
        monkeypatch.setattr(f"tui.screens.{module}.now_ms", lambda: NOW)
    monkeypatch.setattr("services.model_records.now_ms", lambda: NOW)
    return SwitchroomApp(paths, mode="models")


@pytest.fixture
async def pilot(app: SwitchroomApp) -> AsyncIterator[Pilot[int]]:
    async with app.run_test(size=(120, 40)) as one:
        await _ready(one)
        yield one


async def _ready(pilot: Pilot[Any]) -> None:
    await stock(await opened(pilot))
    await until(pilot, "10 models of 4 providers")


async def _asked(pilot: Pilot[Any], task: str = "code", budget: str = "0.05", needs: str = "tools") -> str:
    """As one does: R, the three lines, enter."""
    await pilot.press("R")
    await until(pilot, "Recommend a model")
    await pilot.press("ctrl+u")
    await type_text(pilot, task)
    await pilot.press("tab")
    await type_text(pilot, budget)
    await pilot.press("tab")
    await type_text(pilot, needs)
    await pilot.press("enter")
    return await until(pilot, " models fit")


def places(text: str) -> list[list[str]]:
    """The rows of the list as words."""
    return [line.split() for line in text.splitlines() if line[2:3] in "●◌◐✕○" and "/" in line]


async def test_the_best_stand_first_and_every_other_one_says_why(pilot: Pilot[int]) -> None:
    text = await _asked(pilot)
    assert "code with tools, at most $0.05 a run · 3 of 10 models fit" in text
    rows = places(text)
    assert len(rows) == 10
    by_model = {next(word for word in row if "/" in word): " ".join(row) for row in rows}
    order = list(by_model)
    assert order[:3] == ["home/llama3:8b", "beta/mini", "alpha/haiku-9"]
    assert "● fits, 1" in by_model["home/llama3:8b"]
    assert "own" in by_model["home/llama3:8b"]
    assert "$0.0027" in by_model["beta/mini"]
    assert "1.2 times the budget" in by_model["alpha/sonnet-9"]
    assert "its provider is switched off" in by_model["quiet/sleeper"]
    assert "its provider no longer lists it" in by_model["alpha/old-2"]
    assert "does not answer in words" in by_model["beta/embed-3"]


async def test_the_reasons_follow_the_cursor(pilot: Pilot[int]) -> None:
    await _asked(pilot)
    text = await until(pilot, "Why home/llama3:8b")
    assert "✓ own hardware or flat rate: no price per token" in text
    await pilot.press("j")
    text = await until(pilot, "Why beta/mini")
    assert "✓ within the budget" in text
    assert "✓ 0 of 20 runs failed in 30 days" in text
    assert "✓ 85 tok/s measured here" in text
    assert "✓ tools: live list" in text


async def test_enter_opens_the_model_and_esc_comes_back_to_the_same_row(pilot: Pilot[int]) -> None:
    await _asked(pilot)
    await pilot.press("j", "enter")
    await until(pilot, "Models › beta/mini")
    await pilot.press("escape")
    await until(pilot, "Why beta/mini")
    await pilot.press("escape")
    await until(pilot, "10 models of 4 providers")


async def test_c_chats_with_it(pilot: Pilot[int]) -> None:
    await _asked(pilot)
    await pilot.press("j", "c")
    assert "mini" in await until(pilot, "Chat ·")


async def test_one_asks_again_for_something_else(pilot: Pilot[int]) -> None:
    await _asked(pilot)
    await pilot.press("R")
    await until(pilot, "Recommend a model")
    assert "0.05" in await until(pilot, "tools")
    await pilot.press("ctrl+u")
    await type_text(pilot, "vision")
    await pilot.press("enter")
    text = await until(pilot, "vision with tools, at most $0.05")
    assert "cannot do vision: not in the live list" in text


async def test_what_is_no_task_is_said_in_the_form(pilot: Pilot[int]) -> None:
    await pilot.press("R")
    await until(pilot, "Recommend a model")
    await pilot.press("ctrl+u")
    await type_text(pilot, "cooking")
    await pilot.press("enter")
    await until(pilot, "task: There is no task cooking.")
    await pilot.press("ctrl+u")
    await type_text(pilot, "chat")
    await pilot.press("tab")
    await type_text(pilot, "lots")
    await pilot.press("enter")
    await until(pilot, "USD for a run: The budget is no amount in USD.")
    await pilot.press("escape")
    await until(pilot, "Recommend a model", gone=True)


async def test_the_filter_and_esc(pilot: Pilot[int]) -> None:
    await _asked(pilot)
    await pilot.press("slash")
    await type_text(pilot, "budget")
    await pilot.press("enter")
    await until(pilot, "home/llama3:8b", gone=True)
    await pilot.press("escape")
    await until(pilot, "home/llama3:8b")
    assert isinstance(pilot.app.screen, ModelRecommend)


async def test_a_model_switched_off_meanwhile_leaves_the_recommended(pilot: Pilot[int]) -> None:
    await _asked(pilot)
    app = pilot.app
    assert isinstance(app, SwitchroomApp)
    await app.services.models.set_enabled(["beta/mini"], False)
    app.services.feed.publish(ModelsChanged("beta"))
    text = await until(pilot, "2 of 10 models fit")
    assert "switched off" in next(line for line in text.splitlines() if "beta/mini" in line)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_pictures(app: SwitchroomApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def run(pilot: Pilot[Any]) -> None:
        await _ready(pilot)
        await _asked(pilot)
        await until(pilot, "Why home/llama3:8b")

    assert snap_compare(app, terminal_size=size, run_before=run)


def test_picture_of_the_form(app: SwitchroomApp, snap_compare: Compare) -> None:
    async def run(pilot: Pilot[Any]) -> None:
        await _ready(pilot)
        await pilot.press("R")
        await until(pilot, "Recommend a model")

    assert snap_compare(app, terminal_size=(80, 24), run_before=run)
