"""The app on a temporary home, and a vendor on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tui_stage import Vendor, vendor_on_loopback

from services.paths import Paths, resolve
from store.vault.base import BackendState
from tui.app import SwitchroomApp


@pytest.fixture
def paths(home: Path) -> Paths:
    return resolve()


@pytest.fixture
def app(paths: Paths) -> SwitchroomApp:
    return SwitchroomApp(paths, mode="providers")


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    async with vendor_on_loopback() as one:
        yield one


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without an OS keyring, as over SSH."""

    async def absent(_self: object) -> BackendState:
        return BackendState("absent", "No OS keyring answers here.")

    monkeypatch.setattr("store.vault.keyring_backend.OsKeyring.state", absent)
