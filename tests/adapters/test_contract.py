"""Every dialect against the one contract body."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from contract import (
    CANARY,
    AdapterContract,
    HoldsToSchemas,
    ListsLimits,
    ListsPrices,
    OnAWire,
    Scenario,
    SeesImages,
    StatesCosts,
    StatesSpeed,
)
from loop_server import Exchange
from pydantic import SecretStr
from stage import OPENAI_REFUSALS, CompletionStage

from adapters.base import Adapter, Connection
from adapters.events import ToolCall
from adapters.fake import FakeAdapter
from adapters.fake_scripts import (
    INVALID_KEY,
    NO_CREDIT,
    RATE_LIMITED,
    UNREACHABLE,
    Answer,
    FakeModel,
    Fault,
    Script,
)

USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 2,
    "total_tokens": 11,
    "cost": 0.0042,
    "prompt_time": 0.009,
    "completion_time": 0.008,
}
MODELS = [
    {
        "id": "m",
        "context_length": 32_000,
        "max_output_tokens": 4_096,
        "pricing": {"prompt": "0.0000025", "completion": "0.00001"},
    },
    {"id": "n"},
]


class OpenAIStage(CompletionStage):
    """A compatible server."""

    DIALECT = "openai"
    REFUSALS = OPENAI_REFUSALS
    USAGE = USAGE

    async def route(self, exchange: Exchange) -> None:
        if exchange.path == "/v1/models":
            await exchange.answer(200, {"object": "list", "data": MODELS})
        elif not exchange.json.get("model"):
            await exchange.answer(400, {"error": {"message": "you must provide a model parameter"}})
        elif exchange.json["model"] != "m":
            await exchange.answer(
                404, {"error": {"message": "The model `x` does not exist", "code": "model_not_found"}}
            )
        else:
            await self.chat(exchange)


class FakeStage:
    """Scripts."""

    usage = (5, 2)

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.sent: list[dict[str, object]] = []

    @asynccontextmanager
    async def adapter(self, scenario: Scenario) -> AsyncIterator[Adapter]:
        text = "there " * 10_000 if scenario == "endless" else "Hello there"
        model = FakeModel("m", ttft=0, pace=0 if scenario != "endless" else 10, thinks=scenario == "thinking")
        answer = Answer(text, thinking="hm")
        if scenario == "tools":
            answer = Answer("", calls=(ToolCall("call_1", "get_weather", '{"city": "Kraków"}'),))
        faults = {
            "bad_key": INVALID_KEY,
            "no_credit": NO_CREDIT,
            "limited": RATE_LIMITED,
            "unreachable": UNREACHABLE,
            "cut": Fault("cut", after=1),
            "error_in_stream": Fault("error_in_stream", after=1),
        }
        met = (faults[scenario],) if scenario in faults else ()
        script = Script(
            "s", (model, FakeModel("n")), (answer,), met, met if scenario != "limited" else (), latency=0
        )
        connection = Connection("prov", "fake", "http://127.0.0.1", key=SecretStr(CANARY))
        made = FakeAdapter(connection, play=script, sleep=self._sleep)
        yield made

    async def _sleep(self, seconds: float) -> None:
        """Endless text ends here when the reader leaves: there is no vendor to notice it."""
        await asyncio.sleep(0)
        self.left.set()


class TestOpenAI(
    AdapterContract, OnAWire, SeesImages, HoldsToSchemas, StatesCosts, StatesSpeed, ListsLimits, ListsPrices
):
    @pytest.fixture
    def stage(self) -> OpenAIStage:
        return OpenAIStage()


class TestFake(AdapterContract):
    @pytest.fixture
    def stage(self) -> FakeStage:
        return FakeStage()
