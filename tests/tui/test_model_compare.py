"""Models side by side: what space and enter bring up, what is best, what differs, and what follows a change."""

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
from tui.screens.model_compare import ModelCompare
from tui.screens.models import ModelsScreen

Compare = Callable[..., bool]


@pytest.fixture
def app(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> SwitchroomApp:
    for module in ("model_columns", "model_detail", "model_compare"):
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


async def _mark(pilot: Pilot[Any], *words: str) -> None:
    """Mark one model for each word, as one does: filter, space."""
    for word in words:
        await pilot.press("slash")
        await pilot.press("ctrl+u")
        await type_text(pilot, word)
        await pilot.press("enter", "space")


def row(text: str, name: str) -> list[str]:
    line = next(line for line in text.splitlines() if line[2:].startswith(name))
    return line[16:].split()


async def test_the_marked_stand_side_by_side_with_the_best_of_each_row(pilot: Pilot[int]) -> None:
    await _mark(pilot, "opus", "mini")
    assert "enter compare" in await until(pilot, "2 marked")
    await pilot.press("enter")
    text = await until(pilot, "2 models side by side")
    assert row(text, "model") == ["opus-9", "mini"]
    assert row(text, "$ in/1M") == ["$15.00", "✓", "$0.15"]
    assert row(text, "context") == ["✓", "1M", "128k"]
    assert row(text, "max output") == ["16k", "16k"], "what is as good everywhere is nobody's best"
    assert row(text, "vision") == ["yes", "no"]
    assert row(text, "TTFT") == ["1.2s", "✓", "317ms"]
    assert row(text, "tok/s") == ["50", "✓", "85"]
    assert row(text, "cost, 30 d") == ["$0.40", "$0.01"]
    assert row(text, "runs, 30 d") == ["20", "20"]
    await pilot.press("d")
    text = await until(pilot, "where all agree not shown")
    assert "max output" not in text
    assert "d all rows" in text
    await pilot.press("d")
    await until(pilot, "max output")
    await pilot.press("escape")
    await until(pilot, "2 marked")


async def test_what_a_provider_takes_off_decides_which_is_cheaper(
    pilot: Pilot[int], app: SwitchroomApp
) -> None:
    async with app.services.db.transaction() as tx:
        await tx.execute("UPDATE providers SET discount_pct = 80 WHERE slug = 'alpha'")
    await _mark(pilot, "sonnet", "sleeper")
    await pilot.press("enter")
    text = await until(pilot, "2 models side by side")
    assert row(text, "$ in/1M") == ["✓", "$3.00", "$1.00"]
    assert row(text, "discount") == ["80", "%", "none"]


async def test_one_mark_opens_its_page_and_too_many_are_refused(
    pilot: Pilot[int], app: SwitchroomApp
) -> None:
    await pilot.press("space", "space", "space", "space", "space")
    await until(pilot, "5 marked")
    await pilot.press("enter")
    await pilot.pause()
    assert app.notices[-1].message == "5 models are marked; 4 have room side by side."
    assert isinstance(app.screen, ModelsScreen)
    await pilot.press("escape", "space", "enter")
    await until(pilot, "Models › ")
    assert not isinstance(app.screen, ModelCompare)


async def test_a_change_arrives_and_a_provider_that_is_gone_ends_it(
    pilot: Pilot[int], app: SwitchroomApp
) -> None:
    await _mark(pilot, "opus", "mini")
    await pilot.press("enter")
    await until(pilot, "2 models side by side")
    await pilot.press("j", "j", "j")
    services = app.services
    await services.models.set_enabled(["beta/mini"], False)
    await until(pilot, "○ off")
    assert isinstance(app.screen, ModelCompare)
    assert app.screen._table.cursor_key == "$ in/1M", "the cursor stayed on its row"
    await services.registry.remove("beta")
    services.feed.publish(ModelsChanged("beta"))
    await until(pilot, "side by side", gone=True)
    assert isinstance(app.screen, ModelsScreen)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_picture(app: SwitchroomApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        await _ready(pilot)
        await _mark(pilot, "opus", "mini", "llama3")
        await pilot.press("enter")
        await until(pilot, "3 models side by side")

    assert snap_compare(app, terminal_size=size, run_before=show)
