"""An answer that the vendor pauses, read as one: the conversation is sent back until it is done, a few times at most."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from adapters.anthropic.reader import MessageReader
from adapters.errors import NetworkError, ProviderError
from adapters.events import Event, Finished, FinishReason, StreamState
from adapters.http_stream import HttpStream
from catalog.errors import SwitchroomError
from catalog.usage import Usage

MOST_LEGS = 5
"""Then the answer ends as one that was too long; going on is up to the user."""
Leg = tuple[HttpStream, MessageReader]


class Legs:
    """Implements adapters.base.Stream over one or more HttpStreams. The usage of all legs is added."""

    def __init__(self, first: Leg, following: Callable[[MessageReader], Awaitable[Leg]]) -> None:
        self._now, self._reader = first
        self._following = following
        self._events: AsyncIterator[Event] | None = None
        self._state: StreamState | None = None
        """Where it is not the current leg's: between two legs, or when the next one failed."""
        self._error: ProviderError | None = None

    @property
    def state(self) -> StreamState:
        return self._state or self._now.state

    @property
    def finish_reason(self) -> FinishReason | None:
        return "error" if self._state == "failed" else None if self._state else self._now.finish_reason

    @property
    def usage(self) -> Usage:
        return self._reader.usage

    @property
    def error(self) -> ProviderError | None:
        return self._error or self._now.error

    @property
    def status(self) -> int:
        return self._now.status

    @property
    def request_id(self) -> str | None:
        return self._now.request_id

    @property
    def served_model(self) -> str | None:
        return self._reader.served_model

    @property
    def told(self) -> str | None:
        """Why the vendor refused, in its words."""
        return self._reader.told

    def __aiter__(self) -> AsyncIterator[Event]:
        if self._events is None:
            self._events = self._run()
        return self._events

    async def aclose(self) -> None:
        """Leave: what is still coming is cancelled."""
        if self._state == "open":
            self._state = "cancelled"
        await self._now.aclose()

    async def _run(self) -> AsyncIterator[Event]:
        for leg in range(1, MOST_LEGS + 1):
            async for event in self._now:
                if event.__class__ is Finished and self._reader.paused and leg < MOST_LEGS:
                    break
                yield event
            else:
                return
            self._state = "open"
            await self._now.aclose()
            try:
                self._now, self._reader = await self._following(self._reader)
            except SwitchroomError as error:
                yield self._failed(error)
                return
            self._state = None

    def _failed(self, error: SwitchroomError) -> Finished:
        """The next leg was refused: what came is kept."""
        told = error if isinstance(error, ProviderError) else NetworkError(error.message, hint=error.hint)
        self._state, self._error = "failed", told
        return Finished("failed", "error", self._reader.raw_finish_reason, told)
