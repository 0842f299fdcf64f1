"""A person looks at one provider of the demo: how it did, what is left of its limits, and which vendors there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot
from tui_stage import fixed_views, screen_text, until

from services import clock
from services.provider_metrics import provider_metrics
from tui.app import SwitchroomApp
from tui.screens.model_columns import FACETS
from tui.screens.overview_lines import alert_lines
from tui.screens.provider_edit import _draft, _fields
from tui.screens.provider_next import next_step
from tui.screens.provider_pages import summary
from tui.services_host import opener
from tui.widgets.search import Search

Compare = Callable[..., bool]
NOON = 1_795_176_000_000
"""2026-11-20 12:00 UTC."""


@pytest.fixture
def demo(home: Path, monkeypatch: pytest.MonkeyPatch) -> SwitchroomApp:
    """The app on the demo's store, at a fixed moment; nothing new happens."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setattr(clock, "time", SimpleNamespace(time_ns=lambda: NOON * 1_000_000))
    monkeypatch.setattr("tui.screens.providers._now", lambda: NOON)
    monkeypatch.setattr("tui.screens.provider_detail.time.time", lambda: NOON / 1000)
    return SwitchroomApp(mode="providers", services_opener=opener(None, demo=True))


async def _at(pilot: Pilot[Any], slug: str, tab: str) -> None:
    """Open a provider on one of its tabs."""
    await until(pilot, "anthropic")
    screen = pilot.app.screen
    screen.show_provider(slug)  # type: ignore[attr-defined]
    await pilot.press("enter")
    await until(pilot, "last 30 days")
    names = ("Summary", "Models", "Budget", "Metrics", "Account", "Audit", "Advanced")
    await pilot.press(*["right_square_bracket"] * names.index(tab))
    await pilot.pause()


async def test_metrics_over_a_day_a_week_and_a_month(demo: SwitchroomApp) -> None:
    async with demo.run_test(size=(160, 40)) as pilot:
        await _at(pilot, "anthropic", "Metrics")
        text = await until(pilot, "last 24 hours")
        found = await provider_metrics(demo.services, "anthropic", clock.DAY_MS)
        assert f"{found.whole.runs} runs" in text
        assert all(model.model in text for model in found.models)
        assert "rate limited" in text
        await pilot.press("greater_than_sign")
        text = await until(pilot, "last 7 days")
        week = await provider_metrics(demo.services, "anthropic", 7 * clock.DAY_MS)
        assert week.whole.runs > found.whole.runs
        assert f"{week.whole.runs} runs" in text
        assert sum(week.good) + sum(week.bad) == week.whole.runs
        await pilot.press("greater_than_sign", "greater_than_sign")
        await until(pilot, "last 30 days")
        await pilot.press("less_than_sign")
        await until(pilot, "last 7 days")
        await pilot.press("right_square_bracket", "less_than_sign")
        await pilot.press("left_square_bracket")
        assert "last 7 days" in screen_text(demo), "the keys of a range work on its tab only"


async def test_a_provider_that_was_never_used_has_no_metrics(demo: SwitchroomApp) -> None:
    async with demo.run_test(size=(120, 40)) as pilot:
        await _at(pilot, "ollama", "Metrics")
        text = await until(pilot, "last 24 hours")
        assert "0 runs" in text
        assert "No runs in this time." in text


async def test_limits_say_who_set_them_why_and_when_they_run_out(demo: SwitchroomApp) -> None:
    async with demo.run_test(size=(120, 40)) as pilot:
        await _at(pilot, "anthropic", "Budget")
        text = await until(pilot, "daily, all")
        assert "agreed with finance" in text
        assert "marta@laptop" in text
        assert "at today's rate" in text
        [limit] = [
            one for one in await demo.services.usage.limits() if one.budget.scope == "provider:anthropic"
        ]
        assert f"{limit.share:.0%}" in text
        await pilot.press("b")
        await until(pilot, "Limits of anthropic")


async def test_vendors_are_browsed_and_enter_begins_to_add_one(demo: SwitchroomApp) -> None:
    async with demo.run_test(size=(120, 40)) as pilot:
        await until(pilot, "anthropic")
        await pilot.press("B")
        text = await until(pilot, "Google Gemini")
        assert "platform.openai.com/api-keys" in text
        assert "none: your own machine" in text
        await pilot.press("enter")
        await until(pilot, "Key for OpenAI")
        await pilot.press("escape")
        await until(pilot, "Key for OpenAI", gone=True)


def test_an_emptied_field_is_taken_away() -> None:
    view = fixed_views()[5]
    view = replace(
        view, row=replace(view.row, timeout_s=30.0, retries=4, gpu_hour_nanos=10**9, cost_mode="own")
    )
    values = {field.key: field.value for field in _fields(view)}
    assert _draft(view, values) is None
    draft = _draft(view, {**values, "timeout_s": "", "retries": " ", "gpu_hour": ""})
    assert draft is not None
    assert draft.unset == {"timeout_s", "retries", "gpu_hour"}
    assert (draft.timeout_s, draft.retries, draft.gpu_hour) == (None, None, None)
    changed = _draft(view, {**values, "retries": "0"})
    assert changed is not None
    assert (changed.retries, changed.unset) == (0, frozenset())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("tab", ["Budget", "Metrics", "Account"])
