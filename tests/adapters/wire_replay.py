"""Bodies played into a dialect's reader in this process: any status, headers, cut into pieces of any size, cut off anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

import httpx
from collected import Collected

from adapters.base import Watchdogs
from adapters.errors import Origin
from adapters.events import Finished
from adapters.http_stream import Decoder, HttpStream, Reader, open_stream
from adapters.openai.reader import ChatReader
from adapters.openai.think import Mode


class Pieces(httpx.AsyncByteStream):
    """A body in given pieces, then an end or a broken connection."""

    def __init__(self, pieces: Sequence[bytes], broken: bool) -> None:
        self._pieces = pieces
        self._broken = broken

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        if self._broken:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


class Canned(httpx.AsyncBaseTransport):
    """Answers every request with the same thing."""

    def __init__(
        self, status: int, headers: Mapping[str, str], pieces: Sequence[bytes], broken: bool
    ) -> None:
        self._answer = (status, headers, pieces, broken)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        status, headers, pieces, broken = self._answer
        return httpx.Response(status, headers=dict(headers), stream=Pieces(pieces, broken))


def cut(body: bytes, size: int) -> list[bytes]:
    return [body[i : i + size] for i in range(0, len(body), size)]


async def play(
    body: bytes | Sequence[bytes],
    *,
    size: int = 0,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    broken: bool = False,
    think: Mode | None = None,
    hidden_reasoning: bool = False,
    limits: Watchdogs | None = None,
    reader: Reader | None = None,
    decoder: Callable[[], Decoder] | None = None,
) -> tuple[HttpStream, Collected]:
    """The stream and all it gave. Raises the ProviderError of a refused request.

    `reader` None: the openai dialect's, with `think` and `hidden_reasoning`; `decoder` None: server-sent events.
    """
    pieces = (cut(body, size) if size else [body]) if isinstance(body, bytes) else list(body)
    given = {"content-type": "text/event-stream"} if headers is None else headers
    if reader is None:
        reader = ChatReader(Origin("prov", "m"), think=think, hidden_reasoning=hidden_reasoning)
    async with httpx.AsyncClient(transport=Canned(status, given, pieces, broken)) as client:
        request = client.build_request("POST", "http://127.0.0.1:1/v1/chat/completions", json={})
        stream = await open_stream(
            client,
            request,
            reader,
            Origin("prov", "m"),
            limits or Watchdogs(),
            decoder() if decoder else None,
        )
        got = Collected()
        try:
            async for event in stream:
                got.add(event)
        finally:
            await stream.aclose()
    return stream, got


def played(body: bytes | Sequence[bytes], **how: object) -> tuple[HttpStream, Collected]:
    """`play` for tests that are not coroutines (hypothesis)."""
    return asyncio.run(play(body, **how))  # type: ignore[arg-type]


def sse(*rows: str, end: str = "\n\n") -> bytes:
    return "".join(f"data: {row}{end}" for row in rows).encode()


def finished(got: Collected) -> Finished:
    assert got.finished is not None
    return got.finished
