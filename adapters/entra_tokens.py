"""When a token is asked for, renewed and kept: once for all who wait, in time, and in one place for all programs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import httpx
from pydantic import SecretStr

from adapters import entra
from adapters.base import TokenKeeper
from adapters.entra import Entra, Tokens
from adapters.entra_refusals import needed
from adapters.errors import ProviderError
from adapters.fetch import KeyAuth
from catalog.errors import VaultLockedError

_JUST = 60.0
"""Seconds in which a token that is refused is not replaced again."""


class TokenSource:
    """The tokens of one connection. With `secret` an application signs in; without one a person did."""

    def __init__(self, authority: Entra, keeper: TokenKeeper | None, secret: SecretStr | None) -> None:
        self._authority, self._keeper, self._secret = authority, keeper, secret
        self._tokens: Tokens | None = None
        self._got_at = 0.0
        """When the last one was fetched here."""
        self._lock = asyncio.Lock()

    async def token(self, refused: SecretStr | None = None) -> SecretStr:
        """A token that is good now. Raises ProviderError, OfflineError.

        `refused`: the vendor did not take this one, so another is wanted.
        """
        async with self._lock:
            kept = self._tokens
            if kept is None or _same(kept.access, refused) or entra.now() >= kept.renew_at:
                kept = self._tokens = await self._latest(kept)  # another program may have a newer one
            good = kept is not None and not _same(kept.access, refused)
            if kept is not None and good and entra.now() < kept.renew_at:
                return kept.access
            if kept is not None and not good and entra.now() < self._got_at + _JUST:
                return kept.access  # brand new, and refused all the same: another one would be too
            try:
                self._tokens = await self._fresh(kept)
                self._got_at = entra.now()
            except ProviderError as error:
                if error.retryable and kept is not None and good and entra.now() < kept.expires_at:
                    return kept.access  # the authority cannot answer now, and this one still holds
                raise
            if self._keeper is not None:
                await self._keeper.save(self._tokens.packed(self._authority.realm))
            return self._tokens.access

    async def _latest(self, known: Tokens | None) -> Tokens | None:
        """What is kept, where that is newer than what is known here."""
        try:
            text = await self._keeper.load() if self._keeper is not None else None
        except VaultLockedError:
            if self._secret is None and known is None:
                raise  # a person would have to sign in again
            return known
        kept = entra.unpacked(text, self._authority.realm)
        return kept if kept is not None and (known is None or kept.renew_at > known.renew_at) else known

    async def _fresh(self, kept: Tokens | None) -> Tokens:
        if self._secret is not None:
            return await self._authority.for_application(self._secret)
        if kept is None:
            raise needed(self._authority.slug)
        return await self._authority.renew(kept)

    def __repr__(self) -> str:
        return "TokenSource(…)"


class EntraAuth(httpx.Auth):
    """Puts the token into a request. One that the vendor refuses is replaced once: it may have been revoked."""

    def __init__(self, source: TokenSource, also: KeyAuth) -> None:
        """`also`: the further secret headers."""
        self._source, self._also = source, also

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        token = await self._source.token()
        next(self._also.auth_flow(request))
        request.headers["authorization"] = f"Bearer {token.get_secret_value()}"
        response = yield request
        if response.status_code != 401:
            return
        try:
            fresh = await self._source.token(refused=token)
        except ProviderError:
            return  # what the vendor said is told
        if not _same(fresh, token):
            request.headers["authorization"] = f"Bearer {fresh.get_secret_value()}"
            await _drop(response)
            yield request

    def __repr__(self) -> str:
        return "EntraAuth(…)"


def _same(one: SecretStr, other: SecretStr | None) -> bool:
    return other is not None and one.get_secret_value() == other.get_secret_value()


async def _drop(response: httpx.Response) -> None:
    """Leave a refusal unread: httpx would read all of it before the next try, however much it is."""
    if isinstance(response.stream, httpx.AsyncByteStream):
        await response.stream.aclose()
        response.stream = httpx.ByteStream(b"")
