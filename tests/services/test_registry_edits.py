"""Edits that take a value away, edits at the same time, and the names and order of providers."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from catalog.errors import StoreError
from catalog.names import natural
from services.container import Services
from services.drafts import free_slug
from services.registry import ProviderDraft


async def test_a_number_can_be_taken_away(services: Services, vendor: Any) -> None:
    await services.registry.add(
        ProviderDraft(slug="mine", url=vendor.url, timeout_s=30.0, retries=0, gpu_hour=Decimal(1)), None
    )
    gone = ProviderDraft(unset=frozenset({"timeout_s", "retries", "gpu_hour"}))
    view = await services.registry.edit("mine", gone)
    assert (view.row.timeout_s, view.row.retries, view.row.gpu_hour_nanos) == (None, None, None)
    [row] = await services.audit.list(action="provider.edit")
    assert row.detail["before"] == {"timeout_s": 30.0, "retries": 0, "gpu_hour_nanos": 10**9}
    kept = await services.registry.edit("mine", ProviderDraft(retries=2))
    assert kept.row.retries == 2


async def test_two_edits_at_once_keep_both_secret_headers(services: Services, vendor: Any) -> None:
    await services.registry.add(ProviderDraft(slug="mine", url=vendor.url), None)
    names = ("X-One", "X-Two", "X-Three")
    await asyncio.gather(
        *(
            services.registry.edit("mine", ProviderDraft(secret_headers={name: SecretStr(f"secret-{name}")}))
            for name in names
        ),
        services.registry.edit("mine", ProviderDraft(proxy="http://127.0.0.1:9")),
    )
    row = await services.registry.row("mine")
    assert set(row.secret_headers) == set(names)
    assert row.proxy == "http://127.0.0.1:9"
    for name, ref in row.secret_headers.items():
        secret = await services.credentials.resolve(ref)
        assert secret is not None
        assert secret.get_secret_value() == f"secret-{name}"


async def test_numbers_in_names_count(services: Services, vendor: Any) -> None:
    for slug in ("p19", "p2", "p1", "a"):
        await services.registry.add(ProviderDraft(slug=slug, url=vendor.url), None)
    assert [view.row.slug for view in await services.registry.list()] == ["a", "p1", "p2", "p19"]
    assert sorted(["v10.2", "v9.11", "v10", "x", "10", "9"], key=natural) == [
        "9",
        "10",
        "v9.11",
        "v10",
        "v10.2",
        "x",
    ]


async def test_a_server_on_this_machine_is_called_local(services: Services, vendor: Any) -> None:
    row = await services.registry.resolve_draft(ProviderDraft(url=vendor.url))
    assert row.slug == f"local-{vendor.port}"
    assert free_slug("local-80", {"local-80"}) == "local-80-2"


async def test_a_key_is_forgotten_only_when_the_row_says_so(
    services: Services, vendor: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.registry.add(ProviderDraft(slug="mine", url=vendor.url), SecretStr("sk-canary-0123456789"))
    kept = home / "config" / "credentials" / "mine.json"

    async def full(*_: object, **__: object) -> None:
        raise StoreError("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr("services.audit.Audit.record", full)
        with pytest.raises(StoreError):
            await services.registry.remove_key("mine")
    assert (await services.registry.row("mine")).key_ref == "file:mine"
    assert kept.exists(), "the row still refers to it"
    await services.registry.remove_key("mine")
    assert (await services.registry.row("mine")).key_ref is None
    assert not kept.exists()
