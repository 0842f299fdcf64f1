"""The wizard and the marketplace offer a key only where discovery is sure whose it is, and only for its own address."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widgets import Input
from tui_stage import KEY, Vendor, opened, screen_text, type_text, until

from adapters.local_servers import ServerFound
from catalog.lookup import Catalog
from services.discovery_match import by_vendor
from services.discovery_rules import Rules
from services.environment import Variables
from tui.app import SwitchroomApp
from tui.screens.provider_choice import Choice, variable_for

SIZE = (120, 40)
pytestmark = pytest.mark.usefixtures("no_keyring")


def choice(vendor: str, **variables: str) -> Choice:
    catalog = Catalog(None)
    found = by_vendor(Rules(Variables(variables), catalog).findings())
    return Choice(catalog.spec(vendor), found.get(vendor))


async def _key_step(pilot: Pilot[int], vendor: str, key_title: str) -> str:
    await opened(pilot)
    await pilot.press("a")
    await until(pilot, "Add a provider: which one?")
    await type_text(pilot, vendor)
    await pilot.press("enter")
    return await until(pilot, key_title)


async def test_a_key_that_was_set_for_another_address_is_not_offered_to_the_vendor(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "https://llm.example/v1")
    async with app.run_test(size=SIZE) as pilot:
        text = await _key_step(pilot, "openai", "Keep keys in")
        assert "Use OPENAI_API_KEY" not in text


async def test_a_key_that_begins_as_anothers_is_not_offered_to_the_vendor(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "gsk_" + "a" * 48)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("a")
        text = await until(pilot, "Add a provider: which one?")
        assert "key found in OPENAI_API_KEY" not in text


async def test_a_region_that_the_variables_name_is_where_the_key_is_used(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "https://eu.api.openai.com/v1")
    async with app.run_test(size=SIZE) as pilot:
        text = await _key_step(pilot, "openai", "A key for OpenAI")
        assert "Use OPENAI_API_KEY at https://eu.api.openai.com/v1" in text


async def test_the_marketplace_marks_what_discovery_is_sure_of(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "https://api.deepseek.com/v1")
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("2", "B")
        await until(pilot, "found in GROQ_API_KEY")
        await pilot.press("slash")
        await type_text(pilot, "found:yes")
        await pilot.press("enter")
        text = await until(pilot, "OpenAI", gone=True)
        assert "DeepSeek" in text


async def test_an_address_typed_for_a_local_server_is_not_given_the_key_of_another_one(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    monkeypatch.setenv("VLLM_BASE_URL", "http://127.0.0.1:8000/v1")
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("a")
        await until(pilot, "Add a provider: which one?")
        await type_text(pilot, "vllm")
        await pilot.press("enter")
        await until(pilot, "Address of vLLM")
        assert app.screen.query_one(Input).value == "http://127.0.0.1:8000/v1"
        app.screen.query_one(Input).value = "https://gpu.example/v1"
        await pilot.press("enter")
        text = await until(pilot, "vLLM, if it wants one")
        assert "Use VLLM_API_KEY" not in text
        assert KEY not in screen_text(app)


@pytest.mark.parametrize(
    ("url", "offered"),
    [
        (None, True),
        ("https://api.groq.com/openai/v1/", True),
        ("https://api.groq.com.evil.example/openai/v1", False),
        ("http://api.groq.com/openai/v1", False),
        ("https://llm.example/v1", False),
    ],
)
def test_a_key_goes_to_its_own_vendor_alone(url: str | None, offered: bool) -> None:
    assert bool(variable_for(choice("groq", GROQ_API_KEY=KEY), url)) is offered


def test_a_region_of_the_vendor_is_its_own_unless_an_address_was_set() -> None:
    eu = "https://eu.api.openai.com/v1"
    assert variable_for(choice("openai", OPENAI_API_KEY=KEY), eu)
    assert not variable_for(
        choice("openai", OPENAI_API_KEY=KEY, OPENAI_BASE_URL="https://us.api.openai.com/v1"), eu
    )


async def test_a_server_that_wants_a_key_is_asked_for_it_before_it_is_added(
    app: SwitchroomApp, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.key = KEY
    found = ServerFound("vllm", "vLLM", "vllm", vendor.url, "/v1/models", (), "/version", wants_key=True)

    async def around(*_: object) -> list[ServerFound]:
        return [found]

    async def who(*_: object, **__: object) -> ServerFound:
        return found

    monkeypatch.setattr("adapters.local_servers.look_around", around)
    monkeypatch.setattr("adapters.local_servers.identify", who)
    monkeypatch.setenv("SWITCHROOM_DISCOVERY__LOOPBACK", "true")
    monkeypatch.setenv("SWITCHROOM_SECURITY__BACKEND", "file")
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        report = await app.services.discovery.look()
        assert report.offers[0].commands == (
            f"switchroom providers add vllm --type vllm --url {vendor.url} --key-stdin",
        )
        await pilot.press("1", "a")
        await until(pilot, "Found here")
        await pilot.press("enter")
        await until(pilot, "It answers as vLLM. It wants a key.")
        await type_text(pilot, KEY)
        await pilot.press("enter")
        await until(pilot, "vllm works. Which model")
        (row,) = await app.services.registry.rows()
        assert (row.endpoint, row.state, row.key_last4) == (vendor.url, "ok", KEY[-4:])


async def test_an_empty_table_of_providers_names_what_was_found(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    monkeypatch.setenv("SWITCHROOM_DISCOVERY__AT_START", "ask")
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        text = await until(pilot, "No providers yet. 1, then a adds what was found: Groq.")
        assert KEY not in text
