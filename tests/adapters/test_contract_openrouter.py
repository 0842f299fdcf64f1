"""The openrouter dialect against the one contract body."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from contract import (
    SIGNATURE,
    AdapterContract,
    HoldsToSchemas,
    KeepsReasoning,
    ListsLimits,
    ListsPrices,
    OnAWire,
    SeesImages,
    StatesCosts,
)
from loop_server import Exchange
from stage import CompletionStage, Refusals

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
SIGNED = [
    {
        "type": "reasoning.text",
        "text": "hm",
        "signature": SIGNATURE,
        "format": "anthropic-claude-v1",
        "index": 0,
    }
]


def refusal(code: int, message: str, **more: object) -> dict[str, object]:
    return {"error": {"code": code, "message": message, **more}, "user_id": "user_1"}


REFUSALS: Refusals = {
    "bad_key": (401, refusal(401, "No auth credentials found"), {}),
    "no_credit": (402, refusal(402, "Insufficient credits", metadata={"limit_source": "openrouter_credits"}), {}),
    "limited": (429, refusal(429, "Rate limit exceeded"), {"retry_after_ms": "1500"}),
}  # fmt: skip


class OpenRouterStage(CompletionStage):
    DIALECT = "openrouter"
    REFUSALS = REFUSALS
    USAGE = USAGE
    HEAD: ClassVar = {"x_generation_id": "gen-1"}

    async def route(self, exchange: Exchange) -> None:
        if exchange.path == "/api/v1/key":
            await exchange.answer(200, KEY)
        elif exchange.path == "/api/v1/models":
            await exchange.answer(200, {"data": MODELS})
        elif exchange.json["model"] != "m":
            await exchange.answer(
                404, {"error": {"code": 404, "message": "No endpoints found for nonsense."}}
            )
        else:
            await self.chat(exchange)

    def whole(self, answer: dict[str, Any]) -> dict[str, Any]:
        reasoning = {"reasoning": None}
        if self.scenario == "signed":
            reasoning = {"reasoning": "hm", "reasoning_details": SIGNED}
        answer["choices"][0]["message"] |= reasoning
        return {**answer, "provider": "Host"}

    async def think(self, exchange: Exchange) -> None:
        await exchange.send(": OPENROUTER PROCESSING\n\n")
        if self.scenario == "thinking":
            await exchange.row({"choices": [{"delta": {"reasoning": "hm"}}]})
        if self.scenario == "signed":
            for piece in ({"text": "h"}, {"text": "m"}, {"text": "", "signature": SIGNATURE}):
                part = {"type": "reasoning.text", "index": 0, "format": "anthropic-claude-v1", **piece}
                delta = {"reasoning": piece["text"], "reasoning_details": [part]}
                await exchange.row({"choices": [{"delta": delta}]})

    async def fail(self, exchange: Exchange) -> None:
        error = {"code": 502, "message": "Provider returned error"}
        choices = [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]
        await exchange.row({"id": "g1", "choices": choices, "error": error})


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
        return OpenRouterStage(path="/api/v1")
