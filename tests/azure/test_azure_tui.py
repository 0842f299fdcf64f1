"""Azure on the screen: the wizard's way with a key and with a sign-in, and what to do when a sign-in is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from azure_cloud import KEY, Cloud
from azure_cloud import cloud as loopback
from entra_server import USER_CODE, Clock
from pydantic import SecretStr
from textual.pilot import Pilot
from textual.widgets import Input
from tui_stage import opened, screen_text, type_text, until

from adapters.entra import DeviceCode
from services.entra import Started
from services.paths import resolve
from services.registry import ProviderDraft
from store.vault.base import BackendState
from tui.app import SwitchroomApp
from tui.modals.sign_in import SignIn

SIZE = (120, 40)


@pytest.fixture
async def gate() -> asyncio.Event:
    """Set when the person has looked long enough at the code."""
    return asyncio.Event()


@pytest.fixture
async def cloud(clock: Clock, gate: asyncio.Event, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cloud]:
    async def pause(seconds: float) -> None:
        clock.seconds += seconds
        await gate.wait()

    async def absent(_self: object) -> BackendState:
        return BackendState("absent", "No OS keyring answers here.")

    monkeypatch.setattr("services.entra.pause", pause)
    monkeypatch.setattr("store.vault.keyring_backend.OsKeyring.state", absent)
    async with loopback() as one:
        one.entra.tenant = "organizations"
        yield one


@pytest.fixture
def app(home: object) -> SwitchroomApp:
    return SwitchroomApp(resolve(), mode="providers")


async def to_the_way_in(pilot: Pilot[int], app: SwitchroomApp, url: str, names: str) -> None:
    await pilot.press("a")
    await until(pilot, "Add a provider")
    await type_text(pilot, "azure")
    text = await until(pilot, "with a key or a sign-in")
    assert "{resource}" not in text
    assert "its own API" not in text
    await pilot.press("enter")
    await until(pilot, "https://RESOURCE.openai.azure.com")
    app.screen.query_one(Input).value = url
    await pilot.press("enter")
    await until(pilot, "Your deployments at Azure OpenAI")
    app.screen.query_one(Input).value = names
    await pilot.press("enter")
    await until(pilot, "How do you sign in to Azure OpenAI?")


async def test_a_resource_is_added_with_its_key_and_deployments(app: SwitchroomApp, cloud: Cloud) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await to_the_way_in(pilot, app, f"{cloud.url}/openai/v1/", "chat-prod, mini")
        await pilot.press("1")
        await until(pilot, "No keyring here")
        await pilot.press("2")
        await until(pilot, "Key for Azure OpenAI")
        app.screen.query_one(Input).value = KEY
        await pilot.press("enter")
        text = await until(pilot, "Which model should its chats use?")
        assert "chat-prod" in text
        assert "gpt-5" not in text, "base models are not offered"
        [view] = await services.registry.list()
        assert view.row.options == {"deployment": "chat-prod,mini"}


async def test_a_person_signs_in_in_the_wizard(app: SwitchroomApp, cloud: Cloud, gate: asyncio.Event) -> None:
    cloud.entra.person = ["authorization_pending", "authorization_declined"]
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await to_the_way_in(pilot, app, cloud.url, "chat-prod")
        await pilot.press("2")
        await until(pilot, "No keyring here")
        await pilot.press("2")
        await until(pilot, "that of your account")
        app.screen.query(Input).last().value = cloud.entra.url
        await pilot.press("enter")
        text = await until(pilot, USER_CODE)
        assert f"{cloud.entra.url}/device" in text
        await until(pilot, "the code is good for 14:55")
        gate.set()
        await until(pilot, "✕ Sign-in declined")
        assert await services.registry.list() == []
        await pilot.press("r")
        await until(pilot, "Which model should its chats use?")
        [view] = await services.registry.list()
        assert (view.state, view.key_label) == ("ok", "sign-in file")
        assert not any(token in screen_text(app) for token in cloud.entra.issued)


async def test_leaving_the_window_gives_up_and_stores_nothing(
    app: SwitchroomApp, cloud: Cloud, gate: asyncio.Event
) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        draft = ProviderDraft(
            slug="eu", type="azure", url=cloud.url, options={"auth": "entra", "authority": cloud.entra.url}
        )
        await services.registry.add(draft, None, test=False)
        await until(pilot, "sign-in needed")
        await pilot.press("t")
        text = await until(pilot, "needs a sign-in with Microsoft Entra ID")
        assert "Sign in: K on eu in Providers" in text
        await pilot.press("K")
        await until(pilot, "Sign in with Microsoft Entra ID")
        await pilot.press("4")
        await until(pilot, "No keyring here")
        await pilot.press("2")
        await until(pilot, USER_CODE)
        await pilot.press("escape")
        await until(pilot, USER_CODE, gone=True)
        gate.set()
        await pilot.pause()
        assert cloud.entra.grants() == ["devicecode"], "nobody asks on for a window that is gone"
        assert (await services.registry.row("eu")).sign_in_ref is None


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_the_window(
    app: SwitchroomApp, snap_compare: Callable[..., bool], clock: Clock, size: tuple[int, int]
) -> None:
    """The code, the address, and how long it is good for."""
    code = DeviceCode(
        SecretStr("d"), "H8VKTQ2LD", "https://login.microsoft.com/device", clock.seconds + 899, 5.0
    )

    class Nobody:
        async def aclose(self) -> None: ...

    async def begin() -> Started:
        return Started("azure-eu", code, Nobody())  # type: ignore[arg-type]

    async def run(pilot: Pilot[int]) -> None:
        services = await opened(pilot)
        app.push_screen(SignIn("azure-eu", begin, services.sign_ins))
        await until(pilot, "14:59")

    async def forever(_self: object, _started: object) -> None:
        await asyncio.Event().wait()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.entra.SignIns.wait", forever)
        assert snap_compare(app, terminal_size=size, run_before=run)
