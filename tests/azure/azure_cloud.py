"""A loopback resource of Azure OpenAI that takes a key or the newest token of a loopback Entra ID."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from entra_server import CLIENT, TENANT, Authority, authority
from loop_server import Exchange, LoopServer, serving

KEY = "0123456789abcdef0123456789abcdef"
USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}


@dataclass
class Cloud:
    """The resource and its authority."""

    server: LoopServer
    entra: Authority
    deployments: dict[str, str] = field(
        default_factory=lambda: {"chat-prod": "gpt-4o", "mini": "gpt-5.4-mini"}
    )
    """Name → base model."""
    lists: bool = False
    """It answers where deployments are listed."""

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def sign_in(self) -> list[str]:
        """What the command line is told for it."""
        return [
            "--option", "auth=entra", "--option", f"tenant={TENANT}", "--option", f"client_id={CLIENT}",
            "--option", f"authority={self.entra.url}",
        ]  # fmt: skip

    async def answer(self, exchange: Exchange) -> None:
        told = exchange.headers.get("authorization", "").removeprefix("Bearer ")
        if exchange.headers.get("api-key") != KEY and (not told or told not in self.entra.issued[-1:]):
            await exchange.answer(401, {"error": {"code": "401", "message": "Access denied due to invalid subscription key or wrong API endpoint."}})  # fmt: skip
        elif "/openai/deployments?" in exchange.path and self.lists:
            listed = [
                {"id": name, "object": "deployment", "status": "succeeded", "model": base}
                for name, base in self.deployments.items()
            ]
            await exchange.answer(200, {"object": "list", "data": listed})
        elif exchange.path.endswith("/openai/v1/models"):
            await exchange.answer(200, {"object": "list", "data": [{"id": "gpt-4o"}, {"id": "gpt-5"}, {"id": "dall-e-3"}]})  # fmt: skip
        elif not exchange.path.endswith("/chat/completions"):
            await exchange.answer(404, {"error": {"code": "404", "message": "Resource not found"}})
        elif exchange.json.get("model") not in self.deployments:
            await exchange.answer(404, {"error": {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."}})  # fmt: skip
        elif not exchange.json.get("messages"):
            await exchange.answer(400, {"error": {"message": "'messages' is a required property"}})
        else:
            await exchange.begin()
            await exchange.row({"choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]})  # fmt: skip
            served = self.deployments[exchange.json["model"]] + "-2024-08-06"
            await exchange.row({"model": served, "choices": [{"index": 0, "delta": {"content": "Hello there"}}]})  # fmt: skip
            await exchange.done(usage=USAGE)


@asynccontextmanager
async def cloud() -> AsyncIterator[Cloud]:
    async with authority() as entra, serving(lambda exchange: here.answer(exchange)) as server:
        here = Cloud(server, entra)
        yield here
