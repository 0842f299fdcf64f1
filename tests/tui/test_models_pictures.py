"""Pictures of the Models mode: ten models of every kind, at the three sizes, in the three themes, without colour."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from models_stage import stock
from textual.pilot import Pilot
from tui_stage import NOW, opened, until

from services.paths import Paths
from tui.app import SwitchroomApp

Compare = Callable[..., bool]


@pytest.fixture
def stage(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Callable[[], SwitchroomApp]:
    """The app in the Models mode, at a fixed time."""
    for module in ("tui.screens.model_columns", "tui.screens.model_detail", "services.model_records"):
        monkeypatch.setattr(f"{module}.now_ms", lambda: NOW)
    return lambda: SwitchroomApp(paths, mode="models")


async def _ready(pilot: Pilot[Any]) -> None:
    await stock(await opened(pilot))
    await until(pilot, "10 models of 4 providers")
    await until(pilot, "today")


def _keys(*keys: str, until_words: str) -> Callable[[Pilot[Any]], Any]:
    async def press(pilot: Pilot[Any]) -> None:
        await _ready(pilot)
        await pilot.press(*keys)
        await until(pilot, until_words)

    return press


@pytest.mark.parametrize(
    "size", [(60, 20), (80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}"
)
def test_models(stage: Callable[[], SwitchroomApp], snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(stage(), terminal_size=size, run_before=_ready)


@pytest.mark.parametrize("theme", ["light", "ansi"])
def test_other_themes(
    stage: Callable[[], SwitchroomApp], snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, theme: str
) -> None:
    monkeypatch.setenv("SWITCHROOM_APPEARANCE__THEME", theme)
    assert snap_compare(stage(), terminal_size=(120, 40), run_before=_ready)


def test_without_colour(
    stage: Callable[[], SwitchroomApp], snap_compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(stage(), terminal_size=(80, 24), run_before=_ready)


def test_ascii(
    stage: Callable[[], SwitchroomApp], snap_compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHROOM_APPEARANCE__ASCII", "true")
    assert snap_compare(stage(), terminal_size=(120, 40), run_before=_keys("o", until_words="dearest first"))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_order_filter_and_marks(
    stage: Callable[[], SwitchroomApp], snap_compare: Compare, size: tuple[int, int]
) -> None:
    keys = _keys("o", "space", "slash", *"price", "less_than_sign", "4", "space", *"cap", "colon", until_words="cap:tools")  # fmt: skip
    assert snap_compare(stage(), terminal_size=size, run_before=keys)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_detail(stage: Callable[[], SwitchroomApp], snap_compare: Compare, size: tuple[int, int]) -> None:
    keys = _keys("o", "enter", until_words="Limits")
    assert snap_compare(stage(), terminal_size=size, run_before=keys)


def test_estimate(stage: Callable[[], SwitchroomApp], snap_compare: Compare) -> None:
    keys = _keys("asterisk", "E", *"hello", "enter", until_words="the cheapest first")
    assert snap_compare(stage(), terminal_size=(120, 40), run_before=keys)


def test_nothing_yet(stage: Callable[[], SwitchroomApp], snap_compare: Compare) -> None:
    async def empty(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        await until(pilot, "No models yet")
        await until(pilot, "today")

    assert snap_compare(stage(), terminal_size=(80, 24), run_before=empty)
