"""The picture in the README: a conversation of the demo, as the program shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_stage import until
from textual.pilot import Pilot

from services import clock
from tui.app import SwitchroomApp

ROOT = Path(__file__).resolve().parents[2]
NOON = 1_795_176_000_000
"""2026-11-20 12:00 UTC."""


def test_the_picture_of_the_readme(
    home: Path, snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setattr(clock, "now_ms", lambda: NOON)
    app = SwitchroomApp(demo=True, mode="providers")

    async def play(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: app.opened)
        await pilot.press("6")
        await until(pilot, lambda: app.screen.query("#prompt") or app.screen.query("Prompt"))
        await pilot.pause(0.3)
        await pilot.press("ctrl+g")
        await pilot.pause(0.5)
        await pilot.press("enter")
        await pilot.pause(1)

    assert snap_compare(app, terminal_size=(112, 34), run_before=play)


def test_the_readme_shows_it() -> None:
    readme = (ROOT / "README.md").read_text()
    picture = "tests/tui_chat/__snapshots__/test_readme_picture/test_the_picture_of_the_readme.svg"
    assert picture in readme
    assert (ROOT / picture).is_file()
