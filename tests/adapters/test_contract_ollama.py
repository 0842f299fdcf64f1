"""Ollama against the contract of all dialects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest
from contract import CANARY, AdapterContract, HoldsToSchemas, OnAWire, Scenario, SeesImages, StatesSpeed
from loop_server import Exchange, serving
from ollama_server import Held, OllamaServer, call, last, text
from pydantic import SecretStr

from adapters.base import Adapter, Connection
from adapters.fetch import Fetcher
from adapters.loader import create

REFUSALS: dict[str, tuple[int, object]] = {
    "bad_key": (401, {"error": f"unauthorized: {CANARY}"}),
    "no_credit": (429, {"error": "you've reached your weekly usage limit, upgrade to continue"}),
}
LINES: dict[str, list[object]] = {
    "thinking": [text("", thinking="hm"), text("Hello"), text(" there"), last()],
    "tools": [call("get_weather", city="Kraków"), last()],
    "cut": [text("Hello"), "drop"],
    "error_in_stream": [text("Hello"), {"error": "an error was encountered while running the model"}],
    "endless": ["endless"],
}


class OllamaStage:
    """Ollama's cloud, as it were: it wants a key."""

    usage = (9, 2)

    def __init__(self) -> None:
        abilities = ("completion", "tools", "vision", "thinking")
        held = {
            "m": Held(10**9, "1B", "Q4_0", "llama", 32_000, abilities),
            "n": Held(10**9, "1B", "Q4_0", "llama", 8_192, abilities),
        }
        self._server = OllamaServer(models=held, key=CANARY)
        self._limited = False

    @property
    def left(self) -> asyncio.Event:
        return self._server.left

    @property
    def sent(self) -> Sequence[Mapping[str, object]]:
        return self._server.chats

    @asynccontextmanager
    async def adapter(self, scenario: Scenario) -> AsyncIterator[Adapter]:
        self._server.refuses = REFUSALS.get(scenario)
        self._server.lines = LINES.get(scenario)
        self._limited = scenario == "limited"
        fetcher = Fetcher()
        async with serving(self._handle) as server:
            url = "http://127.0.0.1:9" if scenario == "unreachable" else server.url
            made = create(Connection("prov", "ollama", url, key=SecretStr(CANARY)), fetcher)
            try:
                yield made
            finally:
                await made.aclose()
                await fetcher.aclose()

    async def _handle(self, exchange: Exchange) -> None:
        if self._limited:
            await exchange.answer(429, {"error": "too many requests"}, retry_after_ms="1500")
        else:
            await self._server.handle(exchange)


class TestOllama(AdapterContract, OnAWire, SeesImages, HoldsToSchemas, StatesSpeed):
    @pytest.fixture
    def stage(self) -> OllamaStage:
        return OllamaStage()
