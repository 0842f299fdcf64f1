"""B11: a cold sync of 30 providers with 5,000 models from a loopback server, and how long the event loop stalls.

The limit is the slowest provider's answer plus 5,000 bare inserts; both are measured in the same run.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from services.container import open_services
from services.paths import under
from services.registry import ProviderDraft

PROVIDERS = 30
MODELS = 5_000
ROUNDS = 5
SLOWEST_S = 0.4
"""Provider number n answers after n/30 of this: networks differ, and the slowest sets the pace."""
BAR = 1.5
BAR_STALL_MS = 50.0


def serve(port: Any) -> None:
    """The vendors: one process of its own, so that it takes no turn of the measured loop."""

    def document(number: int) -> bytes:
        size = MODELS // PROVIDERS + (1 if number < MODELS % PROVIDERS else 0)
        models = [
            {
                "id": f"family-{i % 7}/model-{number}-{i}",
                "object": "model",
                "created": 1_790_000_000 + i,
                "owned_by": "acme",
            }
            for i in range(size)
        ]
        return json.dumps({"object": "list", "data": models}).encode()

    documents = [document(number) for number in range(PROVIDERS)]
    documents.append(json.dumps({"data": [_said(i) for i in range(MODELS)]}).encode())
    documents.append(json.dumps({"data": [_said(i, dearer=True) for i in range(MODELS)]}).encode())

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        number = int(head.split(b" ")[1].split(b"/")[1])
        await asyncio.sleep(SLOWEST_S * min(number + 1, PROVIDERS) / PROVIDERS)
        body = documents[number]
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n%b" % (len(body), body)
        )
        await writer.drain()
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port.value = server.sockets[0].getsockname()[1]
        await server.serve_forever()

    asyncio.run(run())


def _said(number: int, dearer: bool = False) -> dict[str, object]:
    """An entry of a list that says all it can: prices, limits, abilities, and a text."""
    return {
        "id": f"family-{number % 7}/model-{number}",
        "name": f"Model {number}",
        "created": 1_790_000_000 + number,
        "description": "What the vendor says of it. " * 20,
        "context_length": 131_072,
        "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
        "pricing": {"prompt": "0.000003" if dearer else "0.0000025", "completion": "0.00001"},
        "top_provider": {"context_length": 131_072, "max_completion_tokens": 16_384},
        "supported_parameters": ["tools", "reasoning", "response_format", "temperature"],
    }


async def one_large(port: int) -> list[tuple[str, float, tuple[float, float]]]:
    """(what, seconds, longest stall) of one provider's 5,000 rich models: cold, unchanged, every price changed."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        async with open_services(under(Path(folder)), actor="bench") as services:
            draft = ProviderDraft(slug="large", url=f"http://127.0.0.1:{port}/{PROVIDERS}/v1")
            await services.registry.add(draft, None, test=False)
            for words in ("cold", "unchanged", "each price changed"):
                if words == "each price changed":
                    dearer = ProviderDraft(url=f"http://127.0.0.1:{port}/{PROVIDERS + 1}/v1")
                    await services.registry.edit("large", dearer)
                stalls: list[tuple[float, float]] = []
                watcher = asyncio.create_task(watch(stalls))
                await asyncio.sleep(0.05)
                began = time.perf_counter()
                [result] = await services.sync.sync()
                took = time.perf_counter() - began
                watcher.cancel()
                assert (result.state, result.total) == ("ok", MODELS)
                found.append((words, took, longest(stalls)))
    return found


