"""The Audit mode driven by keys: live tail, search of the whole log, one record, proof of the chain, export."""

from __future__ import annotations

import asyncio
import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input
from tui_stage import add_quietly, opened, screen_text, type_text, until

from services.container import Services, open_services
from services.paths import Paths
from store.audit import AuditLog, AuditRow, load_key
from store.audit_search import AuditSearch, Wanted
from tui.app import SwitchroomApp
from tui.screens.audit import PAGE, AuditScreen
from tui.widgets.table import VirtualTable

SIZE = (120, 40)
ACTOR = "anna@host (ssh 10.0.0.1) tui[4242]"


@pytest.fixture
def app(paths: Paths) -> SwitchroomApp:
    return SwitchroomApp(paths, mode="audit")


async def write(services: Services, count: int, action: str = "provider.test", subject: str = "mine") -> None:
    log = AuditLog(services.db, load_key(services.paths.audit_key))
    async with services.db.transaction() as tx:
        for number in range(count):
            await log.append(
                tx, at=1_763_676_000_000 + number, actor=ACTOR, action=action, subject=subject, detail={"latency_ms": number},
            )  # fmt: skip


def table(app: SwitchroomApp) -> VirtualTable[AuditRow]:
    return app.screen.query_one("#audit", VirtualTable)


async def look(app: SwitchroomApp) -> None:
    """What the screen does every second."""
    screen = app.screen
    assert isinstance(screen, AuditScreen)
    await screen._tail()


async def empty(pilot: Pilot[int]) -> Services:
    services = await opened(pilot)
    await until(pilot, "Nothing is recorded yet. 2 goes to the providers")
    return services


