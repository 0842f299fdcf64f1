"""The openrouter dialect against the one contract body."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from contract import (
    CANARY,
    SIGNATURE,
    AdapterContract,
    HoldsToSchemas,
    KeepsReasoning,
    ListsLimits,
    ListsPrices,
    OnAWire,
    Scenario,
    SeesImages,
    StatesCosts,
)
from loop_server import Exchange, serving
from pydantic import SecretStr

from adapters.base import Adapter, Connection
from adapters.fetch import Fetcher
from adapters.loader import create

USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "cost": 0.0042, "is_byok": False}
MODELS = [
    {
        "id": "m",
        "context_length": 32_000,
        "top_provider": {"context_length": 32_000, "max_completion_tokens": 4_096, "is_moderated": True},
        "pricing": {"prompt": "0.0000025", "completion": "0.00001", "request": "0"},
        "supported_parameters": ["tools", "reasoning", "structured_outputs"],
    },
    {"id": "n", "pricing": {"prompt": "-1", "completion": "-1"}},
]
KEY = {
    "data": {"label": "sk-or-v1-abc...def", "limit": 50, "limit_remaining": 12.4, "limit_reset": "monthly"}
}
CALL = {
    "index": 0,
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Kraków"}'},
}
SIGNED = [
    {
        "type": "reasoning.text",
        "text": "hm",
        "signature": SIGNATURE,
        "format": "anthropic-claude-v1",
        "index": 0,
    }
]


class OpenRouterStage:
    """OpenRouter on loopback."""

    usage = (9, 2)

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.sent: list[dict[str, object]] = []
        self._scenario: Scenario = "answer"

    @asynccontextmanager
    async def adapter(self, scenario: Scenario) -> AsyncIterator[Adapter]:
        self._scenario = scenario
        fetcher = Fetcher()
        async with serving(self._handle) as server:
            url = "http://127.0.0.1:9" if scenario == "unreachable" else f"{server.url}/api/v1"
            made = create(Connection("prov", "openrouter", url, key=SecretStr(CANARY)), fetcher)
            try:
                yield made
            finally:
                await made.aclose()
                await fetcher.aclose()

    async def _handle(self, exchange: Exchange) -> None:
        assert exchange.headers["authorization"] == f"Bearer {CANARY}"
        refusals: dict[str, tuple[int, dict[str, object], dict[str, str]]] = {
            "bad_key": (401, {"code": 401, "message": "No auth credentials found"}, {}),
            "no_credit": (
                402,
                {
                    "code": 402,
                    "message": "Insufficient credits",
                    "metadata": {"limit_source": "openrouter_credits"},
                },
                {},
            ),
            "limited": (429, {"code": 429, "message": "Rate limit exceeded"}, {"retry_after_ms": "1500"}),
        }
        if self._scenario in refusals:
            status, error, headers = refusals[self._scenario]
            await exchange.answer(status, {"error": error, "user_id": "user_1"}, **headers)
        elif exchange.path == "/api/v1/key":
            await exchange.answer(200, KEY)
        elif exchange.path == "/api/v1/models":
            await exchange.answer(200, {"data": MODELS})
        elif exchange.json["model"] != "m":
            await exchange.answer(
                404, {"error": {"code": 404, "message": "No endpoints found for nonsense."}}
            )
        else:
            self.sent.append(exchange.json)
            await self._answer(exchange)

    async def _answer(self, exchange: Exchange) -> None:
        if exchange.json.get("stream"):
            await self._stream(exchange)
            return
        message: dict[str, object] = {"role": "assistant", "content": "Hello there", "reasoning": None}
        if self._scenario in ("tools", "signed"):
            message |= {"content": None, "tool_calls": [CALL]}
        if self._scenario == "signed":
            message |= {"reasoning": "hm", "reasoning_details": SIGNED}
        choices = [{"message": message, "finish_reason": "stop"}]
        await exchange.answer(200, {"model": "m", "provider": "Host", "choices": choices, "usage": USAGE})

    async def _stream(self, exchange: Exchange) -> None:
        await exchange.begin(x_generation_id="gen-1")
        await exchange.send(": OPENROUTER PROCESSING\n\n")
        if self._scenario == "thinking":
            await exchange.row({"choices": [{"delta": {"reasoning": "hm"}}]})
        if self._scenario == "signed":
            for piece in ({"text": "h"}, {"text": "m"}, {"text": "", "signature": SIGNATURE}):
                part = {"type": "reasoning.text", "index": 0, "format": "anthropic-claude-v1", **piece}
                delta = {"reasoning": piece["text"], "reasoning_details": [part]}
                await exchange.row({"choices": [{"delta": delta}]})
        if self._scenario in ("tools", "signed"):
            await exchange.row({"choices": [{"delta": {"tool_calls": [CALL]}}]})
        else:
            await exchange.text("Hello")
        if self._scenario == "cut":
            exchange.drop()
            return
        if self._scenario == "error_in_stream":
            error = {"code": 502, "message": "Provider returned error"}
            choices = [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]
            await exchange.row({"id": "g1", "choices": choices, "error": error})
        while self._scenario == "endless":
            try:
                await exchange.text(" more")
                await asyncio.wait_for(exchange.left.wait(), 0.005)
            except TimeoutError:
                continue
            except ConnectionError:
                pass
            self.left.set()
            return
        if self._scenario not in ("tools", "signed"):
            await exchange.text(" there")
        await exchange.done(usage=USAGE)


class TestOpenRouter(
    AdapterContract,
    OnAWire,
    SeesImages,
    HoldsToSchemas,
    KeepsReasoning,
    StatesCosts,
    ListsLimits,
    ListsPrices,
):
    @pytest.fixture
    def stage(self) -> OpenRouterStage:
        return OpenRouterStage()