async def one_round(port: int) -> tuple[float, tuple[float, float]]:
    """Seconds of the sync, and the longest stall of the loop."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_services(under(Path(folder)), actor="bench") as services:
            for number in range(PROVIDERS):
                draft = ProviderDraft(slug=f"p{number:02}", url=f"http://127.0.0.1:{port}/{number}/v1")
                await services.registry.add(draft, None, test=False)
            stalls: list[tuple[float, float]] = []
            watcher = asyncio.create_task(watch(stalls))
            await asyncio.sleep(0.05)
            began = time.perf_counter()
            results = await services.sync.sync()
            took = time.perf_counter() - began
            watcher.cancel()
            assert sum(one.total for one in results) == MODELS
            assert all(one.state == "ok" for one in results)
            return took, longest(stalls)


async def watch(stalls: list[tuple[float, float]]) -> None:
    """Collects how long the loop was away by the clock, which is what a person sees, and beside it the processor time
    that this thread used meanwhile: the rest are other threads, and other programs on a shared machine."""
    while True:
        began, used = time.perf_counter(), time.thread_time()
        await asyncio.sleep(0.001)
        stalls.append((time.perf_counter() - began - 0.001, time.thread_time() - used))


def longest(stalls: list[tuple[float, float]]) -> tuple[float, float]:
    """(clock, own work) in milliseconds, each the longest."""
    clock, own = (max(column) * 1000 for column in zip(*stalls, strict=True))
    return clock, own


async def slowest_answer(port: int) -> float:
    """Seconds until the slowest vendor's whole answer is here, over a bare socket."""
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /%d/v1/models HTTP/1.1\r\nhost: x\r\n\r\n" % (PROVIDERS - 1))
    await reader.read(-1)
    writer.close()
    return time.perf_counter() - began


def bare_inserts() -> float:
    """Seconds to insert 5,000 rows of the same shape, one statement each, in one transaction a provider."""
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        columns = ", ".join(f"c{number}" for number in range(20))
        database.execute(f"CREATE TABLE bare ({columns}, PRIMARY KEY (c0, c1)) WITHOUT ROWID")
        insert = f"INSERT INTO bare VALUES ({', '.join('?' * 20)})"
        began = time.perf_counter()
        for provider in range(PROVIDERS):
            database.execute("BEGIN IMMEDIATE")
            for number in range(MODELS // PROVIDERS + 1):
                database.execute(insert, (f"p{provider}", f"model-{number}", *[None] * 16, 1, 1))
            database.execute("COMMIT")
        took = time.perf_counter() - began
        database.close()
        return took


async def measure(port: int) -> int:
    rounds = []
    for _ in range(ROUNDS):
        limit = await slowest_answer(port) + bare_inserts()
        took, (clock, own) = await one_round(port)
        rounds.append((took, limit, clock, own))
    took, limit, clock, own = (statistics.median(column) for column in zip(*rounds, strict=True))
    worst = max(one[2] for one in rounds)
    print(f"B11 sync, {PROVIDERS} providers, {MODELS:,} models, cold, median of {ROUNDS}")
    print(f"  sync {took * 1000:.0f} ms; slowest answer + bare inserts {limit * 1000:.0f} ms")
    print(f"  {took / limit:.2f} × the limit (bar ≤ {BAR:g} ×)")
    print(
        f"  longest stall of the loop {clock:.1f} ms, in the worst round {worst:.1f} ms (bar ≤ {BAR_STALL_MS:g} ms)"
    )
    print(f"  of it own work {own:.1f} ms, in the worst round {max(one[3] for one in rounds):.1f} ms")
    print(f"  one provider with {MODELS:,} models that say much")
    for words, seconds, (clock, own) in await one_large(port):
        worst = max(worst, clock)
        print(f"    {words}: {seconds * 1000:.0f} ms, longest stall {clock:.1f} ms, own work {own:.1f} ms")
    return 0 if took / limit <= BAR and worst <= BAR_STALL_MS else 1


def main() -> int:
    context = multiprocessing.get_context("spawn")
    port = context.Value("i", 0)
    server = context.Process(target=serve, args=(port,), daemon=True)
    server.start()
    while not port.value:
        time.sleep(0.01)
    try:
        return asyncio.run(measure(port.value))
    finally:
        server.terminate()


if __name__ == "__main__":
    sys.exit(main())
