"""When a silent stream is given up: first event, idle and total limits held by one timer that compares timestamps."""

from __future__ import annotations

import asyncio
from time import monotonic

from adapters.base import Watchdogs


class Watchdog:
    """Cancels the task that waits for the vendor when a limit is over; the stream turns that into a timeout.

    The stream sets `waiting` to the task while it waits (None while its consumer is at work: a slow reader is not
    a silent vendor) and `last` at every real event. Neither costs a timer.
    """

    __slots__ = ("_base", "_handle", "_limits", "_started", "fired", "first", "last", "waiting")

    def __init__(self, limits: Watchdogs, started: float) -> None:
        self._limits = limits
        self._started = started
        self._handle: asyncio.TimerHandle | None = None
        self._base = 0
        self.last = started
        self.first = True
        """No real event came yet."""
        self.waiting: asyncio.Task[object] | None = None
        self.fired: str | None = None
        """The sentence of the limit that was over; None while none was."""

    def start(self) -> None:
        """Begin watching, from the task that reads."""
        task = asyncio.current_task()
        self._base = task.cancelling() if task is not None else 0
        self._tick()

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def mine(self) -> bool:
        """In an except clause for CancelledError: True when this watchdog caused it and nobody else did."""
        task = asyncio.current_task()
        if self.fired is None or task is None:
            return False
        return task.uncancel() <= self._base

    def _tick(self) -> None:
        now = monotonic()
        task = self.waiting
        if task is None:
            if not self.first:
                self.last = now
        elif (over := self._over(now)) is not None and task.cancelling() <= self._base:
            self.fired = over
            self._handle = None
            task.cancel()
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
