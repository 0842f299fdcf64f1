"""One streamed answer over HTTP, from request to named end; what the frames mean is the dialect's reader's business."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from time import monotonic
from typing import Protocol

import httpx

from adapters.base import Watchdogs
from adapters.errors import (
    Origin,
    ProviderError,
    ProviderTimeoutError,
    StreamInterruptedError,
    UnexpectedResponseError,
    error_from_answer,
)
from adapters.errors.mapping import request_id
from adapters.events import Event, Finished, FinishReason, StreamState
from adapters.fetch import ERROR_BODY, JSON_BODY, parse_json, read_bounded
from adapters.http_errors import from_transport
from adapters.http_odd import LOOKED_AT, without_events
from adapters.speed import Speed
from adapters.sse import Frame, FrameTooLargeError, SSEDecoder
from adapters.watchdog import Watchdog
from catalog.usage import Usage

_BLANK = b"\xef\xbb\xbf \t\r\n"
_DRAIN_S = 0.05
"""Seconds given to the bytes that follow a finished answer, so that the connection can be used again."""


class Decoder(Protocol):
    """Bytes to frames."""

    starts: bytes
    """First bytes (of `{`, `[`) that begin frames here; an answer that begins with another of them is one document."""

    def plausible(self, start: bytes) -> bool:
        """Whether a body that gave no event may have been cut before its first: `start` is how it begins."""

    def feed(self, piece: bytes) -> list[Frame]: ...
    def end(self) -> list[Frame]: ...


class Reader(Protocol):
    """Frames to events: the dialect's part. It raises nothing but ProviderError."""

    @property
    def usage(self) -> Usage: ...

    finish_reason: FinishReason | None
    raw_finish_reason: str | None
    error: ProviderError | None
    """The vendor's error inside the stream; the stream ends with it."""
    done: bool
    """The terminal marker or an error was seen: nothing that follows matters."""
    ended: bool
    """The vendor said why it stopped; enough for a complete answer when the connection then closes."""
    served_model: str | None
    headers: Mapping[str, str]
    """Of the answer; set before the first frame."""

    def frame(self, name: str, data: bytes) -> Sequence[Event]: ...
    def whole(self, body: object) -> Sequence[Event]:
        """The events of an answer that came as one JSON document. Raises its ProviderError."""

    def close(self) -> Sequence[Event]:
        """What was held back, at the end."""


