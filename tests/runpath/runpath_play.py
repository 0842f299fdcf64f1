"""Providers that are played by a script which each test writes, and the container they are played in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal

from adapters.base import RemoteModel, Validation
from adapters.errors import ProviderError
from adapters.events import ChatRequest, Event, Finished, Message, TextDelta, UsageUpdate
from catalog.errors import SwitchroomError
from catalog.types import Price
from catalog.usage import Usage
from services.container import Services
from services.feed import FeedEvent
from services.run import RunRequest, Timing
from store.models import ModelRow, Models
from store.providers import ProviderRow, Providers

MILLION = 1_000_000
PRICE = Price(input=Decimal("2.5"), output=Decimal(10), cache_read=Decimal("1.25"))


@dataclass
class Play:
    """What the vendor does with one request: events, an asyncio.Event to wait for, or an exception to raise."""

    steps: Sequence[Event | asyncio.Event | Exception]
    refuse: SwitchroomError | None = None
    usage: Usage = field(default_factory=Usage)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    sent: int = 0


class PlayedStream:
    def __init__(self, play: Play) -> None:
        self._play = play
        self.state = "open"
        self.finish_reason = None
        self.usage = Usage()
        self.error: ProviderError | None = None
        self.status = 200
        self.request_id = "req-1"
        self.served_model = None

    async def __aiter__(self) -> AsyncIterator[Event]:
        for step in self._play.steps:
            if isinstance(step, asyncio.Event):
                await step.wait()
                continue
            if isinstance(step, Exception):
                raise step
            if isinstance(step, UsageUpdate):
                self.usage = self.usage.updated(step.usage)
            self._play.sent += 1
            yield step


class PlayedAdapter:
    dialect = "fake"

    def __init__(self) -> None:
        self.plays: list[Play] = []
        self.requests: list[ChatRequest] = []

    async def validate(self) -> Validation:
        return Validation("ok", "played", 1)

    async def list_models(self) -> list[RemoteModel]:
        return []

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[PlayedStream]:
        play = self.plays[min(len(self.requests), len(self.plays) - 1)]
        self.requests.append(request)
        if play.refuse is not None:
            raise play.refuse
        play.opened.set()
        try:
            yield PlayedStream(play)
        finally:
            play.closed.set()

    async def aclose(self) -> None:
        return None


def answer(*texts: str, usage: Usage | None = None, reason: str = "stop") -> Play:
    """A complete answer."""
    steps: list[Event] = [TextDelta(text) for text in texts]
    if usage is not None:
        steps.append(UsageUpdate(usage))
    return Play([*steps, Finished("complete", reason)])  # type: ignore[arg-type]


def refused(error: SwitchroomError) -> Play:
    return Play([], refuse=error)


def ask(text: str = "Why is the sky blue?", model: str = "acme/big", **more: object) -> RunRequest:
    return RunRequest(model, (Message("user", text),), **more)  # type: ignore[arg-type]


@dataclass
class Waits:
    """Time that passes only when the run path sleeps."""

    slept: list[float] = field(default_factory=list)
    now: float = 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def timing(self) -> Timing:
        return Timing(sleep=self.sleep, monotonic=lambda: self.now, chance=lambda: 0.0)


@dataclass
class Room:
    """The container under test with what the tests look at."""

    services: Services
    adapter: PlayedAdapter
    waits: Waits
    events: list[FeedEvent]

    def plays(self, *plays: Play) -> None:
        self.adapter.plays = list(plays)

    async def reserved(self) -> int:
        from store.reservations import Reservations

        return len(await Reservations(self.services.db).all())


def provider(slug: str, **more: object) -> ProviderRow:
    row = ProviderRow(
        slug, slug.title(), "fake", "https://vendor.example/v1", 1, 1, state="ok", cost_mode="metered"
    )
    return replace(row, **more)  # type: ignore[arg-type]


def model(slug: str, model_id: str, price: Price | None, **more: object) -> ModelRow:
    row = ModelRow(
        slug,
        model_id,
        price_json=price.model_dump_json(exclude_none=True) if price else None,
        chat=True,
        context_window=128_000,
        max_output=1_000,
        first_seen=1,
        last_seen=1,
    )
    return replace(row, **more)  # type: ignore[arg-type]


async def furnish(services: Services) -> None:
    """Acme with a priced and an unpriced model; a server of our own."""
    async with services.db.transaction() as tx:
        await Providers(services.db).insert(tx, provider("acme"))
        await Providers(services.db).insert(tx, provider("home", cost_mode="own"))
        rows = [model("acme", "big", PRICE), model("acme", "mystery", None)]
        await Models(services.db).replace_live(tx, "acme", rows)
        await Models(services.db).replace_live(tx, "home", [model("home", "llama", None)])
