"""A loopback server that plays the sources of newer facts: each path answers as a test says, with ETags like theirs."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PATHS = {
    "genai": "/genai.json",
    "catwalk": "/v2/providers",
    "modelsdev": "/api.json",
    "openrouter": "/models",
}


@dataclass
class Feeds:
    """Change `bodies` and `status` while it runs."""

    port: int = 0
    bodies: dict[str, object] = field(default_factory=dict)
    """Source → its document (or bytes as they are); a source that is absent answers 404."""
    status: dict[str, int] = field(default_factory=dict)
    etags: dict[str, bytes] = field(default_factory=dict)
    """Source → the ETag it sends in place of a sensible one."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """(source, the ETag it was asked with)."""
    all_asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once every source was asked."""
    hold: asyncio.Event | None = None
    """Answers only once it is set."""

    def url(self, source: str) -> str:
        return f"http://127.0.0.1:{self.port}{'' if source == 'catwalk' else PATHS[source]}"

    def environ(self) -> dict[str, str]:
        """The settings that point at this server."""
        return {f"SWITCHROOM_CATALOG__{source.upper()}": self.url(source) for source in PATHS}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:])}
            source = {path: source for source, path in PATHS.items()}[head[0].split(" ")[1]]
            etag = headers.get("if-none-match")
            self.asked.append((source, etag))
            if len({name for name, _ in self.asked}) == len(PATHS):
                self.all_asked.set()
            if self.hold is not None:
                await self.hold.wait()
            body = self.bodies.get(source)
            status = self.status.get(source, 200 if source in self.bodies else 404)
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            mine = self.etags.get(source, f'"{hashlib.sha256(raw).hexdigest()[:16]}"'.encode()).decode(
                "latin-1"
            )
            if status == 200 and etag == mine:
                status, raw = 304, b""
            writer.write(
                f"HTTP/1.1 {status} X\r\netag: {mine}\r\ncontent-length: {len(raw)}\r\nconnection: close\r\n\r\n".encode("latin-1") + raw
            )  # fmt: skip
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def feeds_on_loopback() -> AsyncIterator[Feeds]:
    feeds = Feeds()
    server = await asyncio.start_server(feeds.serve, "127.0.0.1", 0)
    feeds.port = server.sockets[0].getsockname()[1]
    try:
        yield feeds
    finally:
        if feeds.hold is not None:
            feeds.hold.set()
        server.close()
        await server.wait_closed()


def genai(**prices: float) -> list[dict[str, object]]:
    """genai-prices' data with these input prices of OpenAI's models (`_` for `-`) and two more vendors."""
    models = [
        {"id": name.replace("_", "-"), "match": {"equals": name.replace("_", "-")},
         "prices": {"input_mtok": price, "output_mtok": price * 4}}
        for name, price in prices.items()
    ]  # fmt: skip
    other = {"id": "m", "match": {"equals": "m"}, "prices": {"input_mtok": 1, "output_mtok": 2}}
    others: list[dict[str, object]] = [{"id": name, "models": [other]} for name in ("groq", "x-ai")]
    return [{"id": "openai", "models": models}, *others]


def modelsdev(**contexts: int) -> dict[str, object]:
    """models.dev's list with these context windows of OpenAI's models."""
    return {
        "openai": {
            "models": {
                name.replace("_", "-"): {
                    "name": name,
                    "limit": {"context": context, "output": 1000},
                    "tool_call": True,
                }
                for name, context in contexts.items()
            }
        },
        "somebody-new": {"models": {"x": {"limit": {"context": 5}}}},
    }
