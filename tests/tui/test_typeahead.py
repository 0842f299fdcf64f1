"""Keys that come together are delivered one after the other, whatever becomes of the widgets they went to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

from textual import events

from tui import typeahead
from tui.typeahead import TypeAhead


class Stage:
    """An app whose every widget is gone before it has dealt with its key: no `KeyDone` ever comes."""

    def __init__(self) -> None:
        self.focused = None
        self.screen = SimpleNamespace(is_mounted=True, is_modal=False, post_message=lambda _message: True)
        self.workers: list[object] = []

    def post_message(self, _message: object) -> bool:
        return True

    def set_timer(self, delay: float, call: Callable[[], Awaitable[None]]) -> None:
        async def later() -> None:
            await asyncio.sleep(delay / 30)
            await call()

        self._timer = asyncio.create_task(later())


async def test_keys_go_on_although_one_widget_after_the_other_is_lost() -> None:
    came: list[str] = []

    async def deliver(event: typeahead.Input) -> None:
        event._set_forwarded()
        came.append(cast("events.Key", event).key)

    ahead = TypeAhead(cast("Any", Stage()), deliver)
    for key in "abcde":
        await ahead.take(events.Key(key, key))
    for _ in range(100):
        if came == list("abcde"):
            break
        await asyncio.sleep(0.01)
    assert came == list("abcde")


async def test_keys_wait_for_the_screen_they_are_held_for() -> None:
    came: list[str] = []

    async def deliver(event: typeahead.Input) -> None:
        came.append(cast("events.Key", event).key)

    ahead = TypeAhead(cast("Any", Stage()), deliver)
    ahead.hold()
    for key in "ab":
        await ahead.take(events.Key(key, key))
    await asyncio.sleep(0.05)
    assert came == []
    ahead.release()
    await ahead.done()
    await ahead.done()
    assert came == ["a", "b"]
