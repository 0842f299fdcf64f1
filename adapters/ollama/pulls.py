"""A download as an Ollama server reports it: its lines, the sum over all layers, and how it can go wrong."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from pydantic_core import from_json

from adapters.abilities import PullProgress
from adapters.counts import count
from adapters.errors import (
    ModelUnavailableError,
    Origin,
    ProviderError,
    ServerError,
    StreamInterruptedError,
    UnexpectedResponseError,
    error_from_answer,
    error_from_body,
)
from adapters.fetch import ERROR_BODY, read_bounded
from adapters.http_errors import from_transport
from adapters.http_send import encoded
from adapters.ndjson import NDJSONDecoder
from adapters.sse import FrameTooLargeError
from catalog.plaintext import one_line

SILENCE = 600.0
"""Seconds without a byte after which a download is given up: checking many gigabytes is done in silence."""
_LINE = 1024 * 1024
_LAYERS = 10_000
_ON = "Pull it again: it goes on where it stopped."
_WHY: tuple[tuple[re.Pattern[str], type[ProviderError], str, str], ...] = (
    (re.compile(r"no space left|not enough (?:disk )?space|disk quota", re.I), ServerError,
     "The disk of {slug} is full.", "Make room there, then pull {model} again: it goes on where it stopped."),
    (re.compile(r"newer version of ollama", re.I), ServerError,
     "The Ollama at {slug} is too old for {model}.", "Update Ollama on that machine."),
    (re.compile(r"file does not exist|manifest unknown|invalid model name|repository not found", re.I), ModelUnavailableError,
     "There is no model {model} that {slug} could pull.", "Names stand at ollama.com/library; one of Hugging Face is hf.co/OWNER/NAME."),
    (re.compile(r"\b40[13]\b|unauthorized|access denied|gated", re.I), ModelUnavailableError,
     "The library does not let {slug} have {model}.", "It is private, wants a sign-in there, or its name is mistyped."),
    (re.compile(r"no such host|dial tcp|proxyconnect|certificate", re.I), ServerError,
     "{slug} cannot reach the library of models.", "Check the network and the proxy of that machine, then pull again."),
    (re.compile(r"max retries exceeded|unexpected eof|connection reset|i/o timeout|digest mismatch", re.I), StreamInterruptedError,
     "The download of {model} to {slug} broke off.", _ON),
)  # fmt: skip
"""What is said → our error, sentence and next step."""


class PullReader:
    """Sums the layers. Raises its ProviderError where a line says that it failed."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._layers: dict[str, tuple[int, int]] = {}
        """Digest → (bytes that are there, bytes in all)."""
        self._there = self._whole = 0
        """The sums of both."""
        self.done = False

    def line(self, data: bytes) -> PullProgress | None:
        """What a line reports; None where it says nothing."""
        try:
            line = from_json(data)
        except ValueError:
            raise UnexpectedResponseError(
                f"{self._origin.slug} sent something that is no report of a download.",
                hint="Check the provider's URL and type.",
                provider=self._origin.slug,
            ) from None
        if not isinstance(line, dict):
            return None
        if line.get("error"):
            raise pull_error(self._origin, line)
        status = line.get("status")
        digest = line.get("digest")
        if isinstance(digest, str) and (digest in self._layers or len(self._layers) < _LAYERS):
            before, size = self._layers.get(digest, (0, 0))
            whole = count(line, "total") or size
            there = min(max(count(line, "completed") or 0, before), whole)
            self._layers[digest] = (there, whole)
            self._there, self._whole = self._there + there - before, self._whole + whole - size
        word = one_line(status, 80) if isinstance(status, str) else ""
        self.done = word == "success"
        return self._sum(word)

    def _sum(self, word: str) -> PullProgress:
        if not self._layers:
            return PullProgress(word, done=self.done)
        return PullProgress(word, self._whole if self.done else self._there, self._whole, self.done)


def pull_error(origin: Origin, line: Mapping[object, object]) -> ProviderError:
    """A line that says why it failed."""
    return _explained(error_from_body(origin, line, 200, {}), origin)


def _explained(error: ProviderError, origin: Origin) -> ProviderError:
    """What Ollama says of a download is about its disk, its network and the library: never about our key or a chat."""
    said = error.said.message if error.said is not None else ""
    row = next((row for row in _WHY if row[0].search(said)), None)
    if row is None or error.status in (401, 403):  # these two are about our key, or the server itself
        return error
    _, kind, what, hint = row
    names = {"slug": origin.slug, "model": one_line(origin.model or "", 80)}
    _, mark, words = error.message.partition(" It says: ")
    better = kind(
        what.format(**names) + mark + words,
        hint=hint.format(**names),
        provider=origin.slug,
        status=error.status,
    )
    better.said = error.said
    return better


@asynccontextmanager
async def open_pull(
    client: httpx.AsyncClient, url: str, model: str, slug: str, connect: float | None
) -> AsyncIterator[AsyncIterator[PullProgress]]:
    """The reports of a download on its way; leaving closes the connection, at which the server stops and keeps the parts."""
    origin = Origin(slug, model)
    request = client.build_request(
        "POST",
        url,
        content=encoded({"model": model, "stream": True}),
        headers={
            "content-type": "application/json",
            "accept": "application/x-ndjson",
            "accept-encoding": "identity",
        },
        timeout=httpx.Timeout(connect=connect, read=SILENCE, write=30.0, pool=10.0),
    )
    try:
        response = await client.send(request, stream=True)
    except httpx.HTTPError as error:
        raise from_transport(error, slug, request.url.host) from None
    reports = _reports(response, origin)
    try:
        if not response.is_success:
            body = await read_bounded(response, ERROR_BODY, origin, cut=True)
            raise _explained(error_from_answer(origin, response.status_code, response.headers, body), origin)
        yield reports
    finally:
        await reports.aclose()
        await response.aclose()


async def _reports(response: httpx.Response, origin: Origin) -> AsyncGenerator[PullProgress]:
    decoder, reader = NDJSONDecoder(_LINE), PullReader(origin)
    try:
        async for piece in response.aiter_bytes():
            for _, data in decoder.feed(piece):
                if (progress := reader.line(data)) is not None:
                    yield progress
                if reader.done:
                    return
        for _, data in decoder.end():
            if data.endswith(b"}") and (progress := reader.line(data)) is not None:
                yield progress
    except FrameTooLargeError:
        raise UnexpectedResponseError(
            f"{origin.slug} sent something that is no report of a download.", provider=origin.slug
        ) from None
    except httpx.HTTPError as error:
        raise _broken(origin, from_transport(error, origin.slug, response.request.url.host).message) from None
    if not reader.done:
        raise _broken(origin, "the server closed the connection")


def _broken(origin: Origin, why: str) -> StreamInterruptedError:
    return StreamInterruptedError(
        f"The download of {one_line(origin.model or '', 80)} broke off: {why[:1].lower()}{why[1:].rstrip('.')}.",
        hint=_ON,
        provider=origin.slug,
    )
