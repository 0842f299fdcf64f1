"""Pictures of the Usage mode and of one run, at the sizes and in the themes people have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from textual.pilot import Pilot
from tui_stage import opened, until
from usage_stage import fixed_time, seed

from services.paths import Paths
from tui.app import SwitchroomApp
from tui.screens.run_detail import RunDetail

Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import time

    fixed_time(monkeypatch)
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def app(paths: Paths) -> SwitchroomApp:
    return SwitchroomApp(paths, mode="usage")


async def ready(pilot: Pilot[Any]) -> None:
    services = await opened(pilot)
    await services.budgets.set("global", "daily", Decimal(15), reason="agreed with finance")
    await services.budgets.set("global", "monthly", Decimal(120))
    await seed(services)
    await until(pilot, "openai-prod")
    await until(pilot, "all providers daily")
    await until(pilot, "today $11.85 / $15.00")


@pytest.fixture(autouse=True)
def actor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.process.actor", lambda *_a, **_k: "ann@desk", raising=False)
    monkeypatch.setattr("services.container.Services.actor", "ann@desk", raising=False)


@pytest.mark.parametrize(
    "size", [(60, 20), (80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}"
)
def test_usage(app: SwitchroomApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=ready)


@pytest.mark.parametrize("theme", ["light", "ansi"])
def test_other_themes(
    app: SwitchroomApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, theme: str
) -> None:
    monkeypatch.setenv("SWITCHROOM_APPEARANCE__THEME", theme)
    assert snap_compare(app, terminal_size=(120, 40), run_before=ready)


def test_without_colour_the_numbers_stand_there(
    paths: Paths, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(SwitchroomApp(paths, mode="usage"), terminal_size=(80, 24), run_before=ready)


def test_ascii(app: SwitchroomApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHROOM_APPEARANCE__ASCII", "true")
    assert snap_compare(app, terminal_size=(120, 40), run_before=ready)


def test_empty(app: SwitchroomApp, snap_compare: Compare) -> None:
    async def nothing(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        await until(pilot, "No runs in this time.")

    assert snap_compare(app, terminal_size=(80, 24), run_before=nothing)


@pytest.mark.parametrize(("keys", "words"), [("w", "Why the cost differs"), ("b", "changed last by")])
def test_windows(app: SwitchroomApp, snap_compare: Compare, keys: str, words: str) -> None:
    async def press(pilot: Pilot[Any]) -> None:
        await ready(pilot)
        await pilot.press(keys)
        await until(pilot, words)

    assert snap_compare(app, terminal_size=(120, 40), run_before=press)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_one_run(app: SwitchroomApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def down(pilot: Pilot[Any]) -> None:
        await ready(pilot)
        await pilot.app.push_screen(RunDetail("run-300", "usage"))
        await until(pilot, "429")

    assert snap_compare(app, terminal_size=size, run_before=down)


def test_the_runs_of_a_row(app: SwitchroomApp, snap_compare: Compare) -> None:
    async def down(pilot: Pilot[Any]) -> None:
        await ready(pilot)
        await pilot.press("enter")
        await until(pilot, "24 runs")

    assert snap_compare(app, terminal_size=(80, 24), run_before=down)
