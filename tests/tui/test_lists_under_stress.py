"""Models, Sync and Audit when things go wrong: late answers, providers that go away, texts nobody foresaw."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from models_stage import stock
from textual.pilot import Pilot
from tui_stage import NOW, Vendor, add_quietly, opened, screen_text, until

from catalog.errors import StoreError
from services.container import open_services
from services.feed import RunEnded, StoreChangedElsewhere
from services.models import ModelService
from services.paths import Paths
from store.audit import AuditLog, AuditRow, load_key
from store.audit_search import AuditSearch
from store.models import ModelRow, Models
from tui.app import SwitchroomApp
from tui.screens.audit import AuditScreen
from tui.screens.audit_record import AuditRecord
from tui.screens.model_detail import ModelDetail
from tui.screens.models import ModelsScreen
from tui.screens.sync_detail import SyncDetail
from tui.widgets.line import Line
from tui.widgets.table import VirtualTable

SIZE = (120, 30)


@pytest.fixture(autouse=True)
def fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("tui.screens.model_columns", "tui.screens.model_detail", "services.model_records"):
        monkeypatch.setattr(f"{module}.now_ms", lambda: NOW)
    monkeypatch.setenv("SWITCHROOM_SYNC__AT_START", "false")


@pytest.fixture
async def models(paths: Paths) -> AsyncIterator[Pilot[int]]:
    app = SwitchroomApp(paths, mode="models")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await stock(await opened(pilot))
        await until(pilot, "10 models of 4 providers")
        yield pilot


def app_of(pilot: Pilot[int]) -> SwitchroomApp:
    assert isinstance(pilot.app, SwitchroomApp)
    return pilot.app


async def test_what_was_asked_first_is_never_shown_last(
    models: Pilot[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, held = app_of(models), asyncio.Event()
    real = ModelService.default

    async def slow(self: ModelService) -> str | None:
        monkeypatch.setattr(ModelService, "default", real)
        found = await real(self)
        await held.wait()
        return found

    monkeypatch.setattr(ModelService, "default", slow)
    screen = app.screen
    assert isinstance(screen, ModelsScreen)
    early = asyncio.create_task(screen._load())
    await models.pause()
    await app.services.models.set_enabled(["alpha/opus-9"], False)
    late = asyncio.create_task(screen._load())
    await models.pause(0.05)
    held.set()
    await asyncio.gather(early, late)
    assert "6 on" in screen_text(app)


async def test_a_change_under_a_page_is_read_when_it_is_seen_again(
    models: Pilot[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_of(models)
    app.push_screen(ModelDetail("alpha/opus-9"))
    await until(models, "the last 30 days")
    page, asked = app.screen, 0
    real = ModelService.get

    async def counted(self: ModelService, ref: str) -> Any:
        nonlocal asked
        asked += 1
        return await real(self, ref)

    await models.press("2")
    await until(models, "endpoint")
    monkeypatch.setattr(ModelService, "get", counted)
    for _ in range(5):
        page.feed_event(RunEnded(None))  # type: ignore[arg-type, attr-defined]
    await models.pause()
    assert asked == 0, "nobody sees it"
    await models.press("3")
    await models.pause(0.05)
    assert asked == 1


@pytest.mark.parametrize("page", [ModelDetail, SyncDetail])
async def test_a_page_whose_provider_is_deleted_elsewhere_says_so_and_leaves(
    models: Pilot[int], paths: Paths, page: Any
) -> None:
    app = app_of(models)
    app.push_screen(page("alpha/opus-9" if page is ModelDetail else "alpha"))
    await until(models, "the last 30 days" if page is ModelDetail else "Never synced")
    async with open_services(paths, actor="cli") as other:
        await other.registry.remove("alpha")
    app.services.feed.publish(StoreChangedElsewhere())
    text = await until(models, "alpha was deleted.")
    assert "2 shows the providers" in text
    await until(models, "6 models of 3 providers")
    assert isinstance(app.screen, ModelsScreen)
    assert [notice.tone for notice in app.notices if notice.tone == "bad"] == []


STEERING = re.compile("[\x00-\x1f\x7f\u202e]")

ODD = "\u202e\x1b[31mred\x1b]0;title\x07" + "日本語" * 60 + "é" * 100 + "/\tend\n<b>[red]"


async def test_an_id_of_any_kind_leaves_every_line_where_it_is(models: Pilot[int]) -> None:
    app = app_of(models)
    async with app.services.db.transaction() as tx:
        odd = ModelRow("quiet", ODD, name=ODD, context_window=1, first_seen=1, last_seen=NOW, owned_by=ODD)
        await Models(app.services.db).replace_live(tx, "quiet", [odd])
    await app.services.models.set_enabled([f"quiet/{ODD}"], False)
    await until(models, "11 models")
    await models.press("G")
    for keys in ((), ("enter",), ("x",), ("d",)):
        await models.press(*keys)
        await models.pause(0.05)
        for line in app.screen._compositor.render_strips():
            assert line.cell_length == SIZE[0]
            assert not STEERING.search(line.text), (keys, line.text)


PASTED = ["price<", "price<x", ":", "-", "!", '"', "\\", "[a-", "(.*", "a" * 10_000, "日" * 10_000, "x " * 3_000, " ".join(f"w{n}" for n in range(3_000)), " ".join(f"-w{n}" for n in range(3_000)), "provider:,,", "since:", "%_^"]  # fmt: skip


@pytest.mark.parametrize("mode", ["models", "audit", "sync"])
async def test_any_text_in_the_filter_is_answered(
    paths: Paths, vendor: Vendor, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = SwitchroomApp(paths, mode=mode)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "mine", vendor)
        table = app.screen.query_one(VirtualTable)
        for _ in range(100):
            await pilot.pause(0.02)
            if table.rows:
                break
        await pilot.press("slash")
        loop = asyncio.get_running_loop()
        for text in PASTED:
            began = loop.time()
            app.screen.query_one(Line).value = text
            await pilot.pause(0.02)
            assert loop.time() - began < 0.5, text[:20]
        app.screen.query_one(Line).value = "zzzz"
        for _ in range(100):
            await pilot.pause(0.02)
            if not table.shown:
                break
        assert not table.shown, "and the next filter is answered too"
        await pilot.press("escape")
        for _ in range(100):
            await pilot.pause(0.02)
            if table.shown:
                break
        assert table.shown
        assert [notice.message for notice in app.notices if notice.tone == "bad"] == []


async def entries(app: SwitchroomApp, count: int, action: str = "provider.test", **detail: object) -> None:
    log = AuditLog(app.services.db, load_key(app.services.paths.audit_key))
    async with app.services.db.transaction() as tx:
        for number in range(count):
            await log.append(
                tx, at=NOW + number, actor="anna@host tui[1]", action=action, subject="mine", detail=detail or {"latency_ms": 1},
            )  # fmt: skip


@pytest.fixture
async def audit(paths: Paths) -> AsyncIterator[Pilot[int]]:
    app = SwitchroomApp(paths, mode="audit")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(pilot)
        await entries(app, 30)
        await until(pilot, "30 entries")
        yield pilot


async def test_words_that_mean_the_same_do_not_lose_the_search(
    audit: Pilot[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = app_of(audit).screen
    assert isinstance(screen, AuditScreen)
    real, held = AuditSearch.newest_id, asyncio.Event()

    async def slow(self: AuditSearch) -> int:
        await held.wait()
        return await real(self)

    monkeypatch.setattr(AuditSearch, "newest_id", slow)
    await audit.press("slash")
    screen.query_one(Line).value = "nothing-has-this"
    await audit.pause(0.02)
    screen.query_one(Line).value = "nothing-has-this "
    await audit.pause(0.02)
    held.set()
    await until(audit, "No entry matches")


async def test_a_log_that_cannot_be_read_is_told_once_and_asked_again(
    audit: Pilot[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_of(audit)
    screen, real = app.screen, AuditSearch.newest_id
    assert isinstance(screen, AuditScreen)

    async def busy(self: AuditSearch) -> int:
        raise StoreError("The database is busy.", hint="Wait a moment.")

    monkeypatch.setattr(AuditSearch, "newest_id", busy)
    for _ in range(4):
        await screen._tail()
    assert [notice.message for notice in app.notices].count("The database is busy.") == 1
    monkeypatch.setattr(AuditSearch, "newest_id", real)
    await entries(app, 1)
    await screen._tail()
    await until(audit, "31 entries")


async def test_an_entry_that_was_removed_is_not_called_the_oldest(audit: Pilot[int]) -> None:
    app = app_of(audit)
    pages = app.services.audit.pages
    row = await pages.get(20)
    assert row is not None
    app.push_screen(AuditRecord(row))
    await until(audit, "20 of 30")
    real = pages.get

    async def holed(row_id: int) -> AuditRow | None:
        return None if row_id == 19 else await real(row_id)

    pages.get = holed  # type: ignore[method-assign]
    await audit.press("right_square_bracket")
    text = await until(audit, "Entry 19 is missing: it was removed.")
    assert "v checks the whole log" in text
    assert "20 of 30" in text


async def test_a_huge_entry_costs_a_line(audit: Pilot[int]) -> None:
    app = app_of(audit)
    await entries(app, 3, "model.enable", models=[f"model-{number}" for number in range(50_000)])
    text = await until(audit, "33 entries")
    assert "49 997 more" in text
    await audit.press("enter")
    assert "49 997 more" in await until(audit, "33 of 33")


async def test_an_export_may_go_home_and_says_why_it_cannot_be_written(
    audit: Pilot[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_of(audit)
    monkeypatch.setenv("HOME", str(tmp_path))
    await audit.press("X")
    await until(audit, "Write the audit log to a file")
    await audit.press("enter")
    await until(audit, "File for the whole log")
    for typed, words in (("~", "add a file name"), ("~nobody-here/x.jsonl", "no file name"), (str(tmp_path / "no" / "x.jsonl"), "There is no folder")):  # fmt: skip
        app.screen.query_one(Line).value = typed
        await audit.press("enter")
        await until(audit, words)
    app.screen.query_one(Line).value = "~/mine.jsonl"
    await audit.press("enter")
    await until(audit, "Audit log written")
    assert len((tmp_path / "mine.jsonl").read_text().splitlines()) == 31


async def test_a_store_that_another_process_holds_is_told_and_the_next_try_works(
    models: Pilot[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_of(models)
    await app.services.db._writer.execute("PRAGMA busy_timeout = 20")
    holder = sqlite3.connect(app.services.paths.database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    await models.press("x")
    text = await until(models, "is busy")
    assert "Another Switchroom process holds it" in text
    await models.press("j", "o", "slash", *"opus", "enter")
    await until(models, "1 of 10")
    holder.execute("ROLLBACK")
    holder.close()
    await models.press("x")
    await until(models, "opus-9 switched off.")
