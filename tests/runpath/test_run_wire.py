"""The run path over the openai dialect and a loopback server: what the socket sees."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from decimal import Decimal

import pytest
from runpath_play import PRICE, model, provider

from adapters.events import Message
from services.container import Services, open_services
from services.paths import Paths
from services.run import RunRequest, RunText
from services.settings_model import Network, Retry, Settings
from store.ledger import Ledger
from store.models import Models
from store.providers import Providers

Handler = Callable[["Wire", dict[str, object], asyncio.StreamWriter], Awaitable[None]]


class Wire:
    """A server that answers chat completions as the test says."""

    def __init__(self, *handlers: Handler) -> None:
        self.handlers = list(handlers)
        self.asked: list[dict[str, object]] = []
        self.hung_up = asyncio.Event()
        self.written = 0
        self.whole = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line
            )
            body = json.loads(await reader.readexactly(length))
            self.asked.append(body)
            gone = asyncio.create_task(self._watch(reader))
            await self.handlers[min(len(self.asked), len(self.handlers)) - 1](self, body, writer)
            gone.cancel()
        except (ConnectionError, asyncio.IncompleteReadError):
            self.hung_up.set()
        finally:
            writer.close()

    async def _watch(self, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionError):
            await reader.read()
        self.hung_up.set()


def chunk(text: str) -> bytes:
    delta = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
    return b"data: " + json.dumps(delta).encode() + b"\n\n"


USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":5,"total_tokens":17}}\n\n'
STOP = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: req-7\r\nconnection: close\r\n\r\n"
)


async def fine(_wire: Wire, _body: dict[str, object], writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + chunk("Hello ") + chunk("there.") + STOP + USAGE + DONE)
    await writer.drain()


async def busy(_wire: Wire, _body: dict[str, object], writer: asyncio.StreamWriter) -> None:
    body = b'{"error":{"message":"Slow down","type":"requests","code":"rate_limit_exceeded"}}'
    head = f"HTTP/1.1 429 Too Many\r\nretry-after-ms: 1\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()


async def hanging(wire: Wire, _body: dict[str, object], writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + chunk("Hello "))
    await writer.drain()
    await wire.hung_up.wait()


async def cut(_wire: Wire, _body: dict[str, object], writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + chunk("Hello "))
    await writer.drain()


async def flood(wire: Wire, _body: dict[str, object], writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    piece = chunk("token " * 20) * 50
    wire.whole = 4_000 * len(piece)
    for _ in range(4_000):
        writer.write(piece)
        wire.written += len(piece)
        await writer.drain()


@pytest.fixture
async def connect(paths: Paths) -> AsyncIterator[Callable[..., Awaitable[tuple[Services, Wire]]]]:
    async with AsyncExitStack() as stack:

        async def connected(*handlers: Handler) -> tuple[Services, Wire]:
            wire = Wire(*handlers)
            server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
            stack.callback(server.close)
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            settings = Settings(retry=Retry(jitter=0), network=Network(first_event_timeout=10))
            services = await stack.enter_async_context(open_services(paths, settings=settings, actor="test"))
            async with services.db.transaction() as tx:
                await Providers(services.db).insert(tx, provider("acme", dialect="openai", endpoint=url))
                await Models(services.db).replace_live(tx, "acme", [model("acme", "big", PRICE)])
            return services, wire

        yield connected


def hello() -> RunRequest:
    return RunRequest("acme/big", (Message("user", "Hello?"),))


Connect = Callable[..., Awaitable[tuple[Services, Wire]]]


async def test_limited_once_then_answered_and_priced(connect: Connect) -> None:
    services, wire = await connect(busy, fine)
    await services.budgets.set("global", "daily", Decimal("0.004"))
    result = await services.runs.start(hello()).result()
    assert (result.text, result.cost, result.grade) == ("Hello there.", Decimal("0.00008"), "computed")
    assert [attempt.status for attempt in result.attempts] == [429, 200]
    sent = wire.asked[1].get("max_tokens") or wire.asked[1].get("max_completion_tokens")
    assert isinstance(sent, int)
    assert 256 <= sent < 400, "the limit travels with the request"
    rows = await Ledger(services.db).run(result.run_id)
    assert [(row.outcome, row.http_status, row.request_id) for row in rows] == [
        ("failed", 429, None),
        ("complete", 200, "req-7"),
    ]


async def test_cancel_hangs_up(connect: Connect) -> None:
    services, wire = await connect(hanging)
    run = services.runs.start(hello())
    async for event in run.events():
        if isinstance(event, RunText):
            run.cancel()
    await asyncio.wait_for(wire.hung_up.wait(), 5)
    result = await run.result()
    assert (result.state, result.text, result.grade) == ("cancelled", "Hello ", "estimated")


async def test_quitting_hangs_up_and_writes_the_row(connect: Connect, paths: Paths) -> None:
    services, wire = await connect(hanging)
    run = services.runs.start(hello())
    events = run.events()
    async for event in events:
        if isinstance(event, RunText):
            break
    await services.aclose()
    await asyncio.wait_for(wire.hung_up.wait(), 5)
    async with open_services(paths, actor="test") as later:
        [row] = await Ledger(later.db).run(run.id)
    assert (row.outcome, row.output) == ("cancelled", 2)


async def test_a_connection_that_breaks_keeps_the_part(connect: Connect) -> None:
    services, _ = await connect(cut)
    result = await services.runs.start(hello()).result()
    assert (result.state, result.text) == ("interrupted", "Hello ")
    assert result.error is not None
    assert result.error.code == "interrupted"


async def test_a_slow_reader_fills_the_socket_not_the_memory(connect: Connect) -> None:
    services, wire = await connect(flood)
    run = services.runs.start(hello())
    events = run.events()
    for _ in range(3):
        await anext(events)
    before = -1
    while wire.written != before:
        before = wire.written
        for _ in range(500):
            await asyncio.sleep(0)
    assert wire.written < wire.whole / 2, "most was never sent"
    run.cancel()
    assert (await run.result()).state == "cancelled"
