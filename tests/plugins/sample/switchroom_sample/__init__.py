"""A dialect of another package: a vendor that answers in lines of text, one word and its value each.

`GET /names` gives one model's id a line. `POST /say` with `{"model", "lines": ["user hello", …]}` answers

    say Hello
    say  there
    count 9 2
    end stop

or `error CLASS SENTENCE`. A line break inside a text is written as \\n.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import ClassVar

from adapters.base import Connection, RemoteModel, Validation
from adapters.errors import Origin, ServerError
from adapters.events import ChatRequest, Event, TextDelta, UsageUpdate
from adapters.fetch import Fetcher
from adapters.finish import finish_reason
from adapters.http_send import get, send_chat, verdict
from adapters.http_stream import HttpStream
from adapters.reading import Reading
from adapters.sse import LIMIT, Frame, FrameTooLargeError
from catalog.options import Option
from catalog.plaintext import one_line
from catalog.usage import Usage


class Lines:
    """Bytes to frames: one for each line."""

    starts = b""

    def __init__(self) -> None:
        self._rest = b""

    def plausible(self, start: bytes) -> bool:
        return start.startswith((b"s", b"c", b"e"))

    def feed(self, piece: bytes) -> list[Frame]:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > LIMIT:
            raise FrameTooLargeError
        return [("", line) for line in lines if line]

    def end(self) -> list[Frame]:
        return []


class SayReader(Reading):
    """Lines to events."""

    def frame(self, name: str, data: bytes) -> Sequence[Event]:
        word, _, value = data.decode("utf-8", "replace").rstrip("\r").partition(" ")
        if word == "say":
            return [TextDelta(value.replace("\\n", "\n"))]
        if word == "count":
            read, _, written = value.partition(" ")
            if read.isdecimal() and written.isdecimal():
                self.usage = Usage(input=int(read), output=int(written))
                return [UsageUpdate(self.usage)]
        if word == "end":
            self.raw_finish_reason = one_line(value, 60)
            self.finish_reason = finish_reason(value, tools=False)
            self.ended = self.done = True
        if word == "error":
            self.error = ServerError(one_line(value, 200), provider=self._origin.slug)
            self.done = True
        return []

    def whole(self, body: object) -> Sequence[Event]:
        raise ServerError(f"{self._origin.slug} sent a document, not lines.", provider=self._origin.slug)


class SampleAdapter:
    """Implements adapters.base.Adapter."""

    dialect: ClassVar[str] = "sample"
    OPTIONS: ClassVar[Mapping[str, Option]] = {
        "tone": Option("How it speaks.", "kind|curt", "kind"),
    }

    def __init__(self, connection: Connection, fetcher: Fetcher) -> None:
        self._connection = connection
        self._fetcher = fetcher
        self._client = fetcher.client(connection, key_header="x-sample-key", key_prefix="")
        self._root = connection.base_url.rstrip("/")

    async def validate(self) -> Validation:
        async def work() -> str:
            return f"It knows {len(await self.list_models())} models."

        return await verdict(work)

    async def list_models(self) -> list[RemoteModel]:
        origin = Origin(self._connection.slug)
        _headers, body = await get(self._fetcher, self._client, f"{self._root}/names", origin, timeout=10)
        return [
            RemoteModel(one_line(line, 200), chat=True) for line in body.decode("utf-8", "replace").split()
        ]

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[HttpStream]:
        origin = Origin(self._connection.slug, request.model)
        lines = [f"{message.role} {message.text}" for message in request.messages]
        body = {"model": request.model, "lines": lines, "tone": self._connection.options.get("tone", "kind")}
        stream = await send_chat(
            self._client,
            f"{self._root}/say",
            body,
            SayReader(origin),
            origin,
            self._connection.watchdogs,
            streamed=True,
            accept="text/plain",
            decoder=Lines(),
        )
        async with aclosing(stream):
            yield stream

    async def aclose(self) -> None:
        await self._client.aclose()
