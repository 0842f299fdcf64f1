"""A loopback vendor that answers as told, and services on a real store in a temporary home."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.container import Services, open_services


@dataclass
class Vendor:
    """An OpenAI-dialect server. Change its fields while it runs."""

    port: int = 0
    models: list[dict[str, object]] = field(default_factory=lambda: [{"id": "alpha"}, {"id": "beta"}])
    key: str | None = None
    """None: any key, or none, will do."""
    status: int = 200
    body: str | None = None
    """Sent instead of the list."""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and headers of what came in."""
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by the first request."""
    fail_first: int = 0
    """So many answers are 503 before it works."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            path = head[0].split(" ")[1]
            headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
            self.requests.append((path, headers))
            self.reached.set()
            await asyncio.sleep(self.delay)
            status, body = self.answer(headers)
            extra = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
            writer.write(
                f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{extra}"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
                + body
            )
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def answer(self, headers: dict[str, str]) -> tuple[int, bytes]:
        if self.fail_first > 0:
            self.fail_first -= 1
            return 503, b'{"error": {"message": "busy"}}'
        given = headers.get("authorization", "").removeprefix("Bearer ")
        if self.key is not None and given != self.key:
            error = {"message": f"Incorrect API key provided: {given}", "code": "invalid_api_key"}
            return 401, json.dumps({"error": error}).encode()
        if self.status != 200:
            return self.status, (self.body or '{"error": {"message": "no"}}').encode()
        listed = self.body if self.body is not None else json.dumps({"object": "list", "data": self.models})
        return 200, listed.encode()


VendorMaker = Callable[[], Awaitable[Vendor]]
Opener = Callable[..., AbstractAsyncContextManager[Services]]


@pytest.fixture
async def make_vendor() -> AsyncIterator[VendorMaker]:
    servers: list[asyncio.Server] = []

    async def make() -> Vendor:
        vendor = Vendor()
        server = await asyncio.start_server(vendor.serve, "127.0.0.1", 0)
        vendor.port = server.sockets[0].getsockname()[1]
        servers.append(server)
        return vendor

    yield make
    for server in servers:
        server.close()


@pytest.fixture
async def vendor(make_vendor: VendorMaker) -> Vendor:
    return await make_vendor()


@pytest.fixture
def opened(home: Path, monkeypatch: pytest.MonkeyPatch) -> Opener:
    """Opens services in the home; keys go to credential files unless a test says otherwise."""
    monkeypatch.setenv("SWITCHROOM_SECURITY__BACKEND", "file")
    return open_services


@pytest.fixture
async def services(opened: Opener) -> AsyncIterator[Services]:
    async with opened() as services:
        yield services


@pytest.fixture
def written(home: Path) -> Callable[..., list[str]]:
    """The files of the home that hold one of these words."""

    def look(*words: str) -> list[str]:
        files = [path for path in home.rglob("*") if path.is_file()]
        return sorted(
            str(path.relative_to(home))
            for path in files
            if any(word.encode() in path.read_bytes() for word in words)
        )

    return look
