"""Azure against the contract body, by both forms of its address, with a key and with a sign-in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import pytest
from contract import CANARY, AdapterContract, HoldsToSchemas, OnAWire, Scenario, SeesImages
from loop_server import Exchange, serving
from pydantic import SecretStr

from adapters.base import Adapter, Connection
from adapters.fetch import Fetcher
from adapters.loader import create

USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
SAFE = {"hate": {"filtered": False, "severity": "safe"}}
CALL = {
    "index": 0,
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Kraków"}'},
}
REFUSALS: Mapping[str, tuple[int, Mapping[str, str], dict[str, str]]] = {
    "bad_key": (401, {"code": "401", "message": f"Access denied due to invalid subscription key {CANARY} or wrong API endpoint."}, {}),
    "no_credit": (403, {"code": "403", "message": "Out of call volume quota. Quota will be replenished in 2.12:00:00."}, {}),
    "limited": (429, {"code": "429", "message": "Requests have exceeded token rate limit."}, {"retry_after_ms": "1500", "retry_after": "2"}),
}  # fmt: skip


class AzureStage:
    """A resource on loopback with the deployments `m` and `n`, named by the user."""

    usage = (9, 2)

    def __init__(self, options: Mapping[str, str], *, base: str = "", header: str = "api-key") -> None:
        self.left = asyncio.Event()
        self.sent: list[dict[str, object]] = []
        self._scenario: Scenario = "answer"
        self._options, self._base, self._header = options, base, header

    @asynccontextmanager
    async def adapter(self, scenario: Scenario) -> AsyncIterator[Adapter]:
        self._scenario = scenario
        fetcher = Fetcher()
        options = {"deployment": "m,n", **self._options}
        async with serving(self._handle) as server:
            url = "http://127.0.0.1:9" if scenario == "unreachable" else server.url
            made = create(
                Connection("prov", "azure", url + self._base, key=SecretStr(CANARY), options=options), fetcher
            )
            try:
                yield made
            finally:
                await made.aclose()
                await fetcher.aclose()

    def deployment(self, exchange: Exchange) -> str | None:
        """Whom a chat is for; None for what is no chat. Fails for an address of the other form."""
        split = urlsplit(exchange.path)
        version = parse_qs(split.query).get("api-version")
        if self._options.get("api_version", "v1") == "v1":
            assert version is None or split.path.endswith("/openai/deployments")
            if split.path != "/openai/v1/chat/completions":
                assert split.path in ("/openai/v1/models", "/openai/deployments")
                return None
            return str(exchange.json.get("model"))
        if split.path.endswith("/chat/completions"):
            assert version == [self._options["api_version"]]
            assert split.path.startswith("/openai/deployments/")
            return split.path.split("/")[3]
        assert split.path in ("/openai/models", "/openai/deployments")
        return None

    async def _handle(self, exchange: Exchange) -> None:
        key = f"Bearer {CANARY}" if self._header == "authorization" else CANARY
        assert exchange.headers[self._header] == key
        assert ("authorization" in exchange.headers) == (self._header == "authorization")
        name = self.deployment(exchange)
        if self._scenario in REFUSALS:
            status, error, headers = REFUSALS[self._scenario]
            await exchange.answer(status, {"error": error}, **headers)
        elif name is None and "deployments" in exchange.path:
            await exchange.answer(404, {"error": {"code": "404", "message": "Resource not found"}})
        elif name is None:
            await exchange.answer(200, {"object": "list", "data": [{"id": "gpt-4o"}, {"id": "gpt-5"}]})
        elif name not in ("m", "n"):
            await exchange.answer(
                404,
                {
                    "error": {
                        "code": "DeploymentNotFound",
                        "message": "The API deployment for this resource does not exist.",
                    }
                },
            )
        elif not exchange.json.get("messages"):
            await exchange.answer(
                400, {"error": {"code": None, "message": "'messages' is a required property"}}
            )
        else:
            self.sent.append(exchange.json)
            await self._answer(exchange)

    async def _answer(self, exchange: Exchange) -> None:
        if exchange.json.get("stream"):
            await self._stream(exchange)
            return
        message: dict[str, object] = {"role": "assistant", "content": "Hello there"}
        if self._scenario == "tools":
            message = {"role": "assistant", "content": None, "tool_calls": [CALL]}
        choice = {"message": message, "finish_reason": "stop", "content_filter_results": SAFE}
        await exchange.answer(200, {"model": "gpt-4o-2024-08-06", "choices": [choice], "usage": USAGE})

    async def _stream(self, exchange: Exchange) -> None:
        """As Azure streams: what the prompt's filter found comes first, annotations come in chunks of their own."""
        await exchange.begin()
        await exchange.row(
            {
                "choices": [],
                "id": "",
                "model": "",
                "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": SAFE}],
            }
        )
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
        await exchange.row(
            {
                "choices": [
                    {
                        "index": 0,
                        "finish_reason": None,
                        "content_filter_results": SAFE,
                        "content_filter_offsets": {"check_offset": 44, "start_offset": 44, "end_offset": 198},
                    }
                ]
            }
        )
        if self._scenario != "tools":
            await exchange.text(" there")
        await exchange.done(usage=USAGE)


class TestAzure(AdapterContract, OnAWire, SeesImages, HoldsToSchemas):
    @pytest.fixture
    def stage(self) -> AzureStage:
        return AzureStage({})


class TestAzureClassic(AdapterContract):
    VARIANT = True

    @pytest.fixture
    def stage(self) -> AzureStage:
        return AzureStage(
            {"api_version": "2024-12-01-preview", "auth": "token"}, header="authorization", base="/openai/v1"
        )
