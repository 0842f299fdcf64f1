"""The `gemini` dialect: Google's own API, streamed as events or as one JSON array (WIRE section 4)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from time import monotonic
from typing import ClassVar

from adapters.base import Connection, RemoteModel, Validation
from adapters.counts import count
from adapters.errors import BadRequestError, Origin, UnexpectedResponseError, error_from_answer, stranger
from adapters.events import ChatRequest
from adapters.fetch import Fetcher, parse_json
from adapters.gemini.decoder import GeminiDecoder
from adapters.gemini.endpoint import bare, called, endpoint
from adapters.gemini.models import read_page
from adapters.gemini.reader import GeminiReader
from adapters.gemini.request import Habits, body, repaired
from adapters.http_send import encoded, get, send_chat, verdict
from adapters.http_stream import HttpStream

LIST_TIMEOUT = 25.0
"""Seconds the model list may take with all its pages; a provider's whole sync has 30."""
CHECK_TIMEOUT = 4.5
COUNT_TIMEOUT = 20.0
_PAGE = "1000"
_MOST_PAGES = 100


class GeminiAdapter:
    """Implements adapters.base.Adapter and abilities.CountsTokens. Options: `thoughts` (`no`), `safety`."""

    dialect: ClassVar[str] = "gemini"

    def __init__(self, connection: Connection, fetcher: Fetcher) -> None:
        self._connection = connection
        self._fetcher = fetcher
        # the key goes in a header only: an address ends up in logs and proxies
        self._client = fetcher.client(connection, key_header="x-goog-api-key", key_prefix="")
        self._origin = Origin(connection.slug)
        self._habits = Habits(
            thoughts=connection.options.get("thoughts") != "no", safety=connection.options.get("safety")
        )
        self._learned: dict[str, Habits] = {}

    async def validate(self) -> Validation:
        """The shortest page of models, which needs a good key. It says nothing about credit."""

        async def work() -> str:
            await self._page({"pageSize": "1"}, monotonic() + CHECK_TIMEOUT)
            if self._connection.key is None:
                return "It answers without a key."
            return "The key is accepted."

        return await verdict(work)

    async def list_models(self) -> list[RemoteModel]:
        """Every page of `GET /models`; an entry that cannot be read is left out, a page that fails fails the list."""
        deadline = monotonic() + LIST_TIMEOUT
        models: dict[str, RemoteModel] = {}
        token: str | None = None
        asked: set[str] = set()
        while True:
            page, token = await self._page(
                {"pageSize": _PAGE, **({"pageToken": token} if token else {})}, deadline
            )
            before = len(models)
            for model in page:
                models.setdefault(model.id, model)
            if token is None or (
                page and len(models) == before
            ):  # a server without pages says the same again
                return list(models.values())
            if token in asked or len(asked) >= _MOST_PAGES:
                raise UnexpectedResponseError(
                    f"The model list of {self._origin.slug} has no end: {len(models):,} models were read.",
                    hint="The last good list stays.",
                    provider=self._origin.slug,
                    status=200,
                )
            asked.add(token)

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[HttpStream]:
        """The answer on its way; see adapters.base.Adapter."""
        async with aclosing(await self._open(request)) as stream:
            yield stream

    async def count_tokens(self, request: ChatRequest) -> int:
        """See abilities.CountsTokens. System prompt and tools are counted too, so the whole request is sent."""
        sent = body(request, self._known(request.model))
        sent = {
            name: value for name, value in sent.items() if name not in ("safetySettings", "generationConfig")
        }
        if sent.keys() > {"contents"}:
            sent = {"generateContentRequest": {"model": f"models/{bare(request.model)}", **sent}}
        answer = await self._post(called(request.model, "countTokens"), sent, request.model)
        total = count(answer, "totalTokens") if isinstance(answer, Mapping) else None
        if total is None:
            raise UnexpectedResponseError(
                f"{self._origin.slug} did not say how many tokens the prompt has.",
                hint="Check the provider's URL and type.",
                provider=self._origin.slug,
                status=200,
            )
        return total

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _open(self, request: ChatRequest) -> HttpStream:
        """Send it; when the server does not know a part of ours, once more in its way (remembered for the model)."""
        while True:
            habits = self._known(request.model)
            sent = body(request, habits)
            try:
                return await self._send(request, sent)
            except BadRequestError as error:
                said = error.said.message if error.said is not None and error.status == 400 else ""
                better = repaired(habits, sent, said, asked=request.reasoning_effort is not None)
                if better is None:
                    raise
                self._learned[request.model] = better

    async def _send(self, request: ChatRequest, sent: dict[str, object]) -> HttpStream:
        origin = Origin(self._origin.slug, request.model)
        method = "streamGenerateContent?alt=sse" if request.stream else "generateContent"
        return await send_chat(
            self._client,
            endpoint(self._connection.base_url, called(request.model, method)),
            sent,
            GeminiReader(origin),
            origin,
            self._connection.watchdogs,
            streamed=request.stream,
            decoder=GeminiDecoder(),
        )

    async def _post(self, call: str, sent: Mapping[str, object], model: str) -> object:
        origin = Origin(self._origin.slug, model)
        request = self._client.build_request(
            "POST",
            endpoint(self._connection.base_url, call),
            content=encoded(sent),
            headers={"content-type": "application/json"},
        )
        status, headers, content = await self._fetcher.call(
            self._client, request, origin, timeout=COUNT_TIMEOUT
        )
        if status != 200:
            raise error_from_answer(origin, status, headers, content)
        return parse_json(content, self._origin.slug)

    async def _page(self, params: Mapping[str, str], deadline: float) -> tuple[list[RemoteModel], str | None]:
        url, left = endpoint(self._connection.base_url, "models"), deadline - monotonic()
        headers, content = await get(
            self._fetcher, self._client, url, self._origin, params=params, timeout=left
        )
        page = parse_json(content, self._origin.slug)
        try:
            return read_page(page)
        except ValueError:
            if isinstance(page, dict) and page.get("error"):
                raise error_from_answer(self._origin, 200, headers, content) from None
            raise stranger(self._origin.slug, 200, "as a Gemini server") from None

    def _known(self, model: str) -> Habits:
        return self._learned.get(model, self._habits)
