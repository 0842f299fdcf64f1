"""A key is given to an action by pressing it."""

from __future__ import annotations

from collections.abc import Mapping

from textual import events
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Static

from tui.keymap import key_label
from tui.modals.base import Modal
from tui.remap import Bound, clashes, unsent


class _Catcher(Widget, can_focus=True):
    """Has the focus and takes every key, so that none does what it is for."""

    DEFAULT_CSS = "_Catcher { height: 0; }"

    def render(self) -> str:
        return ""

    def check_consume_key(self, key: str, character: str | None) -> bool:  # noqa: ARG002
        return key != "escape"

    def on_key(self, event: events.Key) -> None:
        if event.key != "escape":
            event.stop()
            event.prevent_default()
            assert isinstance(self.screen, RecordKey)
            self.screen.pressed(event.key)


class RecordKey(Modal[str]):
    """Ends in the key as Textual names it, or None. One that another action has must be pressed twice."""

    AUTO_FOCUS = "_Catcher"

    def __init__(self, action: Bound, actions: Mapping[str, Bound], keys: Mapping[str, str]) -> None:
        super().__init__(f"Press the new key: {action.what}")
        self._action, self._actions, self._keys = action, actions, keys
        self._asked = ""
        self.key_words = {"window.leave": "keep as it is"}

    def compose_body(self) -> ComposeResult:
        now = self._keys.get(self._action.id)
        keys = " ".join(map(key_label, self._action.keys))
        yield Static(
            f"Its key is {keys}." if now is None else f"Its own key is {keys}; config.toml says {now or 'none'}.",
            markup=False, classes="detail",
        )  # fmt: skip
        yield Static("", markup=False, classes="problem")
        yield _Catcher()

    def pressed(self, key: str) -> None:
        """A key was pressed."""
        if (reason := unsent(key)) is not None:
            self._say(f"{key_label(key)} cannot be used: {reason}.")
            return
        taken = clashes(self._action, key, self._actions.values(), self._keys)
        if taken and key != self._asked:
            self._asked = key
            others = ", ".join(f"“{other.what}” ({other.place})" for other in taken[:3])
            self._say(
                f"{key_label(key)} is also for {others}. Press it again to take it anyway, or another key."
            )
            return
        self.dismiss(key)

    def _say(self, words: str) -> None:
        self.query_one(".problem", Static).update(words)
