"""What every HTTP dialect does alike: sending a chat, getting a document, trying a key; each says only where and what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from time import monotonic
from typing import cast

import httpx

from adapters.base import ProviderState, Validation, Watchdogs
from adapters.errors import Origin, ProviderError, error_from_answer
from adapters.fetch import Fetcher
from adapters.http_stream import Decoder, HttpStream, Reader, open_stream
from adapters.json_body import encoded as encoded
from catalog.errors import OfflineError

WHOLE_FACTOR = 5
"""A plain answer's first event is its end: it gets the first-event limit this many times (10 minutes by default)."""


async def send_chat(
    client: httpx.AsyncClient,
    url: str,
    body: Mapping[str, object],
    reader: Reader,
    origin: Origin,
    limits: Watchdogs,
    *,
    streamed: bool,
    headers: Mapping[str, str] | None = None,
    accept: str = "text/event-stream",
    decoder: Decoder | None = None,
) -> HttpStream:
    """POST a chat and open its answer, streamed or whole. Raises ProviderError, OfflineError.

    `accept` is what a streamed answer comes as; `decoder` None: server-sent events.
    """
    if not streamed and limits.first_event is not None:
        limits = replace(limits, first_event=limits.first_event * WHOLE_FACTOR)
    request = client.build_request(
        "POST",
        url,
        content=encoded(body),
        headers={
            "content-type": "application/json",
            "accept": accept if streamed else "application/json",
            "accept-encoding": "identity",
            **(headers or {}),
        },
        timeout=httpx.Timeout(connect=limits.connect, read=None, write=30.0, pool=10.0),
    )
    return await open_stream(client, request, reader, origin, limits, decoder if streamed else None)


async def get(
    fetcher: Fetcher,
    client: httpx.AsyncClient,
    url: str,
    origin: Origin,
    *,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float,
) -> tuple[Mapping[str, str], bytes]:
    """(headers, body) of a document; raises its ProviderError where the answer is not 200. `timeout` in seconds."""
    request = client.build_request("GET", url, params=params or None, headers=headers)
    status, answer_headers, content = await fetcher.call(client, request, origin, timeout=max(timeout, 0.1))
    if status != 200:
        raise error_from_answer(origin, status, answer_headers, content)
    return answer_headers, content


async def verdict(work: Callable[[], Awaitable[str]]) -> Validation:
    """The outcome of trying a key: `work` says in one sentence what is fine, or raises what is wrong."""
    started = monotonic()
    try:
        message = await work()
    except OfflineError as error:
        return Validation("offline", error.message, _since(started), error)
    except ProviderError as error:
        state = error.state if error.state != "ok" else "error"
        return Validation(cast("ProviderState", state), error.message, _since(started), error)
    return Validation("ok", message, _since(started))


def _since(started: float) -> int:
    return round((monotonic() - started) * 1000)
