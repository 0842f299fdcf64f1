"""The Account tab as a person meets it: figures read at once, grouped and ranged, and without a key the way to one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from tui_stage import Vendor, opened, until, vendor_on_loopback

from adapters.errors import NetworkError
from services import clock
from services.registry import ProviderDraft
from tui.app import SwitchroomApp
from tui.services_host import opener

NOON = 1_795_176_000_000
"""2026-11-20 12:00 UTC."""


async def _account_of(pilot, slug: str, sign: str) -> str:  # type: ignore[no-untyped-def]
    pilot.app.screen.show_provider(slug)
    await pilot.press("enter")
    await until(pilot, "Advanced")
    await pilot.press(*["right_square_bracket"] * 4)
    return await until(pilot, sign)


async def test_what_was_billed_is_read_grouped_ranged_and_kept_when_the_vendor_fails(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [NOON]
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setattr(clock, "time", SimpleNamespace(time_ns=lambda: now[0] * 1_000_000))
    app = SwitchroomApp(mode="providers", services_opener=opener(None, demo=True))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "openai-prod")
        text = await _account_of(pilot, "openai-prod", "read just now")
        assert "spending limit" in text
        assert "$200.00 a month" in text
        assert "2026-11-20" in text
        assert "last 30 days" in text
        await pilot.press("v")
        text = await until(pilot, "by model")
        assert "gpt-6.1-sol" in text
        await pilot.press("v", "less_than_sign")
        text = await until(pilot, "gpt-6.1-sol, output")
        await until(pilot, "last 7 days")

        from adapters.account.fake import Reporter

        async def fails(self: Reporter) -> None:
            raise NetworkError("The vendor cannot be reached.", provider="openai-prod")

        monkeypatch.setattr(Reporter, "account", fails)
        now[0] += 3 * clock.HOUR_MS
        await pilot.press("r")
        text = await until(pilot, "The vendor cannot be reached.")
        assert "the figures below are of 3h ago" in text
        assert "$200.00 a month" in text


async def test_without_an_account_key_it_says_which_one_and_the_menu_of_keys_takes_it(home: Path) -> None:
    app = SwitchroomApp(mode="providers")
    async with vendor_on_loopback() as vendor, app.run_test(size=(100, 30)) as pilot:
        assert isinstance(vendor, Vendor)
        services = await opened(pilot)
        for slug, options in (("plain", {}), ("mine", {"account": "openai"})):
            draft = ProviderDraft(slug=slug, url=vendor.url, options=options)
            await services.registry.add(draft, None, test=False)
        await until(pilot, "mine")
        text = await _account_of(pilot, "mine", "shows the account only to an admin key")
        assert "platform.openai.com/settings/organization/admin-keys" in text
        await pilot.press("K")
        text = await until(pilot, "Account key: an admin key")
        await pilot.press("escape", "escape")
        await until(pilot, "plain")
        text = await _account_of(pilot, "plain", "a server of your own bills nobody")
        assert "v group" not in text