async def test_without_entries_it_says_what_fills_it(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await empty(pilot)
        assert "v verify" not in screen_text(app).splitlines()[-1]


async def test_who_changed_a_budget_reads_from_the_screen(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        services = await empty(pilot)
        await services.budgets.set("global", "daily", Decimal(5), reason="pilot")
        await services.budgets.set("global", "daily", Decimal(8), reason="more people")
        text = await until(pilot, "more people")
        line = next(line for line in text.splitlines() if "$5.00" in line)
        name = services.actor.partition("@")[0]
        words = ("budget.set", "global daily", "$5.00 → $8.00", "“more people”", name, "● ok")
        places = [line.index(word) for word in words]
        assert places == sorted(places)
        assert "set the daily limit of all providers: $5.00 → $8.00" in text
        assert "why: more people" in text


async def test_new_entries_come_in_and_the_cursor_follows_only_at_the_newest(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        services = await empty(pilot)
        await write(services, 100)
        await look(app)
        await pilot.pause()
        assert table(app).cursor_key == "100"
        await write(services, 2)
        await look(app)
        assert table(app).cursor_key == "102", "on the newest it follows"
        await pilot.press("j", "j", "j")
        await pilot.pause()
        here, on_screen = table(app).cursor_key, screen_text(app).splitlines()
        row = next(number for number, line in enumerate(on_screen) if line.startswith("▌"))
        await write(services, 7)
        await look(app)
        await pilot.pause()
        assert table(app).cursor_key == here == "99"
        assert screen_text(app).splitlines()[row].startswith("▌"), "and the line stays where it was read"
        await pilot.press("g")
        assert table(app).cursor_key == "109"


async def test_another_process_is_seen_within_two_seconds(app: SwitchroomApp, paths: Paths) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await empty(pilot)
        async with open_services(paths, actor="cli") as other:
            await other.budgets.set("global", "monthly", Decimal(100))
        began = asyncio.get_running_loop().time()
        await until(pilot, "no limit → $100.00")
        assert asyncio.get_running_loop().time() - began < 2


async def test_a_hidden_log_asks_nothing_and_catches_up_when_it_is_shown(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        services = await empty(pilot)
        await pilot.press("4")
        await until(pilot, "No providers yet")
        asked = 0

        async def counted(self: AuditSearch) -> int:
            nonlocal asked
            asked += 1
            return await original(self)

        original = AuditSearch.newest_id
        monkeypatch.setattr(AuditSearch, "newest_id", counted)
        screen = next(screen for screen in app.mode_screens() if isinstance(screen, AuditScreen))
        await screen._tail()
        assert asked == 0
        await write(services, 3)
        await pilot.press("9")
        await until(pilot, "3 entries, newest first")
        assert asked > 0


async def test_a_long_log_is_read_a_page_at_a_time(
    app: SwitchroomApp, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_services(paths, actor="cli") as services:
        await services.budgets.set("global", "daily", Decimal(5))
        await _fill(paths, 200_000)
    read = 0
    original = AuditSearch.between

    async def counted(self: AuditSearch, asked: Wanted, above: int, up_to: int, limit: int) -> list[AuditRow]:
        nonlocal read
        rows = await original(self, asked, above, up_to, limit)
        read += len(rows)
        return rows

    monkeypatch.setattr(AuditSearch, "between", counted)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        text = await until(pilot, "200 001 entries, newest first")
        assert read == PAGE
        assert len(table(app).rows) == PAGE
        await pilot.press("G")
        await _until_rows(pilot, 2 * PAGE)
        assert read == 2 * PAGE
        assert table(app).cursor_key == str(200_001 - PAGE + 1), "the cursor stays where it went"
        await pilot.press("slash")
        await type_text(pilot, "action:budget")
        text = await until(pilot, "1 found in all 200 001")
        assert "no limit → $5.00" in text
        await pilot.press("escape")
        await _until_rows(pilot, PAGE)


async def test_the_filter_searches_the_log_and_not_only_what_is_loaded(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        services = await empty(pilot)
        await services.budgets.set("global", "daily", Decimal(5))
        await write(services, 300)
        await look(app)
        await pilot.press("slash")
        await type_text(pilot, "global")
        await until(pilot, "1 found in all 301")
        await pilot.press("enter")
        assert len(table(app).rows) == 1
        await write(services, 1, "budget.remove", "global daily")
        await look(app)
        await until(pilot, "2 found in all 302")
        await pilot.press("slash")
        await type_text(pilot, " nonsense")
        await until(pilot, "No entry matches. esc clears the filter.")
        await pilot.press("escape")
        await _until_rows(pilot, PAGE)


async def test_c_leaves_out_what_changed_nothing(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        services = await empty(pilot)
        await write(services, 3)
        await write(services, 2, "run", "mine/a")
        await services.budgets.set("global", "daily", Decimal(5))
        await look(app)
        await pilot.press("c")
        await until(pilot, "1 found in all 6")
        await pilot.press("c")
        await _until_rows(pilot, 6)


async def test_enter_shows_the_whole_record_and_brackets_its_neighbours(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await empty(pilot)
        await write(services, 1)
        await services.budgets.set("global", "daily", Decimal(5), reason="pilot")
        await until(pilot, "pilot")
        await pilot.press("enter")
        text = await until(pilot, "Audit › entry 2")
        for words in (
            "no limit → $5.00",
            "pilot",
            "budget.set",
            "global daily",
            "2 of 2",
            "signed together with",
        ):
            assert words in text
        row = (await services.audit.list())[0]
        assert row.mac not in text
        await pilot.press("right_square_bracket")
        text = await until(pilot, "Audit › entry 1")
        assert "10.0.0.1, by SSH" in text
        await pilot.press("right_square_bracket")
        await until(pilot, "This is the oldest entry.")
        await pilot.press("y")
        await until(pilot, "Copied")
        assert row.actor not in (app._clipboard or "")
        assert '"action": "provider.test"' in (app._clipboard or "")
        await pilot.press("escape")
        await until(pilot, "newest first")


async def test_v_proves_the_log_whole(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await empty(pilot)
        await write(services, 1_200)
        await look(app)
        await pilot.press("v")
        text = await until(pilot, "● 1 200 rows, intact, checked")
        assert "The audit log is whole" in text


async def test_the_check_shows_its_progress_and_can_be_stopped(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = asyncio.Event()
    original = AuditLog._after

    async def slow(self: AuditLog, last_id: int) -> list[object]:
        if last_id:
            await go_on.wait()
        return await original(self, last_id)

    monkeypatch.setattr(AuditLog, "_after", slow)
    monkeypatch.setattr("tui.screens.audit_proof.EVERY_S", 0)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await empty(pilot)
        await write(services, 1_200)
        await look(app)
        await pilot.press("v")
        text = await until(pilot, "500 of 1 200")
        assert "▇▇▇▇▇░░░░░░░" in text
        assert "ctrl+c stops" in text
        await pilot.press("v")
        await until(pilot, "Still checking the log.")
        await pilot.press("4", "9")
        await until(pilot, "500 of 1 200")
        await pilot.press("ctrl+c")
        await until(pilot, "the check was stopped")
        go_on.set()
        await pilot.press("v")
        await until(pilot, "● 1 200 rows, intact")


async def test_a_broken_chain_names_the_row_what_it_means_and_what_to_do(
    app: SwitchroomApp, paths: Paths
) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await empty(pilot)
        await write(services, 60)
        await look(app)
        _tamper(paths, "UPDATE audit SET subject = 'someone else' WHERE id = 57")
        await pilot.press("v")
        text = await until(pilot, "Row 57 is the first that")
        assert "Rows 1 to 56 are as Switchroom wrote them." in text
        assert "What to do" in text
        assert "switchroom audit verify" in text
        await pilot.press("y")
        text = await until(pilot, "Audit › entry 57")
        assert "someone else" in text
        await pilot.press("escape")
        await until(pilot, "✕ broken at row 57")


async def test_a_row_taken_out_is_told_as_gone(app: SwitchroomApp, paths: Paths) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await empty(pilot)
        await write(services, 5)
        await look(app)
        _tamper(paths, "DELETE FROM audit WHERE id = 3")
        await pilot.press("v")
        await until(pilot, "Row 3 is the first that")
        await pilot.press("y")
        await until(pilot, "Row 3 is not there any more.")


async def test_the_whole_log_is_written_so_that_it_can_be_checked(
    app: SwitchroomApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await empty(pilot)
        await write(services, 250)
        await look(app)
        await pilot.press("X")
        await until(pilot, "The whole log, signed: 250 entries")
        await pilot.press("1")
        await until(pilot, "File for the whole log")
        app.screen.query_one(Input).value = str(tmp_path / "log.jsonl")
        await pilot.press("enter")
        await until(pilot, "Audit log written")
        found = services.audit.verify_file(tmp_path / "log.jsonl")
        assert (found.rows, found.intact) == (250, True)
        await pilot.press("X")
        await until(pilot, "The whole log, signed")
        await pilot.press("1")
        await until(pilot, "File for the whole log")
        app.screen.query_one(Input).value = str(tmp_path / "log.jsonl")
        await pilot.press("enter")
        await until(pilot, "Write over log.jsonl?")
        await pilot.press("n")
        await until(pilot, "Write over", gone=True)


async def test_what_is_shown_is_written_as_a_table(
    app: SwitchroomApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await empty(pilot)
        await services.budgets.set("global", "daily", Decimal(5), reason="pilot")
        await until(pilot, "pilot")
        await pilot.press("X")
        await until(pilot, "What is loaded here: 1 entry")
        await pilot.press("2")
        await until(pilot, "Export 1 row to which file?")
        await pilot.press("enter")
        await until(pilot, "written to")
    (file,) = list(tmp_path.glob("audit-*.csv"))  # noqa: ASYNC240 - a temporary folder
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "id,at,actor,action,subject,change,result,reason"
    assert "budget.set,global daily" in lines[1]


async def test_a_provider_shows_its_part_of_the_log_in_the_same_words(paths: Paths, vendor: object) -> None:
    app = SwitchroomApp(paths, mode="providers")
    async with app.run_test(size=SIZE) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "alfa", vendor)  # type: ignore[arg-type]
        await until(pilot, "alfa")
        await pilot.press("enter")
        await until(pilot, "endpoint")
        text = ""
        for _ in range(10):
            await pilot.press("right_square_bracket")
            await pilot.pause()
            if "before → after" in (text := screen_text(app)):
                break
        assert "3 models, 3 new" in text


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 60)])
async def test_every_size_shows_action_and_change(app: SwitchroomApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=size) as pilot:
        services = await empty(pilot) if size[0] > 90 else await opened(pilot)
        await services.budgets.set("global", "daily", Decimal(5))
        text = await until(pilot, "budget.set")
        assert "no limit →" in text
        assert all(len(line) <= size[0] for line in text.splitlines())


async def _fill(paths: Paths, count: int) -> None:
    """Many rows at once. They are not signed: nothing here checks them."""
    db = sqlite3.connect(paths.database)
    with db:
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO audit (at, actor, action, subject, result, detail, mac)"
            " SELECT 1763676000000 + i, 'bo@box cli[1]', 'provider.test', 'mine', 'ok', '{}', 'x' FROM n",
            (count,),
        )
    db.close()


def _tamper(paths: Paths, statement: str) -> None:
    db = sqlite3.connect(paths.database)
    with db:
        db.execute("DROP TRIGGER audit_no_update")
        db.execute("DROP TRIGGER audit_no_delete")
        db.execute(statement)
    db.close()


async def _until_rows(pilot: Pilot[int], count: int) -> None:
    app = pilot.app
    assert isinstance(app, SwitchroomApp)
    for _ in range(300):
        await pilot.pause()
        if len(table(app).rows) == count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{len(table(app).rows)} rows, not {count}")
