"""When a silent stream is given up: first event, idle and total limits held by one timer that compares timestamps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from time import monotonic

from adapters.base import Watchdogs


class Watchdog:
    """Closes the connection when a limit is over; the read that was waiting then fails, and `fired` says why.

    The stream sets `waiting` while it waits for the vendor (not while its consumer is at work: a slow reader is not
    a silent vendor) and `last` at every real event. Neither costs a timer.
    """

    __slots__ = ("_close", "_closing", "_handle", "_limits", "_started", "fired", "first", "last", "waiting")

    def __init__(
        self, limits: Watchdogs, started: float, close: Callable[[], Coroutine[object, object, None]]
    ) -> None:
        self._limits = limits
        self._started = started
        self._close = close
        self._closing: asyncio.Task[object] | None = None
        self._handle: asyncio.TimerHandle | None = None
        self.last = started
        self.first = True
        """No real event came yet."""
        self.waiting = False
        self.fired: str | None = None
        """The sentence of the limit that was over; None while none was."""

    def start(self) -> None:
        self._tick()

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    async def settle(self) -> None:
        """Wait for the closing that was begun, if one was."""
        if self._closing is not None:
            await asyncio.wait((self._closing,))
            self._closing.exception()

    def _tick(self) -> None:
        now = monotonic()
        if not self.waiting:
            if not self.first:
                self.last = now
        elif (over := self._over(now)) is not None:
            self.fired = over
            self._handle = None
            self._closing = asyncio.create_task(self._close())
            return
        delay = self._delay(now)
        if delay is not None:
            self._handle = asyncio.get_running_loop().call_later(delay, self._tick)

    def _over(self, now: float) -> str | None:
        limits = self._limits
        if limits.total is not None and now >= self._started + limits.total:
            return f"The answer took longer than {limits.total:g} s."
        if self.first:
            if limits.first_event is not None and now >= self._started + limits.first_event:
                return f"Nothing came within {limits.first_event:g} s."
        elif limits.idle is not None and now >= self.last + limits.idle:
            return f"Nothing came for {limits.idle:g} s."
        return None

    def _delay(self, now: float) -> float | None:
        """Until the nearest limit, looking at least eight times per limit so that a consumer's pauses are seen."""
        limits = self._limits
        waits: list[float] = []
        if limits.total is not None:
            waits.append(self._started + limits.total - now)
        limit = limits.first_event if self.first else limits.idle
        if limit is not None:
            since = self._started if self.first else self.last
            waits.append(min(since + limit - now, limit / 8))
        if self.first and limits.idle is not None:
            waits.append(limits.idle / 8)
        return max(min(waits), 0.01) if waits else None
