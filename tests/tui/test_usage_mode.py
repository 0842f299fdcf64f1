"""The Usage mode on a real store: every key, what it asks for, and what a person then reads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from textual.content import Content
from textual.pilot import Pilot
from textual.widgets import Static
from tui_stage import NOW, opened, screen_text, type_text, until
from usage_stage import DAY, HOUR, fixed_time, run, seed

import tui.screens.usage as usage_module
from services.container import Services
from services.paths import Paths
from services.usage_range import UsageRange
from store.ledger import Ledger
from tui.app import SwitchroomApp
from tui.exporting import Exported
from tui.screens.run_detail import RunDetail
from tui.screens.usage import UsageScreen
from tui.screens.usage_load import load
from tui.screens.usage_runs import UsageRuns
from tui.widgets.chart import Chart
from tui.widgets.filter_bar import FilterBar
from tui.widgets.line import Line
from tui.widgets.table import VirtualTable

SIZE = (120, 40)


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


async def ready(pilot: Pilot[int]) -> UsageScreen:
    services = await opened(pilot)
    await seed(services)
    await until(pilot, "openai-prod")
    assert isinstance(pilot.app.screen, UsageScreen)
    return pilot.app.screen


def table_of(screen: UsageScreen) -> VirtualTable[object]:
    return screen.query_one("#by-key", VirtualTable)


async def test_an_empty_store_says_what_to_do(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(pilot)
        text = await until(pilot, "No runs in this time.")
        assert "nothing spent yet" in text
        assert "NaN" not in text
        await pilot.press("w")
        await pilot.press("enter", "v", "m", "X")
        assert isinstance(app.screen, UsageScreen)


async def test_one_run(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await seed(services, [run(1, NOW - HOUR, "openai-prod", "gpt-4o", "0.30")])
        text = await until(pilot, "openai-prod")
        assert "nothing before to compare with" in text
        assert "1 run" in text
        assert "100%" in text


async def test_the_sum_stands_beside_the_period_before(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ready(pilot)
        text = await until(pilot, "against the 24 h before")
        assert "$12.60" in text, "23 × $0.30 + 12 × $0.45 + one retried for $0.30"
        assert "+$6.20" in text, "before, up to this minute of the day: 23 × $0.20 + 12 × $0.15"
        assert "homelab" in text
        assert "own" in next(line for line in text.splitlines() if "homelab" in line and "▇" not in line)


async def test_ranges_groups_and_measures(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        screen = await ready(pilot)
        for name, words in (("7d", "Fri 14"), ("30d", "Oct"), ("month", "Nov 24"), ("last_month", "No runs")):
            await pilot.press("greater_than_sign")
            await until(pilot, words)
            assert screen.range == name
        await pilot.press(*["less_than_sign"] * 5)
        await until(pilot, "21:30")
        assert screen.range == "1h"
        for words in ("by model", "by label", "by caller", "by grade", "by outcome", "by provider"):
            await pilot.press("v")
            await until(pilot, words)
        for words in ("Tokens by", "Runs by", "Time to the first token by", "Failed runs by", "Cost by"):
            await pilot.press("m")
            await until(pilot, words)


@pytest.mark.parametrize("size", [(120, 40), (60, 20)])
async def test_the_range_that_is_shown_is_the_marked_one(app: SwitchroomApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=size, notifications=True) as pilot:
        screen = await ready(pilot)
        for words in ("24 h", "7 d", "30 d"):
            content = screen.query_one("#ranges", Static).content
            assert isinstance(content, Content)
            marked = [
                str(content)[span.start : span.end]
                for span in content.spans
                if "underline" in str(span.style)
            ]
            assert marked == [words]
            await pilot.press("greater_than_sign")
            await pilot.pause()


async def test_an_answer_to_an_older_question_is_not_shown(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first load of all runs beside the reloads: it may be the last to end."""
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        screen = await ready(pilot)
        reached, go_on = asyncio.Event(), asyncio.Event()
        real = load

        async def slow(services: Services, span: UsageRange, *rest: Any) -> Any:
            if span.name == "24h":
                reached.set()
                await go_on.wait()
            return await real(services, span, *rest)

        monkeypatch.setattr(usage_module, "load", slow)
        stale = asyncio.create_task(screen._load())
        await reached.wait()
        await pilot.press("greater_than_sign")
        await until(pilot, "80 runs")
        go_on.set()
        await stale
        assert screen._shown is not None
        assert screen._shown.span.name == "7d"


