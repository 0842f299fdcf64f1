"""The huggingface dialect beside the official SDK on the same copy of the router."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.base import Connection
from adapters.events import ChatRequest, Message, TextDelta
from adapters.fetch import Fetcher
from adapters.loader import create

sys.path.append(str(Path(__file__).parents[1] / "adapters"))

from hub_server import TOKEN, HubServer
from loop_server import serving

pytestmark = pytest.mark.real
SDK = """
import json, sys
from openai import OpenAI
client = OpenAI(base_url=sys.argv[1], api_key=sys.argv[2], max_retries=0, timeout=30)
text, used = "", None
for chunk in client.chat.completions.create(
    model="m", messages=[{"role": "user", "content": "hello"}], stream=True, stream_options={"include_usage": True},
):
    text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
    used = [chunk.usage.prompt_tokens, chunk.usage.completion_tokens] if chunk.usage else used
print(json.dumps({"text": text, "used": used, "models": sorted(m.id for m in client.models.list())}))
"""


async def test_the_sdk_and_we_say_the_same(sdk: Callable[..., object]) -> None:
    server, fetcher = HubServer(), Fetcher()
    async with serving(server) as loop:
        theirs = await asyncio.to_thread(sdk, SDK, f"{loop.url}/v1", TOKEN)
        connection = Connection(
            "hf", "huggingface", f"{loop.url}/v1", key=SecretStr(TOKEN), options={"hub": loop.url}
        )
        adapter = create(connection, fetcher)
        async with adapter.stream(ChatRequest("m", (Message("user", "hello"),))) as stream:
            text = "".join([event.text async for event in stream if isinstance(event, TextDelta)])
        models = sorted(model.id for model in await adapter.list_models() if ":" not in model.id)
        await adapter.aclose()
        await fetcher.aclose()
    assert theirs == {"text": text, "used": [stream.usage.input, stream.usage.output], "models": models}
    assert server.bodies[0]["messages"] == server.bodies[1]["messages"]
