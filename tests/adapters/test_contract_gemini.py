"""The `gemini` dialect against the one contract body, as events and as one JSON array."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from contract import (
    CANARY,
    SIGNATURE,
    AdapterContract,
    CountsPrompts,
    HoldsToSchemas,
    KeepsReasoning,
    ListsLimits,
    OnAWire,
    Scenario,
    SeesImages,
)
from loop_server import Exchange, serving
from pydantic import SecretStr

from adapters.base import Adapter, Connection
from adapters.fetch import Fetcher
from adapters.loader import create

USAGE = {"promptTokenCount": 9, "candidatesTokenCount": 1, "thoughtsTokenCount": 1, "totalTokenCount": 11}
CHAT = ["generateContent", "countTokens"]
PAGES = {
    None: {
        "models": [
            {"name": "models/m", "inputTokenLimit": 32_000, "outputTokenLimit": 4_096, "supportedGenerationMethods": CHAT}
        ],
        "nextPageToken": "two",
    },
    "two": {"models": [{"name": "models/n", "supportedGenerationMethods": CHAT}]},
}  # fmt: skip
CALL = {"functionCall": {"name": "get_weather", "args": {"city": "Kraków"}}}
REFUSALS = {
    "bad_key": (400, "INVALID_ARGUMENT", [{"@type": "t/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]),
    "no_credit": (402, "RESOURCE_EXHAUSTED", []),
    "limited": (429, "RESOURCE_EXHAUSTED", [{"@type": "t/google.rpc.RetryInfo", "retryDelay": "1.5s"}]),
}


def chunk(*parts: object, finish: str | None = None) -> dict[str, object]:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    return {
        "candidates": [{**candidate, **({"finishReason": finish} if finish else {})}],
        "usageMetadata": USAGE,
        "modelVersion": "m-001",
    }


class GeminiStage:
    """Google's server on loopback. `array`: it does not know `alt=sse`, and streams one JSON array."""

    usage = (9, 2)

    def __init__(self, *, array: bool = False) -> None:
        self.left = asyncio.Event()
        self.sent: list[dict[str, object]] = []
        self._scenario: Scenario = "answer"
        self._array = array
        self._rows = 0

    @asynccontextmanager
    async def adapter(self, scenario: Scenario) -> AsyncIterator[Adapter]:
        self._scenario = scenario
        fetcher = Fetcher()
        async with serving(self._handle) as server:
            url = "http://127.0.0.1:9" if scenario == "unreachable" else server.url
            made = create(Connection("prov", "gemini", url, key=SecretStr(CANARY)), fetcher)
            try:
                yield made
            finally:
                await made.aclose()
                await fetcher.aclose()

    async def _handle(self, exchange: Exchange) -> None:
        assert exchange.headers["x-goog-api-key"] == CANARY
        assert "authorization" not in exchange.headers
        assert CANARY not in exchange.path
        path, _, query = exchange.path.partition("?")
        if self._scenario in REFUSALS:
            status, word, details = REFUSALS[self._scenario]
            echo = {"@type": "t/google.rpc.DebugInfo", "detail": f"[key={CANARY}] refused"}
            error = {"code": status, "message": "x", "status": word, "details": [*details, echo]}
            await exchange.answer(status, [{"error": error}])
        elif path == "/v1beta/models":
            token = query.partition("pageToken=")[2] or None
            await exchange.answer(200, PAGES[token])
        elif path == "/v1beta/models/m:countTokens":
            await exchange.answer(200, {"totalTokens": 21})
        elif path == "/v1beta/models/m:generateContent":
            self.sent.append(exchange.json)
            await exchange.answer(200, chunk(*self._parts(), finish="STOP"))
        elif exchange.path == "/v1beta/models/m:streamGenerateContent?alt=sse":
            self.sent.append(exchange.json)
            await self._stream(exchange)
        else:
            error = {"code": 404, "message": "models/nonsense is not found", "status": "NOT_FOUND"}
            await exchange.answer(404, {"error": error})

    def _parts(self) -> list[dict[str, object]]:
        if self._scenario == "tools":
            return [CALL]
        if self._scenario == "signed":
            return [{"text": "hm", "thought": True}, {**CALL, "thoughtSignature": SIGNATURE}]
        return [{"text": "Hello"}, {"text": " there"}]

    async def _row(self, exchange: Exchange, value: object) -> None:
        if self._array:
            await exchange.send(("[" if not self._rows else ",\n") + json.dumps(value, indent=2))
        else:
            await exchange.send(f"data: {json.dumps(value)}\r\n\r\n")
        self._rows += 1

    async def _stream(self, exchange: Exchange) -> None:
        self._rows = 0
        await exchange.begin(content_type="application/json" if self._array else "text/event-stream")
        if self._scenario == "thinking":
            await self._row(exchange, chunk({"text": "hm", "thought": True}))
        first, *rest = self._parts()
        await self._row(exchange, chunk(first))
        if self._scenario == "cut":
            exchange.drop()
            return
        if self._scenario == "error_in_stream":  # as it is written in either form: without `data:`
            error = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
            text = json.dumps(error, indent=2)
            await exchange.send(f",\n{text}]" if self._array else f"[{text}\n]\n")
            exchange.writer.write(b"0\r\n\r\n")
            return
        while self._scenario == "endless":
            try:
                await self._row(exchange, chunk({"text": " more"}))
                await asyncio.wait_for(exchange.left.wait(), 0.005)
            except TimeoutError:
                continue
            except ConnectionError:
                pass
            self.left.set()
            return
        await self._row(exchange, chunk(*rest, finish="STOP"))
        await exchange.send("]" if self._array else "\r\n")
        exchange.writer.write(b"0\r\n\r\n")
        await exchange.writer.drain()


class TestGemini(
    AdapterContract, OnAWire, SeesImages, HoldsToSchemas, KeepsReasoning, CountsPrompts, ListsLimits
):
    @pytest.fixture
    def stage(self) -> GeminiStage:
        return GeminiStage()


class TestGeminiAsAnArray(AdapterContract):
    VARIANT = True

    @pytest.fixture
    def stage(self) -> GeminiStage:
        return GeminiStage(array=True)
