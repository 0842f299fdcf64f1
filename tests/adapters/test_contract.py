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
from loop_server import Exchange, serving
from pydantic import SecretStr

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
from adapters.fetch import Fetcher
from adapters.loader import create

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
CALL = {
    "index": 0,
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Kraków"}'},
}


class OpenAIStage:
    """A compatible server on loopback."""

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
            url = "http://127.0.0.1:9" if scenario == "unreachable" else server.url
            made = create(Connection("prov", "openai", url, key=SecretStr(CANARY)), fetcher)
            try:
                yield made
            finally:
                await made.aclose()
                await fetcher.aclose()

    async def _handle(self, exchange: Exchange) -> None:
        assert exchange.headers["authorization"] == f"Bearer {CANARY}"
        refusals = {
            "bad_key": (401, f"Incorrect API key provided: {CANARY}", "invalid_api_key", {}),
            "no_credit": (429, "You exceeded your current quota", "insufficient_quota", {}),
            "limited": (429, "Rate limit reached", "rate_limit_exceeded", {"retry_after_ms": "1500"}),
        }
        if self._scenario in refusals:
            status, message, code, headers = refusals[self._scenario]
            await exchange.answer(
                status, {"error": {"message": message, "type": "x", "code": code}}, **headers
            )
        elif exchange.path == "/v1/models":
            await exchange.answer(200, {"object": "list", "data": MODELS})
        elif not exchange.json.get("model"):
            await exchange.answer(400, {"error": {"message": "you must provide a model parameter"}})
        elif exchange.json["model"] != "m":
            await exchange.answer(
                404, {"error": {"message": "The model `x` does not exist", "code": "model_not_found"}}
            )
        else:
            self.sent.append(exchange.json)
            await self._answer(exchange)

    async def _answer(self, exchange: Exchange) -> None:
        if exchange.json.get("stream"):
            await self._stream(exchange)
        else:
            message = {"role": "assistant", "content": "Hello there"}
            if self._scenario == "tools":
                message = {"role": "assistant", "content": None, "tool_calls": [CALL]}
            await exchange.answer(
                200,
                {"model": "m", "choices": [{"message": message, "finish_reason": "stop"}], "usage": USAGE},
            )

    async def _stream(self, exchange: Exchange) -> None:
        await exchange.begin()
        if self._scenario == "thinking":
            await exchange.row({"choices": [{"delta": {"reasoning_content": "hm"}}]})
        if self._scenario == "tools":
            await exchange.row({"choices": [{"delta": {"tool_calls": [CALL]}}]})
        else:
            await exchange.text("Hello")
        if self._scenario == "cut":
            exchange.drop()
            return
        if self._scenario == "error_in_stream":
            await exchange.row({"error": {"message": "The server had an error", "type": "server_error"}})
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
        if self._scenario != "tools":
            await exchange.text(" there")
        await exchange.done(usage=USAGE)


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
