"""Vendors on loopback for the contract: what all of them have in common; a dialect gives its shapes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import ClassVar

from contract import CANARY, Scenario
from loop_server import Exchange, serving
from pydantic import SecretStr

from adapters.base import Adapter, Connection
from adapters.fetch import Fetcher
from adapters.loader import create

Refusals = Mapping[str, tuple[int, object, Mapping[str, str]]]
"""Scenario → status, body, headers."""
USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
CALL = {
    "index": 0,
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Kraków"}'},
}


def _error(message: str, code: str) -> dict[str, object]:
    return {"error": {"message": message, "type": "x", "code": code}}


OPENAI_REFUSALS: Refusals = {
    "bad_key": (401, _error(f"Incorrect API key provided: {CANARY}", "invalid_api_key"), {}),
    "no_credit": (429, _error("You exceeded your current quota", "insufficient_quota"), {}),
    "limited": (429, _error("Rate limit reached", "rate_limit_exceeded"), {"retry_after_ms": "1500"}),
}


class LoopStage:
    """Implements contract.Stage. A dialect's stage answers what was not refused: `route`."""

    DIALECT: ClassVar[str]
    REFUSALS: ClassVar[Refusals]
    usage = (9, 2)

    def __init__(self, *, path: str = "", options: Mapping[str, str] | None = None) -> None:
        self.left = asyncio.Event()
        self.sent: list[dict[str, object]] = []
        self.scenario: Scenario = "answer"
        self.options = dict(options or {})
        self._path = path

    @asynccontextmanager
    async def adapter(self, scenario: Scenario) -> AsyncIterator[Adapter]:
        self.scenario = scenario
        fetcher = Fetcher()
        async with serving(self._arrived) as server:
            url = "http://127.0.0.1:9" if scenario == "unreachable" else server.url
            options = {name: value.format(url=url) for name, value in self.options.items()}
            connection = Connection(
                "prov", self.DIALECT, url + self._path, key=SecretStr(CANARY), options=options
            )
            made = create(connection, fetcher)
            try:
                yield made
            finally:
                await made.aclose()
                await fetcher.aclose()

    async def _arrived(self, exchange: Exchange) -> None:
        self.check(exchange)
        if self.scenario in self.REFUSALS:
            status, body, headers = self.REFUSALS[self.scenario]
            await exchange.answer(status, body, **headers)
        else:
            await self.route(exchange)

    def check(self, exchange: Exchange) -> None:
        """The key is where this vendor wants it."""
        assert exchange.headers["authorization"] == f"Bearer {CANARY}"

    async def route(self, exchange: Exchange) -> None:
        raise NotImplementedError

    async def broken(self, exchange: Exchange, more: Callable[[], Awaitable[None]]) -> bool:
        """Whether the scenario ends an answer here: by a broken connection, or by the client after text without end."""
        if self.scenario == "cut":
            exchange.drop()
        elif self.scenario == "endless":
            try:
                while not exchange.left.is_set():
                    await more()
                    await asyncio.sleep(0.005)
            except ConnectionError:
                pass
            self.left.set()
        return self.scenario in ("cut", "endless")


class CompletionStage(LoopStage):
    """A server of chat completions."""

    USAGE: ClassVar[Mapping[str, object]] = USAGE
    HEAD: ClassVar[Mapping[str, str]] = {}
    """Headers of a stream."""

    @property
    def calls(self) -> bool:
        return self.scenario in ("tools", "signed")

    async def chat(self, exchange: Exchange) -> None:
        self.sent.append(exchange.json)
        if exchange.json.get("stream"):
            await exchange.begin(**self.HEAD)
            await self.stream(exchange)
        else:
            message: dict[str, object] = {"role": "assistant", "content": "Hello there"}
            if self.calls:
                message |= {"content": None, "tool_calls": [CALL]}
            choice = {"message": message, "finish_reason": "stop"}
            await exchange.answer(200, self.whole({"model": "m", "choices": [choice], "usage": self.USAGE}))

    def whole(self, answer: dict[str, object]) -> dict[str, object]:
        """An answer in one document, with what this vendor adds."""
        return answer

    async def stream(self, exchange: Exchange) -> None:
        await self.think(exchange)
        if self.calls:
            await exchange.row({"choices": [{"delta": {"tool_calls": [CALL]}}]})
        else:
            await exchange.text("Hello")
        if self.scenario == "error_in_stream":
            await self.fail(exchange)
        if await self.broken(exchange, lambda: exchange.text(" more")):
            return
        await self.annotate(exchange)
        if not self.calls:
            await exchange.text(" there")
        await exchange.done(usage=self.USAGE)

    async def think(self, exchange: Exchange) -> None:
        if self.scenario == "thinking":
            await exchange.row({"choices": [{"delta": {"reasoning_content": "hm"}}]})

    async def annotate(self, exchange: Exchange) -> None:
        """What this vendor puts between pieces of text."""

    async def fail(self, exchange: Exchange) -> None:
        await exchange.row({"error": {"message": "The server had an error", "type": "server_error"}})
