"""Ollama against the contract of all dialects."""

from __future__ import annotations

import pytest
from contract import CANARY, AdapterContract, HoldsToSchemas, OnAWire, SeesImages, StatesSpeed
from loop_server import Exchange
from ollama_server import Held, OllamaServer, call, last, text
from stage import LoopStage, Refusals

REFUSALS: Refusals = {
    "bad_key": (401, {"error": f"unauthorized: {CANARY}"}, {}),
    "no_credit": (429, {"error": "you've reached your weekly usage limit, upgrade to continue"}, {}),
    "limited": (429, {"error": "too many requests"}, {"retry_after_ms": "1500"}),
}
LINES: dict[str, list[object]] = {
    "thinking": [text("", thinking="hm"), text("Hello"), text(" there"), last()],
    "tools": [call("get_weather", city="Kraków"), last()],
    "cut": [text("Hello"), "drop"],
    "error_in_stream": [text("Hello"), {"error": "an error was encountered while running the model"}],
    "endless": ["endless"],
}


class OllamaStage(LoopStage):
    """Ollama's cloud, as it were: it wants a key."""

    DIALECT = "ollama"
    REFUSALS = REFUSALS

    def __init__(self) -> None:
        super().__init__()
        abilities = ("completion", "tools", "vision", "thinking")
        held = {
            "m": Held(10**9, "1B", "Q4_0", "llama", 32_000, abilities),
            "n": Held(10**9, "1B", "Q4_0", "llama", 8_192, abilities),
        }
        self._server = OllamaServer(models=held, key=CANARY, chats=self.sent, left=self.left)

    async def route(self, exchange: Exchange) -> None:
        self._server.lines = LINES.get(self.scenario)
        await self._server.handle(exchange)


class TestOllama(AdapterContract, OnAWire, SeesImages, HoldsToSchemas, StatesSpeed):
    @pytest.fixture
    def stage(self) -> OllamaStage:
        return OllamaStage()
