"""How providers come, change and go: tested before they are saved, keys apart from rows, every change audited."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from catalog.errors import NotFoundError, SwitchroomError, UsageError
from catalog.names import natural
from services.clock import now_ms
from services.connections import Connections, Secrets
from services.drafts import EnvKey, KeySource, ProviderDraft
from services.feed import ModelsChanged, ProvidersChanged
from services.keys import Keys, Stored, references, with_secrets
from services.leftovers import Leftovers, Removed
from services.provider_states import ProviderStates, proven
from services.provider_views import ProviderView
from services.row_audit import difference, key_detail, shown

if TYPE_CHECKING:
    from pydantic import SecretStr

    from adapters.base import Adapter, Connection, Validation
    from services.container import Services
    from store.db import Tx
    from store.providers import ProviderRow

__all__ = ["EnvKey", "KeySource", "ProviderDraft", "ProviderView", "Registry"]


class ChangedMeanwhileError(UsageError):
    """A provider is not as it was when somebody decided what to do with it."""


class Registry:
    """The configured providers."""

    def __init__(self, services: Services) -> None:
        from store.providers import Providers

        self._services = services
        self._store = Providers(services.db)
        self._connections = Connections(services)
        self._states = ProviderStates(services, self._connections)
        self._keys = Keys(services)
        self._adding = asyncio.Lock()
        """So that two of one name do not write each other's key."""

    async def list(self) -> list[ProviderView]:
        """Every provider, in the order of their slugs."""
        from services.provider_views import views

        return await views(self._services, await self.rows())

    async def get(self, slug: str) -> ProviderView:
        """One provider; NotFoundError names the nearest."""
        from services.provider_views import views

        return (await views(self._services, [await self.row(slug)]))[0]

    async def rows(self) -> builtins.list[ProviderRow]:
        """The stored rows, in the order of their slugs; `p2` comes before `p19`."""
        return sorted(await self._store.list(), key=lambda row: natural(row.slug))

    async def row(self, slug: str, tx: Tx | None = None) -> ProviderRow:
        """The stored row; NotFoundError names the nearest."""
        row = await self._store.get(slug, tx)
        if row is None:
            raise await self._missing(slug)
        return row

    async def find(self, slug: str, tx: Tx) -> ProviderRow | None:
        """A provider as it is inside a transaction; None: it is not there any more."""
        return await self._store.get(slug, tx)

    async def dependents(self, slug: str) -> builtins.list[str]:
        """What refers to a provider, in words: limits, the default model, conversations."""
        from services.dependents import dependents

        return await dependents(self._services, slug)

    # the wire

    async def adapter(self, slug: str) -> Adapter:
        """The adapter of a provider: one, kept until its row or key changes. UsageError while it is disabled."""
        row = await self.row(slug)
        if not row.enabled:
            raise UsageError(
                f"The provider {slug} is off.",
                hint=f"switchroom providers enable {slug}",
                title="Provider off",
            )
        return await self._connections.adapter(row)

    async def reconnect(self) -> None:
        """Every provider is reached anew from now on: what its connection is made from has changed."""
        for row in await self._store.list():
            await self._connections.forget(row.slug)

    async def connection(self, row: ProviderRow, key: SecretStr | None) -> Connection:
        """What the wire needs to know about a row, with this key."""
        return await self._connections.connection(row, Secrets(key=key))

    async def build(self, row: ProviderRow) -> Adapter:
        """A new adapter of a row, stored or not, with the key that it refers to; the caller closes it."""
        return await self._connections.build(
            row, Secrets(key=await self._services.credentials.resolve(row.key_ref))
        )

    async def forget(self, slug: str) -> None:
        """A provider is reached anew from now on: it has signed in."""
        await self._connections.forget(slug)

    # adding

    async def resolve_draft(self, draft: ProviderDraft) -> ProviderRow:
        """The row a draft would become: slug made, type found, address checked. Nothing is contacted."""
        from services.drafts import check_options, new_row

        taken = {row.slug for row in await self._store.list()}
        row = new_row(draft, self._services.catalog, taken)
        check_options(row.dialect, draft.options)
        return self._keys.with_plain_proxy(row, draft)

    async def test_draft(self, draft: ProviderDraft, key: KeySource) -> Validation:
        """Try a draft without saving anything."""
        return await self._states.trial(
            await self.resolve_draft(draft), await self._keys.for_draft(draft, key)
        )

    async def add(
        self,
        draft: ProviderDraft,
        key: KeySource,
        *,
        test: bool = True,
        backend: str | None = None,
        sign_in: SecretStr | None = None,
    ) -> ProviderView:
        """Test, then store. Raises the test's error when it fails; nothing is stored before it passed.

        `sign_in`: what a person signed in with (services.entra).
        """
        from services.marketplace import check_connectable
        from services.provider_views import new_view

        self._services.require_writable()
        row = await self.resolve_draft(draft)
        if test:
            check_connectable(self._services.catalog.spec(row.catalog_id))
            secrets = replace(await self._keys.for_draft(draft, key), sign_in=sign_in)
            row = proven(row, await self._states.trial(row, secrets))
        else:
            self._keys.check(draft, key)
        stored = Stored()
        async with self._adding:
            if (
                await self._store.get(row.slug) is not None
            ):  # somebody took the name while this one was tested
                raise UsageError(f"There is already a provider {row.slug}.", hint="Choose another name.")
            try:
                row = await self._keys.store(row, draft, key, backend, stored)
                if sign_in is not None:
                    row = await self._keys.store_sign_in(row, sign_in, backend, stored)
                async with self._services.db.transaction(durable=True) as tx:
                    await self._store.insert(tx, row)
                    detail = {**shown(row), **key_detail(row), "tested": test}
                    await self._services.audit.record(tx, "provider.add", row.slug, detail=detail)
            except BaseException:
                await self._keys.undo(stored)
                raise
        self._changed(row.slug)
        return new_view(self._services, row)

    # changing

    async def edit(self, slug: str, draft: ProviderDraft) -> ProviderView:
        """Change what the draft says; a secret it no longer names is deleted."""
        from services import admin_keys
        from services.drafts import check_options, edited_row

        self._services.require_writable()
        stored = Stored()
        before = await self.row(slug)
        check_options(edited_row(before, draft, self._services.catalog).dialect, draft.options)
        try:
            secrets = await self._keys.store(before, draft, None, None, stored)
            async with self._services.db.transaction(durable=True) as tx:
                before = await self.row(slug, tx)
                after = edited_row(before, draft, self._services.catalog)
                after = with_secrets(after, secrets, draft)
                after = await admin_keys.moved(self._services, tx, before, after)
                if (after.endpoint, after.dialect) != (before.endpoint, before.dialect):
                    after = replace(after, state="untested", state_message=None, last_validated_at=None)
                await self._store.update(tx, after)
                await self._leftovers.add(tx, references(before) - references(after))
                detail = difference(before, after)
                if before.admin_ref != after.admin_ref:  # it was for the old address
                    detail["admin_key"] = "deleted"
                await self._services.audit.record(tx, "provider.edit", slug, detail=detail)
        except BaseException:
            await self._keys.undo(stored)
            raise
        await self._leftovers.sweep()
        await self._connections.forget(slug)
        self._changed(slug)
        return await self._view(after)

    async def set_enabled(self, slug: str, enabled: bool) -> ProviderView:
        """Switch a provider on or off."""
        action = "provider.enable" if enabled else "provider.disable"
        return await self._replace(slug, action, {"enabled": enabled})

    async def remove(self, slug: str, *, unchanged_since: int | None = None) -> Removed:
        """Remove a provider with its secrets, models and sync history; its ledger stays.

        Nobody is asked for a passphrase: a key in a locked vault is deleted when the vault is next unlocked.
        `unchanged_since`: only if nobody, in whatever process, changed it after that; else ChangedMeanwhileError.
        """
        from services import admin_keys

        self._services.require_writable()
        await self.row(slug)
        refers = await self.dependents(slug)
        async with self._services.db.transaction(durable=True) as tx:
            row = await self.row(slug, tx)  # what another process stored meanwhile goes with it
            if unchanged_since is not None and row.updated_at != unchanged_since:
                raise ChangedMeanwhileError(
                    f"{slug} was changed meanwhile.", hint="Look at it before it is removed."
                )
            await self._store.delete(tx, slug)
            await admin_keys.forget(self._services, tx, slug)
            await self._leftovers.add(tx, references(row))
            detail: dict[str, object] = {**shown(row), "dependents": refers}
            await self._services.audit.record(tx, "provider.remove", slug, detail=detail)
        await self._connections.forget(slug)
        self._changed(slug)
        left = await self._leftovers.sweep()
        return Removed(tuple(refers), tuple(ref for ref in left if ref in references(row)))

    async def test(self, slug: str) -> Validation:
        """Try a stored provider and record its state. Errors of its secrets are raised (and recorded)."""
        return await self._states.test(await self.row(slug))

    async def note(self, slug: str, error: SwitchroomError | None) -> None:
        """Record what a run or sync learned of a provider's state; None: it works."""
        await self._states.note(slug, error)

    # keys

    async def set_key(
        self, slug: str, key: SecretStr | EnvKey, *, test: bool = True, backend: str | None = None
    ) -> ProviderView:
        """A new key: proven, stored, and only then in use; the old one is deleted."""
        self._services.require_writable()
        row = await self.row(slug)
        self._keys.check(ProviderDraft(), key)
        if test:
            row = proven(row, await self._states.trial(row, await self._keys.for_row(key)))
        stored = Stored()
        try:
            secret = await self._keys.store(row, ProviderDraft(), key, backend, stored)
            async with self._services.db.transaction(durable=True) as tx:
                before = await self.row(slug, tx)
                after = replace(
                    before,
                    key_ref=secret.key_ref,
                    key_last4=secret.key_last4,
                    state=row.state if test else "untested",
                    state_message=None,
                    state_at=now_ms(),
                    last_validated_at=row.last_validated_at,
                    updated_at=max(now_ms(), before.updated_at + 1),
                )
                await self._store.update(tx, after)
                await self._leftovers.add(tx, references(before) - references(after))
                detail = {"before": key_detail(before), "after": key_detail(after), "tested": test}
                await self._services.audit.record(tx, "key.set", slug, detail=detail)
        except BaseException:
            await self._keys.undo(stored)
            raise
        await self._leftovers.sweep()
        await self._connections.forget(slug)
        self._changed(slug)
        return await self._view(after)

    async def remove_key(self, slug: str) -> ProviderView:
        """Delete a provider's key; from then on it is called without one.

        Nobody is asked for a passphrase: a key in a locked vault is deleted when the vault is next unlocked.
        """
        changes = {"key_ref": None, "key_last4": None, "state": "untested", "state_message": None}
        return await self._replace(slug, "key.remove", changes)

    async def aclose(self) -> None:
        """Close the adapters."""
        await self._connections.aclose()

    # inside

    @property
    def _leftovers(self) -> Leftovers:
        return self._services.credentials.leftovers

    async def _replace(self, slug: str, action: str, changes: Mapping[str, object]) -> ProviderView:
        async with self._services.db.transaction(durable=True) as tx:
            before = await self.row(slug, tx)
            after = replace(before, updated_at=max(now_ms(), before.updated_at + 1), **changes)  # type: ignore[arg-type]
            await self._store.update(tx, after)
            detail = difference(before, after)
            if before.key_ref != after.key_ref:
                detail = {"before": key_detail(before), "after": key_detail(after)}
            await self._leftovers.add(tx, references(before) - references(after))
            await self._services.audit.record(tx, action, slug, detail=detail)
        await self._leftovers.sweep()
        await self._connections.forget(slug)
        self._changed(slug)
        return await self._view(after)

    def _changed(self, slug: str) -> None:
        self._services.feed.publish(ProvidersChanged((slug,)))
        self._services.feed.publish(ModelsChanged(slug))

    async def _view(self, row: ProviderRow) -> ProviderView:
        from services.provider_views import views

        return (await views(self._services, [row]))[0]

    async def _missing(self, slug: str) -> NotFoundError:
        import difflib

        from catalog.plaintext import one_line

        known = [row.slug for row in await self._store.list()]
        close = difflib.get_close_matches(slug, known, n=1, cutoff=0.4)
        hint = f"Did you mean {close[0]}?" if close else "switchroom providers list shows what there is."
        return NotFoundError(f"There is no provider {one_line(slug, 64)}.", hint=hint)
