"""The key of a translation's window as raw bytes, on a loopback Hugging Face."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pty_stage import ESC, go, key, program, walk

sys.path.append(str(Path(__file__).parents[1] / "adapters"))

from hub_server import TOKEN, HubServer, threaded

STEPS = (
    go(":", "Do what?"),
    go("translate a", "▌ action    Translate a text"),
    go("\r", "what is to be translated"),
    go("\t\tGerman\tThe weather is nice.\r", "Das Wetter ist schön.", "own hardware"),
    key("task.copy", "y", "Copied Das Wetter"),
    go(ESC, gone="Translated by"),
)


@pytest.fixture
def hub() -> Iterator[str]:
    """The address of a loopback hub and router."""
    with threaded(HubServer()) as url:
        yield url


def test_the_key_of_a_translation(home: Path, hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.container import open_services
    from services.registry import EnvKey, ProviderDraft

    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("HF_HOME", str(home / "hf"))

    async def prepared() -> None:
        draft = ProviderDraft(slug="hf", type="huggingface", url=f"{hub}/v1", options={"hub": hub})
        async with open_services() as services:
            await services.registry.add(draft, EnvKey("HF_TOKEN"))

    asyncio.run(prepared())
    with program("huggingface", home) as terminal:
        terminal.until("Overview ·")
        walk(terminal, STEPS)
