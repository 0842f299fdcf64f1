"""A fresh store per test, and rows to put into it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from store.db import Database
from store.ledger import AttemptRow

T0 = 1_763_596_800_000
"""2025-11-20T00:00:00Z."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "switchroom.db"


@pytest.fixture
async def db(path: Path) -> AsyncIterator[Database]:
    database = await Database.open(path)
    yield database
    await database.aclose()


@pytest.fixture
def attempt() -> Callable[..., AttemptRow]:
    """Makes attempts; every argument overrides a field."""

    def make(**changes: Any) -> AttemptRow:
        fields: dict[str, Any] = {
            "id": None,
            "run_id": "run-1",
            "number": 1,
            "final": True,
            "at": T0,
            "provider": "openai-prod",
            "model": "gpt-4o",
            "outcome": "complete",
            "input": 100,
            "output": 20,
            "cost_nanos": 450_000,
            "grade": "computed",
            "ttft_ms": 380,
            "duration_ms": 2_000,
        }
        return AttemptRow(**fields | changes)

    return make
