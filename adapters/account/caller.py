"""How an account API is asked: one client with one key, bounded pages, and refusals that name the key that would do."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from pydantic import SecretStr

from adapters.account.read import LONG, Entry, document, unexpected
from adapters.account.ways import Way
from adapters.base import Connection
from adapters.errors import (
    InvalidCredentialsError,
    Origin,
    PermissionDeniedError,
    ProviderError,
    error_from_answer,
)
from adapters.fetch import Fetcher

TIMEOUT = 25.0
"""Seconds for one answer."""
LARGEST = 16 * 1024 * 1024
"""Bytes of one answer."""
MOST_PAGES = 100
_KEY_HEADERS = frozenset({"authorization", "x-api-key", "api-key"})


class Caller:
    """One key at one provider's own address. Nothing is ever asked elsewhere: redirects are not followed."""

    def __init__(
        self,
        way: Way,
        connection: Connection,
        key: SecretStr | None,
        fetcher: Fetcher,
        *,
        admin: bool,
        header: str = "authorization",
        prefix: str = "Bearer ",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        secret = {n: v for n, v in connection.secret_headers.items() if n.lower() not in _KEY_HEADERS}
        plain = {**connection.headers, **(headers or {})}
        self._way, self._admin, self._fetcher = way, admin, fetcher
        self.origin = Origin(connection.slug)
        self._client = fetcher.client(
            replace(connection, key=key, secret_headers=secret, headers=plain),
            key_header=header,
            key_prefix=prefix,
        )

    async def get(self, url: str, params: Mapping[str, str] | None = None) -> Entry:
        """The document at an address. Raises ProviderError, OfflineError."""
        request = self._client.build_request("GET", url, params=params or None)
        status, headers, body = await self._fetcher.call(
            self._client, request, self.origin, timeout=TIMEOUT, limit=LARGEST
        )
        if status == 200:
            if len(body) < LONG:
                return document(body, self.origin.slug)
            return await asyncio.to_thread(document, body, self.origin.slug)
        raise self._refused(error_from_answer(self.origin, status, headers, body))

    async def pages(self, url: str, params: Mapping[str, str]) -> list[Entry]:
        """Every page that `has_more` leads to. A page that is missing fails them all: half a bill looks like a small one."""
        found: list[Entry] = []
        asked: set[str] = set()
        following: dict[str, str] = {}
        while True:
            page = await self.get(url, {**params, **following})
            if not isinstance(page.get("data"), list):
                raise unexpected(self.origin.slug, "something that is no list of figures")
            found.append(page)
            if page.get("has_more") is not True:
                return found
            token = page.get("next_page")
            if not isinstance(token, str) or not token or token in asked or len(found) >= MOST_PAGES:
                raise unexpected(self.origin.slug, "pages that have no end or lead nowhere")
            asked.add(token)
            following = {"page": token}

    async def aclose(self) -> None:
        await self._client.aclose()

    def _refused(self, error: ProviderError) -> ProviderError:
        if isinstance(error, InvalidCredentialsError | PermissionDeniedError):
            slug, name = self.origin.slug, self._way.name
            if self._admin:
                error.message = f"{name} does not open the account of {slug} with this key. {error.message}"
                error.args = (error.message,)
                error.hint = (
                    f"It takes {self._way.admin}: switchroom keys set {slug} --role admin --key-stdin"
                )
            error.provider = slug
        return error


def root(base_url: str) -> str:
    """The host's own beginning."""
    split = urlsplit(base_url)
    return f"{split.scheme}://{split.netloc}"


def beside(base_url: str) -> str:
    """Where a gateway's own calls lie: its path without the version of the API it copies."""
    return root(base_url) + re.sub(
        r"(?:/v\d+[a-z0-9]*)?/*$", "", urlsplit(base_url).path, flags=re.IGNORECASE
    )
