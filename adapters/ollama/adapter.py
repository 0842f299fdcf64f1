"""The `ollama` dialect: chat, models, and the models that a server holds, by Ollama's own API."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace
from time import monotonic
from typing import ClassVar

from adapters.abilities import InstalledModel, PullProgress, RunningModel
from adapters.base import Connection, RemoteModel, Validation
from adapters.entries import Entry
from adapters.errors import (
    BadRequestError,
    InvalidCredentialsError,
    NoCreditError,
    Origin,
    PermissionDeniedError,
    ProviderError,
    error_from_answer,
    stranger,
)
from adapters.events import ChatRequest
from adapters.fetch import Fetcher, parse_json
from adapters.http_send import encoded, get, send_chat, verdict
from adapters.http_stream import HttpStream
from adapters.ndjson import NDJSONDecoder
from adapters.ollama.endpoint import endpoint
from adapters.ollama.models import (
    entries_of,
    installed_model,
    name_of,
    remote_model,
    running_model,
    seen_closer,
)
from adapters.ollama.pulls import open_pull
from adapters.ollama.reader import OllamaReader
from adapters.ollama.request import Thinks, body, less_thinking
from catalog.detect import is_loopback
from catalog.plaintext import one_line

log = logging.getLogger(__name__)

LIST_TIMEOUT = 25.0
"""Seconds for a list with all closer looks; a provider's whole sync has 30."""
CHECK = 4.5
"""Seconds for trying a provider."""
AT_ONCE = 4
"""Models looked at closer at the same time."""
SHORT = 15.0
"""Seconds for one short question."""
_SHOWN: dict[tuple[str, str], object] = {}
"""(server, digest) → what /api/show said: a digest names its weights for good."""
_MOST_SHOWN = 2_000
_TELLING = (InvalidCredentialsError, PermissionDeniedError, NoCreditError)


