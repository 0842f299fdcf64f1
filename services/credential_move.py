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
    """Copy and read back, then point the providers there in one transaction, then delete the old ones, those that cannot be deleted now as soon as they can."""
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
        await credentials.leftovers.add(tx, moved)
        await services.audit.record(tx, "vault.move", to, detail={"moved": len(moved)})
    await credentials.leftovers.sweep()
    return moved


async def _movable(credentials: Credentials, rows: list[ProviderRow], to: BackendName) -> list[str]:
    """What the rows refer to, then what else can be listed; each name once, so nothing takes another's place."""
    refs = [ref for row in rows for ref in _references(row)]
    for backend in MANAGED:
        refs += [f"{backend}:{name}" for name in await credentials.names(backend)]
    taken: dict[str, str] = {}
    for reference in map(parse_reference, refs):
        if reference.backend != "env":
            taken.setdefault(reference.name, str(reference))
    return [ref for name, ref in taken.items() if ref != f"{to}:{name}"]


def _references(row: ProviderRow) -> list[str]:
    found = (row.key_ref, row.admin_ref, row.sign_in_ref, *row.secret_headers.values(), row.proxy)
    return [ref for ref in found if ref is not None and "://" not in ref]


def _repointed(row: ProviderRow, moved: dict[str, str]) -> ProviderRow:
    return replace(
        row,
        key_ref=moved.get(row.key_ref or "", row.key_ref),
        admin_ref=moved.get(row.admin_ref or "", row.admin_ref),
        sign_in_ref=moved.get(row.sign_in_ref or "", row.sign_in_ref),
        secret_headers={name: moved.get(ref, ref) for name, ref in row.secret_headers.items()},
        proxy=moved.get(row.proxy or "", row.proxy),
    )