async def test_another_group_takes_the_filter_away_with_its_line(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        screen = await ready(pilot)
        await pilot.press("slash")
        await type_text(pilot, "anth")
        await pilot.press("enter")
        await until(pilot, "1 of ")
        await pilot.press("v")
        text = await until(pilot, "openai-prod/gpt-4o")
        assert "1 of " not in text
        assert not screen.query_one(FilterBar).has_class("-open")


async def test_runs_that_end_behind_another_screen_are_fetched_on_the_way_back(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.screens.usage_runs.SETTLE", 0.01)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        screen = await ready(pilot)
        table_of(screen).go_to("openai-prod")
        await pilot.press("enter")
        await until(pilot, "24 runs")
        runs = app.screen
        assert isinstance(runs, UsageRuns)
        await app.push_screen(RunDetail("run-300", "usage"))
        await until(pilot, "rate limited")
        asked: list[object] = []
        real = app.services.usage.runs

        async def counted(*args: Any, **kwargs: Any) -> Any:
            asked.append(args)
            return await real(*args, **kwargs)

        monkeypatch.setattr(app.services.usage, "runs", counted)
        await seed(app.services, [run(900, NOW - 60_000, "openai-prod", "gpt-4o", "1.23")])
        await pilot.pause(0.1)
        assert asked == []
        await pilot.press("escape")
        await until(pilot, "25 runs")


async def test_more_new_runs_than_a_page_leave_no_gap(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.screens.usage_runs.SETTLE", 0.01)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        screen = await ready(pilot)
        table_of(screen).go_to("openai-prod")
        await pilot.press("enter")
        await until(pilot, "24 runs")
        burst = [run(1000 + n, NOW - 90_000 + n, "openai-prod", "gpt-4o", "0.01") for n in range(60)]
        await seed(app.services, burst)
        await until(pilot, "more below")
        table = app.screen.query_one("#runs", VirtualTable)
        await pilot.press("end")
        await until(pilot, "84 runs")
        assert [row.run_id for row in table.rows[:60]] == [row.run_id for row in burst[::-1]]


async def test_groups_name_their_keys(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ready(pilot)
        for words in ("openai-prod/gpt-4o", "project=triage", "tui", "reported tokens × price", "● complete"):
            await pilot.press("v")
            await until(pilot, words)


async def test_the_state_is_kept_in_another_mode(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        screen = await ready(pilot)
        await pilot.press("greater_than_sign", "v", "m")
        await until(pilot, "Tokens by model")
        await pilot.press("2")
        await until(pilot, "2 Providers")
        await pilot.press("5")
        await until(pilot, "Tokens by model")
        assert (screen.range, screen.group, screen.measure) == ("7d", "model", "tokens")


async def test_a_bar_narrows_the_table_and_esc_goes_back(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        screen = await ready(pilot)
        chart = screen.query_one(Chart)
        await pilot.press("h")
        assert chart.picked is not None
        await pilot.press("h", "enter")
        text = await until(pilot, "against the hour before")
        assert "Thu 20 Nov, 21:00–22:00" in text
        assert table_of(screen).has_focus
        await pilot.press("escape")
        await until(pilot, "against the 24 h before")


async def test_down_to_one_run_and_back(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        screen = await ready(pilot)
        table_of(screen).go_to("openai-prod")
        await pilot.press("enter")
        await until(pilot, "openai-prod, 19 Nov – 20 Nov: 24 runs")
        assert isinstance(app.screen, UsageRuns)
        await pilot.press("slash")
        await type_text(pilot, "attempt")
        await pilot.press("escape")
        rows = app.screen.query_one("#runs", VirtualTable)
        retried = next(row for row in rows.rows if row.run_id == "run-300")
        rows.go_to(str(retried.id))
        rows.focus()
        await pilot.press("enter")
        text = await until(pilot, "Attempts")
        text = await until(pilot, "rate limited")
        assert isinstance(app.screen, RunDetail)
        assert "anthropic/claude-sonnet" in text
        assert "1 200, of which 800 read from a cache" in text
        assert "340, of which 40 reasoning" in text
        assert "$2.50 in, $10.00 out, $0.25 cache read per 1M tokens" in text
        assert "429" in text
        assert "2.00 s" in text
        await pilot.press("escape")
        await until(pilot, "24 runs")
        await pilot.press("escape")
        await until(pilot, "Cost by provider")


async def test_y_copies_the_request_id(app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []

    async def copy(text: str, *_: object) -> None:
        copied.append(text)

    async with app.run_test(size=SIZE, notifications=True) as pilot:
        screen = await ready(pilot)
        monkeypatch.setattr(app, "copy", copy)
        table_of(screen).go_to("anthropic")
        await pilot.press("y")
        assert copied[-1].startswith("anthropic\t$5.40\t12 runs")
        await app.push_screen(RunDetail("run-300", "usage"))
        await until(pilot, "rate limited")
        await pilot.press("y", "j", "y")
        assert copied[-2:] == ["req_limited", "req_second"]


async def test_a_run_nobody_knows(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(pilot)
        await app.push_screen(RunDetail("nope", "overview"))
        await until(pilot, "The store knows no run with this id.")


async def test_why(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ready(pilot)
        await pilot.press("w")
        text = await until(pilot, "Why the cost differs")
        assert "dearer tokens" in text
        assert "anthropic/claude-sonnet" in text
        await pilot.press("escape")
        await until(pilot, "Why the cost differs", gone=True)


async def test_the_limit_of_all_providers_is_set_here(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ready(pilot)
        await pilot.press("b")
        await until(pilot, "none; enter sets one")
        await type_text(pilot, "all providers")
        await pilot.press("enter")
        await until(pilot, "Limits of all providers")
        await type_text(pilot, "20")
        await pilot.press("tab", "tab", "tab")
        await type_text(pilot, "agreed")
        await pilot.press("enter")
        await until(pilot, "Daily limit of all providers: $20.00.")
        (limit,) = await app.services.budgets.list()
        assert (limit.scope, limit.period, limit.limit, limit.reason) == (
            "global",
            "daily",
            Decimal(20),
            "agreed",
        )
        text = await until(pilot, "all providers daily")
        assert "of $20.00" in text
        await pilot.press("b")
        await until(pilot, "“agreed”")


async def test_the_numbers_as_a_table(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        screen = await ready(pilot)
        await pilot.press("number_sign")
        text = await until(pilot, "Thu 20 Nov, 21:00–22:00")
        assert not screen.query_one(Chart).display
        assert "$0.30" in text or "$0.300" in text
        await pilot.press("j", "enter")
        await until(pilot, "against the hour before")
        await pilot.press("escape", "number_sign")
        await until(pilot, "Thu 20 Nov, 21:00–22:00", gone=True)


async def test_from_one_day_to_another(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        screen = await ready(pilot)
        await pilot.press("F")
        await until(pilot, "Both days are included")
        for field, words in (("from", "2025-11-19"), ("to", "2025-11-19")):
            next(line for line in app.screen.query(Line) if line.name == field).value = words
        await pilot.press("enter")
        await until(pilot, "from–to")
        assert screen.span().since == NOW // DAY * DAY - DAY
        assert screen.span().until == NOW // DAY * DAY
        await until(pilot, "19 Nov")


async def test_filter_and_what_is_exported(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        screen = await ready(pilot)
        await pilot.press("slash")
        await type_text(pilot, "anth")
        await pilot.press("enter")
        await until(pilot, "azure-eu", gone=True)
        found = screen.exported()
        assert isinstance(found, Exported)
        assert [row["key"] for row in found.rows] == ["anthropic"]
        assert found.rows[0]["cost_usd"] == Decimal("5.4")
        assert set(found.rows[0]) == set(found.fields)
        await pilot.press("escape")
        await until(pilot, "azure-eu")


async def test_a_run_of_another_process_moves_nothing(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        screen = await ready(pilot)
        table = table_of(screen)
        table.go_to("azure-eu")
        await pilot.press("h")
        picked = screen.query_one(Chart).picked
        await seed(app.services, [run(900, NOW - 60_000, "groq", "llama", "1.23")])
        text = await until(pilot, "groq")
        assert "$13.83" in text
        assert table.cursor_key == "azure-eu"
        assert screen.query_one(Chart).picked == picked


async def test_nothing_is_painted_when_nothing_changed(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        screen = await ready(pilot)
        await pilot.pause(0.1)
        painted: list[str] = []
        for widget in screen.query("*"):
            monkeypatch.setattr(widget, "refresh", lambda *_a, w=widget, **_k: painted.append(str(w)))
        before = screen._shown
        await seed(app.services, [])
        for _ in range(200):
            await pilot.pause(0.01)
            if screen._shown is not before:
                break
        assert screen._shown is not before, "it asked again"
        assert painted == []


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 60)])
async def test_it_fits(app: SwitchroomApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot)
        text = screen_text(app)
        assert all(len(line) <= size[0] for line in text.splitlines())
        assert "This month" in text
        assert "openai-prod" in text


def test_no_machine_word() -> None:
    """Errors and grades are told in words."""
    from tui.screens.run_words import error_words
    from tui.screens.usage_words import key_words

    assert error_words(run(1, NOW, "a", "b", None, error_code="rate_limited")) == "rate limited"
    assert error_words(run(1, NOW, "a", "b", None, error_code="something_else")) == "something else"
    assert key_words("own", "grade") == "own hardware or flat rate"
    assert key_words("", "label") == "no label"


async def test_an_order_is_one_of_all_runs_of_the_range(app: SwitchroomApp) -> None:
    """The dearest run is the oldest of more than a page: it comes first, under the cursor."""
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ready(pilot)
        ledger = Ledger(app.services.db)
        async with app.services.db.transaction() as tx:
            for number in range(120):
                usd = "9.75" if number == 119 else "0.01"
                await ledger.insert(tx, run(1_000 + number, NOW - (number + 1) * 60_000, "many", "one", usd))
        await app.push_screen(UsageRuns(NOW - DAY, NOW, "provider", "many", "many"))
        await until(pilot, "the last 50 runs")
        assert app.screen.status_title == "Usage › many"
        await pilot.press("o")
        text = await until(pilot, "120 runs")
        await until(pilot, "$9.75")
        screen = app.screen
        assert isinstance(screen, UsageRuns)
        table = screen.query_one("#runs", VirtualTable)
        assert table.sorted_by == ("cost", True)
        assert table.cursor_row is table.shown[0]
        assert table.shown[0].run_id == "run-1119", text
        await pilot.press("enter")
        await until(pilot, "Usage › many › run ")


async def test_an_order_of_very_many_runs_says_that_older_ones_are_left_out(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.screens.usage_runs.MOST", 70)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ready(pilot)
        ledger = Ledger(app.services.db)
        async with app.services.db.transaction() as tx:
            for number in range(120):
                await ledger.insert(
                    tx, run(1_000 + number, NOW - (number + 1) * 60_000, "many", "one", "0.01")
                )
        await app.push_screen(UsageRuns(NOW - DAY, NOW, "provider", "many", "many"))
        await until(pilot, "the last 50 runs")
        await pilot.press("o")
        await until(pilot, "the newest 70 runs in order, older ones left out")


async def test_a_model_that_moved_the_cost_shows_its_runs(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ready(pilot)
        await pilot.press("w")
        text = await until(pilot, "its runs")
        first = "anthropic/claude-sonnet"
        assert first in text
        await pilot.press("enter")
        await until(pilot, f"Usage › {first}")
        await until(pilot, f"{first}, ")
        await pilot.press("escape")
        await until(pilot, "Usage › ", gone=True)
