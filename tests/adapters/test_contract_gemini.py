"""The `gemini` dialect against the one contract body, as events and as one JSON array."""

from __future__ import annotations

import json

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
    SeesImages,
)
from loop_server import Exchange
from stage import LoopStage, Refusals

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


def refusal(status: int, word: str, *details: object) -> tuple[int, object, dict[str, str]]:
    echo = {"@type": "t/google.rpc.DebugInfo", "detail": f"[key={CANARY}] refused"}
    error = {"code": status, "message": "x", "status": word, "details": [*details, echo]}
    return status, [{"error": error}], {}


REFUSALS: Refusals = {
    "bad_key": refusal(400, "INVALID_ARGUMENT", {"@type": "t/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}),
    "no_credit": refusal(402, "RESOURCE_EXHAUSTED"),
    "limited": refusal(429, "RESOURCE_EXHAUSTED", {"@type": "t/google.rpc.RetryInfo", "retryDelay": "1.5s"}),
}  # fmt: skip


def chunk(*parts: object, finish: str | None = None) -> dict[str, object]:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    return {
        "candidates": [{**candidate, **({"finishReason": finish} if finish else {})}],
        "usageMetadata": USAGE,
        "modelVersion": "m-001",
    }


class GeminiStage(LoopStage):
    """Google's server. `array`: it does not know `alt=sse`, and streams one JSON array."""

    DIALECT = "gemini"
    REFUSALS = REFUSALS

    def __init__(self, *, array: bool = False) -> None:
        super().__init__()
        self._array = array
        self._rows = 0

    def check(self, exchange: Exchange) -> None:
        assert exchange.headers["x-goog-api-key"] == CANARY
        assert "authorization" not in exchange.headers
        assert CANARY not in exchange.path

    async def route(self, exchange: Exchange) -> None:
        path, _, query = exchange.path.partition("?")
        if path == "/v1beta/models":
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
        if self.scenario == "tools":
            return [CALL]
        if self.scenario == "signed":
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
        if self.scenario == "thinking":
            await self._row(exchange, chunk({"text": "hm", "thought": True}))
        first, *rest = self._parts()
        await self._row(exchange, chunk(first))
        if self.scenario == "error_in_stream":  # as it is written in either form: without `data:`
            error = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
            text = json.dumps(error, indent=2)
            await exchange.send(f",\n{text}]" if self._array else f"[{text}\n]\n")
            exchange.writer.write(b"0\r\n\r\n")
            return
        if await self.broken(exchange, lambda: self._row(exchange, chunk({"text": " more"}))):
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
