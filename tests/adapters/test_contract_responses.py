"""The openai dialect in its second form, Responses, against the one contract body."""

from __future__ import annotations

import pytest
from contract import (
    SIGNATURE,
    AdapterContract,
    HoldsToSchemas,
    KeepsReasoning,
    OnAWire,
    SeesImages,
    StatesCosts,
)
from loop_server import Exchange
from stage import OPENAI_REFUSALS, LoopStage

USAGE = {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11, "cost": 0.0042}
REASONING = {
    "id": "rs_1",
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "hm"}],
    "encrypted_content": SIGNATURE,
}
CALL = {
    "id": "fc_1",
    "type": "function_call",
    "call_id": "call_1",
    "name": "get_weather",
    "arguments": '{"city": "Kraków"}',
}


def message(text: str) -> dict[str, object]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text}],
    }


class ResponsesStage(LoopStage):
    """OpenAI's second form."""

    DIALECT = "openai"
    REFUSALS = OPENAI_REFUSALS

    async def route(self, exchange: Exchange) -> None:
        if exchange.path == "/v1/models":
            await exchange.answer(200, {"object": "list", "data": [{"id": "m"}, {"id": "n"}]})
        elif exchange.path != "/v1/responses":
            await exchange.answer(404, {"error": {"message": "no such address"}})
        elif not exchange.json.get("model"):
            await exchange.answer(400, {"error": {"message": "you must provide a model parameter"}})
        elif exchange.json["model"] != "m":
            text = "The requested model 'x' does not exist."
            await exchange.answer(400, {"error": {"message": text, "code": "model_not_found"}})
        else:
            self.sent.append(exchange.json)
            assert exchange.json["store"] is False
            if exchange.json.get("stream"):
                await self._stream(exchange)
            else:
                await exchange.answer(200, self._response("completed"))

    def _response(self, status: str, **more: object) -> dict[str, object]:
        output = {
            "tools": [CALL],
            "signed": [REASONING, CALL],
            "thinking": [REASONING, message("Hello there")],
        }.get(self.scenario, [message("Hello there")])
        return {"id": "resp_1", "object": "response", "model": "m-2026", "status": status, "error": None,
                "output": output, "usage": USAGE, **more}  # fmt: skip

    async def _stream(self, exchange: Exchange) -> None:
        await exchange.begin()
        await self._event(
            exchange, "created", response={"id": "r", "model": "m-2026", "status": "in_progress"}
        )
        if self.scenario in ("thinking", "signed"):
            await self._event(
                exchange, "reasoning_summary_text.delta", item_id="rs_1", summary_index=0, delta="hm"
            )
            await self._event(exchange, "output_item.done", item=REASONING)
        if self.scenario in ("tools", "signed"):
            await self._event(exchange, "output_item.added", item={**CALL, "arguments": ""})
            for piece in ('{"city": ', '"Kraków"}'):
                await self._event(exchange, "function_call_arguments.delta", item_id="fc_1", delta=piece)
            await self._event(
                exchange, "function_call_arguments.done", item_id="fc_1", arguments=CALL["arguments"]
            )
            await self._event(exchange, "output_item.done", item=CALL)
        else:
            await self._text(exchange, "Hello")
        if self.scenario == "error_in_stream":
            failure = {"code": "server_error", "message": "The server had an error"}
            await self._event(exchange, "failed", response=self._response("failed", error=failure))
            return
        if await self.broken(exchange, lambda: self._text(exchange, " more")):
            return
        if self.scenario not in ("tools", "signed"):
            await self._text(exchange, " there")
        await self._event(exchange, "completed", response=self._response("completed"))
        exchange.writer.write(b"0\r\n\r\n")
        await exchange.writer.drain()

    async def _text(self, exchange: Exchange, text: str) -> None:
        await self._event(exchange, "output_text.delta", item_id="msg_1", delta=text)

    async def _event(self, exchange: Exchange, kind: str, **fields: object) -> None:
        await exchange.row({"type": f"response.{kind}", **fields})


class TestResponses(AdapterContract, OnAWire, SeesImages, HoldsToSchemas, KeepsReasoning, StatesCosts):
    STOPS = False

    @pytest.fixture
    def stage(self) -> ResponsesStage:
        return ResponsesStage(options={"api": "responses"})
