"""Fixtures: services on an empty home, an OS keyring of our own making, a scrypt that does not take its time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import keyring.core
import pytest
from keyring.backends import fail
from memory_keyring import MemoryKeyring
from pydantic import SecretStr

from services.container import Services, open_services
from services.paths import under
from services.settings_model import Settings
from store.vault import format as vault_format


@pytest.fixture(autouse=True)
def quick_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault_format, "_COST", {"n": 2**10, "r": 8, "p": 1})


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches the keyring of the person who runs it."""
    monkeypatch.setattr(keyring.core, "_keyring_backend", fail.Keyring())


@pytest.fixture
def os_keyring(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    found = MemoryKeyring()
    monkeypatch.setattr(keyring.core, "_keyring_backend", found)
    return found


@pytest.fixture
async def services(home: Path) -> AsyncIterator[Services]:
    async with open_services(under(home), settings=Settings()) as opened:
        yield opened


@pytest.fixture
def with_passphrase(services: Services) -> Callable[[str | None], list[str]]:
    """Lets a user answer every question for a passphrase; returns what was asked for."""

    def answer(text: str | None) -> list[str]:
        asked: list[str] = []

        async def source() -> SecretStr | None:
            asked.append(services.credentials.asking_for)
            return None if text is None else SecretStr(text)

        services.passphrase_source = source
        return asked

    return answer
