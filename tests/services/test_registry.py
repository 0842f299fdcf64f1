"""A person adds, changes and removes providers."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from adapters.errors import InvalidCredentialsError
from catalog.errors import MissingKeyError, NotFoundError, OfflineError, ReadOnlyError, StoreError, UsageError
from services.container import Services
from services.feed import ProvidersChanged
from services.registry import EnvKey, ProviderDraft

KEY = "sk-canary-7f3a9b2c1d4e5f60718293a4b5c6vX2Q"


def draft(vendor: Any, **more: Any) -> ProviderDraft:
    return ProviderDraft(**{"slug": "mine", "url": vendor.url, **more})


async def test_a_provider_is_tested_then_saved_with_its_key_apart(
    services: Services, vendor: Any, home: Path
) -> None:
    vendor.key = KEY
    told: list[ProvidersChanged] = []
    services.feed.subscribe(told.append, ProvidersChanged)
    view = await services.registry.add(draft(vendor), SecretStr(KEY))
    assert (view.row.slug, view.row.dialect, view.row.catalog_id, view.state) == (
        "mine",
        "openai",
        None,
        "ok",
    )
    assert view.row.key_ref == "file:mine"
    assert view.key_label == "file …vX2Q"
    assert view.row.last_validated_at is not None
    assert told[-1].slugs == ("mine",)
    assert vendor.requests[0][1]["authorization"] == f"Bearer {KEY}"
    assert KEY in (home / "config" / "credentials" / "mine.json").read_text()
    row = (await services.audit.list(action="provider.add"))[0]
    assert (row.subject, row.detail["key"], row.detail["key_last4"]) == ("mine", "file:mine", "vX2Q")


async def test_a_refused_key_stores_nothing(services: Services, vendor: Any, home: Path) -> None:
    vendor.key = "another"
    with pytest.raises(InvalidCredentialsError) as caught:
        await services.registry.add(draft(vendor), SecretStr(KEY))
    assert caught.value.provider == "mine"
    assert KEY not in caught.value.message
    assert await services.registry.list() == []
    assert not list((home / "config").rglob("*.json"))


async def test_untested_on_request(services: Services, vendor: Any) -> None:
    view = await services.registry.add(draft(vendor), SecretStr(KEY), test=False)
    assert (view.state, vendor.requests) == ("untested", [])


async def test_the_secret_goes_again_when_the_row_cannot_be_saved(
    services: Services, vendor: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(type(services.audit), "record", full)
    with pytest.raises(StoreError):
        await services.registry.add(draft(vendor), SecretStr(KEY))
    assert await services.registry.rows() == []
    assert not any(KEY in path.read_text() for path in (home / "config").rglob("*") if path.is_file())


async def test_two_adds_of_one_name_at_once_leave_one_provider_with_its_own_key(
    services: Services, vendor: Any
) -> None:
    first, second = KEY, KEY[:-4] + "Zz99"
    done = await asyncio.gather(
        services.registry.add(draft(vendor), SecretStr(first)),
        services.registry.add(draft(vendor), SecretStr(second)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, UsageError) for one in done) == 1
    row = await services.registry.row("mine")
    kept = await services.credentials.resolve(row.key_ref)
    assert kept is not None
    assert row.key_last4 == kept.get_secret_value()[-4:]


@pytest.mark.parametrize(
    ("kind", "url", "dialect", "catalog_id"),
    [
        ("openai", None, "openai", "openai"),
        (None, "https://api.openai.com/v1", "openai", "openai"),
        (None, "https://api.anthropic.com", "anthropic", "anthropic"),
        (None, "https://llm.example.com/v1", "openai", None),
        ("openai", "https://llm.example.com/v1", "openai", None),
        ("anthropic", "https://llm.example.com", "anthropic", None),
        ("llamacpp", "http://127.0.0.1:18080", "openai", "llamacpp"),
        ("vllm", "https://llm.example.com/v1", "openai", "vllm"),
        ("openai", "https://api.openai.com/v1", "openai", "openai"),
    ],
)
async def test_type_and_address_together(
    services: Services, kind: str | None, url: str | None, dialect: str, catalog_id: str | None
) -> None:
    row = await services.registry.resolve_draft(ProviderDraft(slug="x", type=kind, url=url))
    assert (row.dialect, row.catalog_id) == (dialect, catalog_id)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "type or an address"),
        ({"type": "opnai"}, "no provider type"),
        ({"type": "azure"}, "no address of its own"),
        ({"url": "ftp://example.com"}, "http"),
        ({"url": "http://api.example.com/v1"}, "http"),
        ({"url": "http://api.example.com/v1", "allow_http": True}, "http"),
        ({"url": "http://192.168.1.20:8080/v1"}, "http"),
        ({"url": "https://u:p@example.com"}, "user name or password"),
        ({"slug": "Not A Slug", "type": "openai"}, "short name"),
        ({"type": "openai", "cost_mode": "free"}, "metered, own or flat"),
        ({"type": "openai", "cost_mode": "flat", "gpu_hour": Decimal(1)}, "own hardware"),
        ({"type": "openai", "discount_pct": Decimal(120)}, "percent"),
        ({"type": "openai", "discount_pct": Decimal("NaN")}, "number"),
        ({"type": "openai", "auto_sync": "sometimes"}, "schedule"),
        ({"type": "openai", "timeout_s": 0.0}, "timeout"),
        ({"type": "openai", "retries": -1}, "Retries"),
        ({"type": "openai", "headers": {"Authorization": "Bearer abc"}}, "secret"),
        ({"type": "openai", "headers": {"X": "a\r\nY: b"}}, "cannot be sent"),
        ({"type": "openai", "ca_file": "/nowhere/ca.pem"}, "no file"),
        ({"type": "openai", "proxy": "socks9://x"}, "proxy"),
    ],
)
async def test_what_is_refused_before_anything_happens(
    services: Services, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        await services.registry.resolve_draft(ProviderDraft(**given))
    assert caught.value.hint


async def test_names_are_made_and_made_unique(services: Services, vendor: Any) -> None:
    for expected in ("my-box", "my-box-2"):
        view = await services.registry.add(ProviderDraft(name="My Böx!", url=vendor.url), None)
        assert view.row.slug == expected.replace("ö", "o")
    with pytest.raises(UsageError, match="already a provider my-box"):
        await services.registry.add(ProviderDraft(slug="my-box", url=vendor.url), None)


async def test_edit_changes_what_is_said_and_audits_before_and_after(services: Services, vendor: Any) -> None:
    await services.registry.add(draft(vendor, labels={"team": "a", "env": "x"}), None)
    change = ProviderDraft(labels={"team": "b", "env": ""}, timeout_s=5, auto_sync="6h")
    view = await services.registry.edit("mine", change)
    assert (view.row.labels, view.row.timeout_s, view.row.auto_sync) == ({"team": "b"}, 5, "6h")
    detail = (await services.audit.list(action="provider.edit"))[0].detail
    assert detail["before"] == {"labels": {"team": "a", "env": "x"}, "timeout_s": None, "auto_sync": "start"}
    assert detail["after"] == {"labels": {"team": "b"}, "timeout_s": 5, "auto_sync": "6h"}


async def test_another_address_has_to_prove_itself_again(services: Services, make_vendor: Any) -> None:
    one, two = await make_vendor(), await make_vendor()
    await services.registry.add(draft(one), None)
    assert (await services.registry.edit("mine", ProviderDraft(name="Mine"))).state == "ok"
    view = await services.registry.edit("mine", ProviderDraft(url=two.url))
    assert (view.state, view.row.last_validated_at) == ("untested", None)


async def test_a_private_address_needs_one_yes(services: Services) -> None:
    given: dict[str, Any] = {"slug": "lan", "url": "http://192.168.7.7:8000/v1"}
    with pytest.raises(UsageError) as caught:
        await services.registry.resolve_draft(ProviderDraft(**given))
    assert "--allow-http" in str(caught.value.hint)
    assert (await services.registry.resolve_draft(ProviderDraft(**given, allow_http=True))).allow_http


async def test_a_provider_in_use_elsewhere_is_seen_with_its_new_key(opened: Any, vendor: Any) -> None:
    async with opened() as here, opened() as there:
        await here.registry.add(draft(vendor), SecretStr(KEY))
        await (await here.registry.adapter("mine")).list_models()
        await there.registry.set_key("mine", SecretStr(KEY[:-4] + "Zz99"))
        await (await here.registry.adapter("mine")).list_models()
        assert vendor.requests[-1][1]["authorization"].endswith("Zz99")


async def test_the_adapter_in_use_follows_an_edit(services: Services, make_vendor: Any) -> None:
    one, two = await make_vendor(), await make_vendor()
    await services.registry.add(draft(one), None, test=False)
    adapter = await services.registry.adapter("mine")
    assert await services.registry.adapter("mine") is adapter
    await services.registry.edit("mine", ProviderDraft(url=two.url))
    await (await services.registry.adapter("mine")).list_models()
    assert (len(one.requests), len(two.requests)) == (0, 1)


async def test_secret_headers_and_a_proxy_password_are_references(
    services: Services, vendor: Any, written: Any
) -> None:
    secret = "hdr-canary-123456789"
    change = draft(
        vendor, secret_headers={"X-Team-Key": SecretStr(secret)}, proxy="http://u:prx-canary-99@127.0.0.1:9"
    )
    view = await services.registry.add(change, None, test=False)
    assert view.row.secret_headers == {"X-Team-Key": "file:mine!x-team-key"}
    assert view.row.proxy == "file:mine#proxy"
    connection = await services.registry.connection(view.row, None)
    assert connection.secret_headers["X-Team-Key"].get_secret_value() == secret
    assert connection.proxy is not None
    assert "prx-canary-99" in connection.proxy.get_secret_value()
    edited = await services.registry.edit(
        "mine", ProviderDraft(secret_headers={"X-Team-Key": SecretStr("")}, proxy="")
    )
    assert (edited.row.secret_headers, edited.row.proxy) == ({}, None)
    assert written(secret, "prx-canary-99") == []


async def test_a_new_key_is_proven_before_the_old_one_goes(services: Services, vendor: Any) -> None:
    old, new = KEY, "sk-canary-new-0000000000000000000000abcd"
    vendor.key = old
    await services.registry.add(draft(vendor), SecretStr(old))
    with pytest.raises(InvalidCredentialsError):
        await services.registry.set_key("mine", SecretStr(new))
    kept = await services.credentials.resolve("file:mine")
    assert kept is not None
    assert kept.get_secret_value() == old
    vendor.key = new
    view = await services.registry.set_key("mine", SecretStr(new))
    assert (view.row.key_last4, view.state) == ("abcd", "ok")
    await (await services.registry.adapter("mine")).list_models()
    assert vendor.requests[-1][1]["authorization"] == f"Bearer {new}"


async def test_a_key_in_the_environment_is_only_named(
    services: Services, vendor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MissingKeyError):
        await services.registry.add(draft(vendor), EnvKey("MY_KEY"))
    monkeypatch.setenv("MY_KEY", KEY)
    view = await services.registry.add(draft(vendor), EnvKey("MY_KEY"))
    assert (view.row.key_ref, view.row.key_last4, view.key_label) == ("env:MY_KEY", KEY[-4:], "env MY_KEY")
    removed = await services.registry.remove_key("mine")
    assert (removed.row.key_ref, removed.key_label) == (None, "none needed")


async def test_removing_takes_the_secret_along_and_names_what_referred(
    services: Services, vendor: Any, home: Path
) -> None:
    await services.registry.add(draft(vendor), SecretStr(KEY))
    await services.sync.sync(["mine"])
    await services.models.set_default("mine/alpha")
    removed = await services.registry.remove("mine")
    assert (removed.dependents, removed.note) == (("the default model mine/alpha",), None)
    assert not list((home / "config").rglob("mine.json"))
    assert await services.models.list() == []
    assert await services.models.default() is None
    with pytest.raises(NotFoundError):
        await services.registry.get("mine")


async def test_a_missing_provider_is_told_with_the_nearest_name(services: Services, vendor: Any) -> None:
    await services.registry.add(draft(vendor, slug="openai-prod"), None)
    with pytest.raises(NotFoundError) as caught:
        await services.registry.get("opnai-prod")
    assert caught.value.hint == "Did you mean openai-prod?"


async def test_off_and_on(services: Services, vendor: Any) -> None:
    await services.registry.add(draft(vendor), None)
    assert (await services.registry.set_enabled("mine", False)).state == "off"
    with pytest.raises(UsageError, match="is off"):
        await services.registry.adapter("mine")
    assert (await services.registry.set_enabled("mine", True)).state == "ok"
    assert [row.action for row in await services.audit.list(action="provider")][:2] == [
        "provider.enable",
        "provider.disable",
    ]


async def test_a_test_records_what_it_found(services: Services, vendor: Any) -> None:
    await services.registry.add(draft(vendor), SecretStr(KEY))
    vendor.key = "changed"
    assert (await services.registry.test("mine")).state == "invalid_key"
    assert (await services.registry.get("mine")).state_word == "invalid key"
    vendor.key = KEY
    assert (await services.registry.test("mine")).ok
    assert (await services.registry.get("mine")).state == "ok"


async def test_read_only_contacts_nothing_and_changes_nothing(opened: Any, vendor: Any) -> None:
    async with opened(read_only=True) as services:
        for change in (
            services.registry.add(draft(vendor), SecretStr(KEY)),
            services.registry.remove("mine"),
            services.registry.set_key("mine", SecretStr(KEY)),
            services.sync.sync(),
            services.offline.set(True),
        ):
            with pytest.raises(ReadOnlyError):
                await change
    assert vendor.requests == []


async def test_a_dry_run_shows_the_provider_and_keeps_nothing(opened: Any, vendor: Any, written: Any) -> None:
    async with opened(dry_run=True) as services:
        view = await services.registry.add(draft(vendor), SecretStr(KEY))
        assert (view.row.slug, view.key_label) == ("mine", "file …vX2Q")
        assert await services.registry.rows() == []
    assert written(KEY) == []


async def test_offline_nothing_leaves_this_machine(services: Services, vendor: Any) -> None:
    await services.registry.add(draft(vendor), None)
    await services.registry.add(ProviderDraft(slug="far", url="https://llm.example.com/v1"), None, test=False)
    await services.offline.set(True)
    states = {view.row.slug: view.state for view in await services.registry.list()}
    assert states == {"mine": "ok", "far": "offline"}
    assert (await services.registry.test("mine")).ok
    far = (await services.sync.sync(["far"]))[0]
    assert isinstance(far.error, OfflineError)


async def test_a_vendor_nobody_here_can_talk_to_is_refused_in_words_before_anything_is_sent(
    services: Services,
) -> None:
    place = ProviderDraft(
        url="https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/europe-west1"
    )
    with pytest.raises(UsageError, match="sign-in with Google Cloud is not built yet"):
        await services.registry.add(place, SecretStr(KEY))
    assert await services.registry.list() == []
    view = await services.registry.add(place, None, test=False)
    assert view.state == "untested"