class HttpStream:
    """Implements adapters.base.Stream. Made by `open_stream`; `aclose` closes the connection at once."""

    def __init__(
        self,
        origin: Origin,
        host: str,
        response: httpx.Response,
        reader: Reader,
        dog_limits: Watchdogs,
        started: float,
        decoder: Decoder,
    ) -> None:
        self.state: StreamState = "open"
        self.error: ProviderError | None = None
        self.status = response.status_code
        self.request_id = request_id(response.headers)
        self._origin = origin
        self._host = host
        self._response = response
        self._reader = reader
        self._limits = dog_limits
        self._started = started
        self._raw: AsyncIterator[bytes] = _bytes_of(response)
        self._prefix = b""
        """How the body begins; as long as no event came, up to LOOKED_AT of it."""
        self._ready: Sequence[Event] | None = None
        """The events of an answer that came whole; None while there are frames to read."""
        self._decoder = decoder
        self._events: AsyncIterator[Event] | None = None

    @property
    def usage(self) -> Usage:
        return self._reader.usage

    @property
    def finish_reason(self) -> FinishReason | None:
        return self._reader.finish_reason

    @property
    def served_model(self) -> str | None:
        return self._reader.served_model

    @property
    def served_by(self) -> str | None:
        """Whose machine answered, where the vendor only passes requests on; None where nothing is said."""
        return getattr(self._reader, "served_by", None)

    @property
    def speed(self) -> Speed | None:
        """How fast the server says it was; None where it says nothing."""
        return getattr(self._reader, "speed", None)

    def __aiter__(self) -> AsyncIterator[Event]:
        if self._events is None:
            self._events = self._run() if self._ready is None else self._whole(self._ready)
        return self._events

    async def look(self) -> None:
        """Read up to the first byte that tells frames from one JSON document or a web page."""
        async for piece in self._raw:
            self._prefix = piece.lstrip(_BLANK)
            if self._prefix:
                break
        first = self._prefix[:1]
        if first not in (b"{", b"[", b"<") or first in (bytes([b]) for b in self._decoder.starts):
            return
        pieces, size = [self._prefix], len(self._prefix)
        async for piece in self._raw:
            pieces.append(piece)
            size += len(piece)
            if size > JSON_BODY:
                raise UnexpectedResponseError(
                    f"The answer of {self._origin.slug} is too large.", provider=self._origin.slug
                )
        body = b"".join(pieces)
        if first == b"<":
            raise error_from_answer(self._origin, self.status, self._response.headers, body)
        self._ready = self._reader.whole(parse_json(body, self._origin.slug, self.status))

    async def aclose(self) -> None:
        """Leave: an answer still coming is cancelled and its connection closed."""
        if self.state == "open":
            self.state = "cancelled"
        elif self.state == "complete" and not self._response.is_closed:
            await self._drain()
        await self._response.aclose()

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(_DRAIN_S):
                async for _ in self._raw:
                    pass
        except (TimeoutError, httpx.HTTPError):
            pass

    async def _whole(self, events: Sequence[Event]) -> AsyncIterator[Event]:
        for event in events:
            yield event
        yield self._finish(None)

    async def _run(self) -> AsyncIterator[Event]:
        dog = Watchdog(self._limits, self._started, self._response.aclose)
        reader, feed, frame, following = (
            self._reader,
            self._decoder.feed,
            self._reader.frame,
            self._raw.__anext__,
        )
        failure: ProviderError | None = None
        piece = self._prefix
        dog.start()
        try:
            while True:
                for name, data in feed(piece):
                    events = frame(name, data)
                    if events:
                        dog.last = monotonic()
                        dog.first = False
                        for event in events:
                            yield event
                    if reader.done:
                        break
                if reader.done:
                    break
                dog.waiting = True
                piece = await following()
                dog.waiting = False
                if dog.first and len(self._prefix) < LOOKED_AT:
                    self._prefix += piece
        except StopAsyncIteration:
            pass
        except (httpx.HTTPError, FrameTooLargeError, ProviderError) as error:
            failure = self._failure(error)
        finally:
            dog.waiting = False
            dog.stop()
        for event in await self._last(dog, failure):
            yield event

    async def _last(self, dog: Watchdog, failure: ProviderError | None) -> Sequence[Event]:
        """What is left to say when nothing more comes; the last of it is how it ended."""
        await dog.settle()
        if dog.fired is not None and not self._reader.done:
            failure = self._given_up(dog.fired)
        events = self._leftovers(failure)
        if dog.first and not events:
            events, failure = await self._odd(failure)
        return [*events, self._finish(failure)]

    def _given_up(self, why: str) -> ProviderError:
        slug = self._origin.slug
        return ProviderTimeoutError(f"{why} {slug} was given up.", hint="Try again.", provider=slug)

    async def _odd(self, failure: ProviderError | None) -> tuple[Sequence[Event], ProviderError | None]:
        """What an answer without a single event says: see adapters.http_odd."""
        reader, broken = self._reader, isinstance(failure, UnexpectedResponseError)
        if reader.done or reader.ended or (failure is not None and not broken):
            return (), failure
        return await without_events(
            self._prefix, self._raw, self._decoder, reader, failure, self._origin, self.status
        )

    def _leftovers(self, failure: ProviderError | None) -> Sequence[Event]:
        """What a last frame without its blank line says, when it is a whole one; then what the reader held back."""
        events: list[Event] = []
        if failure is None and not self._reader.done:
            for name, data in self._decoder.end():
                try:
                    events += self._reader.frame(name, data)
                except ProviderError:  # half a frame: the end came in its middle
                    break
        return [*events, *self._reader.close()]

    def _failure(self, error: Exception) -> ProviderError:
        if isinstance(error, ProviderError):
            return error
        slug = self._origin.slug
        if isinstance(error, FrameTooLargeError):
            return UnexpectedResponseError(
                f"{slug} sent a piece of an answer that is too large.", provider=slug, status=self.status
            )
        told = from_transport(error, slug, self._host)
        return StreamInterruptedError(
            f"The answer broke off: {told.message[:1].lower()}{told.message[1:]}",
            hint="Try again, or continue from here.",
            provider=slug,
            request_id=self.request_id,
        )

    def _finish(self, failure: ProviderError | None) -> Finished:
        """How it ended: the vendor's error, ours, its own word, or no word at all."""
        reader = self._reader
        error = reader.error or (None if reader.ended else failure)
        if error is None and not reader.ended:
            error = StreamInterruptedError(
                f"{self._origin.slug} closed the connection before the answer was complete.",
                hint="Try again, or continue from here.",
                provider=self._origin.slug,
                request_id=self.request_id,
            )
        self.error = error
        if error is None:
            self.state = "complete"
            return Finished("complete", reader.finish_reason, reader.raw_finish_reason)
        if error.request_id is None:
            error.request_id = self.request_id
        if isinstance(error, StreamInterruptedError | ProviderTimeoutError) and error is not reader.error:
            self.state = "interrupted"
            return Finished("interrupted", None, reader.raw_finish_reason, error)
        self.state = "failed"
        reader.finish_reason = "error"
        return Finished("failed", "error", reader.raw_finish_reason, error)


def _bytes_of(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body as it comes; one layer less than `aiter_raw` where nothing is to be decompressed."""
    if response.headers.get("content-encoding", "identity") == "identity" and isinstance(
        response.stream, httpx.AsyncByteStream
    ):
        return aiter(response.stream)
    return response.aiter_bytes()


async def open_stream(
    client: httpx.AsyncClient,
    request: httpx.Request,
    reader: Reader,
    origin: Origin,
    limits: Watchdogs,
    decoder: Decoder | None = None,
) -> HttpStream:
    """Send the request; the stream is open when the vendor has accepted it. Raises ProviderError, OfflineError.

    `decoder` None: server-sent events.
    """
    started = monotonic()
    waits = [seconds for seconds in (limits.first_event, limits.total) if seconds is not None]
    host = request.url.host
    try:
        async with asyncio.timeout(min(waits) if waits else None):
            response = await client.send(request, stream=True)
            try:
                if not response.is_success:
                    body = await read_bounded(response, ERROR_BODY, origin, cut=True)
                    raise error_from_answer(origin, response.status_code, response.headers, body)
                reader.headers = response.headers
                stream = HttpStream(origin, host, response, reader, limits, started, decoder or SSEDecoder())
                await stream.look()
            except BaseException:
                await response.aclose()
                raise
    except TimeoutError:
        raise ProviderTimeoutError(
            f"{origin.slug} sent nothing within {min(waits):g} s.",
            hint="Try again, or allow more time.",
            provider=origin.slug,
        ) from None
    except httpx.HTTPError as error:
        raise from_transport(error, origin.slug, host) from None
    return stream
