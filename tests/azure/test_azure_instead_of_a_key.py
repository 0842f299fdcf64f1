"""Signing in where there was a key: the key goes only when the sign-in is kept."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from azure_cloud import KEY
from pydantic import SecretStr

from catalog.errors import MissingKeyError, NotFoundError, StoreError
from services.container import open_services
from services.paths import under
from services.registry import ProviderDraft
from services.settings_model import Settings
from tui.screens import provider_sign_in


async def test_a_key_stays_where_the_sign_in_cannot_be_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def place(_app: object) -> object:
        return SimpleNamespace(name="file")

    async def answered(window: object) -> object:
        return {} if type(window).__name__ == "Form" else SecretStr("tokens")

    async def full(*_tokens: object, **_how: object) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(provider_sign_in, "choose_place", place)
    async with open_services(under(home), settings=Settings()) as services:
        draft = ProviderDraft(slug="eu", type="azure", url="https://r.openai.azure.com")
        view = await services.registry.add(draft, SecretStr(KEY), test=False, backend="file")
        monkeypatch.setattr(services.sign_ins, "keep", full)
        app = SimpleNamespace(services=services, push_screen_wait=answered)
        with pytest.raises(StoreError):
            await provider_sign_in.sign_in_again(app, view)  # type: ignore[arg-type]
        row = await services.registry.row("eu")
        assert (row.key_ref, row.options) == ("file:eu", {})
        key = await services.credentials.resolve(row.key_ref)
        assert key is not None
        assert key.get_secret_value() == KEY


async def test_tokens_for_a_provider_that_was_removed_meanwhile_are_kept_nowhere(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_services(under(home), settings=Settings()) as services:
        draft = ProviderDraft(slug="eu", type="azure", url="https://r.openai.azure.com")
        await services.registry.add(draft, SecretStr(KEY), test=False, backend="file")
        stored = services.credentials.store

        async def slowly(*where: Any, **how: Any) -> str:
            ref = await stored(*where, **how)
            await services.registry.remove("eu")  # by another program
            return ref

        monkeypatch.setattr(services.credentials, "store", slowly)
        with pytest.raises(NotFoundError):
            await services.sign_ins.keep("eu", SecretStr("tokens-of-nobody"), backend="file")
        with pytest.raises(MissingKeyError):
            await services.credentials.resolve("file:eu#sign-in")
