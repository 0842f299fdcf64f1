"""Signing in to a provider: a person with a code, an application with its secret; the tokens are kept like keys."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from catalog.errors import MissingKeyError, SwitchroomError, UsageError
from services.clock import now_ms
from services.feed import ProvidersChanged

if TYPE_CHECKING:
    from pydantic import SecretStr

    from adapters.abilities import SignsIn
    from adapters.entra import DeviceCode
    from services.container import Services
    from store.db import Tx
    from store.providers import ProviderRow

log = logging.getLogger(__name__)

Who = Literal["person", "application"]

PATIENCE = 4
"""Questions in a row that may find nobody, before waiting for a person is given up."""


async def pause(seconds: float) -> None:
    """Between two questions; tests put a clock of their own here."""
    await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Started:
    """A sign-in under way. `aclose` when it is over, however it ended."""

    slug: str
    code: DeviceCode
    adapter: SignsIn

    @property
    def minutes(self) -> float:
        """How long the code is still good."""
        from adapters import entra

        return max(self.code.expires_at - entra.now(), 0.0) / 60

    async def aclose(self) -> None:
        await self.adapter.aclose()


class SignIns:
    """Starts, ends and keeps the sign-ins of providers."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def make_room(self) -> None:
        """See to it that tokens can be kept, before anybody signs in: unlock or make the vault. VaultLockedError."""
        credentials = self._services.credentials
        choice = await credentials.backend()
        if choice.backend == "vault" and choice.state == "locked":
            await credentials.unlock()
        elif choice.backend == "vault" and choice.state == "absent":
            await credentials.init()

    async def begin(self, row: ProviderRow) -> Started:
        """A code for a person to type in. UsageError where nobody can sign in; ProviderError, OfflineError."""
        from adapters.abilities import SignsIn

        if wants_sign_in(row) != "person":
            raise UsageError(
                f"{row.slug} is not used with a sign-in of a person.",
                hint=f"switchroom providers edit {row.slug} --option auth=entra, and no key.",
            )
        adapter = await self._services.registry.build(row)
        try:
            assert isinstance(adapter, SignsIn)
            return Started(row.slug, await adapter.begin_sign_in(), adapter)
        except BaseException:
            await adapter.aclose()
            raise

    async def wait(self, started: Started) -> SecretStr:
        """Until the person is done: what is to be kept. Raises what the authority says, and when the time is over."""
        from adapters import entra
        from adapters.entra_refusals import too_late
        from adapters.errors import ProviderError

        interval, failed = started.code.interval, 0
        while True:
            await pause(interval)
            try:
                found = await started.adapter.end_sign_in(started.code)
                failed = 0
            except ProviderError as error:
                failed += 1
                if not error.retryable or failed == PATIENCE:
                    raise
                found = (
                    interval  # a line that breaks must not cost the code: ask on, half as often (RFC 8628)
                )
            if not isinstance(found, float):
                return found
            interval += found
            if entra.now() >= started.code.expires_at:
                raise too_late(started.slug)

    async def keep(self, slug: str, tokens: SecretStr, *, backend: str | None = None) -> None:
        """Keep what a person signed in with. It is a change: recorded, and refused in a read-only session."""
        self._services.require_writable()
        await self._store(slug, tokens, backend, record=True)
        await self._services.registry.forget(slug)
        self._services.feed.publish(ProvidersChanged((slug,)))

    async def load(self, slug: str) -> SecretStr | None:
        """What is kept for a provider; None: nothing. VaultLockedError."""
        row = await self._row(slug)
        if row is None or row.sign_in_ref is None:
            return None
        try:
            return await self._services.credentials.resolve(row.sign_in_ref)
        except MissingKeyError:
            return None

    async def renewed(self, slug: str, tokens: SecretStr) -> None:
        """Keep fresh tokens, where that needs nobody: that is no change anybody made."""
        services = self._services
        if services.db.read_only or services.db.dry_run:
            return
        try:
            row = await self._row(slug)
            if row is not None and (await services.credentials.backend()).state == "ready":
                await self._store(slug, tokens, None, record=False)
        except SwitchroomError as error:
            log.warning("the tokens of %s could not be kept: %s", slug, error.message)

    async def _store(self, slug: str, tokens: SecretStr, backend: str | None, *, record: bool) -> None:
        services = self._services
        before = await services.registry.row(slug)
        ref = await services.credentials.store(f"{slug}#sign-in", tokens, backend=backend)
        if ref == before.sign_in_ref and not record:
            return
        async with services.db.transaction(durable=record) as tx:
            present = await services.registry.find(slug, tx)
            if present is None:  # removed meanwhile: nothing would ever delete what is stored
                await services.credentials.leftovers.add(tx, [ref])
            else:
                await self._refer(tx, present, ref, record=record)
        await services.credentials.leftovers.sweep()
        if present is None:
            await services.registry.row(slug)  # says that it is gone

    async def _refer(self, tx: Tx, before: ProviderRow, ref: str, *, record: bool) -> None:
        from store.providers import Providers

        services, slug = self._services, before.slug
        await Providers(services.db).set_sign_in(tx, slug, ref)
        if before.sign_in_ref is not None and before.sign_in_ref != ref:
            await services.credentials.leftovers.add(tx, [before.sign_in_ref])
        if record:
            detail: dict[str, object] = {"kept_in": ref.partition(":")[0], "at": now_ms()}
            await services.audit.record(tx, "provider.login", slug, detail=detail)

    async def _row(self, slug: str) -> ProviderRow | None:
        from store.providers import Providers

        return await Providers(self._services.db).get(slug)


class KeptTokens:
    """Implements adapters.base.TokenKeeper for one provider."""

    def __init__(self, sign_ins: SignIns, slug: str, given: SecretStr | None = None) -> None:
        """`given`: of a provider that is not stored yet."""
        self._sign_ins, self._slug, self._given = sign_ins, slug, given

    async def load(self) -> SecretStr | None:
        return self._given or await self._sign_ins.load(self._slug)

    async def save(self, text: SecretStr) -> None:
        await self._sign_ins.renewed(self._slug, text)


def wants_sign_in(row: ProviderRow) -> Who | None:
    """Who has to sign in for a provider; None: nobody, it has a key or needs none."""
    if row.dialect != "azure" or row.options.get("auth") != "entra":
        return None
    return "person" if row.key_ref is None else "application"
