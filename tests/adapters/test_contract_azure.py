"""Azure against the contract body, by both forms of its address, with a key and with a sign-in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from contract import CANARY, AdapterContract, HoldsToSchemas, OnAWire, SeesImages
from loop_server import Exchange
from stage import CompletionStage, Refusals

SAFE = {"hate": {"filtered": False, "severity": "safe"}}
REFUSALS: Refusals = {
    "bad_key": (401, {"error": {"code": "401", "message": f"Access denied due to invalid subscription key {CANARY} or wrong API endpoint."}}, {}),
    "no_credit": (403, {"error": {"code": "403", "message": "Out of call volume quota. Quota will be replenished in 2.12:00:00."}}, {}),
    "limited": (429, {"error": {"code": "429", "message": "Requests have exceeded token rate limit."}}, {"retry_after_ms": "1500", "retry_after": "2"}),
}  # fmt: skip


class AzureStage(CompletionStage):
    """A resource with the deployments `m` and `n`, named by the user."""

    DIALECT = "azure"
    REFUSALS = REFUSALS

    def __init__(self, options: Mapping[str, str], *, path: str = "", header: str = "api-key") -> None:
        super().__init__(path=path, options={"deployment": "m,n", **options})
        self._header = header

    def deployment(self, exchange: Exchange) -> str | None:
        """Whom a chat is for; None for what is no chat. Fails for an address of the other form."""
        split = urlsplit(exchange.path)
        version = parse_qs(split.query).get("api-version")
        if self.options.get("api_version", "v1") == "v1":
            assert version is None or split.path.endswith("/openai/deployments")
            if split.path != "/openai/v1/chat/completions":
                assert split.path in ("/openai/v1/models", "/openai/deployments")
                return None
            return str(exchange.json.get("model"))
        if split.path.endswith("/chat/completions"):
            assert version == [self.options["api_version"]]
            assert split.path.startswith("/openai/deployments/")
            return split.path.split("/")[3]
        assert split.path in ("/openai/models", "/openai/deployments")
        return None

    def check(self, exchange: Exchange) -> None:
        key = f"Bearer {CANARY}" if self._header == "authorization" else CANARY
        assert exchange.headers[self._header] == key
        assert ("authorization" in exchange.headers) == (self._header == "authorization")
        self.deployment(exchange)

    async def route(self, exchange: Exchange) -> None:
        name = self.deployment(exchange)
        if name is None and "deployments" in exchange.path:
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
            await self.chat(exchange)

    def whole(self, answer: dict[str, Any]) -> dict[str, Any]:
        answer["choices"][0]["content_filter_results"] = SAFE
        return {**answer, "model": "gpt-4o-2024-08-06"}

    async def think(self, exchange: Exchange) -> None:
        """What the prompt's filter found comes first."""
        found = [{"prompt_index": 0, "content_filter_results": SAFE}]
        await exchange.row({"choices": [], "id": "", "model": "", "prompt_filter_results": found})
        await super().think(exchange)

    async def annotate(self, exchange: Exchange) -> None:
        """Annotations come in chunks of their own."""
        offsets = {"check_offset": 44, "start_offset": 44, "end_offset": 198}
        choice = {"index": 0, "finish_reason": None, "content_filter_results": SAFE}
        await exchange.row({"choices": [{**choice, "content_filter_offsets": offsets}]})


class TestAzure(AdapterContract, OnAWire, SeesImages, HoldsToSchemas):
    @pytest.fixture
    def stage(self) -> AzureStage:
        return AzureStage({})


class TestAzureClassic(AdapterContract):
    VARIANT = True

    @pytest.fixture
    def stage(self) -> AzureStage:
        return AzureStage(
            {"api_version": "2024-12-01-preview", "auth": "token"}, header="authorization", path="/openai/v1"
        )
