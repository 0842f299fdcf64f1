"""The Overview: where each line leads, what an event changes without moving a cursor, and the welcome of an empty store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from overview_stage import Answers, limit, recent
from tui_stage import NOW, opened, type_text, until

from catalog.usage import Usage
from services.feed import RunEnded, RunProgress, RunStarted, StoreChangedElsewhere
from services.overview import RecentRun
from services.paths import Paths
from services.run_events import RunResult
from services.usage_chart import UsageChart
from services.usage_limits import LimitStanding
from tui.app import SwitchroomApp
from tui.screens import overview as overview_module
from tui.screens import overview_lines
from tui.screens.base import ModeScreen
from tui.screens.overview import OverviewScreen
from tui.screens.overview_lines import alert_lines
from tui.screens.overview_live import LiveRuns
from tui.screens.sync_detail import SyncDetail


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    one = Answers()
    one.install(monkeypatch)
    yield one
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def overview(paths: Paths) -> SwitchroomApp:
    return SwitchroomApp(paths)


def _result(run_id: str) -> RunResult:
    return RunResult(
        run_id,
        "openai-prod/gpt-6.1-sol",
        "",
        None,
        (),
        "complete",
        "stop",
        Usage(),
        None,
        "computed",
        1,
        2,
        (),
    )


async def test_what_matters_stands_there_the_worst_first(overview: SwitchroomApp, answers: Answers) -> None:
    async with overview.run_test(size=(120, 40)) as pilot:
        text = await until(pilot, "is dearer")
        lines = text.splitlines()
        alerts = [line for line in lines if line.lstrip("▌ ").startswith(("✕ azure-eu:", "! "))]
        assert "azure-eu: invalid key" in alerts[0]
        assert (
            "openai-prod at 92% of its daily limit, $1.38 of $1.50, out at 23:00 at today's rate" in alerts[1]
        )
        assert (
            "openai-prod/gpt-5.4-mini is dearer: input $0.25 → $0.30 per 1M tokens (+20%), and 1 more model"
            in alerts[2]
        )
        assert "today     $1.42 of $5" in text
        assert "on track for $61.80 ($48–$79)" in text
        assert "94% measured, 5% estimated, 1% unknown" in text
        places = [text.index(word) for word in ("✕ invalid key  azure-eu", "◐ limited", "● ok", "○ off")]
        assert places == sorted(places)
        assert "after 529 from" in text
        assert "401 invalid cred" in text


async def test_tab_goes_round_and_enter_opens_each_kind(
    overview: SwitchroomApp, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed: list[tuple[str, str, str]] = []

    def push(screen: ModeScreen) -> None:
        what = getattr(screen, "slug", "") or getattr(screen, "run_id", "")
        pushed.append((type(screen).__name__, what, screen.MODE))

    async with overview.run_test(size=(120, 40)) as pilot:
        await until(pilot, "is dearer")
        monkeypatch.setattr(overview, "push_screen", push)
        seen = []
        for _ in range(4):
            assert overview.focused is not None
            seen.append(overview.focused.id)
            await pilot.press("tab")
        assert seen == ["alerts", "providers", "chart", "runs"]
        await pilot.press("enter", "j", "enter", "j", "enter")  # the alerts: a state, a limit, a price
        await pilot.press("tab", "j", "enter")
        await pilot.press("tab", "tab", "enter")
        assert pushed == [
            ("ProviderDetail", "azure-eu", "overview"),
            ("ProviderDetail", "openai-prod", "overview"),
            ("SyncDetail", "openai-prod", "overview"),
            ("ProviderDetail", "anthropic", "overview"),
            ("RunDetail", "run-1", "overview"),
        ]
        await pilot.press("shift+tab", "h")
        assert "Thu Nov 20 22:00–23:00" in await until(pilot, "▲")
        await pilot.press("escape")
        await until(pilot, "▲", gone=True)
        await pilot.press("enter")
        await pilot.pause()
        assert overview.current_mode == "usage"


async def test_an_event_changes_the_lines_and_no_cursor(overview: SwitchroomApp, answers: Answers) -> None:
    async with overview.run_test(size=(120, 40)) as pilot:
        await until(pilot, "is dearer")
        await pilot.press("tab", "j", "j", "tab", "tab", "j", "j", "j")
        screen = overview.screen
        assert isinstance(screen, OverviewScreen)
        before = (screen._providers.cursor_key, screen._runs.cursor_key)
        assert before == ("gemini", "run-4") or before[1] == "run-4"
        newer = replace(answers.recent[0], row=replace(answers.recent[0].row, run_id="run-0", id=99))
        answers.recent = (newer, *answers.recent)
        answers.spend = replace(answers.spend, today=Decimal("2.22"))
        services = await opened(pilot)
        services.feed.publish(RunEnded(_result("run-0")))
        await until(pilot, "$2.22 of $5")
        assert (screen._providers.cursor_key, screen._runs.cursor_key) == before
        answers.views = [
            replace(view, row=replace(view.row, state="ok"), state="ok") for view in answers.views
        ]
        services.feed.publish(StoreChangedElsewhere())
        await until(pilot, "azure-eu: invalid key", gone=True)
        assert (screen._providers.cursor_key, screen._runs.cursor_key) == before
        assert overview.focused is screen._runs


async def test_new_runs_come_in_at_the_top_of_a_list_nobody_has_touched(
    overview: SwitchroomApp, answers: Answers
) -> None:
    async with overview.run_test(size=(120, 40)) as pilot:
        await until(pilot, "is dearer")
        screen = overview.screen
        assert isinstance(screen, OverviewScreen)
        first = answers.recent[0]
        answers.recent = (
            *(RecentRun(replace(first.row, run_id=f"new-{n}"), ()) for n in range(12)),
            *answers.recent,
        )
        (await opened(pilot)).feed.publish(RunEnded(_result("new-0")))
        for _ in range(100):
            await pilot.pause(0.02)
            if screen._runs.cursor_key == "new-0":
                break
        assert screen._runs.cursor_key == "new-0"
        assert screen._runs.scroll_offset.y == 0
        exported = screen.exported()
        assert exported is not None
        assert [row["provider"] for row in exported.rows][:2] == ["azure-eu", "anthropic"]


async def test_hidden_it_waits_and_looks_when_it_is_seen_again(
    overview: SwitchroomApp, answers: Answers
) -> None:
    async with overview.run_test(size=(120, 40)) as pilot:
        await until(pilot, "is dearer")
        services = await opened(pilot)
        await pilot.press("0")
        await pilot.pause()
        asked = answers.asked
        for _ in range(5):
            services.feed.publish(StoreChangedElsewhere())
        await pilot.pause(0.2)
        others = answers.asked - asked
        answers.spend = replace(answers.spend, today=Decimal("3.33"))
        await pilot.press("1")
        await until(pilot, "$3.33 of $5")
        assert others <= 5  # nothing of this screen's own


async def test_what_runs_now_is_shown_while_it_runs(overview: SwitchroomApp, answers: Answers) -> None:
    async with overview.run_test(size=(120, 40)) as pilot:
        await until(pilot, "is dearer")
        services = await opened(pilot)
        assert "Nothing is running." in await until(pilot, "Nothing is running.")
        services.feed.publish(RunStarted("r", "openai-prod/gpt-6.1-sol"))
        await until(pilot, "Now · 1 run")
        assert "waiting" in await until(pilot, "waiting")
        services.feed.publish(RunProgress("r", 80, 80.0))
        screen = overview.screen
        assert isinstance(screen, OverviewScreen)
        screen._tick()
        await until(pilot, "80 tok/s         █")
        services.feed.publish(RunEnded(_result("r")))
        await until(pilot, "Nothing is running.")


async def test_an_empty_store_is_welcomed(overview: SwitchroomApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789abcdefABCDEF")
    async with overview.run_test(size=(120, 40)) as pilot:
        text = await until(pilot, "Welcome to Switchroom")
        assert "OPENAI_API_KEY" in text
        assert "sk-canary" not in text
        assert "switchroom --demo" in text
        assert "Recent runs" not in text
        await pilot.press("a")
        text = await until(pilot, "A key for OpenAI")
        assert "Use OPENAI_API_KEY" in text
        await pilot.press("escape")
        text = await until(pilot, "Add a provider: which one?")
        assert "● key found in OPENAI_API_KEY" in text
        await pilot.press("enter")
        await until(pilot, "A key for OpenAI")
        await pilot.press("escape", "escape")
        await until(pilot, "Welcome to Switchroom")
        assert await overview.services.registry.list() == []


async def test_the_first_provider_ends_the_welcome(overview: SwitchroomApp, answers: Answers) -> None:
    views, answers.views = answers.views, []
    async with overview.run_test(size=(120, 40)) as pilot:
        await until(pilot, "Welcome to Switchroom")
        answers.views = views
        (await opened(pilot)).feed.publish(StoreChangedElsewhere())
        await until(pilot, "Welcome to Switchroom", gone=True)
        assert "azure-eu" in await until(pilot, "Recent runs")
        assert overview.focused is not None
        assert overview.focused.id in ("providers", "alerts")


async def test_nothing_wrong_is_said_calmly(overview: SwitchroomApp, answers: Answers) -> None:
    answers.views = [view for view in answers.views if view.state in ("ok", "off")]
    answers.spend = replace(answers.spend, limits=())
    answers.rises = ()
    async with overview.run_test(size=(120, 40)) as pilot:
        text = await until(pilot, "Nothing needs your attention.")
        assert "no limit" in await until(pilot, "no limit")
        assert "Alerts ·" not in text


async def test_only_the_panel_whose_keys_work_has_a_cursor_and_says_so(
    overview: SwitchroomApp, answers: Answers
) -> None:
    async with overview.run_test(size=(120, 40)) as pilot:
        await until(pilot, "is dearer")
        for title in ("▸ Alerts", "▸ Providers", "▸ Cost per hour", "▸ Recent runs"):
            text = await until(pilot, title)
            assert text.count("▸") == 1
            assert text.count("▌") == (0 if "Cost" in title else 1), title
            await pilot.press("tab")


async def test_header_title_and_window_count_the_same_alerts(
    overview: SwitchroomApp, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def limits(_self: object) -> tuple[LimitStanding, ...]:
        return answers.spend.limits

    monkeypatch.setattr("services.usage.UsageService.limits", limits)
    monkeypatch.setattr("time.time", lambda: NOW / 1000)
    async with overview.run_test(size=(120, 40)) as pilot:
        text = await until(pilot, "is dearer")
        assert "! 3 alerts" in await until(pilot, "! 3 alerts")
        assert "▸ Alerts · 3─" in text
        overview.tell("It did not work.", title="One", tone="bad")
        assert "Alerts · 4─" in await until(pilot, "! 4 alerts")
        await pilot.press("exclamation_mark")
        text = await until(pilot, "Alerts and messages")
        places = [
            text.index(words)
            for words in ("✕ alert", "invalid key", "92% of its", "is dearer", "One: It did")
        ]
        assert text.index("Alerts and messages") < text.index("✕ alert")
        assert text.count(" now  ") == 3
        assert places[0] < places[-1]
        await type_text(pilot, "zzzz")
        assert "Nothing matches" in await until(pilot, "Nothing matches")
        await pilot.press("escape")
        await until(pilot, "Alerts and messages", gone=True)
        text = await until(pilot, "all seen")
        assert "▸ Alerts · 3, all seen─" in text
        assert " alert" not in text.splitlines()[0]
        answers.views = [
            replace(view, row=replace(view.row, state="invalid_key"), state="invalid_key")
            if view.row.slug == "anthropic"
            else view
            for view in answers.views
        ]
        overview.services.feed.publish(StoreChangedElsewhere())
        assert "Alerts · 4, 1 new─" in await until(pilot, "! 1 alert")


async def test_enter_in_the_window_goes_where_the_overview_goes(
    overview: SwitchroomApp, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with overview.run_test(size=(120, 40)) as pilot:
        await until(pilot, "is dearer")
        await pilot.press("3")
        await until(pilot, "No models yet")
        await pilot.press("exclamation_mark")
        await until(pilot, "✕ alert")
        await type_text(pilot, "dearer")
        await until(pilot, "invalid key", gone=True)
        pushed: list[ModeScreen] = []
        monkeypatch.setattr(overview, "push_screen", pushed.append)
        await pilot.press("enter")
        await until(pilot, "Alerts and messages", gone=True)
        (page,) = pushed
        assert isinstance(page, SyncDetail)
        assert (page.slug, page.MODE) == ("openai-prod", "models"), "esc leads back to Models"


async def test_without_anything_to_tell_the_window_says_so_and_not_when_words_are_looked_for(
    app: SwitchroomApp,
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        await pilot.press("exclamation_mark")
        await until(pilot, "Nothing needs your attention, and nothing has been reported")
        await type_text(pilot, "x")
        assert "nothing has been reported" not in await until(pilot, "Nothing matches")


async def test_all_alerts_are_in_sight_where_there_is_room(overview: SwitchroomApp, answers: Answers) -> None:
    answers.spend = replace(
        answers.spend, limits=tuple(limit(f"provider:p{n}", "daily", "10", "9.5") for n in range(12))
    )
    async with overview.run_test(size=(120, 40)) as pilot:
        await until(pilot, "is dearer", gone=True)
        assert (await until(pilot, "Alerts · 14")).count("daily limit") == 7, (
            "eight, one of them a refused key"
        )
        await pilot.resize_terminal(80, 24)
        text = await until(pilot, "…")
        assert text.count("daily limi") >= 4
        assert "complete" in text, "the recent runs keep their place"


async def test_a_fast_run_has_its_speed_whole(overview: SwitchroomApp, answers: Answers) -> None:
    fast = answers.recent[0]
    row = replace(fast.row, ttft_ms=100, duration_ms=1_100, output=1_234)
    answers.recent = (RecentRun(row, ()), *answers.recent[1:])
    async with overview.run_test(size=(120, 40)) as pilot:
        await until(pilot, "1234 tok/s")


async def test_every_size_keeps_its_lines_whole(overview: SwitchroomApp, answers: Answers) -> None:
    async with overview.run_test(size=(200, 60)) as pilot:
        await until(pilot, "is dearer")
        for size in [(120, 40), (80, 24), (60, 20), (100, 30), (160, 45)]:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            strips = overview.screen._compositor.render_strips()
            assert all(strip.cell_length == size[0] for strip in strips)
            text = await until(pilot, "Recent runs")
            for words in ("Alerts", "$1.42 of $5", "azure-eu", "openai-pr"):
                assert words in text, (size, words)


async def test_what_is_not_known_is_never_nothing(
    overview: SwitchroomApp, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hours(_services: object) -> UsageChart:
        return UsageChart((NOW - 3_600_000,), NOW, ("azure-eu", "ollama"), ((None,), (0.0,)), (None, None))

    monkeypatch.setattr("services.overview.cost_by_hour", hours)
    answers.spend = replace(answers.spend, today=None)
    async with overview.run_test(size=(120, 40)) as pilot:
        text = await until(pilot, "Nothing of the last 24 hours has a known cost.")
        [line] = [line for line in text.splitlines() if "today  " in line]
        assert "— of $5" in line
        assert "%" not in line.partition("of $5")[2][:30]


async def test_a_new_hour_of_the_users_clock_is_read(
    overview: SwitchroomApp, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with overview.run_test(size=(120, 40)) as pilot:
        await until(pilot, "is dearer")
        monkeypatch.setenv("TZ", "Asia/Kolkata")  # its hours begin at :30 of UTC
        time.tzset()
        screen = overview.screen
        assert isinstance(screen, OverviewScreen)
        now = 1_763_677_740.0  # 22:29 UTC, 03:59 in India
        monkeypatch.setattr("tui.screens.overview.time.localtime", lambda *_: time.gmtime(now + 5.5 * 3600))
        screen._loaded_hour = overview_module._hour()
        answers.spend = replace(answers.spend, today=Decimal("7.77"))
        screen._look_at_clock()
        assert not screen._stale
        now += 90
        screen._look_at_clock()
        await until(pilot, "$7.77 of $5")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"outcome": "failed", "http_status": 401, "error_code": "invalid_credentials"}, "401 invalid credentials"),
        ({"outcome": "failed", "http_status": None, "error_code": "timeout"}, "timeout"),
        ({"outcome": "interrupted", "http_status": 200, "error_code": "interrupted"}, ""),
    ],
)  # fmt: skip
def test_why_a_run_ended(changes: dict[str, object], words: str) -> None:
    run = recent()[0]
    cell = overview_lines._note(replace(run, row=replace(run.row, **changes)))  # type: ignore[arg-type]
    assert cell == (words, "dim")


def test_a_locked_provider_says_what_unlocks_it(answers: Answers) -> None:
    view = answers.views[0]
    locked = replace(view, row=replace(view.row, state="locked", state_message=None), state="locked")
    [line] = alert_lines([locked], [], [], [], NOW)
    assert line.text == f"◌ {view.row.slug}: locked · t on its page asks for the passphrase"
    assert (line.tone, line.target) == ("warn", view.row.slug)


def test_speed_is_counted_by_the_second() -> None:
    live = LiveRuns()
    assert live.apply(RunStarted("r", "a/b"))
    for tokens in (0, 60, 150):
        live.apply(RunProgress("r", tokens, None))
        live.tick()
    assert live.rows()[0].speeds == (60.0, 90.0)
    assert live.speed == 90
    assert not live.apply(RunEnded(_result("other")))
    assert live.apply(RunEnded(_result("r")))
    assert live.rows() == []
