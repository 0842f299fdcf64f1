"""The Sync mode driven by keys: fetch, schedule, look at what changed; what fails keeps the last list in sight."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from textual.pilot import Pilot
from tui_stage import Vendor, add_quietly, opened, screen_text, type_text, until

from services.clock import DAY_MS, now_ms
from services.container import Services, open_services
from services.paths import Paths
from services.registry import ProviderDraft
from store.sync_runs import SyncRunRow, SyncRuns
from tui.app import SwitchroomApp
from tui.screens.sync import SyncScreen
from tui.widgets.table import VirtualTable

SIZE = (120, 40)


@pytest.fixture
def app(paths: Paths) -> SwitchroomApp:
    return SwitchroomApp(paths, mode="sync")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHROOM_RETRY__INITIAL_DELAY", "0.01")
    monkeypatch.setenv("SWITCHROOM_SYNC__AT_START", "false")


def row_of(text: str, slug: str) -> str:
    """The table's line of a provider."""
    found = [
        line
        for line in text.splitlines()
        if line[:2] in ("  ", "▌ ", "▌✓", "✓ ") and line[2:].startswith(slug)
    ]
    assert found, text
    return found[0]


def table(app: SwitchroomApp) -> VirtualTable[object]:
    return app.screen.query_one("#syncs", VirtualTable)


async def quiet(pilot: Pilot[int]) -> None:
    await until(pilot, "syncing", gone=True)


async def store_run(
    services: Services, slug: str, days: int, diff: dict[str, object] | None, **more: object
) -> None:
    stored = diff or {}
    values: dict[str, object] = {
        "total": 3, "added": len(stored.get("added", ())), "removed": len(stored.get("removed", ())),  # type: ignore[arg-type]
        "updated": len(stored.get("updated", ())), "diff_json": json.dumps(diff) if diff else None,  # type: ignore[arg-type]
    }  # fmt: skip
    row = SyncRunRow(None, slug, now_ms() - days * DAY_MS, 120, "ok", **{**values, **more})  # type: ignore[arg-type]
    async with services.db.transaction() as tx:
        await SyncRuns(services.db).insert(tx, row)


async def test_without_providers_the_key_that_adds_one_is_named(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        text = await until(pilot, "No providers yet. 2, then a adds one")
        assert "s sync" not in text.splitlines()[-1], "no key for what is not there"


async def test_s_fetches_the_current_and_the_marked_and_capital_s_all(
    app: SwitchroomApp, vendor: Vendor
) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        for slug in ("alfa", "bravo", "carol"):
            await services.registry.add(ProviderDraft(slug=slug, url=vendor.url), None)
        text = await until(pilot, "carol")
        assert "never" in row_of(text, "alfa")
        assert "alfa: its models were never fetched. s fetches them." in text
        await pilot.press("s")
        assert "6 opens a chat" in await until(pilot, "alfa synced")  # c is the catalog here
        await quiet(pilot)
        assert [run.total for run in await services.sync.history("alfa")] == [3]
        assert await services.sync.history("bravo") == []
        await pilot.press("j", "space", "space", "s")
        await until(pilot, "2 providers synced")
        await quiet(pilot)
        assert [len(await services.sync.history(slug)) for slug in ("alfa", "bravo", "carol")] == [1, 1, 1]
        await pilot.press("S")
        await until(pilot, "3 providers synced")
        assert [len(await services.sync.history(slug)) for slug in ("alfa", "bravo", "carol")] == [2, 2, 2]
        assert "● ok" in row_of(screen_text(app), "bravo")


async def test_a_failure_keeps_the_list_and_its_age_and_says_why(app: SwitchroomApp, vendor: Vendor) -> None:
    async with app.run_test(size=SIZE) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "alfa", vendor)
        await until(pilot, "● ok")
        vendor.key = "another"
        await pilot.press("s")
        text = await until(pilot, "alfa refuses the key")
        assert "✕ invalid key" in row_of(text, "alfa")
        assert "alfa: alfa" not in text
        assert "The list fetched just now stays: 3 models." in text
        assert " 3 " in row_of(text, "alfa")


async def test_progress_is_shown_goes_on_in_another_mode_and_can_be_stopped(
    app: SwitchroomApp, vendor: Vendor
) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        for slug in ("alfa", "bravo"):
            await add_quietly(services, slug, vendor)
        await until(pilot, "bravo")
        vendor.hold = asyncio.Event()
        await pilot.press("S")
        text = await until(pilot, "◌ fetching")
        assert "syncing" in text.splitlines()[0]
        assert "0/2" in text.splitlines()[0]
        await pilot.press("9")
        text = await until(pilot, "entries, newest first")
        assert "syncing" in text.splitlines()[0]
        await pilot.press("4")
        await until(pilot, "◌ fetching")
        await pilot.press("ctrl+c")
        text = await until(pilot, "Sync stopped")
        await until(pilot, "◌ fetching", gone=True)
        assert "● ok" in row_of(screen_text(app), "alfa"), "the last good state is back"


