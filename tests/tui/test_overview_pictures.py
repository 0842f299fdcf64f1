"""Pictures of the Overview: the same moment at every size and theme, and the welcome of an empty store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from overview_stage import Answers
from textual.pilot import Pilot
from tui_stage import until

from services.paths import Paths
from tui.app import SwitchroomApp

Compare = Callable[..., bool]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    one = Answers()
    one.install(monkeypatch)
    yield one
    monkeypatch.undo()
    time.tzset()


async def _ready(pilot: Pilot[Any]) -> None:
    await until(pilot, "today $1.42")
    await until(pilot, "on track")
    await until(pilot, "openai-pr")
    for _ in range(5):
        await pilot.pause()


@pytest.mark.parametrize(
    "size", [(60, 20), (80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}"
)
@pytest.mark.usefixtures("answers")
def test_overview(paths: Paths, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(SwitchroomApp(paths), terminal_size=size, run_before=_ready)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SWITCHROOM_APPEARANCE__THEME", "light"),
        ("SWITCHROOM_APPEARANCE__THEME", "ansi"),
        ("NO_COLOR", "1"),
        ("SWITCHROOM_APPEARANCE__ASCII", "on"),
        ("SWITCHROOM_APPEARANCE__SCREEN_READER", "true"),
    ],
    ids=["light", "ansi", "no colour", "ascii", "screen reader"],
)
@pytest.mark.usefixtures("answers")
def test_looks(
    paths: Paths, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    async def picked(pilot: Pilot[Any]) -> None:
        await _ready(pilot)
        await pilot.press("tab", "tab", *"hhhhh")
        await pilot.pause()

    assert snap_compare(SwitchroomApp(paths), terminal_size=(120, 40), run_before=picked)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_welcome(
    paths: Paths, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789abcdefABCDEF")

    async def welcomed(pilot: Pilot[Any]) -> None:
        await until(pilot, "Welcome to Switchroom")
        await until(pilot, "today")

    assert snap_compare(SwitchroomApp(paths), terminal_size=size, run_before=welcomed)
