"""A scripted vendor on loopback: raw HTTP/1.1, so that a test decides every byte and sees when the client leaves."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass
class Exchange:
    """One request as it arrived, and the way to answer it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    writer: asyncio.StreamWriter
    left: asyncio.Event
    """Set when the client closed its side."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    async def answer(self, status: int, body: bytes | str | object, **headers: str) -> None:
        """A whole response; anything but bytes or text is sent as JSON."""
        if not isinstance(body, bytes | str):
            body, headers = json.dumps(body), {"content_type": "application/json", **headers}
        raw = body.encode() if isinstance(body, str) else body
        lines = "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in headers.items())
        self.writer.write(f"HTTP/1.1 {status} X\r\n{lines}content-length: {len(raw)}\r\n\r\n".encode() + raw)
        await self.writer.drain()

    async def begin(self, status: int = 200, **headers: str) -> None:
        """The head of a chunked response."""
        headers = {"content_type": "text/event-stream", **headers}
        lines = "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in headers.items())
        self.writer.write(f"HTTP/1.1 {status} X\r\n{lines}transfer-encoding: chunked\r\n\r\n".encode())
        await self.writer.drain()

    async def send(self, data: bytes | str) -> None:
        raw = data.encode() if isinstance(data, str) else data
        self.writer.write(b"%x\r\n%s\r\n" % (len(raw), raw))
        await self.writer.drain()

    async def row(self, value: object) -> None:
        """One unnamed event."""
        await self.send(f"data: {value if isinstance(value, str) else json.dumps(value)}\n\n")

    async def text(self, text: str) -> None:
        await self.row({"id": "c1", "model": "m-2026", "choices": [{"index": 0, "delta": {"content": text}}]})

    async def done(self, finish: str = "stop", usage: object = None) -> None:
        await self.row({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
        if usage is not None:
            await self.row({"choices": [], "usage": usage})
        await self.row("[DONE]")
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    def drop(self) -> None:
        """Break the connection."""
        self.writer.transport.abort()


Handler = Callable[[Exchange], Awaitable[None]]


@dataclass
class LoopServer:
    """What came in, and who answers it."""

    handler: Handler
    port: int = 0
    requests: list[Exchange] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        return [f"{r.method} {r.path}" for r in self.requests]


@asynccontextmanager
async def serving(handler: Handler, tls: Any = None, port: int = 0) -> AsyncIterator[LoopServer]:
    loop_server = LoopServer(handler)
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop_server.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.rstrip().split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                left = asyncio.Event()
                exchange = Exchange(*first.split(" ")[:2], headers, body, writer, left)
                loop_server.requests.append(exchange)
                watcher = asyncio.create_task(_watch(reader, left))
                await loop_server.handler(exchange)
                if writer.is_closing() or left.is_set():
                    break
                watcher.cancel()
                await asyncio.gather(watcher, return_exceptions=True)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", port, ssl=tls)
    loop_server.port = server.sockets[0].getsockname()[1]
    try:
        yield loop_server
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def in_a_thread(server: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """The same for programs that bring a loop of their own."""
    found: list[T] = []
    loop = asyncio.new_event_loop()
    ready, over = threading.Event(), asyncio.Event()

    async def run() -> None:
        async with server as one:
            found.append(one)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    assert ready.wait(10)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


async def _watch(reader: asyncio.StreamReader, left: asyncio.Event) -> None:
    """Notice a client that leaves while it is being answered."""
    try:
        while True:
            # peek: a pipelined request stays in the buffer for the next turn
            if reader.at_eof():
                break
            await reader._wait_for_data("watch")
            if reader._buffer:
                return
    except (ConnectionError, RuntimeError):
        pass
    left.set()


async def models_and_chat(exchange: Exchange) -> None:
    """A plain good server."""
    if exchange.path.endswith("/models"):
        await exchange.answer(200, {"object": "list", "data": [{"id": "m"}, {"id": "n"}]})
    elif not exchange.json:
        await exchange.answer(400, {"error": {"message": "you must provide a model parameter"}})
    else:
        await exchange.begin()
        await exchange.text("Hello")
        await exchange.text(" there")
        await exchange.done(usage={"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11})
