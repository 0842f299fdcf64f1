"""What goes wrong while the program runs: it is told, and the program goes on."""

from __future__ import annotations

import asyncio
import sqlite3
from decimal import Decimal

import pytest
from tui_stage import Vendor, add_quietly, opened, type_text, until

from catalog.errors import StoreError
from services.feed import BudgetsChanged
from services.registry import ProviderDraft, ProviderView
from store.db import Database
from tui.app import SwitchroomApp
from tui.modals.ask import Ask
from tui.modals.form import is_whole
from tui.screens.chat_words import check_max_tokens
from tui.screens.provider_detail import ProviderDetail
from tui.screens.provider_trial import Trial
from tui.screens.providers import ProvidersScreen
from tui.widgets.line import Line

SIZE = (120, 40)


async def test_a_store_that_is_busy_when_a_key_is_pressed_is_told_and_the_program_goes_on(
    app: SwitchroomApp, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object, **__: object) -> None:
        raise StoreError("The database is busy.", title="Database busy", hint="Try again.")

    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "one", vendor)
        await until(pilot, "3/3")
        with monkeypatch.context() as patch:
            patch.setattr(services.registry, "dependents", busy)
            await pilot.press("D")
            await until(pilot, "The database is busy.")
        await pilot.press("D")
        await until(pilot, "Delete one?")


async def test_a_mistake_of_our_own_in_the_sync_is_not_lost(
    app: SwitchroomApp, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise sqlite3.ProgrammingError("our own mistake")

    async def pressed() -> None:
        async with app.run_test(size=SIZE) as pilot:
            services = await opened(pilot)
            await add_quietly(services, "one", vendor)
            await until(pilot, "3/3")
            monkeypatch.setattr(services.sync, "sync", broken)
            await pilot.press("S")
            await asyncio.wait_for(app._exception_event.wait(), 5)

    with pytest.raises(sqlite3.ProgrammingError, match="our own mistake"):
        await pressed()


async def test_a_provider_removed_by_another_process_takes_its_open_detail_along_when_the_window_over_it_closes(
    app: SwitchroomApp, vendor: Vendor
) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "one", vendor)
        await until(pilot, "3/3")
        await pilot.press("enter")
        await until(pilot, "Providers › one")
        assert isinstance(app.screen, ProviderDetail)
        await pilot.press("e")
        await until(pilot, "Edit one")
        other = await Database.open(services.paths.database)
        try:
            async with other.transaction() as tx:
                await tx.execute("DELETE FROM providers WHERE slug = 'one'")
        finally:
            await other.aclose()
        detail = next(screen for screen in app.mode_screens() if isinstance(screen, ProviderDetail))
        for _ in range(500):
            if detail.gone:
                break
            await pilot.pause(0.01)
        await pilot.press("escape")
        await until(pilot, "No providers yet")
        assert isinstance(app.screen, ProvidersScreen)


async def test_what_is_masked_on_the_screen_does_not_reach_the_clipboard(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        app.push_screen(Ask("Key", password=True))
        await until(pilot, "Key")
        line = app.screen.query_one(Line)
        line.value = "a passphrase nobody has seen"
        line.action_select_all()
        line.action_copy()
        assert app.clipboard == ""
        await pilot.press("ctrl+x")
        assert line.value == ""
        assert app.clipboard == ""


@pytest.mark.parametrize("typed", ["²", "9" * 30, "-1", "1.5"])
def test_a_number_that_is_none_is_refused_in_words(typed: str) -> None:
    assert not is_whole(typed)
    assert check_max_tokens(typed) == "a whole number of tokens"


async def test_esc_while_the_models_of_a_new_provider_are_fetched_keeps_the_provider(
    app: SwitchroomApp, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def for_ever(_slugs: object) -> None:
        await asyncio.Event().wait()

    left: list[ProviderView | None] = []
    async with app.run_test(size=SIZE) as pilot:
        services = await opened(pilot)
        monkeypatch.setattr(services.sync, "sync", for_ever)

        async def attempt(tested: bool) -> ProviderView:
            return await services.registry.add(ProviderDraft(slug="one", url=vendor.url), None, test=tested)

        app.push_screen(Trial("one", attempt, services.sync), left.append)
        await until(pilot, "fetching its models")
        await pilot.press("ctrl+c")
        await until(pilot, "fetching its models", gone=True)
        assert [view and view.row.slug for view in left] == ["one"]


async def test_what_was_spent_while_the_facts_were_asked_for_is_asked_about_again(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = [Decimal(1), Decimal(2)]
    async with app.run_test(size=SIZE) as pilot:
        services = await opened(pilot)
        await until(pilot, "No providers yet")

        async def today() -> Decimal:
            found = spent.pop(0)
            if spent:
                services.feed.publish(BudgetsChanged())
            return found

        monkeypatch.setattr(services.usage, "today", today)
        services.feed.publish(BudgetsChanged())
        for _ in range(300):
            if app.facts.today == Decimal(2):
                break
            await pilot.pause(0.01)
        assert app.facts.today == Decimal(2)


async def test_the_palette_goes_to_another_provider_from_the_detail_of_one(
    app: SwitchroomApp, vendor: Vendor
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "one", vendor)
        await add_quietly(services, "two", vendor)
        await until(pilot, "two ")
        await pilot.press("enter")
        await until(pilot, "Providers › one")
        await pilot.press("colon")
        await until(pilot, "Do what?")
        await type_text(pilot, "provider two")
        await pilot.press("enter")
        await until(pilot, "Providers › one", gone=True)
        assert isinstance(app.screen, ProvidersScreen)
        assert app.screen.copy_text() == "two"
