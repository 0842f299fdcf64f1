"""What the tests of models on a machine share: the loopback Ollama, and services with a provider at it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

for _shared in ("adapters", "tui"):
    sys.path.append(str(Path(__file__).parents[1] / _shared))

from ollama_server import OllamaServer, ollama  # noqa: E402  after the path
from ollama_stage import add  # noqa: E402

from services.container import Services, open_services  # noqa: E402


@pytest.fixture
async def server() -> AsyncIterator[OllamaServer]:
    async with ollama(loaded={"qwen3:30b": 11_000_000_000}) as made:
        yield made


@pytest.fixture
async def services(home: Path, server: OllamaServer) -> AsyncIterator[Services]:
    """Open services with the provider `box`."""
    async with open_services() as made:
        await add(made, server)
        yield made
