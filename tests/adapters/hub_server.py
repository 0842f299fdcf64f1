"""A Hugging Face on loopback: hub, router and inference in one, with a token, a model to download and ways to fail."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from loop_server import Exchange, in_a_thread, serving

TOKEN = "hf_" + "CanaryTokenNobodyMaySee7Hq2mZx9LrT4"
COMMIT = "5f0b02c75b57c5855da9ae460ce51323ea669d8a"
WHO: dict[str, Any] = {
    "type": "user",
    "name": "ada",
    "canPay": True,
    "periodEnd": 1_796_083_200,
    "auth": {
        "type": "access_token",
        "accessToken": {
            "displayName": "ci",
            "role": "fineGrained",
            "fineGrained": {"global": [], "scoped": [{"permissions": ["inference.serverless.write"]}]},
        },
    },
}
LIST: list[dict[str, Any]] = [
    {
        "id": "m",
        "owned_by": "deepseek-ai",
        "created": 1_737_331_200,
        "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
        "providers": [
            {
                "provider": "groq",
                "status": "live",
                "context_length": 32_000,
                "pricing": {"input": 2.5, "output": 10},
                "supports_tools": True,
                "supports_structured_output": True,
                "first_token_latency_ms": 310.4,
                "throughput": 412.7,
            },
            {
                "provider": "together",
                "status": "live",
                "context_length": 64_000,
                "pricing": {"input": 3, "output": 7},
                "supports_tools": False,
                "supports_structured_output": True,
            },
            {
                "provider": "gone",
                "status": "error",
                "context_length": 1,
                "pricing": {"input": 0, "output": 0},
            },
        ],
    },
    {"id": "n", "owned_by": "nobody", "providers": [{"provider": "one", "status": "live"}]},
]
FILES: Mapping[str, bytes] = {
    "config.json": b'{"model_type": "whisper"}',
    "model.safetensors": bytes(range(256)) * 4096,
    "tokenizer/vocab.json": b"{}",
}
FOUND = [
    {"id": "openai/whisper-tiny", "pipeline_tag": "automatic-speech-recognition", "downloads": 812_345, "likes": 402, "library_name": "transformers", "gated": False},
    {"id": "own\x1b[31mer/gated", "pipeline_tag": "automatic-speech-recognition", "downloads": 12, "likes": 1, "gated": "manual"},
]  # fmt: skip


@dataclass
class HubServer:
    """The handler of loop_server.serving, and what it saw."""

    token: str = TOKEN
    who: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(WHO)))
    refuse: tuple[int, dict[str, Any], dict[str, str]] | None = None
    """(status, body, headers) of every answer of the router."""
    asked: list[str] = field(default_factory=list)
    tasks: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    """(model, headers, body) of each."""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    """Of each chat."""
    ranges: list[str] = field(default_factory=list)
    drop_after: int | None = None
    """Bytes of the large file after which the connection breaks, once."""
    stall: asyncio.Event | None = None
    """The large file waits here half way."""
    hold: asyncio.Event | None = None
    """Tasks wait here before they are answered."""

    async def __call__(self, exchange: Exchange) -> None:
        split = urlsplit(exchange.path)
        path = unquote(split.path)
        self.asked.append(f"{exchange.method} {path}")
        if path == "/api/whoami-v2":
            await self._who(exchange)
        elif path == "/api/models":
            assert parse_qs(split.query)["search"]
            await exchange.answer(200, FOUND)
        elif path.startswith("/api/models/"):
            await self._repo(exchange, path.removeprefix("/api/models/"))
        elif "/resolve/" in path:
            await self._file(exchange, path.partition("/resolve/")[2].partition("/")[2])
        elif self.refuse is not None:
            status, body, headers = self.refuse
            await exchange.answer(status, body, **headers)
        elif path == "/v1/models":
            await exchange.answer(200, {"object": "list", "data": LIST})
        elif path.startswith("/hf-inference/models/"):
            await self._task(exchange, path.removeprefix("/hf-inference/models/"))
        else:
            await self._chat(exchange)

    def _let_in(self, exchange: Exchange) -> bool:
        return exchange.headers.get("authorization") == f"Bearer {self.token}"

    async def _who(self, exchange: Exchange) -> None:
        if self._let_in(exchange):
            await exchange.answer(200, self.who)
        else:
            await exchange.answer(401, {"error": "Invalid username or password."})

    async def _task(self, exchange: Exchange, model: str) -> None:
        if not self._let_in(exchange):
            await exchange.answer(401, {"error": "Invalid username or password."})
            return
        self.tasks.append((model, exchange.headers, exchange.body))
        if self.hold is not None:
            await self.hold.wait()
        if "whisper" in model:
            await exchange.answer(200, {"text": " Ask not what your country can do for you."}, x_inference_provider="hf-inference")  # fmt: skip
        elif "unsupported" in model:
            await exchange.answer(400, {"error": "Model not supported by provider hf-inference"})
        else:
            await exchange.answer(200, [{"translation_text": "Das Wetter ist schön."}])

    async def _chat(self, exchange: Exchange) -> None:
        if not self._let_in(exchange):
            await exchange.answer(401, {"error": "Invalid username or password."})
            return
        self.bodies.append(exchange.json)
        await exchange.begin(x_inference_provider="together")
        await exchange.text("Hello")
        await exchange.text(" there")
        await exchange.done(usage={"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11})

    async def _repo(self, exchange: Exchange, rest: str) -> None:
        name = "/".join(rest.split("/")[:2])
        if name != "openai/whisper-tiny":
            headers = {"X_Error_Code": "RepoNotFound", "X_Error_Message": "Repository not found"}
            await exchange.answer(401, {"error": "Repository not found"}, **headers)
        elif "/tree/" in rest:
            await exchange.answer(
                200,
                [
                    {"type": "file", "path": path, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                    for path, data in FILES.items()
                ],
            )
        else:
            siblings = [{"rfilename": path} for path in FILES]
            await exchange.answer(200, {"_id": "1", "id": name, "sha": COMMIT, "siblings": siblings})

    async def _file(self, exchange: Exchange, name: str) -> None:
        data = FILES[name]
        etag = f'"{hashlib.sha1(data).hexdigest()}"'
        begin = 0
        if asked := exchange.headers.get("range"):
            self.ranges.append(f"{name} {asked}")
            begin = int(asked.removeprefix("bytes=").split("-")[0])
        head = (
            f"HTTP/1.1 {206 if begin else 200} X\r\netag: {etag}\r\nx-repo-commit: {COMMIT}\r\naccept-ranges: bytes\r\n"
            f"content-length: {len(data) - begin}\r\n"
        )
        if begin:
            head += f"content-range: bytes {begin}-{len(data) - 1}/{len(data)}\r\n"
        exchange.writer.write(head.encode() + b"\r\n")
        if exchange.method == "HEAD":
            await exchange.writer.drain()
            return
        large = len(data) > 100_000
        if large and begin == 0 and self.drop_after is not None:
            exchange.writer.write(data[: self.drop_after])
            await exchange.writer.drain()
            exchange.writer.close()
            self.drop_after = None
            return
        half = (begin + len(data)) // 2
        exchange.writer.write(data[begin:half])
        await exchange.writer.drain()
        if large and self.stall is not None:
            await self.stall.wait()
        exchange.writer.write(data[half:])
        await exchange.writer.drain()


@contextmanager
def threaded(server: HubServer) -> Iterator[str]:
    """The server in a thread, for programs that bring a loop of their own. Gives its address."""
    with in_a_thread(serving(server)) as made:
        yield made.url