async def test_a_schedule_is_chosen_checked_stored_and_audited(app: SwitchroomApp, vendor: Vendor) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "alfa", vendor)
        await until(pilot, "at start")

        await pilot.press("i")
        await until(pilot, "alfa: synced by itself when? Now: at start")
        await pilot.press("4")
        await until(pilot, "every 6 h")
        await until(pilot, "in 6h")
        assert (await services.registry.row("alfa")).auto_sync == "6h"

        await pilot.press("i")
        await until(pilot, "Now: every 6 h")
        await pilot.press("7")
        await until(pilot, "Five fields")
        await type_text(pilot, "99")
        await pilot.press("enter")
        await until(pilot, "That is no sync schedule.")
        await pilot.press("backspace", "backspace")
        for part in ("0", "space", "6", "space", "asterisk", "space", "asterisk", "space", "1", "minus", "5"):
            await pilot.press(part)
        await pilot.press("enter")
        await until(pilot, "Mon-Fri 06:00")
        assert (await services.registry.row("alfa")).auto_sync == "0 6 * * 1-5"

        await pilot.press("i")
        await until(pilot, "Now: Mon-Fri 06:00")
        await pilot.press("6")
        await until(pilot, "The shortest is 5m")
        await type_text(pilot, "1m")
        await pilot.press("enter")
        await until(pilot, "too often")
        await pilot.press("escape")
        await until(pilot, "too often", gone=True)
        rows = await services.audit.list(action="provider.edit")
        assert [row.detail["after"]["auto_sync"] for row in rows] == ["0 6 * * 1-5", "6h"]


async def test_the_schedule_of_all_marked_is_set_at_once(app: SwitchroomApp, vendor: Vendor) -> None:
    async with app.run_test(size=SIZE) as pilot:
        services = await opened(pilot)
        for slug in ("alfa", "bravo", "carol"):
            await services.registry.add(ProviderDraft(slug=slug, url=vendor.url), None)
        await until(pilot, "carol")
        await pilot.press("space", "space", "i")
        await until(pilot, "2 providers: synced by itself")
        await pilot.press("1")
        await until(pilot, "synced by itself", gone=True)
        await until(pilot, " off ")
        assert [row.auto_sync for row in await services.registry.rows()] == ["off", "off", "start"]


DIFF: dict[str, object] = {
    "added": ["fresh"],
    "removed": ["old"],
    "updated": [
        {"id": "beta", "field": "price.output", "old": "8", "new": "4"},
        {"id": "alpha", "field": "price.input", "old": "2.5", "new": "3"},
        {"id": "alpha", "field": "capabilities", "old": ["tools"], "new": ["tools", "vision"]},
        {"id": "gamma", "field": "created", "old": 1_700_000_000, "new": 1_750_000_000},
    ],
}


async def test_enter_shows_what_a_sync_changed_prices_first_and_what_it_touches(
    app: SwitchroomApp, vendor: Vendor
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "alfa", vendor)
        await services.models.set_default("alfa/alpha")
        await services.conversations.create(model_ref="alfa/gamma")
        await store_run(services, "alfa", 3, DIFF)
        await store_run(services, "alfa", 2, None)
        await store_run(services, "alfa", 1, None)
        await until(pilot, "● ok")
        assert "▲▼ 3d" in row_of(await until(pilot, "price change"), "alfa")
        assert "Dearer 3d ago." in await until(pilot, "Dearer")
        await pilot.press("enter")
        text = await until(pilot, "1 dearer, 1 cheaper")
        lines = text.splitlines()
        kinds = [
            line for line in lines if any(f" {mark} " in line for mark in ("▲", "▼", "!", "•", "+", "-"))
        ]
        assert [line.split()[1 if line[0] != "▌" else 2] for line in kinds[:2]] == ["dearer", "cheaper"]
        assert "price in" in kinds[0]
        assert "$2.50 → $3.00 (+20 %)" in kinds[0]
        assert "default for new chats" in kinds[0]
        assert "$8.00 → $4.00 (-50 %)" in kinds[1]
        assert "other model" in kinds[2]
        assert "1 conversation" in kinds[2]
        assert "now also vision" in kinds[3]
        assert "Syncs, newest first; 1 without news hidden (c)" in text
        assert "alpha dearer: price in $2.50 → $3.00 (+20 %) per 1M tokens." in text

        await pilot.press("c")
        text = await until(pilot, "not shown", gone=True)
        assert "alpha dearer" in text, "the cursor stayed on its sync"

        await pilot.press("tab", "j", "j")
        text = await until(pilot, "gamma has the same name, but is a different model: made on")
        assert "Affects: 1 conversation." in text
        await pilot.press("enter")
        await until(pilot, "Models › alfa/gamma")
        await pilot.press("escape")
        await until(pilot, "is a different model")
        await pilot.press("slash")
        await type_text(pilot, "cheaper")
        await pilot.press("enter")
        await until(pilot, "fresh", gone=True)
        await pilot.press("escape")
        await until(pilot, "fresh")
        await pilot.press("escape")
        await until(pilot, "list age")


