"""The one channel on which services tell the faces what happened: typed events, synchronous callbacks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from services.run import RunResult
    from services.sync import SyncResult

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """The base of everything that is published."""


@dataclass(frozen=True, slots=True)
class ProvidersChanged(FeedEvent):
    """These providers were added, changed, removed, or have a new state."""

    slugs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelsChanged(FeedEvent):
    """The models of one provider changed; None: of any."""

    provider: str | None


@dataclass(frozen=True, slots=True)
class CatalogChanged(FeedEvent):
    """What the catalog knows changed: a refresh, or a file of the user's; every list is merged anew."""


@dataclass(frozen=True, slots=True)
class NewsChanged(FeedEvent):
    """There is news of the catalog for this user, or somebody has looked at it."""


@dataclass(frozen=True, slots=True)
class SyncProgress(FeedEvent):
    """Where the sync of one provider stands; `done` of `total` providers of this sync are finished."""

    provider: str
    phase: Literal["waiting", "fetching", "retrying", "saving", "done"]
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class SyncEnded(FeedEvent):
    """One provider's sync is over."""

    result: SyncResult


@dataclass(frozen=True, slots=True)
class ProbeProgress(FeedEvent):
    """Models are being asked what they can do; `done` of `total` questions are answered."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class PullChanged(FeedEvent):
    """A download of a model began, got on, or is over."""

    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class RunStarted(FeedEvent):
    """A run was sent."""

    run_id: str
    model: str


@dataclass(frozen=True, slots=True)
class RunProgress(FeedEvent):
    """A run is streaming."""

    run_id: str
    output_tokens: int
    tok_per_s: float | None


@dataclass(frozen=True, slots=True)
class RunEnded(FeedEvent):
    """A run is settled: its ledger row is written."""

    result: RunResult


@dataclass(frozen=True, slots=True)
class AccountRead(FeedEvent):
    """A provider's account was asked, well or not."""

    provider: str


@dataclass(frozen=True, slots=True)
class BudgetsChanged(FeedEvent):
    """A limit was set or removed."""


@dataclass(frozen=True, slots=True)
class ConversationsChanged(FeedEvent):
    """One conversation changed; None: several may have."""

    id: str | None


@dataclass(frozen=True, slots=True)
class SettingsChanged(FeedEvent):
    """A setting has a new value."""


@dataclass(frozen=True, slots=True)
class OfflineChanged(FeedEvent):
    """Offline was switched."""

    offline: bool


@dataclass(frozen=True, slots=True)
class StoreChangedElsewhere(FeedEvent):
    """Another process wrote to the store: whatever is shown may be old."""


@dataclass(frozen=True, slots=True)
class Discovered(FeedEvent):
    """A look around for providers is over, or what it had found was added or taken back (`services.discovery.report`)."""

    added: tuple[str, ...] = ()
    """Slugs that it added by itself."""


@dataclass(frozen=True, slots=True)
class Alert(FeedEvent):
    """Something the user should hear about now."""

    kind: Literal["info", "warning", "error"]
    title: str
    message: str
    hint: str | None = None
    amount: Decimal | None = None
    """USD concerned; None where no money is."""


E = TypeVar("E", bound=FeedEvent)


class Feed:
    """Publish and subscribe. Callbacks run at once, in the publisher's task; they must be quick."""

    def __init__(self) -> None:
        self._subscribers: list[tuple[Callable[[Any], None], tuple[type[FeedEvent], ...]]] = []

    def subscribe(self, callback: Callable[[E], None], *types: type[E]) -> Callable[[], None]:
        """Call back for events of these types (none given: all); returns what ends the subscription."""
        entry = (callback, types or (FeedEvent,))
        self._subscribers.append(entry)

        def unsubscribe() -> None:
            if entry in self._subscribers:
                self._subscribers.remove(entry)

        return unsubscribe

    def publish(self, event: FeedEvent) -> None:
        """Tell every subscriber; one that fails is logged and does not stop the others."""
        for callback, types in tuple(self._subscribers):
            if isinstance(event, types):
                try:
                    callback(event)
                except Exception:
                    log.exception("a subscriber failed on %s", type(event).__name__)
