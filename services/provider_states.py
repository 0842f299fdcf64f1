"""What is known of a provider's state: shown by a test of it, or learned from a run or a sync."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from catalog.errors import MissingKeyError, SwitchroomError, VaultLockedError
from services.clock import now_ms
from services.feed import ProvidersChanged

if TYPE_CHECKING:
    from adapters.base import Validation
    from services.connections import Connections, Secrets
    from services.container import Services
    from store.providers import ProviderRow


class ProviderStates:
    """Tests providers and writes their states."""

    def __init__(self, services: Services, connections: Connections) -> None:
        from store.providers import Providers

        self._services = services
        self._store = Providers(services.db)
        self._connections = connections

    async def trial(self, row: ProviderRow, secrets: Secrets) -> Validation:
        """Try a row with these secrets; nothing is written."""
        adapter = await self._connections.build(row, secrets)
        try:
            return await adapter.validate()
        finally:
            await adapter.aclose()

    async def test(self, row: ProviderRow) -> Validation:
        """Try a stored provider and record its state. Errors of its secrets are raised (and recorded)."""
        slug = row.slug
        try:
            validation = await (await self._connections.adapter(row)).validate()
        except SwitchroomError as error:
            await self.note(slug, error)
            raise
        await self._services.audit.interaction(
            "provider.test",
            slug,
            result="ok" if validation.ok else validation.state,
            detail={"latency_ms": validation.latency_ms},
        )
        await self._write(
            slug, validation.state, None if validation.ok else validation.message, validation.ok
        )
        return validation

    async def note(self, slug: str, error: SwitchroomError | None) -> None:
        """Record what a run or sync learned of a provider's state; None: it works."""
        state = "ok" if error is None else _state_after(error)
        if error is not None and error.code in ("invalid_credentials", "vault_locked"):
            await self._connections.forget(slug)
        row = await self._store.get(slug)
        if state is None or row is None or (row.state == state and state == "ok"):
            return
        await self._write(
            slug, state, error.message if error and state != "ok" else None, validated=error is None
        )

    async def _write(self, slug: str, state: str, message: str | None, validated: bool) -> None:
        if self._services.db.read_only:
            return
        async with self._services.db.transaction() as tx:
            await self._store.set_state(tx, slug, state, message, now_ms(), validated)
        self._services.feed.publish(ProvidersChanged((slug,)))


def proven(row: ProviderRow, validation: Validation) -> ProviderRow:
    """The row with its good state, or the test's error."""
    if validation.ok:
        now = now_ms()
        return replace(row, state="ok", state_message=None, state_at=now, last_validated_at=now)
    from adapters.errors import UnexpectedResponseError

    error = validation.error or UnexpectedResponseError(validation.message)
    error.provider = error.provider or row.slug
    raise error


def _state_after(error: SwitchroomError) -> str | None:
    """The provider state an error leaves behind; None: it says nothing about the provider."""
    from adapters.errors import ProviderError

    if isinstance(error, ProviderError):
        return error.state
    return "locked" if isinstance(error, MissingKeyError | VaultLockedError) else None
