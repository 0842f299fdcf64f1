"""Moving all keys from one place to another, so that at every moment each is where its reference says."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from catalog.errors import MissingKeyError, VaultLockedError
from store.providers import ProviderRow, Providers
from store.vault.base import MANAGED, BackendName, parse_reference

if TYPE_CHECKING:
    from services.container import Services
    from services.credentials import Credentials


async def move(credentials: Credentials, services: Services, to: BackendName) -> dict[str, str]:
    """Copy and read back, then point the providers there in one transaction, then delete the old ones."""
    providers = Providers(services.db)
    wanted = await _movable(credentials, await providers.list(), to)
    moved: dict[str, str] = {}
    for ref in wanted:
        with contextlib.suppress(MissingKeyError):  # a key that is gone already cannot move
            secret = await credentials.resolve(ref)
            assert secret is not None
            moved[ref] = await credentials.store(parse_reference(ref).name, secret, backend=to)
    if services.db.dry_run:
        return moved
    for old, new in moved.items():
        kept, found = await credentials.resolve(old), await credentials.resolve(new)
        if kept != found:
            raise VaultLockedError(f"The {to} did not give back what it was given; nothing was moved.")
    async with services.db.transaction(durable=True) as tx:
        for row in await providers.list():
            changed = _repointed(row, moved)
            if changed != row:
                await providers.update(tx, changed)
        await services.audit.record(tx, "vault.move", to, detail={"moved": len(moved)})
    for old in moved:
        await credentials.delete(old)
    return moved


async def _movable(credentials: Credentials, rows: list[ProviderRow], to: BackendName) -> list[str]:
    """What the rows refer to and what can be listed, once each, save what is there already."""
    refs = [ref for row in rows for ref in _references(row)]
    listed = [
        f"{backend}:{name}"
        for backend in MANAGED
        if backend != to
        for name in await credentials.names(backend)
    ]
    return [ref for ref in dict.fromkeys((*refs, *listed)) if parse_reference(ref).backend not in (to, "env")]


def _references(row: ProviderRow) -> list[str]:
    found = (row.key_ref, *row.secret_headers.values(), row.proxy)
    return [ref for ref in found if ref is not None and "://" not in ref]


def _repointed(row: ProviderRow, moved: dict[str, str]) -> ProviderRow:
    return replace(
        row,
        key_ref=moved.get(row.key_ref or "", row.key_ref),
        secret_headers={name: moved.get(ref, ref) for name, ref in row.secret_headers.items()},
        proxy=moved.get(row.proxy or "", row.proxy),
    )
