"""What is told is told once: a failed sync beside its alert, a vendor that works here, a provider that joins a sync."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest
from textual.content import Content
from tui_stage import Vendor, add_quietly, opened, screen_text, until

from catalog.recommend import Candidate, rank
from catalog.types import ProviderSpec
from catalog.usage import Usage
from services.marketplace import vendor_of
from services.paths import Paths
from services.registry import ProviderDraft
from tui.app import SwitchroomApp
from tui.messages import AlertLine, Notice, provider_key
from tui.modals.alerts import Alerts
from tui.screens.overview_panels import hung

SIZE = (120, 40)


async def test_a_failed_sync_is_counted_once_beside_the_alert_of_its_provider(
    paths: Paths, vendor: Vendor
) -> None:
    app = SwitchroomApp(paths)
    async with app.run_test(size=SIZE) as pilot:
        services = await opened(pilot)
        for slug in ("alfa", "bravo"):
            await add_quietly(services, slug, vendor)
        vendor.key = "another"
        app.sync(None)
        await until(pilot, "✕ bravo: invalid key")
        await until(pilot, "2 alerts")
        assert len([notice for notice in app.notices if notice.tone == "bad"]) == 2, "each is told"
        assert app.unread == []
        app.sync(None)
        await pilot.pause()
        while app._sync.active:
            await pilot.pause(0.02)
        assert app.facts.alerts == 2


async def test_a_failure_that_no_alert_stands_for_is_counted(paths: Paths) -> None:
    app = SwitchroomApp(paths)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        app.tell("no answer", tone="bad", causes=(provider_key("alfa"),))
        assert app.facts.alerts == 1
        app.set_alerts([AlertLine(provider_key("alfa"), "bad", "✕ alfa: unreachable", "provider", "alfa")])
        assert app.facts.alerts == 1
        app.tell("two of them", tone="bad", causes=(provider_key("alfa"), provider_key("bravo")))
        assert app.facts.alerts == 2


async def test_a_provider_asked_for_during_a_sync_is_fetched_at_once(paths: Paths, vendor: Vendor) -> None:
    app = SwitchroomApp(paths)
    async with app.run_test(size=SIZE) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "alfa", vendor)
        await services.registry.add(ProviderDraft(slug="bravo", url=vendor.url), None)
        vendor.hold = asyncio.Event()
        app.sync(["alfa"])
        while "alfa" not in services.sync.active:
            await pilot.pause(0.02)
        app.sync(["bravo"])
        while "bravo" not in services.sync.active:
            await pilot.pause(0.02)
        app.sync(["bravo"])
        await until(pilot, "syncing")
        assert [notice.message for notice in app.notices] == ["A sync is under way already."]
        vendor.hold.set()
        while app._sync.active:
            await pilot.pause(0.02)
        assert [len(await services.sync.history(slug)) for slug in ("alfa", "bravo")] == [2, 1]
        assert len(await services.models.list("bravo")) == 3
        assert app.facts.work == ""


async def test_the_words_of_a_message_have_the_width(paths: Paths) -> None:
    app = SwitchroomApp(paths)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        words = "alpha " * 12 + "omega"
        alert = AlertLine("provider alfa", "bad", f"✕ {words}", "provider", "alfa")
        app.push_screen(Alerts([alert], [Notice(0, "dim", "", "It is done", "press x")]))
        await until(pilot, "what happened")
        text = screen_text(app)
        assert "alpha omega" in text
        assert "It is done → press x" in text


def test_a_vendor_that_works_here_does_not_say_later() -> None:
    spec = ProviderSpec(id="acme", name="Acme", dialect="openai", endpoint="https://acme.example")
    alone = replace(vendor_of(spec, []), obstacle="sign-in with Acme is not built yet")
    assert alone.later
    working = replace(alone, here=("acme",), works=True)
    assert (working.later, working.brief_obstacle) == ("", "")
    assert working.obstacle, "another one of it cannot be added"


@pytest.mark.parametrize(("failed", "good"), [(0, True), (9, True), (24, None), (200, False)])
def test_a_share_of_failed_runs_speaks_for_against_or_neither(failed: int, good: bool | None) -> None:
    [verdict] = rank(
        [Candidate("a/m", (), 1_000, Decimal(1), own=False, runs=461, failed=failed)],
        Usage(input=10, output=10),
        None,
    )
    [reason] = [reason for reason in verdict.reasons if reason.about == "errors"]
    assert reason.text == f"{failed} of 461 runs failed in 30 days"
    assert reason.good is good


def test_what_is_carried_over_stands_under_its_words() -> None:
    text = Content("Title\n  a  one two three four five six seven\n  plain words that go on and on\n")
    assert hung(text, 26).plain.splitlines() == [
        "Title", "  a  one two three four", "     five six seven", "  plain words that go on", "  and on",
    ]  # fmt: skip
