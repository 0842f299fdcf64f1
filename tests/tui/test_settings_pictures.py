"""Pictures of the Settings mode: its sizes, its themes, and what stands there when something is not right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from tui_stage import until

from services.paths import Paths
from tui import remap
from tui.app import SwitchroomApp

Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def from_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done at the start is as it is out of the box."""
    monkeypatch.delenv("SWITCHROOM_SYNC__AT_START")
    monkeypatch.delenv("SWITCHROOM_DISCOVERY__AT_START")


@pytest.fixture
def stage(paths: Paths) -> SwitchroomApp:
    paths.ensure()
    paths.config_file.write_text(
        '[retry]\nattempts = 5\n\n[keys]\n"providers.sync" = "t"\n"chat.send" = "ctrl+m"\n'
    )
    return SwitchroomApp(paths, mode="settings")


async def _general(pilot: Pilot[Any]) -> None:
    await until(pilot, "Look for providers at start")
    await until(pilot, "month")
    await until(pilot, "2 alerts")
    await pilot.press("j")


def _on(tab: int, words: str) -> Callable[[Pilot[Any]], Any]:
    async def go(pilot: Pilot[Any]) -> None:
        await _general(pilot)
        for _ in range(tab):
            await pilot.press("]")
        await until(pilot, words)

    return go


@pytest.mark.parametrize(
    "size", [(60, 20), (80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}"
)
def test_general(stage: SwitchroomApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(stage, terminal_size=size, run_before=_general)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_keys(
    stage: SwitchroomApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    few = {
        ident: action
        for ident, action in remap.bound().items()
        if ident.startswith(("app.", "providers.sync", "providers.test"))
    }
    monkeypatch.setattr(remap, "bound", lambda: few)  # the picture does not change with every new key
    assert snap_compare(stage, terminal_size=size, run_before=_on(5, "Paint the screen again"))


@pytest.mark.parametrize("theme", ["light", "ansi"])
def test_other_themes(
    stage: SwitchroomApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, theme: str
) -> None:
    monkeypatch.setenv("SWITCHROOM_APPEARANCE__THEME", theme)
    assert snap_compare(stage, terminal_size=(120, 40), run_before=_on(4, "Fixed by"))


def test_without_colour(
    paths: Paths, stage: SwitchroomApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(
        SwitchroomApp(paths, mode="settings"), terminal_size=(80, 24), run_before=_on(3, "Proxy")
    )


def test_ascii(stage: SwitchroomApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHROOM_APPEARANCE__ASCII", "true")
    assert snap_compare(stage, terminal_size=(80, 24), run_before=_on(4, "Theme"))


def test_the_choice_of_a_theme(stage: SwitchroomApp, snap_compare: Compare) -> None:
    async def choosing(pilot: Pilot[Any]) -> None:
        await _on(4, "Theme")(pilot)
        await pilot.press("enter")
        await until(pilot, "for a bright room")
        await pilot.press("down")
        await pilot.pause()

    assert snap_compare(stage, terminal_size=(80, 24), run_before=choosing)
