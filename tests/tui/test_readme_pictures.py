"""The pictures in the README: four modes of the demo at one fixed moment, as the program shows them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from tui_stage import opened, until

from tui.app import SwitchroomApp

ROOT = Path(__file__).resolve().parents[2]
NOON = 1_795_176_000_000
"""2026-11-20 12:00 UTC, a Friday."""

SIZE = (120, 36)

Compare = Callable[..., bool]


@pytest.fixture
def at_noon(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr("tui.life._LONGEST_OPENING", 120.0)  # a busy machine seeds the demo slowly
    monkeypatch.setattr(time, "time", lambda: NOON / 1000)
    monkeypatch.setattr(time, "time_ns", lambda: NOON * 1_000_000)


async def _play(pilot: Pilot[Any], digit: str, words: str) -> None:
    await opened(pilot)
    await until(pilot, "openai-prod")
    await pilot.press(digit)
    await until(pilot, words)


def _demo() -> SwitchroomApp:
    return SwitchroomApp(demo=True, mode="providers")


def test_overview(at_noon: None, snap_compare: Compare) -> None:
    async def play(pilot: Pilot[Any]) -> None:
        await _play(pilot, "1", "● complete")

    assert snap_compare(_demo(), terminal_size=SIZE, run_before=play)


def test_models(at_noon: None, snap_compare: Compare) -> None:
    async def play(pilot: Pilot[Any]) -> None:
        await _play(pilot, "3", "claude-opus")

    assert snap_compare(_demo(), terminal_size=SIZE, run_before=play)


def test_usage(at_noon: None, snap_compare: Compare) -> None:
    async def play(pilot: Pilot[Any]) -> None:
        await _play(pilot, "5", "on track for")
        await pilot.press("greater_than_sign", "greater_than_sign")
        await until(pilot, "30 days before")

    assert snap_compare(_demo(), terminal_size=SIZE, run_before=play)


def test_chat(at_noon: None, snap_compare: Compare) -> None:
    async def play(pilot: Pilot[Any]) -> None:
        await _play(pilot, "6", "Talk to")
        await pilot.press("ctrl+g")
        await until(pilot, "Release notes")
        await pilot.press("down", "down", "enter")
        await until(pilot, "computed")

    assert snap_compare(_demo(), terminal_size=SIZE, run_before=play)


@pytest.mark.parametrize("mode", ["overview", "models", "usage", "chat"])
def test_the_readme_shows_it(mode: str) -> None:
    picture = f"tests/tui/__snapshots__/test_readme_pictures/test_{mode}.svg"
    assert picture in (ROOT / "README.md").read_text()
    assert (ROOT / picture).is_file()
