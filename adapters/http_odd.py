"""What an answer is that gave no event where frames were expected: one document, a text, or an answer cut short."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import httpx

from adapters.errors import Origin, ProviderError, UnexpectedResponseError
from adapters.errors.mapping import excerpt

if TYPE_CHECKING:
    from adapters.events import Event
    from adapters.http_stream import Decoder, Reader

LOOKED_AT = 64 * 1024
"""Bytes of such an answer that are looked at."""
_REST_S = 5.0
"""Seconds given to its rest."""
_COMMENTS = re.compile(rb"\A(?::[^\r\n]*\s*)+")


async def without_events(
    start: bytes,
    rest: AsyncIterator[bytes],
    decoder: Decoder,
    reader: Reader,
    failure: ProviderError | None,
    origin: Origin,
    status: int,
) -> tuple[Sequence[Event], ProviderError | None]:
    """(the events of a document that `start` begins, what is wrong). Nothing at all: it may have been cut.

    `failure`: what the first frame was refused with, so that there may be more behind `start`.
    """
    text = _COMMENTS.sub(b"", start)
    if text[:1] in (b"{", b"[") and (failure is not None or text[:1] not in _each(decoder.starts)):
        if failure is not None:
            text += await _read(rest)
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            return (), failure
        try:
            return reader.whole(body), None
        except ProviderError as error:
            return (), error
    if failure is not None or not start or decoder.plausible(start):
        return (), failure
    return (), UnexpectedResponseError(
        f"{origin.slug} sent something that is not an answer."
        f" It says: “{excerpt(start.decode('utf-8', 'replace'))}”",
        hint="Check the provider's URL and type.",
        provider=origin.slug,
        status=status,
    )


async def _read(rest: AsyncIterator[bytes]) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_REST_S):
            async for piece in rest:
                pieces.append(piece)
                size += len(piece)
                if size > LOOKED_AT:
                    break
    except (TimeoutError, httpx.HTTPError):
        pass
    return b"".join(pieces)


def _each(starts: bytes) -> tuple[bytes, ...]:
    return tuple(bytes([one]) for one in starts)
