"""A loopback Ollama made from its documented wire: models, chat, and downloads that can be held, cut and resumed.

Run it to look at the program by hand: `python tests/adapters/ollama_server.py 11434`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from loop_server import Exchange, LoopServer, serving

GB = 1_000_000_000


@dataclass
class Held:
    """A model as the server has it, or as it could be pulled."""

    size: int
    parameters: str
    quantization: str
    family: str
    context: int
    capabilities: tuple[str, ...] = ("completion",)
    modified: str = "2026-11-14T09:30:00.123456789+01:00"
    num_ctx: int | None = None
    remote: str = ""

    def layers(self, name: str) -> list[tuple[str, int]]:
        """Digest and size of each: the weights, and three small ones."""
        small = (11_000, 1_500, 490)
        sizes = (self.size - sum(small), *small)
        return [(f"sha256:{_hex(f'{name}{n}')}", size) for n, size in enumerate(sizes)]


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def library() -> dict[str, Held]:
    """What can be pulled."""
    return {
        "llama3.2:latest": Held(2_019_393_189, "3.2B", "Q4_K_M", "llama", 131_072, ("completion", "tools")),
        "qwen3:30b": Held(18_556_701_140, "30.5B", "Q4_K_M", "qwen3moe", 262_144, ("completion", "tools", "thinking")),
        "gemma3:4b": Held(3_338_801_804, "4.3B", "Q4_K_M", "gemma3", 131_072, ("completion", "vision"), num_ctx=8192),
        "nomic-embed-text:latest": Held(274_302_450, "137M", "F16", "nomic-bert", 2_048, ("embedding",)),
        "gpt-oss:120b-cloud": Held(384, "116.8B", "MXFP4", "gptoss", 131_072, ("completion", "tools", "thinking"), remote="https://ollama.com:443"),
    }  # fmt: skip


@dataclass
class OllamaServer:
    """Change its fields while it runs."""

    models: dict[str, Held] = field(default_factory=library)
    library: dict[str, Held] = field(default_factory=library)
    loaded: dict[str, int] = field(default_factory=dict)
    """Name → bytes of it on the graphics card."""
    until: str = "2026-11-21T05:00:00Z"
    """When what is loaded is unloaded."""
    parts: dict[str, int] = field(default_factory=dict)
    """Digest → bytes that earlier pulls left."""
    steps: int = 10
    """Reports for each large layer."""
    pace: float = 0.0
    """Seconds between two reports."""
    hold_at: float | None = None
    """The share of a download at which it waits until the client leaves."""
    cut_at: float | None = None
    """The share at which the connection breaks; once."""
    broken_shows: frozenset[str] = frozenset()
    list_says: bool = False
    """A newer server: abilities and context stand in the list."""
    key: str | None = None
    refuses: tuple[int, object] | None = None
    """(status, body) of everything."""
    thinks: str = "levels"
    lines: list[object] | None = None
    """What a chat answers; None: “Hello there”."""
    chats: list[dict[str, Any]] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """A client left a pull or a chat in its middle."""
    server: LoopServer | None = None

    @property
    def url(self) -> str:
        assert self.server is not None
        return self.server.url

    def asked(self, path: str) -> int:
        assert self.server is not None
        return sum(one.path == path for one in self.server.requests)

    async def handle(self, exchange: Exchange) -> None:
        host = exchange.headers.get("host", "").rsplit(":", 1)[0]
        if host not in ("127.0.0.1", "localhost"):
            await exchange.answer(403, b"")
        elif self.refuses is not None:
            await exchange.answer(*self.refuses)
        elif self.key is not None and exchange.headers.get("authorization") != f"Bearer {self.key}":
            await exchange.answer(
                401, {"error": "unauthorized", "signin_url": "https://ollama.com/connect?key=x"}
            )
        else:
            call = exchange.path.partition("?")[0].removeprefix("/api/")
            handler = getattr(self, f"_{call}", None)
            if exchange.path == "/":
                await exchange.answer(200, "Ollama is running")
            elif handler is None:
                await exchange.answer(404, "404 page not found")
            else:
                await handler(exchange)

    async def _version(self, exchange: Exchange) -> None:
        await exchange.answer(200, {"version": "0.13.1"})

    async def _tags(self, exchange: Exchange) -> None:
        await exchange.answer(200, {"models": [self._entry(name) for name in self.models]})

    def _entry(self, name: str) -> dict[str, object]:
        held = self.models[name]
        entry: dict[str, object] = {
            "name": name, "model": name, "modified_at": held.modified, "size": held.size,
            "digest": _hex(f"{held.size}{held.family}"), "details": self._details(held),
        }  # fmt: skip
        if held.remote:
            entry |= {"remote_model": name.removesuffix("-cloud"), "remote_host": held.remote}
        if self.list_says:
            entry["capabilities"] = list(held.capabilities)
            entry["details"] = {**self._details(held), "context_length": held.context}
        return entry

    def _details(self, held: Held) -> dict[str, object]:
        return {
            "format": "gguf", "family": held.family, "families": [held.family], "parent_model": "",
            "parameter_size": held.parameters, "quantization_level": held.quantization,
        }  # fmt: skip

    async def _show(self, exchange: Exchange) -> None:
        name = exchange.json["model"]
        if name in self.broken_shows:
            await exchange.answer(500, {"error": "unable to read the model"})
        elif name not in self.models:
            await self._missing(exchange, name)
        else:
            held = self.models[name]
            info = {"general.architecture": held.family, f"{held.family}.context_length": held.context}
            parameters = f'stop "<|end|>"\nnum_ctx    {held.num_ctx}' if held.num_ctx else ""
            await exchange.answer(200, {
                "details": self._details(held), "model_info": info, "capabilities": list(held.capabilities),
                "parameters": parameters, "template": "{{ .Prompt }}", "license": "x" * 100,
            })  # fmt: skip

    async def _ps(self, exchange: Exchange) -> None:
        await exchange.answer(200, {"models": [
            {"name": name, "model": name, "size": self.models[name].size + GB, "size_vram": vram, "digest": _hex(name),
             "details": self._details(self.models[name]), "expires_at": self.until, "context_length": 8192}
            for name, vram in self.loaded.items() if name in self.models
        ]})  # fmt: skip

    async def _delete(self, exchange: Exchange) -> None:
        name = exchange.json["model"]
        if self.models.pop(name, None) is None:
            await self._missing(exchange, name)
        else:  # what is loaded stays loaded
            await exchange.answer(200, b"")

    async def _generate(self, exchange: Exchange) -> None:
        """Only what unloads a model: no prompt, and nothing to be kept."""
        name = exchange.json["model"]
        if name not in self.models:
            await self._missing(exchange, name)
        elif exchange.json.get("prompt") or exchange.json.get("keep_alive") != 0:
            await exchange.answer(400, {"error": "only unloading is known here"})
        else:
            self.loaded.pop(name, None)
            await exchange.answer(200, {"model": name, "response": "", "done": True, "done_reason": "unload"})

    async def _copy(self, exchange: Exchange) -> None:
        name = exchange.json["source"]
        if name not in self.models:
            await self._missing(exchange, name)
        else:
            self.models[exchange.json["destination"]] = self.models[name]
            await exchange.answer(200, b"")

    async def _missing(self, exchange: Exchange, name: str) -> None:
        await exchange.answer(404, {"error": f"model '{name}' not found"})

    async def _pull(self, exchange: Exchange) -> None:
        asked = exchange.json["model"]
        name = asked if ":" in asked else f"{asked}:latest"
        await exchange.begin(content_type="application/x-ndjson")
        await _line(exchange, {"status": "pulling manifest"})
        if name not in self.library:
            await _line(exchange, {"error": "pull model manifest: file does not exist"})
            await _end(exchange)
            return
        layers = self.library[name].layers(name)
        whole = sum(size for _, size in layers)
        with suppress(ConnectionError):
            for digest, size in layers:
                if not await self._layer(exchange, digest, size, whole):
                    return
            for status in ("verifying sha256 digest", "writing manifest"):
                await _line(exchange, {"status": status})
            self.models[name] = self.library[name]
            await _line(exchange, {"status": "success"})
            await _end(exchange)

    async def _layer(self, exchange: Exchange, digest: str, size: int, whole: int) -> bool:
        """False: the connection is gone."""
        status = f"pulling {digest.removeprefix('sha256:')[:12]}"
        await _line(exchange, {"status": status, "digest": digest, "total": size})
        step = max(1, size // self.steps)
        while (there := self.parts.get(digest, 0)) < size:
            if exchange.left.is_set():
                self.left.set()
                return False
            share = there / whole
            if self.cut_at is not None and share >= self.cut_at:
                self.cut_at = None
                exchange.drop()
                return False
            if self.hold_at is not None and share >= self.hold_at:
                await exchange.left.wait()
                self.left.set()
                return False
            self.parts[digest] = min(size, there + step)
            await _line(
                exchange, {"status": status, "digest": digest, "total": size, "completed": self.parts[digest]}
            )
            if self.pace:
                with suppress(TimeoutError):
                    await asyncio.wait_for(exchange.left.wait(), self.pace)
        await _line(exchange, {"status": status, "digest": digest, "total": size, "completed": size})
        return True

    async def _chat(self, exchange: Exchange) -> None:
        asked = exchange.json
        if not asked.get("model"):
            await exchange.answer(400, {"error": "model is required"})
            return
        name = asked["model"] if ":" in asked["model"] else f"{asked['model']}:latest"
        held = self.models.get(asked["model"]) or self.models.get(name)
        if held is None:
            await exchange.answer(404, {"error": f'model "{asked["model"]}" not found, try pulling it first'})
            return
        self.chats.append(asked)
        think = asked.get("think")
        if think is not None and "thinking" not in held.capabilities:
            await exchange.answer(400, {"error": f'"{asked["model"]}" does not support thinking'})
        elif isinstance(think, str) and self.thinks == "bool":
            await exchange.answer(400, {"error": f'think value "{think}" is not supported for this model'})
        elif asked.get("tools") and "tools" not in held.capabilities:
            await exchange.answer(400, {"error": f"{asked['model']} does not support tools"})
        else:
            self.loaded.setdefault(asked["model"], held.size)
            await self._answer(exchange, asked["model"])

    async def _answer(self, exchange: Exchange, model: str) -> None:
        lines = self.lines if self.lines is not None else [text("Hello"), text(" there"), last()]
        if exchange.json.get("stream") is False:
            await exchange.answer(200, whole(lines, model))
            return
        await exchange.begin(content_type="application/x-ndjson")
        with suppress(ConnectionError):
            for line in lines:
                if line == "drop":
                    exchange.drop()
                    return
                while line == "endless":
                    if exchange.left.is_set():
                        self.left.set()
                        return
                    await _line(exchange, {"model": model, **text(" more")})
                    await asyncio.sleep(0.005)
                await _line(exchange, {"model": model, **line} if isinstance(line, dict) else line)
            await _end(exchange)
        self.left.set()


def text(content: str, **more: object) -> dict[str, object]:
    """A line of a chat."""
    return {"created_at": "2026-11-21T04:00:00.123456789Z", "message": {"role": "assistant", "content": content, **more}, "done": False}  # fmt: skip


def call(name: str, **arguments: object) -> dict[str, object]:
    return text("", tool_calls=[{"function": {"name": name, "arguments": arguments}}])


def last(reason: str = "stop", counted: tuple[int, int] | None = (9, 2)) -> dict[str, object]:
    """The line a chat ends with."""
    counts = {} if counted is None else {"prompt_eval_count": counted[0], "eval_count": counted[1]}
    return {
        **text(""), "done": True, "done_reason": reason, "total_duration": 18_500_000, "load_duration": 1_200_000,
        "prompt_eval_duration": 9_000_000, "eval_duration": 8_000_000, **counts,
    }  # fmt: skip


def whole(lines: list[Any], model: str) -> dict[str, object]:
    """The lines as one document."""
    message: dict[str, Any] = {"role": "assistant", "content": ""}
    out: dict[str, object] = {"model": model}
    for line in (one for one in lines if isinstance(one, dict)):
        said = line.get("message", {})
        for name in ("content", "thinking"):
            if name in said:
                message[name] = message.get(name, "") + said[name]
        if "tool_calls" in said:
            message.setdefault("tool_calls", []).extend(said["tool_calls"])
        out |= line
    return {**out, "message": message}


async def _line(exchange: Exchange, value: object) -> None:
    await exchange.send((value if isinstance(value, str) else json.dumps(value)) + "\n")


async def _end(exchange: Exchange) -> None:
    exchange.writer.write(b"0\r\n\r\n")
    await exchange.writer.drain()


@asynccontextmanager
async def ollama(**fields: Any) -> AsyncIterator[OllamaServer]:
    """A server that runs until the block ends."""
    made = OllamaServer(**fields)
    async with serving(made.handle) as made.server:
        yield made


async def _main(port: int) -> None:
    made = OllamaServer(pace=0.15, steps=200, loaded={"qwen3:30b": 12 * GB, "gemma3:4b": 4_338_801_804})
    made.library["deepseek-r1:8b"] = Held(5_225_376_047, "8.2B", "Q4_K_M", "qwen3", 131_072)
    async with serving(made.handle, port=port) as made.server:
        await asyncio.Event().wait()


if __name__ == "__main__":
    import sys

    asyncio.run(_main(int(sys.argv[1]) if len(sys.argv) > 1 else 11434))
