"""Pictures of the Providers mode: six providers in six states, at the three sizes, in the three themes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from textual.pilot import Pilot
from tui_stage import NOW, fixed_views, opened, until

from services.paths import Paths
from services.registry import ProviderView
from tui.app import SwitchroomApp

Compare = Callable[..., bool]


@pytest.fixture
def stage(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> SwitchroomApp:
    """The app with fixed providers, spend and time."""
    views = fixed_views()

    async def listed(_self: object) -> list[ProviderView]:
        return views

    async def got(_self: object, slug: str) -> ProviderView:
        return next(view for view in views if view.row.slug == slug)

    async def spent(_self: object) -> Decimal:
        return Decimal("41.20")

    async def no_models(_self: object, _slug: str | None = None, **_more: object) -> list[object]:
        return []

    monkeypatch.setattr("services.models.ModelService.list", no_models)
    monkeypatch.setattr("services.registry.Registry.list", listed)
    monkeypatch.setattr("services.registry.Registry.get", got)
    monkeypatch.setattr("services.usage.UsageService.today", spent)
    monkeypatch.setattr("services.usage.UsageService.month", spent)
    monkeypatch.setattr("tui.screens.providers._now", lambda: NOW)
    monkeypatch.setattr("tui.screens.provider_detail.time.time", lambda: NOW / 1000)
    return SwitchroomApp(paths, mode="providers")


async def _ready(pilot: Pilot[Any]) -> None:
    await opened(pilot)
    await until(pilot, "openai-prod")
    await until(pilot, "today")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_providers(stage: SwitchroomApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(stage, terminal_size=size, run_before=_ready)


@pytest.mark.parametrize("theme", ["light", "ansi"])
def test_other_themes(
    stage: SwitchroomApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, theme: str
) -> None:
    monkeypatch.setenv("SWITCHROOM_APPEARANCE__THEME", theme)
    assert snap_compare(stage, terminal_size=(120, 40), run_before=_ready)


def test_without_colour(
    paths: Paths, stage: SwitchroomApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(SwitchroomApp(paths, mode="providers"), terminal_size=(80, 24), run_before=_ready)


def test_ascii(stage: SwitchroomApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHROOM_APPEARANCE__ASCII", "true")
    assert snap_compare(stage, terminal_size=(120, 40), run_before=_ready)


def test_marks_and_filter(stage: SwitchroomApp, snap_compare: Compare) -> None:
    async def keys(pilot: Pilot[Any]) -> None:
        await _ready(pilot)
        await pilot.press("space", "j", "space", "slash", "a", "z", "u")
        await until(pilot, "1 of 6")

    assert snap_compare(stage, terminal_size=(120, 40), run_before=keys)


def test_detail(stage: SwitchroomApp, snap_compare: Compare) -> None:
    async def keys(pilot: Pilot[Any]) -> None:
        await _ready(pilot)
        await pilot.press("enter")
        await until(pilot, "last 30 days")

    assert snap_compare(stage, terminal_size=(120, 40), run_before=keys)


def test_help(stage: SwitchroomApp, snap_compare: Compare) -> None:
    async def keys(pilot: Pilot[Any]) -> None:
        await _ready(pilot)
        await pilot.press("question_mark")
        await until(pilot, "Keys that work here")

    assert snap_compare(stage, terminal_size=(80, 24), run_before=keys)
