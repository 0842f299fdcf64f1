"""Hugging Face's router against the contract body, with a hub that tells whose token it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from contract import CANARY, AdapterContract, HoldsToSchemas, ListsPrices, OnAWire, Scenario, SeesImages
from hub_server import LIST, WHO
from loop_server import Exchange, serving
from pydantic import SecretStr

from adapters.base import Adapter, Connection
from adapters.fetch import Fetcher
from adapters.huggingface import hub
from adapters.loader import create

USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
CALL = {
    "index": 0,
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Kraków"}'},
}
REFUSALS: Mapping[str, tuple[int, object, dict[str, str]]] = {
    "bad_key": (401, {"error": f"Invalid credentials in Authorization header {CANARY}"}, {}),
    "no_credit": (402, {"error": "You have exceeded your monthly included credits for Inference Providers."}, {}),
    "limited": (429, {"error": "Too many requests"}, {"retry_after": "1.5"}),
}  # fmt: skip


class HuggingFaceStage:
    """Router and hub on loopback, at the same address."""

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
            options = {"hub": url, "bill_to": "my-team"}
            made = create(
                Connection("prov", "huggingface", f"{url}/v1", key=SecretStr(CANARY), options=options),
                fetcher,
            )
            try:
                yield made
            finally:
                await made.aclose()
                await fetcher.aclose()

    async def _handle(self, exchange: Exchange) -> None:
        assert exchange.headers["authorization"] == f"Bearer {CANARY}"
        assert exchange.headers["x-hf-bill-to"] == "my-team"
        if self._scenario in REFUSALS:
            status, body, headers = REFUSALS[self._scenario]
            await exchange.answer(status, body, **headers)
        elif exchange.path == "/api/whoami-v2":
            await exchange.answer(200, WHO)
        elif exchange.path == "/v1/models":
            await exchange.answer(200, {"object": "list", "data": LIST})
        elif exchange.json.get("model") != "m":
            await exchange.answer(
                400,
                {
                    "error": {
                        "message": "The requested model 'x' does not exist",
                        "type": "invalid_request_error",
                        "code": "model_not_found",
                    }
                },
            )
        else:
            assert exchange.path == "/v1/chat/completions"
            self.sent.append(exchange.json)
            await self._answer(exchange)

    async def _answer(self, exchange: Exchange) -> None:
        if exchange.json.get("stream"):
            await self._stream(exchange)
            return
        message: dict[str, object] = {"role": "assistant", "content": "Hello there"}
        if self._scenario == "tools":
            message = {"role": "assistant", "content": None, "tool_calls": [CALL]}
        await exchange.answer(
            200, {"model": "m", "choices": [{"message": message, "finish_reason": "stop"}], "usage": USAGE}
        )

    async def _stream(self, exchange: Exchange) -> None:
        await exchange.begin(x_inference_provider="together")
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


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    hub.forget()
    yield
    hub.forget()


class TestHuggingFace(AdapterContract, OnAWire, SeesImages, HoldsToSchemas, ListsPrices):
    @pytest.fixture
    def stage(self) -> HuggingFaceStage:
        return HuggingFaceStage()

    async def test_lists_models(self, stage: HuggingFaceStage) -> None:
        """Each host is a model of its own beside the one that leaves the choice to the router."""
        async with stage.adapter("answer") as adapter:
            models = await adapter.list_models()
        assert [m.id for m in models] == ["m", "m:groq", "m:together", "n", "n:one"]

    async def test_prices_are_listed(self, stage: HuggingFaceStage) -> None:
        async with stage.adapter("answer") as adapter:
            models = {m.id: m for m in await adapter.list_models()}
        price = models["m:groq"].price
        assert price is not None
        assert (price.input, price.output) == (Decimal("2.5"), Decimal(10))
        assert models["m"].price is None, "who answers is not known before"
        assert models["n"].price is models["n:one"].price is None
