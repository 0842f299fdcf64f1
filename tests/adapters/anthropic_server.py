"""A server of the Messages API on loopback: what the vendor's documented events and bodies look like."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar

from contract import CANARY, SIGNATURE
from loop_server import Exchange
from stage import LoopStage, Refusals

MODELS = [
    {
        "type": "model", "id": "m", "display_name": "Model M", "created_at": "2026-02-05T00:00:00Z",
        "lifecycle": "active", "retires_at": None, "max_input_tokens": 32_000, "max_tokens": 4_096,
        "capabilities": {"image_input": {"supported": True}, "structured_outputs": {"supported": True},
                         "thinking": {"supported": True, "types": {"adaptive": {"supported": True}, "enabled": {"supported": False}}}},
    },
    {"type": "model", "id": "n", "display_name": "n", "lifecycle": "deprecated", "retires_at": "2027-01-31T00:00:00Z"},
]  # fmt: skip
THINKING = {"type": "thinking", "thinking": "hm", "signature": SIGNATURE}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Kraków"}}
USAGE = {
    "input_tokens": 5,
    "cache_read_input_tokens": 3,
    "cache_creation_input_tokens": 1,
    "output_tokens": 2,
}


def error(kind: str, message: str, **details: str) -> dict[str, object]:
    """A refusal's body."""
    told: dict[str, object] = {"type": kind, "message": message}
    if details:
        told["details"] = details
    return {"type": "error", "error": told, "request_id": "req_1"}


def row(event: Mapping[str, object]) -> str:
    """One named event."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"


def start(usage: Mapping[str, object] | None = None) -> dict[str, object]:
    usage = {**USAGE, "output_tokens": 1} if usage is None else usage
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m-2026",
        "content": [],
        "usage": usage,
    }
    return {"type": "message_start", "message": message}


def block(index: int, given: Mapping[str, object]) -> list[dict[str, object]]:
    """A block as its events: begun empty, one delta for each field, ended."""
    deltas: list[dict[str, object]] = []
    begun = dict(given)
    if given["type"] == "text":
        begun = {**given, "text": ""}
        deltas = [{"type": "text_delta", "text": given["text"]}]
    elif given["type"] == "thinking":
        begun = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = [
            {"type": "thinking_delta", "thinking": given["thinking"]},
            {"type": "signature_delta", "signature": given["signature"]},
        ]
    elif given["type"] == "tool_use":
        begun = {**given, "input": {}}
        text = json.dumps(given["input"], ensure_ascii=False)
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in ("", text[:5], text[5:])]
    return [
        {"type": "content_block_start", "index": index, "content_block": begun},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def end(reason: str, usage: Mapping[str, object] | None = None) -> list[dict[str, object]]:
    return [
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage or {"output_tokens": 2}},
        {"type": "message_stop"},
    ]


def stream(
    *blocks: Mapping[str, object], reason: str = "end_turn", usage: Mapping[str, object] | None = None
) -> bytes:
    """A whole answer as it streams."""
    events = [start(usage), {"type": "ping"}]
    for index, one in enumerate(blocks):
        events += block(index, one)
    return "".join(row(event) for event in [*events, *end(reason)]).encode()


class AnthropicStage(LoopStage):
    """The contract's vendor."""

    DIALECT = "anthropic"
    REFUSALS: ClassVar[Refusals] = {
        "bad_key": (401, error("authentication_error", f"invalid x-api-key {CANARY}"), {}),
        "no_credit": (400, error("invalid_request_error", "Your credit balance is too low to access the API."), {}),
        "limited": (429, error("rate_limit_error", "Too many requests"), {"retry_after": "1.5"}),
    }  # fmt: skip

    def check(self, exchange: Exchange) -> None:
        assert exchange.headers["x-api-key"] == CANARY
        assert "authorization" not in exchange.headers
        assert exchange.headers["anthropic-version"] in ("2026-10-21", "2023-06-01")

    async def route(self, exchange: Exchange) -> None:
        if exchange.path.startswith("/v1/models"):
            await self._models(exchange)
        elif not exchange.json.get("model"):
            await exchange.answer(400, error("invalid_request_error", "model: Field required"))
        elif exchange.json["model"] != "m":
            await exchange.answer(404, error("not_found_error", f"model: {exchange.json['model']}"))
        elif exchange.path.endswith("/count_tokens"):
            await exchange.answer(200, {"input_tokens": 21})
        else:
            assert exchange.path == "/v1/messages"
            self.sent.append(exchange.json)
            await self._answer(exchange)

    async def _models(self, exchange: Exchange) -> None:
        """Two pages of one model each."""
        after = "after_id=m" in exchange.path
        page = MODELS[1:] if after else MODELS[:1]
        await exchange.answer(
            200, {"data": page, "has_more": not after, "first_id": page[0]["id"], "last_id": page[0]["id"]}
        )

    def _blocks(self) -> list[dict[str, object]]:
        if self.scenario == "tools":
            return [CALL]
        if self.scenario == "signed":
            return [THINKING, CALL]
        said: dict[str, object] = {"type": "text", "text": "Hello there"}
        return [THINKING, said] if self.scenario == "thinking" else [said]

    async def _answer(self, exchange: Exchange) -> None:
        reason = "tool_use" if self.scenario in ("tools", "signed") else "end_turn"
        if not exchange.json.get("stream"):
            whole = {
                "id": "msg_1", "type": "message", "role": "assistant", "model": "m-2026",
                "content": self._blocks(), "stop_reason": reason, "usage": USAGE,
            }  # fmt: skip
            await exchange.answer(200, whole)
            return
        await exchange.begin()
        if self.scenario in ("cut", "error_in_stream", "endless"):
            await self._broken(exchange)
            return
        await exchange.send(stream(*self._blocks(), reason=reason))
        exchange.writer.write(b"0\r\n\r\n")
        await exchange.writer.drain()

    async def _broken(self, exchange: Exchange) -> None:
        hello = block(0, {"type": "text", "text": "Hello"})[:2]
        await exchange.send("".join(row(event) for event in [start(), *hello]))
        if self.scenario == "error_in_stream":
            await exchange.send(row(error("overloaded_error", "Overloaded")))
            exchange.writer.write(b"0\r\n\r\n")
        else:
            await self.broken(exchange, lambda: exchange.send(row(hello[1])))
