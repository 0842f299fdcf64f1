"""From a stored provider to a working adapter: secrets resolved, timeouts and TLS chosen, one adapter kept per provider."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from catalog.errors import MissingKeyError
from catalog.options import STEERS

if TYPE_CHECKING:
    from pydantic import SecretStr

    from adapters.base import Adapter, Connection, Watchdogs
    from services.container import Services
    from store.providers import ProviderRow


SLOW_FACTOR = 5
"""A server that loads a model before it answers gets the first-event limit this many times (10 minutes by default)."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """A provider's secrets in the clear, for the time of one connection."""

    key: SecretStr | None = None
    headers: Mapping[str, SecretStr] | None = None
    """None: those of the row's references."""
    proxy: SecretStr | None = None
    """None: the row's."""
    sign_in: SecretStr | None = None
    """What a person signed in with. None: what is kept."""


class Connections:
    """Builds connections and keeps one adapter per provider until its row or its key changes."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._adapters: dict[str, tuple[ProviderRow, Adapter]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._imported: set[str] = set()
        self._first = asyncio.Lock()
        """Held while something is read that the first use needs."""
        self._retired: list[Adapter] = []
        """Replaced, but perhaps still answering: closed as soon as nothing runs."""

    async def adapter(self, row: ProviderRow) -> Adapter:
        """The kept adapter, made anew when the row changed. MissingKeyError, VaultLockedError from its secrets."""
        wanted = replace(_without_state(row), options=self._options(row))
        async with self._locks.setdefault(row.slug, asyncio.Lock()):
            kept = self._adapters.get(row.slug)
            if kept is not None and kept[0] == wanted:
                return kept[1]
            fresh = await self.build(row, Secrets(key=await self._services.credentials.resolve(row.key_ref)))
            await self.forget(row.slug)
            self._adapters[row.slug] = (wanted, fresh)
            return fresh

    async def build(self, row: ProviderRow, secrets: Secrets) -> Adapter:
        """A new adapter that the caller closes."""
        async with self._first:  # one thread at most: starting many while one imports holds the screen up
            if row.dialect not in self._imported:
                # The first use imports the HTTP client and the dialect: elsewhere, so that the screen goes on.
                await asyncio.to_thread(_import_dialect, row.dialect)
                self._imported.add(row.dialect)
        from adapters.loader import create

        fetcher = self._services.fetcher
        connection = await self.connection(row, secrets)
        async with self._first:
            if not fetcher.prepared(connection):
                await asyncio.to_thread(fetcher.prepare, connection)
        return create(connection, fetcher)

    async def connection(self, row: ProviderRow, secrets: Secrets) -> Connection:
        """Everything the wire needs to know about this provider."""
        from pydantic import SecretStr

        from adapters.base import Connection
        from catalog.detect import is_loopback
        from services.entra import KeptTokens, wants_sign_in

        network = self._services.settings.network
        local = is_loopback(urlsplit(row.endpoint).hostname or "")
        shared_proxy = SecretStr(network.proxy) if network.proxy and not local else None
        return Connection(
            slug=row.slug,
            dialect=row.dialect,
            base_url=row.endpoint,
            catalog_id=row.catalog_id,
            key=secrets.key,
            headers=row.headers,
            secret_headers=await self._headers(row) if secrets.headers is None else secrets.headers,
            options=self._options(row),
            watchdogs=self._watchdogs(row),
            proxy=secrets.proxy or await self._proxy(row) or shared_proxy,
            ca_file=row.ca_file or network.ca_file,
            tls_min=self._tls(row),
            allow_http=row.allow_http,
            tokens=KeptTokens(self._services.sign_ins, row.slug, secrets.sign_in)
            if wants_sign_in(row)
            else None,
        )

    async def forget(self, slug: str) -> None:
        """Keep the adapter of a provider no longer. What is still answering is let finish."""
        kept = self._adapters.pop(slug, None)
        if kept is not None:
            self._retired.append(kept[1])
        if not self._services.busy:
            await self._close_retired()

    async def aclose(self) -> None:
        """Close every adapter."""
        self._retired += [adapter for _, adapter in self._adapters.values()]
        self._adapters.clear()
        await self._close_retired()

    async def _close_retired(self) -> None:
        retired, self._retired = self._retired, []
        for adapter in retired:
            await adapter.aclose()

    async def _headers(self, row: ProviderRow) -> dict[str, SecretStr]:
        return {name: await self._required(ref, row) for name, ref in row.secret_headers.items()}

    async def _proxy(self, row: ProviderRow) -> SecretStr | None:
        from pydantic import SecretStr

        if row.proxy is None:
            return None
        return SecretStr(row.proxy) if "://" in row.proxy else await self._required(row.proxy, row)

    async def _required(self, ref: str, row: ProviderRow) -> SecretStr:
        secret = await self._services.credentials.resolve(ref)
        if secret is None:
            raise MissingKeyError(
                f"A secret of {row.slug} is no longer where it was stored.",
                hint=f"Enter it again: switchroom providers edit {row.slug}",
                provider=row.slug,
            )
        return secret

    def _watchdogs(self, row: ProviderRow) -> Watchdogs:
        from adapters.base import Watchdogs

        network = self._services.settings.network
        dogs = Watchdogs(
            network.connect_timeout, network.first_event_timeout, network.idle_timeout, network.total_timeout
        )
        if row.timeout_s is None:
            return replace(dogs, first_event=_patient(dogs.first_event)) if self._slow(row) else dogs
        connect = min(network.connect_timeout, row.timeout_s)
        return replace(dogs, connect=connect, first_event=row.timeout_s, idle=row.timeout_s)

    def _options(self, row: ProviderRow) -> dict[str, str]:
        """The provider's own over its vendor's, which a user's catalog file may change at any time."""
        spec = self._services.catalog.spec(row.catalog_id)
        by_vendor = {n: v for n, v in (spec.options if spec is not None else {}).items() if n not in STEERS}
        return {**_by_variable(row), **by_vendor, **row.options}

    def _slow(self, row: ProviderRow) -> bool:
        """True where the first piece may be minutes in coming: a model is loaded first, or requests queue."""
        from catalog.detect import is_loopback, is_private

        host = urlsplit(row.endpoint).hostname or ""
        spec = self._services.catalog.spec(row.catalog_id)
        return is_loopback(host) or is_private(host) or (spec is not None and (spec.local or spec.slow_start))

    def _tls(self, row: ProviderRow) -> Literal["1.2", "1.3"]:
        """1.3 at a built-in vendor's own address, else what the row or the setting says."""
        if row.tls_min is not None:
            return "1.3" if row.tls_min == "1.3" else "1.2"
        spec = self._services.catalog.spec(row.catalog_id)
        own = (
            spec is not None
            and not spec.local
            and urlsplit(spec.endpoint).netloc == urlsplit(row.endpoint).netloc
        )
        return "1.3" if own else self._services.settings.network.tls_min


def _patient(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * SLOW_FACTOR


def _by_variable(row: ProviderRow) -> Mapping[str, str]:
    """What the name of the key's variable says of it."""
    bearer = row.dialect == "anthropic" and row.key_ref == "env:ANTHROPIC_AUTH_TOKEN"
    return {"auth": "bearer"} if bearer else {}


def _import_dialect(dialect: str) -> None:
    from adapters.loader import preload

    preload(dialect)


def _without_state(row: ProviderRow) -> ProviderRow:
    return replace(row, state="", state_message=None, state_at=None, last_validated_at=None, sign_in_ref=None)
