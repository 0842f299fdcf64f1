"""Lists of a thousand models: read a few at a time, so that the screen goes on meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Mapping
from typing import Any

import pytest

from adapters.anthropic import models as claude
from adapters.base import Connection, RemoteModel
from adapters.fetch import Fetcher
from adapters.ollama.adapter import AT_ONCE, OllamaAdapter

MANY = 1_000


async def turns_while(work: Awaitable[list[RemoteModel]]) -> tuple[list[RemoteModel], int]:
    """What came, and how often others had their turn meanwhile."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    try:
        return await work, turns
    finally:
        beside.cancel()


async def test_installed_models_that_are_known_already(monkeypatch: pytest.MonkeyPatch) -> None:
    entry: dict[str, Any] = {"capabilities": ["completion"], "details": {"context_length": 8_192}}

    async def entries(*_: object) -> list[dict[str, Any]]:
        return [{"model": f"m{number}", **entry} for number in range(MANY)]

    made = OllamaAdapter(Connection("mine", "ollama", "http://127.0.0.1:9"), Fetcher(lambda _: None))
    monkeypatch.setattr(made, "_entries", entries)
    models, turns = await turns_while(made.list_models())
    await made.aclose()
    assert (len(models), models[-1].id, models[0].context_window) == (MANY, "m999", 8_192)
    assert turns > MANY / AT_ONCE / 2


async def test_a_full_page_of_claude_models() -> None:
    page = json.dumps({"data": [{"type": "model", "id": f"m{n}"} for n in range(MANY)], "has_more": False})

    async def ask(_: Mapping[str, str]) -> tuple[Mapping[str, str], bytes]:
        return {}, page.encode()

    async def listed() -> list[RemoteModel]:
        return (await claude.whole_list(ask, "mine"))[0]

    models, turns = await turns_while(listed())
    assert len(models) == MANY
    assert turns >= MANY // claude.AT_ONCE
