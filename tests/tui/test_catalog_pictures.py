"""Sync's catalog page: what changed and what it affects, with fixed changes, sources and time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from textual.pilot import Pilot
from tui_stage import NOW, opened, screen_text, until

from services.catalog_changes import CatalogChange
from services.catalog_refresh import CatalogRefresh, SourceView
from services.clock import DAY_MS, HOUR_MS
from services.paths import Paths
from store.catalog_runs import CatalogRunRow
from tui.app import SwitchroomApp
from tui.screens import catalog_changes

Compare = Callable[..., bool]

CHANGES = [
    CatalogChange("dearer", "mistral", "mistral-large-3", "price.input", "2", "2.4", NOW - 5 * HOUR_MS, "genai",
                  refs=("mistral/mistral-large-3",), uses=("default of mistral", "the monthly budget of all")),
    CatalogChange("dearer", "openai", "gpt-6.1-sol", "price.tiers", [], [{"input": 3}], NOW - DAY_MS, "catwalk",
                  refs=("openai-prod/gpt-6.1-sol",)),
    CatalogChange("ending", "openai", "gpt-4o", "shutdown_date", new="2025-12-02", source="catalog:sdk", ends="2025-12-02",
                  days=12, refs=("openai-prod/gpt-4o",), uses=("default for new chats", "3 conversations")),
    CatalogChange("new", "openai", "gpt-6-luna", at=NOW - DAY_MS, source="modelsdev", refs=("openai-prod/gpt-6-luna",)),
    CatalogChange("changed", "openai", "gpt-4o", "context_window", 128_000, 256_000, NOW - DAY_MS, "modelsdev",
                  refs=("openai-prod/gpt-4o",)),
    CatalogChange("new", "deepseek", "deepseek-v4-pro", at=NOW - 5 * HOUR_MS, source="genai"),
]  # fmt: skip


def _run(source: str, state: str, error: str | None = None) -> CatalogRunRow:
    return CatalogRunRow(1, source, NOW - 2 * HOUR_MS, 400, state, error and "unexpected_response", error)


SOURCES = [
    SourceView("genai", "genai-prices", "https://prices.example/data.json", NOW - 5 * HOUR_MS, NOW - 2 * HOUR_MS, 1198, _run("genai", "unchanged")),
    SourceView("catwalk", "Catwalk", "https://catwalk.example/v2/providers", NOW - 9 * DAY_MS, NOW - 9 * DAY_MS, 412,
               _run("catwalk", "error", "Catwalk sent a list that is wildly different: 20 of its 33 vendors are gone. The one before stays in use.")),
    SourceView("modelsdev", "models.dev", "https://models.example/api.json", NOW - DAY_MS, NOW - 2 * HOUR_MS, 1_340, _run("modelsdev", "ok")),
    SourceView("openrouter", "OpenRouter", None, None, None, 0, None),
]  # fmt: skip


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def stage(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> SwitchroomApp:
    async def changes(_services: object) -> list[CatalogChange]:
        return CHANGES

    async def sources(_self: object) -> list[SourceView]:
        return SOURCES

    monkeypatch.setattr("services.catalog_changes.changes", changes)
    monkeypatch.setattr(CatalogRefresh, "sources", sources)
    monkeypatch.setattr(catalog_changes, "_now", lambda: NOW)
    return SwitchroomApp(paths, mode="sync")


async def _page(pilot: Pilot[Any]) -> None:
    await opened(pilot)
    await pilot.press("c")
    await until(pilot, "What changed in 30 days")
    await until(pilot, "mistral-large-3")


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_page(stage: SwitchroomApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    run: Callable[[Pilot[Any]], Awaitable[None]] = _page
    assert snap_compare(stage, terminal_size=size, run_before=run)


async def test_a_file_saved_while_the_program_is_open_is_told_once_and_used(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.catalog_watch.EVERY_S", 0.05)
    app = SwitchroomApp(paths, mode="sync")
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        services = await opened(pilot)
        before = services.catalog.spec("openai")
        assert before is not None
        await until(pilot, "No providers yet")
        paths.user_catalog.mkdir(exist_ok=True)
        await asyncio.sleep(0.2)
        (paths.user_catalog / "openai.json").write_text('{"name": "House OpenAI"}')
        await until(pilot, "Your catalog was read again")
        after = services.catalog.spec("openai")
        assert after is not None
        assert (before.name, after.name) == ("OpenAI", "House OpenAI")
        (paths.user_catalog / "openai.json").write_text('{"name": 5}')
        await until(pilot, "openai.json:1")
        assert services.catalog.spec("openai") == before


async def test_other_vendors_wait_behind_a_key_and_the_filter_finds_what_rose(stage: SwitchroomApp) -> None:
    async with stage.run_test(size=(120, 40)) as pilot:
        await _page(pilot)
        assert "deepseek-v4-pro" not in screen_text(stage)
        assert "1 of other vendors hidden" in screen_text(stage)
        await pilot.press("c")
        await until(pilot, "deepseek-v4-pro")
        await pilot.press("slash", *"rise>10", "enter")
        await until(pilot, "gpt-6-luna", gone=True)
        assert "mistral-large-3" in screen_text(stage)
        await pilot.press("escape")
        await until(pilot, "gpt-6-luna")
        await pilot.press("escape")
        await until(pilot, "What changed in 30 days", gone=True)


async def test_why_a_source_failed_is_said_where_the_table_has_no_room_for_it(
    stage: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage.run_test(size=(80, 24)) as pilot:
        await _page(pilot)
        assert "vendors are gone" not in screen_text(stage)
        await pilot.press("tab", "j")
        text = await until(pilot, "Catwalk failed. Catwalk sent a list")
        assert "https://catwalk.example/v2/providers" in text
        await pilot.press("tab")
        await until(pilot, "vendors are gone", gone=True)

        async def none(_services: object) -> list[CatalogChange]:
            return []

        monkeypatch.setattr("services.catalog_changes.changes", none)
        await pilot.press("escape", "c")
        await until(pilot, "Nothing changed for your models")
        await until(pilot, "https://prices.example/data.json")