async def test_the_detail_of_a_failed_sync_says_why_and_that_the_list_stays(
    app: SwitchroomApp, vendor: Vendor
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "alfa", vendor)
        vendor.key = "another"
        await services.sync.sync(["alfa"])
        await until(pilot, "✕ invalid key")
        await pilot.press("enter")
        text = await until(pilot, "it failed")
        assert "The list before this sync stays." in text
        vendor.key = None
        await pilot.press("s")
        await until(pilot, "● ok")
        assert "it failed" in screen_text(app) or "The list was the same" in screen_text(app)


async def test_a_detail_leaves_with_its_provider(app: SwitchroomApp, vendor: Vendor) -> None:
    async with app.run_test(size=SIZE) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "alfa", vendor)
        await until(pilot, "● ok")
        await pilot.press("enter")
        await until(pilot, "What the sync of")
        await services.registry.remove("alfa")
        await until(pilot, "No providers yet")


async def test_ages_tick_and_only_changed_lines_are_painted(
    app: SwitchroomApp, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        services = await opened(pilot)
        for slug in ("alfa", "bravo"):
            await services.registry.add(ProviderDraft(slug=slug, url=vendor.url, auto_sync="off"), None)
        await services.sync.sync(["alfa"])
        await until(pilot, "● ok")
        painted: list[str] = []
        update_row = VirtualTable.update_row

        def counted(self: VirtualTable[object], row: object) -> bool:
            painted.append(row.slug)  # type: ignore[attr-defined]
            return update_row(self, row)

        monkeypatch.setattr(VirtualTable, "update_row", counted)
        later = now_ms() + 20 * 60_000
        monkeypatch.setattr("tui.screens.sync._now", lambda: later)
        screen = app.screen
        assert isinstance(screen, SyncScreen)
        screen._tick()
        await until(pilot, "20m")
        screen._tick()
        assert painted == ["alfa"]


async def test_the_filter_knows_states_and_schedules(app: SwitchroomApp, vendor: Vendor) -> None:
    async with app.run_test(size=SIZE) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "good", vendor)
        await services.registry.add(ProviderDraft(slug="never", url=vendor.url, auto_sync="off"), None)
        await until(pilot, "● ok")
        await pilot.press("slash")
        await type_text(pilot, "state:ok")
        await until(pilot, "1 of 2")
        await pilot.press("enter", "escape", "slash")
        await type_text(pilot, "schedule:off")
        text = await until(pilot, "1 of 2")
        assert "◌ never" in text
        await pilot.press("escape")
        await until(pilot, "● ok")


async def test_what_another_process_fetched_appears_and_the_cursor_stays(
    app: SwitchroomApp, vendor: Vendor, paths: Paths
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        services = await opened(pilot)
        for slug in ("alfa", "bravo"):
            await services.registry.add(ProviderDraft(slug=slug, url=vendor.url), None)
        await until(pilot, "bravo")
        await pilot.press("j")
        async with open_services(paths, actor="cli") as other:
            await other.sync.sync(["alfa"])
        text = await until(pilot, "● ok")
        assert "● ok" in row_of(text, "alfa")
        assert table(app).cursor_key == "bravo"


async def test_y_copies_and_x_exports_what_is_shown(
    app: SwitchroomApp, vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "alfa", vendor)
        await until(pilot, "● ok")
        await pilot.press("y")
        await until(pilot, "Copied alfa: 3 models, fetched")
        await pilot.press("X")
        await until(pilot, "Export 1 row to which file?")
        await pilot.press("enter")
        await until(pilot, "written to")
    written = _only(tmp_path, "sync-*.csv")
    assert written.startswith("provider,state,last_run")
    assert "alfa,ok," in written


def _only(folder: Path, pattern: str) -> str:
    (file,) = folder.glob(pattern)
    return file.read_text()


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 60)])
async def test_every_size_shows_state_and_age(
    app: SwitchroomApp, vendor: Vendor, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "a-provider-with-a-long-name", vendor)
        text = await until(pilot, "● ok")
        assert "now" in text
        assert all(len(line) <= size[0] for line in text.splitlines())
        await pilot.press("enter")
        text = await until(pilot, "What the sync of")
        assert "new" in text
