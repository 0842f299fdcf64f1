"""The recorded exchanges of real vendors and what their official SDKs made of them; empty where they are not here."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import InvalidCredentialsError, ModelUnavailableError, ProviderError, RateLimitedError

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "recorded"
needs_recordings = pytest.mark.skipif(
    not (FOLDER / "shared.jsonl").exists(), reason="the recorded exchanges are not here"
)
SIZES = (0, *range(1, 17))
"""Bytes a piece: 0 is all at once."""
SDK_CLASSES = {
    "NotFoundError": ModelUnavailableError,
    "AuthenticationError": InvalidCredentialsError,
    "RateLimitError": RateLimitedError,
    "APIError": ProviderError,
}
"""The SDKs' class of an error → ours."""


@lru_cache
def lines(name: str) -> dict[str, Any]:
    """The rows of `shared.jsonl` or `shared.oracle.jsonl` by id."""
    if not (FOLDER / name).exists():
        return {}
    return {row["id"]: row for row in map(json.loads, (FOLDER / name).read_text("utf-8").splitlines())}


def of(api: str) -> list[str]:
    """The ids of the exchanges of one API (`anthropic-messages`, `gemini-stream`, …)."""
    return [i for i, row in lines("shared.jsonl").items() if row["api"] == api]


def exchange(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what was recorded, what the SDK made of it)."""
    return lines("shared.jsonl")[name], lines("shared.oracle.jsonl")[name]
