"""The second credential: a key that opens the account's figures, proven first, and used for nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from catalog.errors import UsageError
from services.clock import now_ms
from services.drafts import ProviderDraft
from services.entra import wants_sign_in
from services.feed import AccountRead, ProvidersChanged
from services.keys import Keys, Stored, references
from services.row_audit import admin_detail

if TYPE_CHECKING:
    from pydantic import SecretStr

    from adapters.abilities import ReportsAccount
    from adapters.account import Way
    from services.container import Services
    from services.drafts import EnvKey
    from services.registry import ProviderView
    from store.db import Tx
    from store.providers import ProviderRow


def way(row: ProviderRow) -> Way | None:
    """How this provider's account is read; None: it has none that can be."""
    from adapters.account.ways import way_of

    return way_of(row.catalog_id, row.dialect, row.endpoint, row.options)


def label(row: ProviderRow) -> str | None:
    """Where the account's key is, as it is shown; None: there is none."""
    if row.admin_ref is None:
        return None
    kind, _, name = row.admin_ref.partition(":")
    return f"env {name}" if kind == "env" else f"{kind} …{row.admin_last4 or ''}"


async def set_admin_key(
    services: Services, slug: str, key: SecretStr | EnvKey, *, test: bool = True, backend: str | None = None
) -> ProviderView:
    """A new account key: proven by the cheapest call of the account API, stored, and only then in use."""
    services.require_writable()
    registry = services.registry
    row = await registry.row(slug)
    opens = way(row)
    if opens is None or not opens.admin:
        raise _useless(row, opens)
    keys, stored = Keys(services), Stored()
    keys.check(ProviderDraft(), key)
    if test:
        reporter = await account_reporter(services, row, None, (await keys.for_row(key)).key)
        try:
            await reporter.prove()
        finally:
            await reporter.aclose()
    try:
        secret = await keys.store_admin(row, key, backend, stored)
        async with services.db.transaction(durable=True) as tx:
            before = await registry.row(slug, tx)
            if elsewhere(row, before):
                raise UsageError(
                    f"{slug} was given another address meanwhile.",
                    hint="Nothing was stored: a key goes only where you meant it to.",
                )
            after = replace(before, admin_ref=secret.admin_ref, admin_last4=secret.admin_last4)
            detail = {
                "role": "admin", "before": admin_detail(before), "after": admin_detail(after), "tested": test,
            }  # fmt: skip
            await _replaced(services, tx, before, after, "key.set", detail)
    except BaseException:
        await keys.undo(stored)
        raise
    return await _told(services, slug)


async def remove_admin_key(services: Services, slug: str) -> ProviderView:
    """Delete the account's key. One in a locked vault is deleted when the vault is next unlocked."""
    services.require_writable()
    async with services.db.transaction(durable=True) as tx:
        before = await services.registry.row(slug, tx)
        if before.admin_ref is None:
            raise UsageError(
                f"{slug} has no admin key.", hint=f"switchroom keys set {slug} --role admin --key-stdin"
            )
        after = replace(before, admin_ref=None, admin_last4=None)
        detail: dict[str, object] = {
            "role": "admin", "before": admin_detail(before), "after": admin_detail(after),
        }  # fmt: skip
        await _replaced(services, tx, before, after, "key.remove", detail)
    return await _told(services, slug)


async def account_reporter(
    services: Services, row: ProviderRow, key: SecretStr | None, admin: SecretStr | None
) -> ReportsAccount:
    """Who asks this provider's account; the caller closes it."""
    import asyncio

    from adapters.account import preload, reporter

    opens = way(row)
    assert opens is not None
    await asyncio.to_thread(preload, opens)  # the HTTP client, perhaps for the first time
    if wants_sign_in(row) is not None:
        key = None  # a client secret is the sign-in authority's business alone
    connection = await services.registry.connection(row, key)
    if not services.fetcher.prepared(connection):
        await asyncio.to_thread(services.fetcher.prepare, connection)
    return reporter(opens, connection, admin, services.fetcher)


def elsewhere(before: ProviderRow, after: ProviderRow) -> bool:
    """Whether a provider leads to another host, or the same host is now taken for another vendor's."""
    old, new = urlsplit(before.endpoint), urlsplit(after.endpoint)
    return (old.scheme, old.netloc) != (new.scheme, new.netloc) or way(before) != way(after)


async def moved(services: Services, tx: Tx, before: ProviderRow, after: ProviderRow) -> ProviderRow:
    """The edited row without the account's key where it leads elsewhere now; the balance of before goes too."""
    if not elsewhere(before, after):
        return after
    await forget(services, tx, after.slug)
    return replace(after, admin_ref=None, admin_last4=None)


async def forget(services: Services, tx: Tx, slug: str) -> None:
    """Its balance is no longer that of this connection; what was billed stays, as the ledger does."""
    from store.vendor_usage import VendorUsage

    await VendorUsage(services.db).forget_account(tx, slug)


def dropped(before: ProviderRow, after: ProviderRow) -> str | None:
    """What an edit must tell of the account's key; None: nothing."""
    if before.admin_ref is None or after.admin_ref is not None:
        return None
    return "Its admin key was for the old address and is deleted."


async def _replaced(
    services: Services,
    tx: Tx,
    before: ProviderRow,
    after: ProviderRow,
    action: str,
    detail: dict[str, object],
) -> None:
    from store.providers import Providers

    after = replace(after, updated_at=max(now_ms(), before.updated_at + 1))
    await Providers(services.db).update(tx, after)
    await forget(services, tx, after.slug)
    await services.credentials.leftovers.add(tx, references(before) - references(after))
    await services.audit.record(tx, action, after.slug, detail=detail)


async def _told(services: Services, slug: str) -> ProviderView:
    await services.credentials.leftovers.sweep()
    services.feed.publish(ProvidersChanged((slug,)))
    services.feed.publish(AccountRead(slug))
    return await services.registry.get(slug)


def _useless(row: ProviderRow, opens: Way | None) -> UsageError:
    from adapters.account.ways import why_none

    if opens is not None:
        return UsageError(
            f"{opens.name} has no admin keys: the usual key of {row.slug} opens all it states.",
            hint=f"switchroom providers account {row.slug}",
        )
    return UsageError(
        f"An admin key would open nothing at {row.slug}. {why_none(row.catalog_id, row.dialect, row.endpoint)}",
        hint="Where a gateway passes a vendor's account API on, name it: --option account=openai",
    )