class OllamaAdapter:
    """Implements adapters.base.Adapter, PullsModels and CopiesModels. Options: `num_ctx`, `num_gpu` (`gpu_layers`),
    `keep_alive`, `truncate`."""

    dialect: ClassVar[str] = "ollama"

    def __init__(self, connection: Connection, fetcher: Fetcher) -> None:
        self._connection = connection
        self._fetcher = fetcher
        self._client = fetcher.client(connection)
        self._origin = Origin(connection.slug, keyless=connection.key is None)
        self._thinks: dict[str, Thinks] = {}
        """How models take `think`, learned from refusals."""
        stated = connection.options.get("num_ctx", "")
        self._num_ctx = int(stated) if re.fullmatch(r"[1-9]\d{0,8}", stated) else None

    async def validate(self) -> Validation:
        """The list, which any server gives without a key; where there is one, an empty chat shows whether it is taken."""
        deadline = monotonic() + CHECK

        async def work() -> str:
            entries = await self._entries("tags", deadline)
            version = await self._version(deadline)
            if self._connection.key is not None:
                await self._key(deadline)
            held = f"{len(entries)} model{'' if len(entries) == 1 else 's'}" if entries else "no model yet"
            accepted = ", and accepts the key" if self._connection.key is not None else ""
            return f"Ollama{f' {version}' if version else ''} answers{accepted}. It has {held}."

        return await verdict(work)

    async def list_models(self) -> list[RemoteModel]:
        """What is installed, each looked at closer once for its digest; one that cannot be is marked `partial`."""
        deadline = monotonic() + LIST_TIMEOUT
        room = asyncio.Semaphore(AT_ONCE)
        entries = {str(name_of(entry)): entry for entry in await self._entries("tags", deadline)}

        async def one(entry: Entry) -> RemoteModel:
            async with room:
                closer = await self._closer(entry, deadline)
                await asyncio.sleep(0)  # those that are known need no waiting, and there may be a thousand
                return closer

        return list(await asyncio.gather(*(one(entry) for entry in entries.values())))

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[HttpStream]:
        """The answer on its way; see adapters.base.Adapter."""
        async with aclosing(await self._open(request)) as stream:
            yield stream

    async def aclose(self) -> None:
        await self._client.aclose()

    # what the server holds (adapters.abilities)

    async def installed(self) -> list[InstalledModel]:
        return [installed_model(entry) for entry in await self._entries("tags", monotonic() + SHORT)]

    async def running(self) -> list[RunningModel]:
        return [running_model(entry) for entry in await self._entries("ps", monotonic() + SHORT)]

    def pull(self, model: str) -> AbstractAsyncContextManager[AsyncIterator[PullProgress]]:
        connect = self._connection.watchdogs.connect
        return open_pull(self._client, self._url("pull"), model, self._origin.slug, connect)

    async def delete(self, model: str) -> None:
        await self._unload(model)
        await self._ask("DELETE", "delete", {"model": model}, model, SHORT)

    async def copy(self, model: str, name: str) -> None:
        await self._ask("POST", "copy", {"source": model, "destination": name}, model, SHORT)

    # inside

    async def _unload(self, model: str) -> None:
        """Free the memory first: deleting alone leaves a loaded model where it is."""
        try:
            if any(one.id in (model, f"{model}:latest") for one in await self.running()):
                await self._ask(
                    "POST", "generate", {"model": model, "keep_alive": 0, "stream": False}, model, SHORT
                )
        except ProviderError as error:
            log.warning("a model of %s could not be unloaded: %s", self._origin.slug, type(error).__name__)

    async def _open(self, request: ChatRequest) -> HttpStream:
        """Send it; a model that refuses `think` is asked with less of it, which is remembered."""
        origin = Origin(self._origin.slug, request.model, keyless=self._origin.keyless)
        while True:
            thinks = self._thinks.get(request.model, "levels")
            sent = body(request, self._connection.options, thinks)
            try:
                return await send_chat(
                    self._client,
                    self._url("chat"),
                    sent,
                    OllamaReader(origin),
                    origin,
                    self._connection.watchdogs,
                    streamed=request.stream,
                    accept="application/x-ndjson",
                    decoder=NDJSONDecoder(),
                )
            except BadRequestError as error:
                less = less_thinking(sent, error.said)
                if less is None or less == thinks:
                    raise
                self._thinks[request.model] = less
            except (PermissionDeniedError, InvalidCredentialsError) as error:
                raise self._explained(error) from None

    async def _closer(self, entry: Entry, deadline: float) -> RemoteModel:
        model = remote_model(entry, self._num_ctx)
        key = (self._url(""), model.fingerprint or "")
        if model.capabilities is not None and model.context_window is not None:
            return model  # a newer server said it in the list
        shown = _SHOWN.get(key) if model.fingerprint else None
        try:
            if shown is None:
                left = max(deadline - monotonic(), 0.1)
                answer = await self._ask("POST", "show", {"model": model.id}, model.id, min(left, SHORT))
                shown = parse_json(answer, self._origin.slug)
            closer = seen_closer(model, shown, self._num_ctx)
        except (ProviderError, ValueError) as error:
            log.warning("a closer look at a model of %s failed: %s", self._origin.slug, type(error).__name__)
            return replace(model, partial=True)
        if model.fingerprint and len(_SHOWN) < _MOST_SHOWN:
            _SHOWN[key] = _kept(shown)
        return closer

    async def _version(self, deadline: float) -> str:
        """What the server calls its version; empty where it does not say."""
        try:
            left = deadline - monotonic()
            answer = await get(self._fetcher, self._client, self._url("version"), self._origin, timeout=left)
            said = parse_json(answer[1], self._origin.slug)
        except ProviderError:
            return ""
        version = said.get("version") if isinstance(said, dict) else None
        return one_line(version, 40) if isinstance(version, str) else ""

    async def _key(self, deadline: float) -> None:
        """Ask for a chat without a model: whatever is said but “bad key” means the key was let in."""
        try:
            await self._ask("POST", "chat", {}, None, max(deadline - monotonic(), 0.1))
        except _TELLING:
            raise
        except ProviderError as error:
            if error.status is None:
                raise

    async def _entries(self, call: str, deadline: float) -> list[Entry]:
        left = deadline - monotonic()
        try:
            answer = await get(self._fetcher, self._client, self._url(call), self._origin, timeout=left)
        except (PermissionDeniedError, InvalidCredentialsError) as error:
            raise self._explained(error) from None
        try:
            return entries_of(parse_json(answer[1], self._origin.slug))
        except ValueError:
            raise stranger(self._origin.slug, 200, "as an Ollama server") from None

    async def _ask(
        self, method: str, call: str, sent: Mapping[str, object], model: str | None, timeout: float
    ) -> bytes:
        origin = Origin(self._origin.slug, model, keyless=self._origin.keyless)
        request = self._client.build_request(
            method, self._url(call), content=encoded(sent), headers={"content-type": "application/json"}
        )
        status, headers, answer = await self._fetcher.call(self._client, request, origin, timeout=timeout)
        if status != 200:
            error = error_from_answer(origin, status, headers, answer)
            raise self._explained(error) if isinstance(error, _TELLING) else error
        return answer

    def _explained(self, error: ProviderError) -> ProviderError:
        """The two refusals that are not what they look like: a host name, and a sign-in of the server itself."""
        host = self._client.build_request("GET", self._url("")).url.host
        said = error.said.message if error.said is not None else ""
        if error.status == 403 and not said:
            message = f"{self._origin.slug} does not answer under the name {one_line(host, 80)} (403)."
            hint = "Use 127.0.0.1 or the server's IP address, or start Ollama with OLLAMA_HOST=0.0.0.0."
        elif error.status == 401 and self._connection.key is None:
            message = f"{self._origin.slug} wants a sign-in (401)."
            hint = f"Enter a key for {self._origin.slug}."
            if is_loopback(host):
                hint = "Sign in on that machine with: ollama signin"
        else:
            return error
        better = type(error)(
            message, hint=hint, provider=error.provider, status=error.status, request_id=error.request_id
        )
        better.said = error.said
        return better

    def _url(self, call: str) -> str:
        return endpoint(self._connection.base_url, call)


def _kept(shown: object) -> object:
    """What is used of an answer; licences and templates are long."""
    if not isinstance(shown, dict):
        return shown
    info = shown.get("model_info")
    if isinstance(info, dict):
        info = {
            name: value
            for name, value in info.items()
            if isinstance(value, (str, int)) and str(name).endswith(("architecture", ".context_length"))
        }
    return {
        "model_info": info,
        "capabilities": shown.get("capabilities"),
        "parameters": shown.get("parameters"),
        "details": shown.get("details"),
    }
