"""The `anthropic` dialect: the Messages API, at Anthropic and at every server and gateway that speaks it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic
from typing import ClassVar
from urllib.parse import urlsplit

from adapters.anthropic.check import OWN_HOST, check
from adapters.anthropic.check import TIMEOUT as CHECK_TIMEOUT
from adapters.anthropic.endpoint import endpoint
from adapters.anthropic.legs import Legs
from adapters.anthropic.models import whole_list
from adapters.anthropic.reader import MessageReader
from adapters.anthropic.request import (
    NEW,
    OLD,
    UNKNOWN,
    Known,
    Repairs,
    body,
    prompt,
    refuses_version,
    repaired,
    version,
)
from adapters.base import Connection, RemoteModel, Validation
from adapters.counts import count
from adapters.errors import (
    InvalidCredentialsError,
    Origin,
    ProviderError,
    UnexpectedResponseError,
    error_from_answer,
)
from adapters.events import ChatRequest
from adapters.fetch import Fetcher, parse_json
from adapters.http_send import encoded, get, send_chat
from adapters.http_stream import HttpStream

LIST_TIMEOUT = 25.0
"""Seconds the model list may take with all its pages; a provider's whole sync has 30."""
COUNT_TIMEOUT = 10.0
_BEARER_KEYS = ("sk-ant-oat",)
"""Keys that are tokens of a sign-in: they go as bearer."""
_VERSION = "anthropic-version"


