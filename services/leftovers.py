"""Stored keys whose provider is gone: deleted at once where that needs nobody, else when the vault is next open."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError

if TYPE_CHECKING:
    from services.container import Services
    from services.credentials import Credentials
    from store.db import Tx

log = logging.getLogger(__name__)

KEY = "secrets_to_delete"
"""Where the references are kept (store.state)."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What the removal of a provider leaves behind."""

    dependents: tuple[str, ...]
    """What referred to it, in words."""
    keys_left: tuple[str, ...]
    """References of its secrets that could not be deleted yet."""

    @property
    def note(self) -> str | None:
        """What the user must know; None: all its secrets are gone."""
        if not self.keys_left:
            return None
        place = self.keys_left[0].partition(":")[0]
        until = "it is next unlocked" if place == "vault" else "that answers again"
        return f"Its stored key stays in the {place} until {until}."


class Leftovers:
    """The list of secrets that nothing refers to any longer. Nobody is ever asked for a passphrase here."""

    def __init__(self, services: Services, credentials: Credentials) -> None:
        self._services = services
        self._credentials = credentials
        self._lock = asyncio.Lock()

    async def add(self, tx: Tx, refs: Iterable[str]) -> None:
        """Note secrets in the transaction that takes away what referred to them; variables are not ours."""
        ours = {ref for ref in refs if not ref.startswith("env:")}
        if ours:
            await self._services.state.set(tx, KEY, sorted(ours | set(await self._noted(tx))))

    async def reclaim(self, ref: str) -> None:
        """A secret of this reference is about to be stored anew: it must not be deleted any more."""
        async with self._lock:
            if ref in await self._noted():
                await self._strike({ref})

    async def sweep(self) -> tuple[str, ...]:
        """Delete what can be deleted now; gives what is left."""
        db = self._services.db
        if db.read_only or db.dry_run:
            return ()
        async with self._lock:
            noted = await self._noted()
            if not noted:
                return ()
            gone = {ref for ref in noted if await self._in_use(ref) or await self._deleted(ref)}
            if gone:
                await self._strike(gone)
        return tuple(ref for ref in noted if ref not in gone)

    async def note(self, ref: str | None) -> str | None:
        """What the user must know of a secret that was just removed; None: it is gone."""
        return Removed((), tuple(one for one in await self.sweep() if one == ref)).note

    async def _noted(self, tx: Tx | None = None) -> list[str]:
        found = await self._services.state.get(KEY, tx)
        return [ref for ref in found if isinstance(ref, str)] if isinstance(found, list) else []

    async def _strike(self, refs: set[str]) -> None:
        async with self._services.db.transaction() as tx:
            left = [ref for ref in await self._noted(tx) if ref not in refs]
            await self._services.state.set(tx, KEY, left)

    async def _in_use(self, ref: str) -> bool:
        from services.keys import references

        return any(ref in references(row) for row in await self._services.registry.rows())

    async def _deleted(self, ref: str) -> bool:
        if ref.startswith("vault:") and not self._credentials.vault_at_hand:
            return False
        try:
            await self._credentials.delete(ref)
        except SwitchroomError as error:
            log.warning("%s could not be deleted yet: %s", ref, error.message)
            return False
        return True
