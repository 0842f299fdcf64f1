"""The `openrouter` dialect: chat completions with a choice of hosts, lists of models to fall back on, and costs (WIRE section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from time import monotonic
from typing import ClassVar

from adapters.base import Connection, Validation
from adapters.errors import Origin
from adapters.events import ChatRequest
from adapters.fetch import Fetcher, parse_json
from adapters.http_send import get, verdict
from adapters.openai.adapter import OpenAIAdapter
from adapters.openai.reader import ChatReader
from adapters.openai.request import Repairs
from adapters.openrouter.key import key_words
from adapters.openrouter.reader import OpenRouterReader
from adapters.openrouter.request import kept_details, routing

TIMEOUT = 4.5
"""Seconds for the check of a key."""
_HEADERS = {"site_url": "HTTP-Referer", "app_title": "X-OpenRouter-Title"}


class OpenRouterAdapter(OpenAIAdapter):
    """Implements adapters.base.Adapter. Its options choose who may answer: see catalog/options.py."""

    dialect: ClassVar[str] = "openrouter"

    def __init__(self, connection: Connection, fetcher: Fetcher) -> None:
        named = {
            header: connection.options[option]
            for option, header in _HEADERS.items()
            if connection.options.get(option)
        }
        super().__init__(replace(connection, headers={**named, **connection.headers}), fetcher)
        self._routing = routing(connection.options)

    async def validate(self) -> Validation:
        """`GET /key`: the list of models is public and proves nothing."""
        deadline = monotonic() + TIMEOUT

        async def work() -> str:
            _headers, content = await get(
                self._fetcher,
                self._client,
                self._url("key"),
                self._origin,
                timeout=deadline - monotonic(),
            )
            return key_words(parse_json(content, self._origin.slug), self._origin.slug)

        return await verdict(work)

    def _body(self, request: ChatRequest, repairs: Repairs) -> dict[str, object]:
        sent = super()._body(request, repairs)
        effort = sent.pop("reasoning_effort", None)
        if effort is not None:
            sent["reasoning"] = {"effort": effort}
        kept_details(sent, request)
        return self._routed(sent)

    def _responses_body(self, request: ChatRequest, dropped: frozenset[str]) -> dict[str, object]:
        """Who may answer holds however a model is asked: a host that keeps data is not let in by another form."""
        return self._routed(super()._responses_body(request, dropped))

    def _routed(self, sent: dict[str, object]) -> dict[str, object]:
        for name, value in self._routing.items():
            given = sent.get(name)
            sent[name] = (
                {**value, **given} if isinstance(given, Mapping) and isinstance(value, Mapping) else value
            )
        return sent

    def _reader(self, request: ChatRequest) -> ChatReader:
        return OpenRouterReader(Origin(self._origin.slug, request.model))
