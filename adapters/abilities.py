"""What some dialects can beyond chat and listing: one small protocol each. A face shows a button where it is there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from adapters.base import Stream
from adapters.events import ChatRequest

if TYPE_CHECKING:
    from pydantic import SecretStr

    from adapters.entra import DeviceCode
    from catalog.errors import OfflineError


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
    stays: bool = False
    """It is never unloaded by itself."""
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
    """Models can be installed, looked at and deleted. `keeps_parts = False`: a file that was cut begins anew."""

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


@runtime_checkable
class CopiesModels(Protocol):
    """A model can be given a second name, at which nothing is downloaded or stored twice."""

    async def copy(self, model: str, name: str) -> None:
        """Make `name` stand for the same model. ModelUnavailableError: it is not there."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing an account states of itself: a balance, a limit, a share that is used up."""

    name: str
    """What it is, in plain words: `credit left`, `spending limit`, `gpt-4o: requests`. Harmless."""
    kind: Literal["balance", "spent", "limit", "rate", "fact"]
    value: Decimal | None
    """None: not stated, or without end (`text` says which)."""
    unit: str = "USD"
    """A currency (`USD`, `CNY`), or what is counted (`requests/min`, `tokens/min`). Currencies are never added up."""
    per: str = ""
    """`month`, `day` …; empty: no period."""
    text: str = ""
    """What is stated in words: `no limit`, `ends 2026-12-01`. Harmless."""


@dataclass(frozen=True, slots=True)
class AccountReport:
    """What an account states of itself now."""

    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences about what is missing or late."""


@dataclass(frozen=True, slots=True)
class VendorBucket:
    """What a vendor says was used or billed in a span of its own. None: not stated."""

    start_at: int
    """UTC ms."""
    end_at: int
    model: str = ""
    """The vendor's own id, harmless; empty: not told by model."""
    item: str = ""
    """The vendor's line item or class; empty: all together."""
    requests: int | None = None
    input: int | None = None
    """Includes `cache_read` and `cache_write`."""
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cost: Decimal | None = None
    """USD; may be negative."""


@dataclass(frozen=True, slots=True)
class VendorUsage:
    """Whole buckets of a span. Usage and costs are stated apart; None: the vendor states none of that kind."""

    usage: tuple[VendorBucket, ...] | None
    costs: tuple[VendorBucket, ...] | None
    span: tuple[int, int]
    """[since, until) in UTC ms that the buckets are the whole truth of: what is not in them was not."""


@runtime_checkable
class ReportsAccount(Protocol):
    """The vendor states what was used and billed, and what is left. All raise ProviderError, OfflineError."""

    async def prove(self) -> None:
        """The cheapest call that shows whether the key opens the account."""

    async def account(self) -> AccountReport:
        """Balances, credits and limits now."""

    async def usage(self, since: int, until: int) -> VendorUsage | None:
        """Usage and costs from `since` (a midnight, UTC ms) on; None: this vendor states none."""

    async def aclose(self) -> None: ...


@runtime_checkable
class SignsIn(Protocol):
    """Somebody signs in instead of giving a key. All raise ProviderError, OfflineError."""

    @property
    def sign_in(self) -> Literal["person", "application"] | None:
        """Who signs in; None: nobody, this provider has a key."""

    async def begin_sign_in(self) -> DeviceCode:
        """A code for a person to type in elsewhere."""

    async def end_sign_in(self, code: DeviceCode) -> SecretStr | float:
        """What is to be kept when the person is done; else how many seconds longer to wait from now on."""

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model that a hub offers. Strings are already harmless; None where it does not say."""

    id: str
    task: str | None = None
    """The hub's own word: `translation`, `automatic-speech-recognition`, `text-generation` …"""
    downloads: int | None = None
    """In the last 30 days."""
    likes: int | None = None
    library: str | None = None
    gated: bool = False
    """Its owner lets people in one by one."""


@runtime_checkable
class SearchesModels(Protocol):
    """Models can be looked for by words, beyond those that the provider lists."""

    async def search(self, words: str, task: str | None = None, limit: int = 30) -> list[FoundModel]:
        """The most used first. Raises ProviderError, OfflineError."""


@dataclass(frozen=True, slots=True)
class Translate:
    """A text to be translated. Languages are the model's own codes; None: it knows only one, or finds out."""

    text: str = field(repr=False)
    source: str | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Transcribe:
    """A recording whose words are wanted."""

    audio: bytes = field(repr=False)
    media_type: str


Task = Translate | Transcribe


@runtime_checkable
class RunsTasks(Protocol):
    """Models can translate and transcribe."""

    def run_task(self, model: str, task: Task) -> AbstractAsyncContextManager[Stream]:
        """The answer as a stream of one piece; as with `Adapter.stream`, refusals are raised on entering."""


@runtime_checkable
class HasOwnSwitch(Protocol):
    """A variable of the vendor's own keeps it off the network."""

    def switched_off(self) -> OfflineError | None:
        """Why nothing is asked now; None: it may be. `list_models` gives what is on this machine meanwhile."""
