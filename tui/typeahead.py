"""Keys act one after the other, each on what the key before it opened: `:quit` typed in one go never quits by its q.

A slow line, a paste or `tmux send-keys` delivers a key and the words after it in one piece. Textual hands them all to
the widget that has the focus at that moment, while the filter line, the palette or the prompt they are meant for is
still being opened.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from textual import events
from textual.message import Message
from textual.worker import Worker

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen

ASKING = frozenset({"action", "palette", "offline"})
"""Groups of workers that open windows."""
LONGEST = 0.3
"""Seconds a key waits at most; what takes longer is work, and the keys belong to the screen again."""
_LOOK = 0.01

Input = events.Key | events.Paste


class KeyDone(Message):
    """Goes the way of a key, right behind it: where it arrives, the key has been dealt with."""


class TypeAhead:
    """The keys that have come, delivered in their turn."""

    def __init__(self, app: App[Any], deliver: Callable[[Input], Awaitable[None]]) -> None:
        self._app, self._deliver = app, deliver
        self._waiting: deque[Input] = deque()
        self._under_way = False
        self._delivered = 0
        self._since = 0.0
        self._asked_at = 0.0
        self._held = 0
        self._watched = False

    def hold(self) -> None:
        """Keys wait until `release`, however long it takes: they are for the screen that is being made."""
        self._held += 1

    def release(self) -> None:
        """The screen is there."""
        self._held -= 1

    def asked(self) -> None:
        """Something is about to open a window, or the next one of several."""
        self._asked_at = time.monotonic()

    async def take(self, event: Input) -> None:
        """A key has come."""
        self._waiting.append(event)
        if not self._under_way:
            self._under_way = True
            self._since = time.monotonic()
            await self._step()
        elif not self._watched:
            self._watch()

    async def done(self) -> None:
        """The key under way has been dealt with."""
        self._since = time.monotonic()
        await self._step()

    async def _step(self) -> None:
        if not self._waiting:
            self._under_way = False
        elif not self._held and (self._ready(self._app.screen) or time.monotonic() - self._since > LONGEST):
            event = self._waiting.popleft()
            self._delivered += 1
            target = self._app.focused or self._app.screen
            await self._deliver(event)
            if not (event.is_forwarded and target.post_message(KeyDone())):
                self._app.post_message(KeyDone())
        else:
            self._app.set_timer(_LOOK, self._step)

    def _watch(self) -> None:
        """As long as keys wait, look now and then whether the one under way will ever be done."""
        self._watched = True
        number = self._delivered
        self._app.set_timer(LONGEST, lambda: self._lost(number))

    async def _lost(self, number: int) -> None:
        """The widget that had the key is gone, and `KeyDone` with it."""
        self._watched = False
        if self._waiting and number == self._delivered and not self._held:
            await self._step()
        if self._waiting and not self._watched:
            self._watch()

    def _ready(self, screen: Screen[object]) -> bool:
        if not screen.is_mounted:
            return False
        if screen.is_modal:
            wanted = screen.AUTO_FOCUS
            return screen.focused is not None or not wanted or not screen.query(wanted)
        return time.monotonic() - self._asked_at > LONGEST or not any(map(_asks, self._app.workers))


def _asks(worker: Worker[Any]) -> bool:
    return worker.group in ASKING and not worker.is_finished