class AnthropicAdapter:
    """Implements adapters.base.Adapter and adapters.abilities.CountsTokens. Options: `api_version`, `auth` (`bearer`,
    `x-api-key`), `beta`, `workspace`.

    An answer that the vendor pauses (`pause_turn`) is sent back to go on with it, five legs in all at most; it comes
    as one stream, and its usage is that of all legs together.
    """

    dialect: ClassVar[str] = "anthropic"

    def __init__(self, connection: Connection, fetcher: Fetcher) -> None:
        headers = {name.lower(): value for name, value in connection.headers.items()}
        for option, header in (("beta", "anthropic-beta"), ("workspace", "anthropic-workspace-id")):
            if connection.options.get(option):
                headers.setdefault(header, connection.options[option])
        self._wanted = connection.options.get("api_version") or headers.pop(_VERSION, None)
        secret = {name.lower() for name in connection.secret_headers}
        own_key = not secret & {"authorization", "x-api-key"}  # one of the two, never both
        self._connection = replace(connection, headers=headers, key=connection.key if own_key else None)
        bearer = self._bearer = _bearer(connection)
        self._fetcher = fetcher
        self._client = fetcher.client(
            self._connection,
            key_header="authorization" if bearer else "x-api-key",
            key_prefix="Bearer " if bearer else "",
        )
        self._origin = Origin(connection.slug)
        self._known: dict[str, Known] = {}
        self._repairs: dict[str, Repairs] = {}

    async def validate(self) -> Validation:
        deadline = monotonic() + CHECK_TIMEOUT

        async def models() -> bytes:
            return (await self._list_page({"limit": "1"}, deadline))[1]

        async def chat() -> ProviderError | None:
            status, headers, content = await self._post(
                "messages", {}, deadline - monotonic(), version({}, self._wanted)
            )
            return None if status < 300 else error_from_answer(self._origin, status, headers, content)

        found = await check(self._connection, models, chat)
        if isinstance(found.error, InvalidCredentialsError):
            self._name_other_header(found.error)
        return found

    def _name_other_header(self, error: ProviderError) -> None:
        """A gateway may know only one of the two headers for the key; both together some refuse."""
        connection = self._connection
        own = urlsplit(connection.base_url).hostname == OWN_HOST
        if own or connection.key is None or "auth" in connection.options:
            return
        other = "x-api-key" if self._bearer else "bearer"
        error.hint = (
            f"{error.hint or ''} Where it wants the key in the other header: option auth={other}.".strip()
        )

    async def list_models(self) -> list[RemoteModel]:
        """Every page of `GET /v1/models`; an entry that cannot be read is left out."""
        deadline = monotonic() + LIST_TIMEOUT

        async def page(params: Mapping[str, str]) -> tuple[Mapping[str, str], bytes]:
            return await self._list_page(params, deadline)

        models, self._known = await whole_list(page, self._origin.slug)
        return models

    async def count_tokens(self, request: ChatRequest) -> int:
        """Input tokens of the whole request (`POST /v1/messages/count_tokens`, free of charge)."""
        while True:
            known, repairs = self._about(request.model)
            asked = {"model": request.model, **prompt(request, known, repairs)}
            used = version({}, self._wanted)
            status, headers, content = await self._post("messages/count_tokens", asked, COUNT_TIMEOUT, used)
            if status == 200:
                break
            error = error_from_answer(Origin(self._origin.slug, request.model), status, headers, content)
            if not self._learn(request, asked, error):
                raise error
        counted = parse_json(content, self._origin.slug)
        tokens = count(counted, "input_tokens") if isinstance(counted, dict) else None
        if tokens is None:
            raise UnexpectedResponseError(
                f"{self._origin.slug} did not count the prompt.", provider=self._origin.slug, status=200
            )
        return tokens

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[Legs]:
        """The answer on its way; see adapters.base.Adapter."""

        async def following(paused: MessageReader) -> tuple[HttpStream, MessageReader]:
            return await self._open(request, paused)

        legs = Legs(await self._open(request, None), following)
        try:
            yield legs
        finally:
            await legs.aclose()

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _open(
        self, request: ChatRequest, paused: MessageReader | None
    ) -> tuple[HttpStream, MessageReader]:
        """Send it; when the server refuses something by name, once more without (remembered for the model)."""
        room = None  # what this one prompt leaves is not remembered
        while True:
            known, learned = self._about(request.model)
            sent = body(request, known, replace(learned, room=room))
            if paused is not None:
                turns = sent["messages"]
                assert isinstance(turns, list)
                turns.append({"role": "assistant", "content": paused.blocks.content()})
            try:
                return await self._send(request, sent, version(sent, self._wanted), paused)
            except ProviderError as error:
                if not self._learn(request, sent, error):
                    better = self._room(request, sent, error)
                    if better is None or better == room:
                        raise
                    room = better

    def _learn(self, request: ChatRequest, sent: Mapping[str, object], error: ProviderError) -> bool:
        """Take the lesson of a refusal; False: there is none that lasts."""
        learned = self._repairs.get(request.model, Repairs())
        if error.status not in (400, 422) or error.said is None:
            return False
        if self._older(error):
            return True
        better = repaired(request, learned, sent, error.said)
        if better is None or better == learned or better.room is not None:
            return False
        self._repairs[request.model] = better
        return True

    def _older(self, error: ProviderError) -> bool:
        """Whether the server knows only the version before, which is used from now on; what the user chose stays."""
        if self._wanted is not None or error.said is None or not refuses_version(error.said):
            return False
        self._wanted = OLD
        return True

    def _room(self, request: ChatRequest, sent: Mapping[str, object], error: ProviderError) -> int | None:
        if error.status not in (400, 422) or error.said is None:
            return None
        better = repaired(request, Repairs(), sent, error.said)
        return better.room if better is not None else None

    def _about(self, model: str) -> tuple[Known, Repairs]:
        return self._known.get(model, UNKNOWN), self._repairs.get(model, Repairs())

    async def _send(
        self, request: ChatRequest, sent: Mapping[str, object], used: str, paused: MessageReader | None
    ) -> tuple[HttpStream, MessageReader]:
        origin = Origin(self._origin.slug, request.model)
        reader = MessageReader(origin, paused)
        stream = await send_chat(
            self._client,
            self._url("messages"),
            sent,
            reader,
            origin,
            self._connection.watchdogs,
            streamed=request.stream,
            headers={_VERSION: used},
        )
        return stream, reader

    async def _list_page(self, params: Mapping[str, str], deadline: float) -> tuple[Mapping[str, str], bytes]:
        while True:
            try:
                return await get(
                    self._fetcher,
                    self._client,
                    self._url("models"),
                    self._origin,
                    params=params,
                    headers={_VERSION: self._wanted or NEW},
                    timeout=deadline - monotonic(),
                )
            except ProviderError as error:
                if error.status not in (400, 422) or not self._older(error):
                    raise

    async def _post(
        self, call: str, sent: Mapping[str, object], timeout: float, used: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        request = self._client.build_request(
            "POST",
            self._url(call),
            content=encoded(sent),
            headers={"content-type": "application/json", "accept": "application/json", _VERSION: used},
        )
        return await self._fetcher.call(self._client, request, self._origin, timeout=max(timeout, 0.1))

    def _url(self, call: str) -> str:
        return endpoint(self._connection.base_url, call)


def _bearer(connection: Connection) -> bool:
    wanted = connection.options.get("auth")
    if wanted is not None:
        return wanted == "bearer"
    key = connection.key.get_secret_value() if connection.key is not None else ""
    return key.strip().startswith(_BEARER_KEYS)
