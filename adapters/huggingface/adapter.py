"""The `huggingface` dialect: chat by the router, tasks, the hub's search, and the models in the cache (WIRE section 7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace
from time import monotonic
from typing import ClassVar

from adapters.abilities import FoundModel, InstalledModel, PullProgress, RunningModel, Task
from adapters.base import Connection, RemoteModel, Validation
from adapters.errors import ModelUnavailableError, NoCreditError, Origin, ProviderError, stranger
from adapters.events import ChatRequest
from adapters.fetch import Fetcher, parse_json
from adapters.http_send import get, verdict
from adapters.http_stream import HttpStream
from adapters.huggingface import cache, tasks
from adapters.huggingface.download import open_download
from adapters.huggingface.hub import Hub
from adapters.huggingface.models import router_models
from adapters.huggingface.places import (
    HUB,
    cache_folder,
    places,
    require_online,
    switched_off,
    with_address,
)
from adapters.openai.adapter import LIST_TIMEOUT, OpenAIAdapter
from adapters.openai.reader import ChatReader
from catalog.errors import OfflineError, UsageError
from catalog.plaintext import one_line

TIMEOUT = 4.5
"""Seconds for the check of a token."""


class HuggingFaceAdapter(OpenAIAdapter):
    """Implements adapters.base.Adapter, RunsTasks, SearchesModels and PullsModels. Options: catalog/options.py."""

    dialect: ClassVar[str] = "huggingface"
    keeps_parts: ClassVar[bool] = False
    """Of downloads: the library keeps whole files only."""

    def __init__(self, connection: Connection, fetcher: Fetcher) -> None:
        connection = with_address(connection)
        if payer := connection.options.get("bill_to"):
            connection = replace(connection, headers={"X-HF-Bill-To": payer, **connection.headers})
        super().__init__(connection, fetcher)
        self._places = places(self._connection)
        self._hub = (
            Hub(self._connection, fetcher, self._client, self._places.hub) if self._places.hub else None
        )

    async def validate(self) -> Validation:
        """The router's list is public, so the hub is asked whose token it is; a server of one's own is asked as any."""
        hub = self._hub
        if hub is None:
            return await super().validate()

        async def work() -> str:
            require_online(self._connection.slug)
            if self._connection.key is None:
                count = len(await self._listed(TIMEOUT))
                return f"It answers without a token: {count} models, but chat needs one."
            said, listed = await asyncio.gather(hub.whoami(), self._listed(TIMEOUT))
            return f"{said} {len(listed)} models."

        return await verdict(work)

    async def list_models(self) -> list[RemoteModel]:
        """What the router offers; while HF_HUB_OFFLINE is set, what is in the cache."""
        if self._hub is None:
            return await super().list_models()
        if self.switched_off() is not None:
            return [
                RemoteModel(one.id, details={"size_bytes": one.size_bytes or 0})
                for one in await self.installed()
                if one.state == "ready"
            ]
        return await self._listed(LIST_TIMEOUT)

    def switched_off(self) -> OfflineError | None:
        """While HF_HUB_OFFLINE is set, only a server of one's own may be asked."""
        return None if self._hub is None else switched_off(self._connection.slug)

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[HttpStream]:
        """The answer on its way; see adapters.base.Adapter."""
        self._reachable()
        try:
            stream = await self._open(request)
        except NoCreditError as error:
            raise self._spent(error) from None
        async with aclosing(stream):
            yield stream

    # tasks and the hub (adapters.abilities)

    @asynccontextmanager
    async def run_task(self, model: str, task: Task) -> AsyncIterator[tasks.TaskStream]:
        """A translation or a transcript."""
        self._reachable()
        connection = self._connection
        try:
            stream = await tasks.run(
                self._fetcher,
                self._client,
                self._places.tasks,
                connection.base_url,
                connection.slug,
                model,
                task,
                connection.watchdogs,
            )
        except NoCreditError as error:
            raise self._spent(error) from None
        try:
            yield stream
        finally:
            stream.left()

    async def search(self, words: str, task: str | None = None, limit: int = 30) -> list[FoundModel]:
        require_online(self._connection.slug)
        return await self._required_hub().search(words, task, limit)

    # the cache (adapters.abilities)

    async def installed(self) -> list[InstalledModel]:
        return await asyncio.to_thread(cache.scan, cache_folder())

    async def running(self) -> list[RunningModel]:
        return []

    def pull(self, model: str) -> AbstractAsyncContextManager[AsyncIterator[PullProgress]]:
        hub, name = self._required_hub().url, model.strip()
        if not cache.is_name(name):
            raise UsageError(
                f"{one_line(model, 80) or 'An empty text'} is no name of a model on the hub.",
                hint="For example: openai/whisper-tiny",
                provider=self._connection.slug,
            )

        def allowed() -> None:
            require_online(self._connection.slug)
            self._fetcher.require(self._connection, hub)

        try:
            self._fetcher.require(self._connection, HUB)
            alone = False
        except OfflineError:
            alone = True
        return open_download(self._connection, hub, cache_folder(), name, allowed, alone=alone)

    async def delete(self, model: str) -> None:
        folder = cache_folder()
        path = await asyncio.to_thread(cache.folder_of, folder, model)
        if path is None:
            raise ModelUnavailableError(
                f"The cache has no model {one_line(model, 80)}.",
                hint="See what it has with `switchroom models installed`.",
                provider=self._connection.slug,
            )
        try:
            await asyncio.to_thread(cache.remove, folder, path)
        except OSError as error:
            raise UsageError(
                f"{one_line(model, 80)} cannot be deleted: {one_line(error.strerror or str(error), 120)}.",
                hint=f"Its folder is {path.name} in {one_line(str(folder), 200)}.",
                provider=self._connection.slug,
            ) from None

    # inside

    async def _listed(self, timeout: float) -> list[RemoteModel]:
        deadline = monotonic() + timeout
        slug = self._connection.slug
        _headers, content = await get(
            self._fetcher, self._client, self._url("models"), self._origin, timeout=deadline - monotonic()
        )
        try:
            return router_models(parse_json(content, slug))
        except ValueError:
            raise stranger(slug, 200, "as Hugging Face's router") from None

    def _reachable(self) -> None:
        if (error := self.switched_off()) is not None:
            raise error

    def _required_hub(self) -> Hub:
        if self._hub is None:
            raise UsageError(
                f"Where the hub of {self._connection.slug} is, is not known: its address is a server of your own.",
                hint="Say so with the option hub, such as --option hub=https://huggingface.co.",
                provider=self._connection.slug,
            )
        return self._hub

    def _reader(self, request: ChatRequest) -> ChatReader:
        return RouterReader(Origin(self._origin.slug, request.model), think=self._think())

    def _spent(self, error: ProviderError) -> ProviderError:
        payer = self._connection.options.get("bill_to")
        who = f"the organization {one_line(payer, 60)}" if payer else "this account"
        error.message = error.message.replace(
            "has no credit left, or a spending limit is reached",
            "has spent the month's credits, or a limit of spending is reached",
        )
        error.hint = f"Add credit for {who} at huggingface.co/settings/billing, wait for the next month, or use another provider."
        return error


class RouterReader(ChatReader):
    """Says which host served."""

    @property
    def served_by(self) -> str | None:
        by = self.headers.get("x-inference-provider")
        return one_line(by, 60) if by else None

    @served_by.setter
    def served_by(self, host: str | None) -> None:
        """Only the answer's head says it."""
