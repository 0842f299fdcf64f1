"""A resource of Azure with its sign-in on loopback, and a clock that nobody waits for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

for _shared in ("adapters", "tui", "cli"):  # the servers and stages of other tests
    sys.path.append(str(Path(__file__).parents[1] / _shared))

from azure_cloud import Cloud  # noqa: E402
from azure_cloud import cloud as loopback  # noqa: E402
from entra_server import Clock  # noqa: E402
from loop_server import in_a_thread  # noqa: E402

from adapters import entra  # noqa: E402


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time goes on only while somebody would wait."""
    found = Clock()
    monkeypatch.setattr(entra, "now", found)
    monkeypatch.setattr("services.entra.pause", found.sleep)
    return found


@pytest.fixture
def cloud(clock: Clock) -> Iterator[Cloud]:
    """For programs that bring a loop of their own."""
    with in_a_thread(loopback()) as one:
        yield one
