"""The `openai` dialect: OpenAI's chat completions and every server that speaks them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from time import monotonic
from typing import ClassVar
from urllib.parse import urlsplit

import httpx

from adapters.base import Connection, RemoteModel, Validation
from adapters.errors import BadRequestError, ModelUnavailableError, Origin, UnexpectedResponseError
from adapters.events import ChatRequest
from adapters.fetch import Fetcher
from adapters.http_send import get, send_chat
from adapters.http_stream import HttpStream
from adapters.openai import responses
from adapters.openai.check import check
from adapters.openai.endpoint import endpoint
from adapters.openai.enrich import LONGEST, enriched, extra_for
from adapters.openai.page_json import read_json
from adapters.openai.pages import whole_list
from adapters.openai.reader import ChatReader
from adapters.openai.request import Repairs, body, habits, repaired, without
from adapters.openai.responses_reader import ResponsesReader
from adapters.openai.think import Mode
from adapters.openai.vendors import vendor_of, with_defaults

LIST_TIMEOUT = 25.0
"""Seconds the model list may take with all its pages; a provider's whole sync has 30."""
_FIRST_PAGE = {"nebius": {"verbose": "true"}}
"""Vendors whose list says more when asked so."""


class OpenAIAdapter:
    """Implements adapters.base.Adapter. Options: `max_tokens_field`, `organization`, `project`, `think_tags`
    (`on`, `implied`), `reasoning_field`, `stream_options` (`no`), `version_segment` (`none`); `api` and
    `responses_for` choose the form that is spoken, chat completions or responses."""

    dialect: ClassVar[str] = "openai"

    def __init__(self, connection: Connection, fetcher: Fetcher) -> None:
        self._own_extra = habits(connection).extra  # a vendor's defaults are meant for chat completions
        connection = with_defaults(connection)
        headers = dict(connection.headers)
        for option, header in (("organization", "OpenAI-Organization"), ("project", "OpenAI-Project")):
            if connection.options.get(option):
                headers.setdefault(header, connection.options[option])
        self._connection = replace(connection, headers=headers)
        self._fetcher = fetcher
        self._client = self._connect()
        self._origin = Origin(connection.slug)
        self._habits = habits(connection)
        self._vendor = vendor_of(connection)
        self._repairs: dict[str, Repairs] = {}
        self._form = responses.form_of(connection)
        self._by_responses: dict[str, frozenset[str]] = {}
        """Models that are asked by responses → what is left out for them."""
        self._hidden = urlsplit(connection.base_url).hostname == "generativelanguage.googleapis.com"

    async def validate(self) -> Validation:
        return await check(
            self._connection,
            self._fetcher,
            self._client,
            self._url("models"),
            self._url("responses" if self._form.always else "chat/completions"),
            self._vendor,
        )

    async def list_models(self) -> list[RemoteModel]:
        """Every page of `GET /models`, and what a known server says more; an entry that cannot be read is left out."""
        deadline = monotonic() + LIST_TIMEOUT
        url = self._url("models")
        asked = _FIRST_PAGE.get(self._connection.catalog_id or "", {})

        async def page(params: Mapping[str, str]) -> tuple[Mapping[str, str], bytes]:
            return await self._get(url, {**asked, **params}, deadline)

        models, headers = await whole_list(page, self._origin.slug)
        extra = extra_for(self._connection, headers, models)
        if extra is None or not models:
            return models
        enough = min(deadline, monotonic() + LONGEST)

        async def get(further: str) -> object:
            return await read_json((await self._get(further, {}, enough))[1], self._origin.slug)

        return await enriched(extra, get, url, models)

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[HttpStream]:
        """The answer on its way; see adapters.base.Adapter."""
        async with aclosing(await self._open(request)) as stream:
            yield stream

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _open(self, request: ChatRequest) -> HttpStream:
        """Send it; when the server refuses a parameter by name, once more without (remembered for the model)."""
        if request.model in self._by_responses or self._form.wanted(request.model):
            return await self._respond(request)
        while True:
            repairs = self._repairs.get(request.model, Repairs())
            sent = without(self._body(request, repairs), repairs)
            try:
                return await self._send(request, sent)
            except (BadRequestError, ModelUnavailableError, UnexpectedResponseError) as error:
                if responses.wants_responses(error.status or 0, error.said):
                    return await self._respond(request)
                better = (
                    repaired(repairs, sent, error.said) if error.status in (400, 422) and error.said else None
                )
                if better is None or better == repairs:
                    raise
                self._repairs[request.model] = better

    async def _send(self, request: ChatRequest, sent: dict[str, object]) -> HttpStream:
        return await send_chat(
            self._client,
            self._url("chat/completions", request.model),
            sent,
            self._reader(request),
            Origin(self._origin.slug, request.model),
            self._connection.watchdogs,
            streamed=request.stream,
        )

    def _body(self, request: ChatRequest, repairs: Repairs) -> dict[str, object]:
        """The body of a chat, as the vendor wants it."""
        sent = body(request, self._habits, repairs)
        if self._vendor.amend is not None:
            self._vendor.amend(sent, request)
        return sent

    def _reader(self, request: ChatRequest) -> ChatReader:
        origin = Origin(self._origin.slug, request.model)
        return ChatReader(origin, think=self._think(), hidden_reasoning=self._hidden)

    async def _respond(self, request: ChatRequest) -> HttpStream:
        """The same by the Responses form; what it refuses by name is left out, and remembered for the model."""
        origin = Origin(self._origin.slug, request.model)
        while True:
            dropped = self._by_responses.get(request.model, frozenset())
            sent = self._responses_body(request, dropped)
            try:
                stream = await send_chat(
                    self._client,
                    self._url("responses"),
                    sent,
                    ResponsesReader(origin),
                    origin,
                    self._connection.watchdogs,
                    streamed=request.stream,
                )
            except BadRequestError as error:
                less = responses.without(dropped, sent, error.said) if error.said else None
                if less is None:
                    raise
                self._by_responses[request.model] = less
                continue
            self._by_responses.setdefault(request.model, dropped)
            return stream

    def _responses_body(self, request: ChatRequest, dropped: frozenset[str]) -> dict[str, object]:
        """The body by the Responses form, with the fields that the user wants in every request."""
        return {**self._own_extra, **responses.body(request, dropped)}

    async def _get(
        self, url: str, params: Mapping[str, str], deadline: float
    ) -> tuple[Mapping[str, str], bytes]:
        left = max(deadline - monotonic(), 0.5)
        return await get(self._fetcher, self._client, url, self._origin, params=params, timeout=left)

    def _connect(self) -> httpx.AsyncClient:
        """The client, with the key where the vendor wants it."""
        return self._fetcher.client(self._connection)

    def _url(self, call: str, model: str = "") -> str:  # noqa: ARG002  some vendors have the model in the path
        versioned = False if self._connection.options.get("version_segment") == "none" else None
        return endpoint(self._connection.base_url, call, versioned=versioned)

    def _think(self) -> Mode | None:
        wanted = self._connection.options.get("think_tags")
        return "on" if wanted == "on" else "implied" if wanted == "implied" else None
