"""Usage as the vendors billed it: `f` goes from here to billed to both, and the gap is explained."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input
from tui_stage import NOW, opened, screen_text, type_text, until
from usage_stage import DAY, NANO, fixed_time, seed

from services.container import Services
from services.paths import Paths
from store.vendor_usage import API, DAY_MS, VendorRow, VendorUsage
from tui.app import SwitchroomApp
from tui.formatting import UNKNOWN

Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    fixed_time(monkeypatch)
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def app(paths: Paths) -> SwitchroomApp:
    return SwitchroomApp(paths, mode="usage")


async def bill(services: Services) -> None:
    """The day before is billed: a fifth more than was counted of anthropic, and a search of openai's."""
    start = NOW // DAY_MS * DAY_MS - DAY
    held = VendorUsage(services.db)
    counted = await services.usage.table(_day(start), group="model")
    async with services.db.transaction() as tx:
        for slug, factor in (("anthropic", 1.2), ("openai-prod", 1.0)):
            rows = []
            for entry in counted.entries:
                if entry.key.startswith(f"{slug}/"):
                    model = entry.key.partition("/")[2]
                    nanos = int((entry.now.cost or 0) * NANO * int(factor * 10) / 10)
                    rows.append(
                        VendorRow(
                            slug, start, "cost", model, "", API, start + DAY, cost_nanos=nanos, fetched_at=NOW
                        )
                    )
            if slug == "openai-prod":
                rows.append(
                    VendorRow(
                        slug,
                        start,
                        "cost",
                        "",
                        "web search",
                        API,
                        start + DAY,
                        cost_nanos=NANO // 4,
                        fetched_at=NOW,
                    )
                )
            await held.replace(tx, slug, API, "cost", (start, start + DAY), rows)


def _day(start: int) -> Any:
    from services.usage_range import custom_range

    return custom_range(start, start + DAY, NOW)


async def both(pilot: Pilot[Any]) -> None:
    services = await opened(pilot)
    await seed(services)
    await bill(services)
    await until(pilot, "openai-prod")
    await pilot.press("greater_than_sign")
    await until(pilot, "nothing before to compare with")
    await pilot.press("f")
    await until(pilot, "Cost billed by provider")
    await pilot.press("f")
    await until(pilot, "Here and billed by provider")
    await until(pilot, "openai-prod")


async def test_from_here_to_billed_to_both_and_back(app: SwitchroomApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await both(pilot)
        assert "lines that are no tokens" in screen_text(app)
        head = next(line for line in screen_text(app).splitlines() if "Here and billed by" in line)
        here = re.search(r"(\S+) here", head)
        assert here is not None
        assert f"here {here[1]} " in screen_text(app), (
            "the chart counts the providers that are compared, no others"
        )
        await pilot.press("number_sign")
        await until(pilot, "time                here     billed")
        day = next(line for line in screen_text(app).splitlines() if "Wed 19 Nov" in line)
        assert UNKNOWN not in day, "both sides stand in the numbers"
        await pilot.press("number_sign")
        await pilot.press("w")
        await until(pilot, "here and billed")
        await until(pilot, "more than what was counted here")
        await pilot.press("escape", "v")
        await until(pilot, "Here and billed by model")
        await until(pilot, "openai-prod · no model")
        await pilot.press("f")
        await until(pilot, "Cost by model")
        await pilot.press("v", "f")
        await until(pilot, "Cost billed by provider")  # no vendor tells usage by label
        await until(pilot, "requests")
        head = next(line for line in screen_text(app).splitlines() if "$/request" in line)
        assert "errors" not in head
        assert "TTFT" not in head
        [row] = [line for line in screen_text(app).splitlines() if " anthropic " in line and "%" in line]
        assert row.split()[-3:] == ["—", "—", "—"], "a vendor that states money alone states no requests"
        assert "$0.00" not in row
        await pilot.press("v", "m")
        await until(pilot, "Tokens billed by model")
        await pilot.press("m", "m")
        await until(pilot, "openai-prod · no model")


async def test_without_a_bill_nothing_is_said_to_have_cost_nothing(app: SwitchroomApp) -> None:
    async with app.run_test(size=(60, 20)) as pilot:
        await opened(pilot)
        await pilot.press("f")
        await until(pilot, "Cost billed by provider")
        await until(pilot, "No bill of this time is known.")
        assert "provider  —" in screen_text(app)
        await pilot.press("f")
        await until(pilot, "no vendor told of this time")


async def test_a_bill_is_taken_in_from_the_palette(app: SwitchroomApp, tmp_path: Path) -> None:
    from services.drafts import ProviderDraft

    file = tmp_path / "november.csv"
    file.write_text("date,model,cost_usd\nsoon,m,1\n")
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        services = await opened(pilot)
        await services.registry.add(ProviderDraft(slug="mine", url="http://127.0.0.1:9"), None, test=False)
        await pilot.press("colon")
        await until(pilot, "Do what?")
        await type_text(pilot, "take in a bill")
        await pilot.press("enter")
        await until(pilot, "Take in a bill")
        await until(pilot, "mine")
        await pilot.press("tab")
        line = app.screen.focused
        assert isinstance(line, Input)
        line.insert_text_at_cursor(str(file))
        await pilot.press("enter")
        await until(pilot, "soon is no date")
        file.write_text("date,model,cost_usd\n2026-11-18,m,12.5\n")
        await pilot.press("enter")
        await until(pilot, "1 line, 18 Nov, $12.50, of mine taken in")
        [total] = await VendorUsage(services.db).totals(0, NOW * 2)
        assert total.cost_nanos == 12_500_000_000


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_both_sides(app: SwitchroomApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=both)


def test_why_a_bill_is_another(app: SwitchroomApp, snap_compare: Compare) -> None:
    async def explained(pilot: Pilot[Any]) -> None:
        await both(pilot)
        await pilot.press("enter")
        await until(pilot, "more than what was counted here")

    assert snap_compare(app, terminal_size=(80, 24), run_before=explained)
