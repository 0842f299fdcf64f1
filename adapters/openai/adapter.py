"""The `openai` dialect: OpenAI's chat completions and every server that speaks them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic
from typing import ClassVar
from urllib.parse import urlsplit

import httpx

from adapters.base import Connection, RemoteModel, Validation, Watchdogs
from adapters.errors import BadRequestError, Origin, UnexpectedResponseError, error_from_answer
from adapters.events import ChatRequest
from adapters.fetch import Fetcher, parse_json
from adapters.http_stream import HttpStream, open_stream
from adapters.openai.check import check
from adapters.openai.endpoint import endpoint
from adapters.openai.models import read_models
from adapters.openai.reader import ChatReader
from adapters.openai.request import Repairs, body, habits, repaired
from adapters.openai.think import Mode

LIST_TIMEOUT = 25.0
"""Seconds one page of the model list may take; a provider's whole sync has 30."""
MOST_PAGES = 50
WHOLE_FACTOR = 5
"""A plain answer's first event is its end: it gets the first-event limit this many times (10 minutes by default)."""


class OpenAIAdapter:
    """Implements adapters.base.Adapter. Options: `max_tokens_field`, `organization`, `project`, `think_tags`
    (`on`, `implied`), `reasoning_field`, `stream_options` (`no`), `version_segment` (`none`)."""

    dialect: ClassVar[str] = "openai"

    def __init__(self, connection: Connection, fetcher: Fetcher) -> None:
        headers = dict(connection.headers)
        for option, header in (("organization", "OpenAI-Organization"), ("project", "OpenAI-Project")):
            if connection.options.get(option):
                headers.setdefault(header, connection.options[option])
        self._connection = replace(connection, headers=headers)
        self._fetcher = fetcher
        self._client = fetcher.client(self._connection)
        self._origin = Origin(connection.slug)
        self._habits = habits(connection)
        self._repairs: dict[str, Repairs] = {}
        self._hidden = urlsplit(connection.base_url).hostname == "generativelanguage.googleapis.com"

    async def validate(self) -> Validation:
        return await check(
            self._connection, self._fetcher, self._client, self._url("models"), self._url("chat/completions")
        )

    async def list_models(self) -> list[RemoteModel]:
        """Every page of `GET /models`; an entry that cannot be read is left out."""
        models: dict[str, RemoteModel] = {}
        after: str | None = None
        deadline = monotonic() + LIST_TIMEOUT
        for _ in range(MOST_PAGES):
            page = await self._page(after, max(deadline - monotonic(), 1.0))
            try:
                found, _bad = read_models(page)
            except ValueError:
                raise UnexpectedResponseError(
                    f"{self._origin.slug} sent something that is not a list of models.",
                    hint="Check the provider's URL and type.",
                    provider=self._origin.slug,
                    status=200,
                ) from None
            fresh = [model for model in found if model.id not in models]
            models.update((model.id, model) for model in fresh)
            after = _next(page)
            if after is None or not fresh:
                break
        return list(models.values())

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[HttpStream]:
        """The answer on its way; see adapters.base.Adapter."""
        stream = await self._open(request)
        try:
            yield stream
        finally:
            await stream.aclose()

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _open(self, request: ChatRequest) -> HttpStream:
        """Send it; when the server refuses a parameter by name, once more without (remembered for the model)."""
        while True:
            repairs = self._repairs.get(request.model, Repairs())
            sent = body(request, self._habits, repairs)
            try:
                return await self._send(request, sent)
            except BadRequestError as error:
                better = (
                    repaired(repairs, sent, error.said) if error.status in (400, 422) and error.said else None
                )
                if better is None or better == repairs:
                    raise
                self._repairs[request.model] = better

    async def _send(self, request: ChatRequest, sent: dict[str, object]) -> HttpStream:
        reader = ChatReader(
            Origin(self._origin.slug, request.model), think=self._think(), hidden_reasoning=self._hidden
        )
        limits = self._connection.watchdogs
        if not request.stream and limits.first_event is not None:
            limits = replace(limits, first_event=limits.first_event * WHOLE_FACTOR)
        wire = self._client.build_request(
            "POST",
            self._url("chat/completions"),
            json=sent,
            headers={
                "accept": "text/event-stream" if request.stream else "application/json",
                "accept-encoding": "identity",
            },
            timeout=_timeouts(limits),
        )
        return await open_stream(self._client, wire, reader, Origin(self._origin.slug, request.model), limits)

    async def _page(self, after: str | None, timeout: float) -> object:
        params = {"after": after} if after else None
        wire = self._client.build_request("GET", self._url("models"), params=params)
        status, headers, content = await self._fetcher.call(self._client, wire, self._origin, timeout=timeout)
        if status != 200:
            raise error_from_answer(self._origin, status, headers, content)
        return parse_json(content, self._origin.slug)

    def _url(self, call: str) -> str:
        versioned = False if self._connection.options.get("version_segment") == "none" else None
        return endpoint(self._connection.base_url, call, versioned=versioned)

    def _think(self) -> Mode | None:
        wanted = self._connection.options.get("think_tags")
        return "on" if wanted == "on" else "implied" if wanted == "implied" else None


def _next(page: object) -> str | None:
    """The cursor of the next page; None on the last."""
    if not isinstance(page, dict) or page.get("has_more") is not True:
        return None
    last = page.get("last_id")
    if isinstance(last, str) and last:
        return last
    data = page.get("data")
    tail = data[-1] if isinstance(data, list) and data else None
    cursor = tail.get("id") if isinstance(tail, dict) else None
    return cursor if isinstance(cursor, str) and cursor else None


def _timeouts(limits: Watchdogs) -> httpx.Timeout:
    """httpx's own limits for a stream: none on reading, which is the watchdog's."""
    return httpx.Timeout(connect=limits.connect, read=None, write=30.0, pool=10.0)
