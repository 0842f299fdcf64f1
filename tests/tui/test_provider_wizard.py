"""A person adds a provider: what they type finds the vendor they mean, and a refused key leads to the next one."""

from __future__ import annotations

import pytest
from textual import events
from textual.widgets import Input
from tui_stage import KEY, Vendor, opened, screen_text, type_text, until

from tui.app import SwitchroomApp

SIZE = (120, 40)


pytestmark = pytest.mark.usefixtures("no_keyring")


@pytest.mark.parametrize(
    ("typed", "meant"), [("llama", "llama.cpp"), ("ollama", "Ollama"), ("open", "OpenAI")]
)
async def test_what_begins_with_the_words_comes_first(app: SwitchroomApp, typed: str, meant: str) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(pilot)
        await pilot.press("a")
        await until(pilot, "Add a provider")
        await type_text(pilot, typed)
        text = await until(pilot, typed)
        await pilot.press("enter")
        await until(pilot, "Add a provider", gone=True)
        text = screen_text(app)
        assert f"Address of {meant}" in text or f"Key for {meant}" in text or "keyring" in text, text


@pytest.mark.parametrize("pasted", [False, True])
async def test_a_refused_key_leads_straight_to_the_line_for_another(
    app: SwitchroomApp, vendor: Vendor, pasted: bool
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
        text = await until(pilot, "enter takes another key")
        assert "enter new key" in text.splitlines()[-1] or "enter new key" in text
        if pasted:
            app.screen.post_message(events.Paste(f"{KEY}\n"))
        else:
            await pilot.press("enter")
        await until(pilot, "if it wants one")
        if not pasted:
            app.screen.query_one(Input).value = KEY
        assert app.screen.query_one(Input).value == KEY
        assert KEY not in screen_text(app)
        await pilot.press("enter")
        await until(pilot, "No keyring here")
        await pilot.press("down", "enter")
        await until(pilot, "Which model should its chats use?")
        [view] = await services.registry.list()
        assert view.state == "ok"


async def test_a_test_that_fails_for_another_reason_offers_no_key(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        assert await services.registry.list() == []
        await pilot.press("a")
        await until(pilot, "Add a provider")
        await type_text(pilot, "other")
        await pilot.press("enter")
        await until(pilot, "Address of your server")
        app.screen.query_one(Input).value = "http://127.0.0.1:9"
        await pilot.press("enter")
        await until(pilot, "if it wants one")
        await pilot.press("enter")
        text = await until(pilot, "r retry")
        assert "new key" not in text
