"""What some dialects can beyond chat and listing: one small protocol each. A face shows a button where it is there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from adapters.events import ChatRequest


@runtime_checkable
class CountsTokens(Protocol):
    """The vendor counts a prompt without answering it."""

    async def count_tokens(self, request: ChatRequest) -> int:
        """Input tokens of the whole request, as they would be billed. Raises ProviderError, OfflineError."""


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model that lies on a machine: a server's own, or a folder of a cache. Strings are already harmless."""

    id: str
    size_bytes: int | None = None
    """On the disk; None where nobody says."""
    modified_at: int | None = None
    """UTC ms."""
    fingerprint: str | None = None
    state: str = "ready"
    """`ready`, `partial` (a download that was cut), `damaged`."""
    details: Mapping[str, str | int] = field(default_factory=dict)
    """Further facts worth showing: `quantization`, `parameters`, `family`, …"""


@dataclass(frozen=True, slots=True)
class RunningModel:
    """A model that is loaded now."""

    id: str
    size_bytes: int | None = None
    """In memory, all kinds together."""
    vram_bytes: int | None = None
    """Of that, on the graphics card."""
    context: int | None = None
    """Tokens it was loaded for."""
    expires_at: int | None = None
    """UTC ms; when it is unloaded by itself."""
    details: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a download is. Sizes are bytes of everything together; None: not known yet."""

    status: str
    """The vendor's own word, harmless: `pulling manifest`, `verifying sha256 digest`, …"""
    completed: int | None = None
    total: int | None = None
    done: bool = False
    """The last report of a download that succeeded."""


@runtime_checkable
class PullsModels(Protocol):
    """Models can be installed, looked at and deleted."""

    async def installed(self) -> list[InstalledModel]:
        """What is there, whether loaded or not. Raises ProviderError, OfflineError."""

    async def running(self) -> list[RunningModel]:
        """What is loaded now; empty where nothing can be."""

    def pull(self, model: str) -> AbstractAsyncContextManager[AsyncIterator[PullProgress]]:
        """Download a model; goes on where an earlier one was cut. Leaving the block cancels it.

        The iterator raises a ProviderError where the download fails, and ends after a `done`.
        """

    async def delete(self, model: str) -> None:
        """Remove a model from the disk. ModelUnavailableError: it is not there."""