def test_pictures(demo: SwitchroomApp, snap_compare: Compare, size: tuple[int, int], tab: str) -> None:
    async def keys(pilot: Pilot[Any]) -> None:
        await _at(pilot, "anthropic", tab)
        await until(
            pilot, {"Metrics": "last 24 hours", "Account": "read just now"}.get(tab, "agreed with finance")
        )

    assert snap_compare(demo, terminal_size=size, run_before=keys)


async def test_the_history_of_a_provider_has_its_limits_too(demo: SwitchroomApp) -> None:
    async with demo.run_test(size=(120, 40)) as pilot:
        await until(pilot, "anthropic")
        await demo.services.budgets.set("provider:anthropic", "monthly", Decimal(77), reason="a new quarter")
        await _at(pilot, "anthropic", "Audit")
        text = await until(pilot, "a new quarter")
        line = next(line for line in text.splitlines() if "a new quarter" in line)
        assert "monthly: " in line
        assert "→ $77.00" in line
        rows = await demo.services.audit.of_provider("anthropic", 5)
        assert [row.id for row in rows] == sorted((row.id for row in rows), reverse=True)
        assert len(rows) == 5
        assert {row.subject for row in await demo.services.audit.of_provider("anthropic")} <= {
            "anthropic", "provider:anthropic daily", "provider:anthropic monthly"
        }  # fmt: skip


async def test_the_models_of_a_provider_are_put_in_order(demo: SwitchroomApp) -> None:
    async with demo.run_test(size=(120, 40)) as pilot:
        await _at(pilot, "anthropic", "Models")
        assert "o order" in screen_text(demo)
        await pilot.press("o")
        await until(pilot, "$in/1M▼")
        await pilot.press("right_square_bracket")
        await pilot.pause()
        assert "o order" not in screen_text(demo), "there is nothing to order on the other tabs"


async def test_enter_opens_what_is_under_the_cursor(demo: SwitchroomApp) -> None:
    async with demo.run_test(size=(120, 40)) as pilot:
        await _at(pilot, "anthropic", "Audit")
        text = await until(pilot, "enter entry")
        await pilot.press("enter")
        await until(pilot, "Audit › entry")
        await pilot.press("escape")
        await until(pilot, "enter entry")
        await pilot.press("left_square_bracket", "left_square_bracket")
        await until(pilot, "enter model")
        await until(pilot, "last 24 hours")
        found = await provider_metrics(demo.services, "anthropic", clock.DAY_MS)
        await pilot.press("enter")
        await until(pilot, f"Models › anthropic/{found.models[0].model}")
        await pilot.press("escape")
        text = await until(pilot, "enter model")
        await pilot.press("left_square_bracket")
        text = await until(pilot, "enter model", gone=True)
        assert "c chat" in text
        await pilot.press("enter")
        await until(pilot, "Ask something")


async def test_enter_opens_nothing_where_nothing_was_measured(demo: SwitchroomApp) -> None:
    async with demo.run_test(size=(120, 40)) as pilot:
        await _at(pilot, "ollama", "Metrics")
        text = await until(pilot, "No runs in this time.")
        assert "enter" not in text.splitlines()[-1]
        await pilot.press("enter")
        await pilot.pause()
        assert "Providers › ollama" in screen_text(demo)


async def test_the_page_of_a_provider_out_of_use_names_the_key_that_mends_it(demo: SwitchroomApp) -> None:
    async with demo.run_test(size=(120, 40)) as pilot:
        await _at(pilot, "anthropic", "Summary")
        assert "switches it on" not in screen_text(demo)
        await pilot.press("x")
        await until(pilot, "x switches it on")
        await pilot.press("x")
        await until(pilot, "x switches it on", gone=True)


def test_the_next_step_is_the_same_on_the_page_and_on_the_overview() -> None:
    views = {view.state: view for view in fixed_views()}
    assert next_step("invalid_key", here=True) == "{K:provider.key} sets a new key"
    assert next_step("invalid_key", here=False) == "K on its page sets a new key"
    assert next_step("ok", here=True) == ""
    bad = views["invalid_key"]
    [line] = alert_lines([bad], [], [], [], NOON)
    assert line.text.endswith(next_step("invalid_key", here=False))
    assert ("", "do it", "accent") in summary(bad, [], NOON, "do it")


async def test_own_hardware_costs_nothing_per_token_where_a_price_is_asked_for(demo: SwitchroomApp) -> None:
    async with demo.run_test(size=(120, 40)) as pilot:
        await until(pilot, "anthropic")
        one = (await demo.services.models.list("anthropic"))[0]
        dark = replace(one, info=one.info.model_copy(update={"price": None}), own_cost=False)
        own = replace(dark, own_cost=True)
        search = Search(lambda view: view.info.id, FACETS)
        for asked in ("price<1", "out<1", "price<=0"):
            assert list(search.matching([own, dark], asked, ranked=False)) == [0], asked
        assert list(search.matching([own, dark], "price>0", ranked=False)) == []


async def test_the_form_of_limits_says_what_becomes_of_a_run_without_a_price(
    demo: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with demo.run_test(size=(120, 40)) as pilot:
        await _at(pilot, "anthropic", "Summary")
        models = await demo.services.models.list("anthropic")
        dark = [
            replace(one, info=one.info.model_copy(update={"price": None}), own_cost=False) for one in models
        ]

        async def without_prices(_slug: str) -> list[Any]:
            return dark

        await pilot.press("b")
        text = await until(pilot, "Limits of anthropic")
        assert "no known price" not in text
        await pilot.press("escape")
        monkeypatch.setattr(demo.services.models, "list", without_prices)
        await pilot.press("b")
        await until(pilot, "no known price: under a limit such a run is asked")
