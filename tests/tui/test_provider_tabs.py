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
from tui.screens.provider_edit import _draft, _fields
from tui.services_host import opener

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
    names = ("Summary", "Models", "Budget", "Metrics", "Audit", "Advanced")
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
        text = await until(pilot, "Known vendors")
        assert "platform.openai.com/api-keys" in text
        assert "none needed" in text
        await pilot.press(*"openai", "enter")
        await until(pilot, "Key for OpenAI")
        await pilot.press("escape")
        await until(pilot, "Add a provider")


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
@pytest.mark.parametrize("tab", ["Budget", "Metrics"])
def test_pictures(demo: SwitchroomApp, snap_compare: Compare, size: tuple[int, int], tab: str) -> None:
    async def keys(pilot: Pilot[Any]) -> None:
        await _at(pilot, "anthropic", tab)
        await until(pilot, "last 24 hours" if tab == "Metrics" else "agreed with finance")

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
