"""The keys of installed models as raw bytes, on a server whose download is held until it is stopped."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pty_stage import ESC, go, key, program, walk

sys.path.append(str(Path(__file__).parents[1] / "adapters"))

from loop_server import in_a_thread
from ollama_server import ollama

STEPS = (
    go("3", "5 models of 1 provider"),
    key("models.pull", "P", "Pull a model to box"),
    go(ESC, gone="Pull a model to box"),
    key("models.installed", "i", "Models › installed", "● loaded", on="qwen3:30b"),
    key("local.pull", "P", "Pull a model to box"),
    go("gemma3:27b\r", "↓ 49 %", "pulling gemma3:27b"),
    go("\x1b[H", on="gemma3:27b"),
    key("local.stop", "x", "is stopped", gone="↓ 49 %"),
    go("\x1b[H", on="qwen3:30b"),
    key("local.delete", "D", "Delete qwen3:30b from box?"),
    go("n", gone="Delete qwen3:30b"),
    key("local.order", "o", "▼"),
    key("local.read", "r", "5 installed"),
    key("local.filter", "slash", "words to look for"),
    go("qwen\r", "of 5", on="qwen3:30b"),
    key("local.open", "enter", "Q4_K_M", gone="installed,"),
    go(ESC, "installed,"),
    key("local.back", "escape", "llama3.2", gone="of 5"),
    key("local.add", "a", "Add a provider"),
    go(ESC, gone="Add a provider"),
    go("2", "Providers ·", "box"),
    key("providers.installed", "i", "Providers › installed", "qwen3:30b"),
    key("local.chat", "c", "Ask something"),
)


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a loopback Ollama with five models, one of them loaded."""
    with in_a_thread(ollama(loaded={"qwen3:30b": 11_000_000_000}, hold_at=0.4)) as made:
        made.library["gemma3:27b"] = made.library["gemma3:4b"]
        yield made.url


def test_the_keys_of_installed_models(home: Path, server: str) -> None:
    from services.container import open_services
    from services.registry import ProviderDraft

    async def prepared() -> None:
        async with open_services() as services:
            await services.registry.add(ProviderDraft(slug="box", type="ollama", url=server), None)
            await services.sync.sync(["box"])

    asyncio.run(prepared())
    with program("ollama", home) as terminal:
        terminal.until("Overview ·")
        walk(terminal, STEPS)
