"""Hugging Face's router against the contract body, with a hub that tells whose token it is."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar

import pytest
from contract import CANARY, AdapterContract, HoldsToSchemas, ListsPrices, OnAWire, SeesImages
from hub_server import LIST, WHO
from loop_server import Exchange
from stage import CompletionStage, Refusals

from adapters.huggingface import hub

REFUSALS: Refusals = {
    "bad_key": (401, {"error": f"Invalid credentials in Authorization header {CANARY}"}, {}),
    "no_credit": (402, {"error": "You have exceeded your monthly included credits for Inference Providers."}, {}),
    "limited": (429, {"error": "Too many requests"}, {"retry_after": "1.5"}),
}  # fmt: skip


class HuggingFaceStage(CompletionStage):
    """Router and hub at the same address."""

    DIALECT = "huggingface"
    REFUSALS = REFUSALS
    HEAD: ClassVar = {"x_inference_provider": "together"}

    def check(self, exchange: Exchange) -> None:
        super().check(exchange)
        assert exchange.headers["x-hf-bill-to"] == "my-team"

    async def route(self, exchange: Exchange) -> None:
        if exchange.path == "/api/whoami-v2":
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
            await self.chat(exchange)


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    hub.forget()
    yield
    hub.forget()


class TestHuggingFace(AdapterContract, OnAWire, SeesImages, HoldsToSchemas, ListsPrices):
    @pytest.fixture
    def stage(self) -> HuggingFaceStage:
        return HuggingFaceStage(path="/v1", options={"hub": "{url}", "bill_to": "my-team"})

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
