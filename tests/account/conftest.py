"""Services on a real store, and a provider whose account API is a loopback copy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from account_vendors import KEY, Accounts, Connect, serving
from pydantic import SecretStr

from services.container import Services, open_services
from services.registry import ProviderDraft


@pytest.fixture
def accounts() -> Accounts:
    """What the vendors say; change its fields."""
    return Accounts()


@pytest.fixture
def url(accounts: Accounts) -> Iterator[str]:
    with serving(accounts) as address:
        yield address


@pytest.fixture
async def services(home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    monkeypatch.setenv("SWITCHROOM_SECURITY__BACKEND", "file")
    async with open_services() as opened:
        yield opened


@pytest.fixture
def connect(services: Services, url: str) -> Connect:
    """Adds a provider of this vendor with an inference key; its slug."""

    async def add(vendor: str = "openai", slug: str = "mine") -> str:
        path = {"openrouter": "/api/v1"}.get(vendor, "/v1")
        draft = ProviderDraft(slug=slug, type="openai", url=url + path, options={"account": vendor})
        await services.registry.add(draft, SecretStr(KEY), test=False)
        return slug

    return add
