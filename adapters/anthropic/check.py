"""Whether a provider of this dialect works with its key, found out without buying a token."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from adapters.base import Connection, Validation
from adapters.errors import (
    InvalidCredentialsError,
    NoCreditError,
    PermissionDeniedError,
    ProviderError,
    stranger,
)
from adapters.http_send import verdict

OWN_HOST = "api.anthropic.com"
_EXPECTED = "as a server of Anthropic's Messages API"
TIMEOUT = 4.5
"""Seconds for the whole check."""
_MISSING = (404, 405, 501)
_TELLING = (InvalidCredentialsError, PermissionDeniedError, NoCreditError)


async def check(
    connection: Connection,
    models: Callable[[], Awaitable[bytes]],
    chat: Callable[[], Awaitable[ProviderError | None]],
) -> Validation:
    """`GET /v1/models?limit=1` proves the key at the vendor's own address. Elsewhere the list may be public or missing,
    so an empty message follows: a bad key is refused before the missing model is noticed.

    `models` raises what is wrong; `chat` gives the refusal of an empty message, None where it was let in.
    """

    async def work() -> str:
        listed = True
        try:
            body = await models()
        except ProviderError as error:
            if error.status not in _MISSING:
                raise
            listed = False
        else:
            if not _is_list(body):
                raise stranger(connection.slug, 200, _EXPECTED)
        if listed and urlsplit(connection.base_url).hostname == OWN_HOST:
            return "The key is accepted."
        refusal = await chat()
        if isinstance(refusal, _TELLING):
            raise refusal
        status = 200 if refusal is None else refusal.status
        if not listed and status in _MISSING:
            raise stranger(connection.slug, status or 0, _EXPECTED)
        if connection.key is None:
            return "It answers without a key."
        if status not in (400, 422):
            return "It answers, but whether it checks the key is not certain."
        return "The key is accepted." + ("" if listed else " It has no model list.")

    return await verdict(work)


def _is_list(body: bytes) -> bool:
    try:
        page = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(page, list) or (isinstance(page, dict) and isinstance(page.get("data"), list))
