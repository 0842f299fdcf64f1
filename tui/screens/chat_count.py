"""The exact count of the prompt being written, where the user wants drafts counted: asked for after a pause in typing,
dropped with the next key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.timer import Timer

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen

COUNT_AFTER = 0.7
"""Seconds without a key before the vendor is asked."""


class PromptCount:
    """At most one count is under way; it never holds a key up."""

    def __init__(self, chat: ChatScreen) -> None:
        self._chat = chat
        self._timer: Timer | None = None

    def again(self) -> None:
        """Something that is counted has changed: what is under way is of no use any more."""
        if self._timer is not None:
            self._timer.stop()
        self._chat.workers.cancel_group(self._chat, "count")
        if self._chat.app.opened and self._chat.app.services.settings.chat.exact_counts == "typing":
            self._timer = self._chat.set_timer(COUNT_AFTER, self._ask)

    def _ask(self) -> None:
        chat = self._chat
        text = chat.prompt.text
        if chat.ready and chat.run is None and chat.state.countable(text):
            chat.run_worker(self._count(text), group="count", exclusive=True)

    async def _count(self, text: str) -> None:
        chat, state = self._chat, self._chat.state
        counting = chat.app.services.counting
        if state.view is None or not await counting.able(state.view.ref):
            return
        key = state.count_key(text)
        tokens = await counting.count(state.request(text))
        if tokens is not None and chat.state is state and state.count_key(chat.prompt.text) == key:
            state.counted = (key, tokens)
            chat.show_estimate()
