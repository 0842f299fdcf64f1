"""Whether an OpenAI-compatible provider works with its key, found out without buying a token."""

from __future__ import annotations

import re
from time import monotonic
from urllib.parse import urlsplit

import httpx

from adapters.base import Connection, Validation
from adapters.errors import (
    InvalidCredentialsError,
    NoCreditError,
    Origin,
    PermissionDeniedError,
    ProviderError,
    error_from_answer,
    stranger,
)
from adapters.fetch import Fetcher, parse_json
from adapters.http_send import verdict
from adapters.openai.models import read_models
from adapters.openai.vendors import PLAIN, AboutKey, Vendor, litellm

_EXPECTED = "as an OpenAI-compatible server"
TIMEOUT = 4.5
"""Seconds for the whole check."""
_ROOT = re.compile(r"(/v\d+[a-z0-9]*)?/models$")
_TELLING = (InvalidCredentialsError, PermissionDeniedError, NoCreditError)


async def check(
    connection: Connection,
    fetcher: Fetcher,
    client: httpx.AsyncClient,
    models_url: str,
    chat_url: str,
    vendor: Vendor = PLAIN,
) -> Validation:
    """`GET /models`, which at OpenAI proves the key. Elsewhere the list may be public (llama.cpp, OpenRouter) or
    missing, so an empty chat request follows: a bad key is refused before the missing model is noticed. A vendor that
    says how a key stands, or how it is itself, is asked that too."""
    probe = _Probe(fetcher, client, Origin(connection.slug), monotonic() + TIMEOUT)

    async def work() -> str:
        count, missing = await probe.models(models_url)
        if vendor.health is not None:
            await probe.health(models_url, vendor.health)
        asks = litellm.VENDOR.about_key if probe.litellm else vendor.about_key
        about = await probe.about(models_url, asks) if asks and connection.key else None
        if about is None and (missing is not None or not _list_proves(connection)):
            await probe.key(chat_url, missing)
        return _good(connection, count, probe.proven, about or "")

    return await verdict(work)


class _Probe:
    def __init__(self, fetcher: Fetcher, client: httpx.AsyncClient, origin: Origin, deadline: float) -> None:
        self._fetcher = fetcher
        self._client = client
        self._origin = origin
        self._deadline = deadline
        self.proven = True
        self.litellm = False
        """The server told by its headers that it is LiteLLM's proxy."""

    async def models(self, url: str) -> tuple[int | None, ProviderError | None]:
        """(number of models, None), or (None, why there is no list)."""
        status, headers, content = await self._call(self._client.build_request("GET", url))
        self.litellm = any(name.lower().startswith(litellm.MARK) for name in headers)
        if status != 200:
            error = error_from_answer(self._origin, status, headers, content)
            if status in (404, 405, 501):
                return None, error
            raise error
        try:
            return len(read_models(parse_json(content, self._origin.slug))[0]), None
        except ValueError:
            error = error_from_answer(self._origin, 200, headers, content)
            raise (
                error if isinstance(error, _TELLING) else stranger(self._origin.slug, 200, _EXPECTED)
            ) from None

    async def health(self, models_url: str, path: str) -> None:
        """Raises what the server says is wrong with it; one without such a page is taken to be well."""
        request = self._client.build_request("GET", _ROOT.sub(path, models_url))
        status, headers, content = await self._call(request)
        if status >= 500 and status != 501:
            raise error_from_answer(self._origin, status, headers, content)

    async def about(self, models_url: str, key: AboutKey) -> str | None:
        """What the vendor says about the key; None where it does not say (a gateway without that call)."""
        beside = models_url.removesuffix("models") + key.path
        url = _ROOT.sub(key.path, models_url) if key.path.startswith("/") else beside
        status, _headers, content = await self._call(self._client.build_request("GET", url))
        if status != 200 or not _is_json(content):  # whether the key is bad is found out by a chat then
            return None
        answer = parse_json(content, self._origin.slug)
        return key.read(self._origin.slug, answer) if isinstance(answer, dict) else None

    async def key(self, url: str, missing: ProviderError | None) -> None:
        """Ask for a chat without a model: whatever is said but “bad key” means the key was let in."""
        request = self._client.build_request("POST", url, json={}, headers={"accept": "application/json"})
        try:
            status, headers, content = await self._call(request)
        except ProviderError:
            if missing is not None:
                raise
            self.proven = False
            return
        error = error_from_answer(self._origin, status, headers, content)
        if status >= 400 and isinstance(error, _TELLING):
            raise error
        if missing is not None and (status in (404, 405, 501) or not _is_json(content)):
            raise stranger(self._origin.slug, status, _EXPECTED)
        self.proven = status in (400, 422)

    async def _call(self, request: httpx.Request) -> tuple[int, httpx.Headers, bytes]:
        left = max(self._deadline - monotonic(), 0.1)
        return await self._fetcher.call(
            self._client, request, self._origin, timeout=left, limit=16 * 1024 * 1024
        )


def _list_proves(connection: Connection) -> bool:
    host = urlsplit(connection.base_url).hostname or ""
    return host == "api.openai.com" or host.endswith(".api.openai.com")


def _good(connection: Connection, count: int | None, proven: bool, about: str) -> str:
    listed = "It has no model list" if count is None else f"{count} model{'' if count == 1 else 's'}"
    if connection.key is None:
        return f"It answers without a key. {listed}."
    if not proven:
        return f"It answers, but whether it checks the key is not certain. {listed}."
    return f"The key is accepted{about and f': {about}'}. {listed}."


def _is_json(content: bytes) -> bool:
    return content.lstrip()[:1] in (b"{", b"[")
