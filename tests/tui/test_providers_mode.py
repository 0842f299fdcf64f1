"""The Providers mode on a real store and a vendor on loopback: what is pressed, what is stored, what is read."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from textual.widgets import Input
from tui_stage import KEY, Vendor, add_quietly, opened, screen_text, type_text, until

from services.registry import ProviderDraft
from tui.app import SwitchroomApp
from tui.modals.confirm import Confirm
from tui.screens.provider_detail import ProviderDetail
from tui.screens.providers import ProvidersScreen
from tui.widgets.table import VirtualTable

SIZE = (120, 40)


pytestmark = pytest.mark.usefixtures("no_keyring")


async def test_the_first_frame_comes_before_the_services(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        assert "Opening …" in screen_text(app) or app.opened
        await opened(pilot)
        text = await until(pilot, "No providers yet. Press a")
        assert "2 Providers" in text
        assert "a add" in text.splitlines()[-1]


async def test_a_provider_is_added_step_by_step_and_the_test_comes_before_the_save(
    app: SwitchroomApp, vendor: Vendor
) -> None:
    vendor.key = KEY
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await pilot.press("a")
        await until(pilot, "Add a provider")
        await type_text(pilot, "other")
        await pilot.press("enter")
        await until(pilot, "Address of your server")
        app.screen.query_one(Input).value = vendor.url
        await pilot.press("enter")
        await until(pilot, "if it wants one")
        await pilot.press("enter")
        text = await until(pilot, "r retry")
        assert "Invalid key" in text
        assert await services.registry.list() == [], "nothing may be stored before the test passed"

        await pilot.press("escape")
        await until(pilot, "if it wants one")
        app.screen.query_one(Input).value = KEY
        assert KEY not in screen_text(app)
        await pilot.press("enter")
        await until(pilot, "No keyring here")
        await pilot.press("down", "enter")
        await until(pilot, "Which model should its chats use?")
        await pilot.press("down", "enter")
        await until(pilot, "Which model should its chats use?", gone=True)
        (view,) = await services.registry.list()
        assert view.state == "ok"
        assert view.row.key_ref is not None
        assert view.row.key_ref.startswith("file:")
        assert view.row.default_model == "beta"
        assert KEY not in screen_text(app)


async def test_a_vault_is_made_on_the_way_with_its_passphrase_asked_twice(
    app: SwitchroomApp, vendor: Vendor
) -> None:
    vendor.key = KEY
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await services.registry.add(ProviderDraft(slug="one", url=vendor.url), None, test=False)
        await until(pilot, "◌ untested")
        await pilot.press("K")
        await until(pilot, "Paste a new key")
        await pilot.press("enter")
        await until(pilot, "Key of one")
        app.screen.query_one(Input).value = KEY
        await pilot.press("enter")
        await until(pilot, "No keyring here")
        await pilot.press("enter")
        await until(pilot, "A passphrase for the new vault")
        await type_text(pilot, "short")
        await pilot.press("enter")
        await until(pilot, "At least 8 characters")
        app.screen.query_one(Input).value = "correct horse"
        await pilot.press("enter")
        await until(pilot, "The same passphrase again")
        app.screen.query_one(Input).value = "correct house"
        await pilot.press("enter")
        await until(pilot, "not the same passphrase")
        app.screen.query_one(Input).value = "correct horse"
        await pilot.press("enter")
        await until(pilot, "vault …")
        row = await services.registry.row("one")
        assert row.key_ref == "vault:one"


async def test_plain_http_to_a_private_address_is_asked_once_and_to_a_public_one_refused(
    app: SwitchroomApp,
) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(pilot)
        await pilot.press("a")
        await until(pilot, "Add a provider")
        await type_text(pilot, "other")
        await pilot.press("enter")
        await until(pilot, "Address of your server")
        app.screen.query_one(Input).value = "http://10.9.8.7:8080"
        await pilot.press("enter")
        await until(pilot, "Allow plain http?")
        await pilot.press("n")
        await until(pilot, "Address of your server")
        app.screen.query_one(Input).value = "http://example.com/v1"
        await pilot.press("enter")
        await until(pilot, "Address of your server")
        await until(pilot, "http")
        assert not isinstance(app.screen, Confirm)
        assert app.facts.alerts == 0, "a slip of the pen is no alert"


async def test_an_address_pasted_into_the_list_is_the_address(app: SwitchroomApp, vendor: Vendor) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await pilot.press("a")
        text = await until(pilot, "Add a provider")
        assert "OpenAI" in text
        assert "Ollama" in text
        await type_text(pilot, f"127.0.0.1:{vendor.port}")
        await until(pilot, f"127.0.0.1:{vendor.port}")
        await pilot.press("enter")
        await until(pilot, "if it wants one")
        await pilot.press("escape")
        await until(pilot, "Address of your server")
        assert app.screen.query_one(Input).value.endswith(f"127.0.0.1:{vendor.port}")
        await pilot.press("enter")
        await until(pilot, "if it wants one")
        await pilot.press("enter")
        await until(pilot, "Which model should its chats use?")
        (view,) = await services.registry.list()
        assert view.row.endpoint == vendor.url


async def test_keys_act_on_the_row_or_on_all_marked(app: SwitchroomApp, vendor: Vendor) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        for slug in ("one", "two", "three"):
            await add_quietly(services, slug, vendor)
        await until(pilot, "two")
        await pilot.press("space", "space", "x")
        text = await until(pilot, "2 providers switched off")
        assert text.count("○ off") == 2
        enabled = {view.row.slug: view.row.enabled for view in await services.registry.list()}
        assert sorted(enabled.values()) == [False, False, True]
        await pilot.press("escape", "slash")
        await type_text(pilot, "two")
        await until(pilot, "1 of 3")
        await pilot.press("enter", "D")
        await until(pilot, "Delete two?")
        await pilot.press("y")
        await until(pilot, "two deleted")
        assert [view.row.slug for view in await services.registry.list()] == ["one", "three"]
        await pilot.press("escape")
        await until(pilot, "three")


async def test_delete_says_what_depends_on_it(app: SwitchroomApp, vendor: Vendor) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "one", vendor)
        await services.budgets.set("provider:one", "monthly", Decimal(5))
        await until(pilot, "● ok")
        await pilot.press("D")
        text = await until(pilot, "Delete one?")
        assert "used by" in text
        await pilot.press("n")
        await until(pilot, "Delete one?", gone=True)
        assert len(await services.registry.list()) == 1


async def test_a_failed_test_says_what_happened_and_the_next_key(app: SwitchroomApp, vendor: Vendor) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "one", vendor)
        await until(pilot, "● ok")
        vendor.key = KEY
        await pilot.press("t")
        text = await until(pilot, "✕ invalid key")
        await until(pilot, "! 1 alert")
        assert "one: invalid key" in text or "one: invalid key" in screen_text(app)
        await pilot.press("exclamation_mark")
        await until(pilot, "Alerts and messages")
        await pilot.press("escape")
        await until(pilot, "! 1 alert", gone=True)


async def test_sync_shows_progress_goes_on_in_another_mode_and_can_be_stopped(
    app: SwitchroomApp, vendor: Vendor
) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "one", vendor)
        await until(pilot, "● ok")
        vendor.hold = asyncio.Event()
        vendor.models.append("delta")
        await pilot.press("S")
        await until(pilot, "syncing")
        vendor.hold.set()
        await until(pilot, "1 new")
        await until(pilot, "4/4")
        vendor.hold = asyncio.Event()
        await pilot.press("s")
        await until(pilot, "syncing")
        await pilot.press("ctrl+c")
        await until(pilot, "Sync stopped")
        await until(pilot, "syncing", gone=True)


async def test_details_tabs_models_and_back(app: SwitchroomApp, vendor: Vendor) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "one", vendor)
        await until(pilot, "● ok")
        await pilot.press("enter")
        text = await until(pilot, vendor.url)
        assert "Providers › one" in text
        await pilot.press("right_square_bracket")
        await until(pilot, "gamma")
        await pilot.press("j", "d")
        await until(pilot, "now the default")
        assert (await services.registry.row("one")).default_model == "beta"
        await pilot.press("x")
        await until(pilot, "○ off")
        models = {model.info.id: model.enabled for model in await services.models.list("one")}
        assert models == {"alpha": True, "beta": False, "gamma": True}
        await pilot.press("left_square_bracket", "left_square_bracket", "left_square_bracket")
        await until(pilot, "provider.add")
        await pilot.press("escape")
        assert isinstance(app.screen, ProvidersScreen)


async def test_edit_and_budget_forms(app: SwitchroomApp, vendor: Vendor) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "one", vendor)
        await until(pilot, "● ok")
        await pilot.press("e")
        await until(pilot, "Edit one")
        app.screen.query(Input)[2].value = "eu-west"
        app.screen.query(Input)[8].value = "soon"
        await pilot.press("enter")
        await until(pilot, "timeout, s: a number")
        app.screen.query(Input)[8].value = "33"
        app.screen.query(Input)[12].value = "apis=responses"
        await pilot.press("enter")
        await until(pilot, "Did you mean api?")
        app.screen.query(Input)[12].value = "api=responses responses_for=o3-pro,gpt-5*"
        await pilot.press("enter")
        await until(pilot, "one changed")
        row = await services.registry.row("one")
        assert (row.region, row.timeout_s) == ("eu-west", 33)
        assert row.options == {"api": "responses", "responses_for": "o3-pro,gpt-5*"}
        await pilot.press("b")
        await until(pilot, "Limits of one")
        await type_text(pilot, "2.50")
        await pilot.press("tab")
        await type_text(pilot, "40")
        await pilot.press("enter")
        await until(pilot, "Daily limit of one: $2.50,")
        limits = {view.period: view.limit for view in await services.budgets.list()}
        assert limits == {"daily": Decimal("2.5"), "monthly": Decimal(40)}


async def test_another_process_is_seen_without_moving_anything(app: SwitchroomApp, vendor: Vendor) -> None:
    from services.container import open_services

    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        for slug in ("bb", "cc"):
            await add_quietly(services, slug, vendor)
        await until(pilot, "cc")
        await pilot.press("G", "space")
        table = app.screen.query_one(VirtualTable)
        async with open_services(services.paths, actor="test") as other:
            await other.registry.add(ProviderDraft(slug="aa", url=vendor.url), None)
        await until(pilot, "aa")
        assert table.cursor_key == "cc"
        assert table.marked == {"cc"}


async def test_the_palette_reaches_actions_providers_and_models(app: SwitchroomApp, vendor: Vendor) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "one", vendor)
        await until(pilot, "● ok")
        await pilot.press("colon")
        await until(pilot, "Do what?")
        await type_text(pilot, "gamma")
        await until(pilot, "one/gamma")
        await pilot.press("escape", "ctrl+p")
        await until(pilot, "Do what?")
        await type_text(pilot, "model lists of all")
        await pilot.press("enter")
        await until(pilot, "one synced")


async def test_help_is_read_from_the_live_bindings_and_does_what_is_chosen(
    app: SwitchroomApp, vendor: Vendor
) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "one", vendor)
        await until(pilot, "● ok")
        await pilot.press("question_mark")
        text = await until(pilot, "Keys that work here")
        assert "providers.add" in text
        await type_text(pilot, "providers.open")
        await pilot.press("enter")
        await until(pilot, "Providers › one")
        assert isinstance(app.screen, ProviderDetail)
        await pilot.press("f1")
        assert "provider.next_tab" in await until(pilot, "Keys that work here")


async def test_offline_asks_and_shows_it_everywhere(app: SwitchroomApp, vendor: Vendor) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await services.registry.add(ProviderDraft(slug="far", type="openai"), None, test=False)
        await until(pilot, "far")
        await pilot.press("O")
        await until(pilot, "Go offline?")
        await pilot.press("y")
        await until(pilot, "⊘ OFFLINE")
        await until(pilot, "⊘ offline")
        assert services.offline.state
        await pilot.press("O")
        await until(pilot, "Online again")


async def test_quit_and_ctrl_c(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+c")
        await until(pilot, "q quits")
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0


async def test_copy_never_copies_a_secret(app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(pilot)
        await app.copy(f"the key is {KEY}")
        assert KEY not in app.clipboard
        assert "the key is" in app.clipboard
