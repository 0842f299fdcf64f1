"""The adapter contract: the few things every dialect can do, and the small protocols for those that can more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol, runtime_checkable

from pydantic import SecretStr

from adapters.errors import ProviderError
from adapters.events import ChatRequest, Event, FinishReason, StreamState
from catalog.errors import SwitchroomError
from catalog.types import Price
from catalog.usage import Usage

ProviderState = Literal[
    "ok", "limited", "slow", "invalid_key", "no_permission", "no_credit", "unreachable", "locked", "untested",
    "off", "offline", "error",
]  # fmt: skip
"""A provider's last known state, as SCREENS.md names them (underscores for spaces)."""


@dataclass(frozen=True, slots=True)
class Watchdogs:
    """Seconds; None switches one off."""

    connect: float | None = 10.0
    first_event: float | None = 120.0
    """From sending the request to the first real event; comments and pings do not count."""
    idle: float | None = 120.0
    """Between two real events."""
    total: float | None = None
    """For the whole stream."""


class TokenKeeper(Protocol):
    """Keeps what a dialect signed in with, between two programs: one secret text for each provider."""

    async def load(self) -> SecretStr | None:
        """What was kept last; None: nothing. VaultLockedError where it cannot be read now."""

    async def save(self, text: SecretStr) -> None:
        """Keep it in place of what was there. Raises nothing: where it cannot be kept, it is fetched anew."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Everything an adapter needs to know about one configured provider. Secrets are SecretStr only."""

    slug: str
    dialect: str
    base_url: str
    catalog_id: str | None = None
    key: SecretStr | None = None
    """None: called without a key."""
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, SecretStr] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    """Of the dialect: `max_tokens_field`, `organization`, `api`, …"""
    watchdogs: Watchdogs = field(default_factory=Watchdogs)
    proxy: SecretStr | None = None
    """A proxy URL (it may hold a password); None: the environment's, and none for loopback."""
    ca_file: str | None = None
    """A PEM file of a private CA; None: the public ones."""
    tls_min: Literal["1.2", "1.3"] = "1.2"
    allow_http: bool = False
    """Plain http to a private address was allowed by the user. Loopback always is, public never."""
    tokens: TokenKeeper | None = None
    """Where a sign-in is kept; None: it lives as long as the adapter."""


@dataclass(frozen=True, slots=True)
class Validation:
    """The outcome of the cheapest call that proves the key. Never raises for what a vendor or network did."""

    state: ProviderState
    message: str
    """One sentence for a person."""
    latency_ms: int
    error: SwitchroomError | None = None
    """None exactly when `state` is `ok`; a ProviderError, or an OfflineError when `state` is `offline`."""

    @property
    def ok(self) -> bool:
        """True when the provider can be used."""
        return self.state == "ok"


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model as the wire states it; None where the wire says nothing. Strings are already harmless."""

    id: str
    name: str | None = None
    context_window: int | None = None
    max_output: int | None = None
    price: Price | None = None
    capabilities: tuple[str, ...] | None = None
    chat: bool | None = None
    """False for what cannot chat (embeddings, images, speech); None when the wire does not say."""
    owned_by: str | None = None
    created: int | None = None
    """Unix seconds."""
    status: str | None = None
    shutdown_date: str | None = None
    max_input: int | None = None
    fingerprint: str | None = None
    """What the server says the weights are (a digest, a file's name); None where it does not say."""
    details: Mapping[str, str | int] = field(default_factory=dict)
    """Further facts worth showing: `quantization`, `parameters`, `size_bytes`, `loaded`, …"""
    partial: bool = False
    """A further call that would have said more failed: what is missing here is not taken back."""


@runtime_checkable
class Stream(Protocol):
    """One answer on its way. Iterate it to the end; the last event is Finished. The fields are true at any time.

    Two more are asked for where a stream has them: `served_by` (whose machine answered, a text) and `speed`
    (adapters.speed.Speed, what the server measured).
    """

    @property
    def state(self) -> StreamState: ...
    @property
    def finish_reason(self) -> FinishReason | None: ...
    @property
    def usage(self) -> Usage: ...
    @property
    def error(self) -> ProviderError | None: ...
    @property
    def status(self) -> int: ...
    @property
    def request_id(self) -> str | None:
        """The vendor's id of the request, for its support."""

    @property
    def served_model(self) -> str | None:
        """The model the vendor says answered; None when it does not say."""

    def __aiter__(self) -> AsyncIterator[Event]: ...


class Adapter(Protocol):
    """The code that speaks one dialect for one connection.

    `stream` raises a ProviderError on entering when the vendor refuses the request (OfflineError when the gate
    is closed); once it is open, what goes wrong is told by the Finished event and never raised. Leaving the
    block closes the connection at once. `list_models` raises; `validate` does not.
    """

    dialect: ClassVar[str]

    async def validate(self) -> Validation: ...
    async def list_models(self) -> list[RemoteModel]: ...
    def stream(self, request: ChatRequest) -> AbstractAsyncContextManager[Stream]: ...
    async def aclose(self) -> None: ...
