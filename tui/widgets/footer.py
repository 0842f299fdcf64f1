"""The bottom line: the keys that work here now, most useful first, cut between keys and never inside one."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import ActiveBinding
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from tui.formatting import width
from tui.keymap import key_label

ALWAYS = ("app.help", "app.quit")
"""Ids of the bindings that keep their place at the right end however narrow it is."""


FIRST = ("pick.choose", "ask.keep", "form.keep")
"""What a window is for stands before what else can be done in it."""

LAST = "window.leave"
"""The way out of a window stands after what can be done in it."""


def shown_keys(active: Iterable[ActiveBinding]) -> list[tuple[str, str, str]]:
    """(id, key, words) of the bindings meant for the line, keys of one action joined (`[ ]`), in their order."""
    found: dict[str, tuple[str, str, str]] = {}
    for entry in active:
        binding = entry.binding
        if not binding.show or not entry.enabled:
            continue
        ident = binding.id or binding.action
        if ident in found:
            continue
        found[ident] = (ident, binding.key_display or key_label(binding.key), binding.description)
    return sorted(found.values(), key=lambda entry: (entry[0] not in FIRST, entry[0] == LAST))


def fitted(keys: list[tuple[str, str, str]], cells: int) -> list[tuple[str, str]]:
    """The (key, words) pairs that fit in `cells`: those of ALWAYS are kept, the least useful others are dropped."""
    fixed = [(key, words) for ident, key, words in keys if ident in ALWAYS]
    room = cells - sum(_cells(pair) for pair in fixed)
    chosen: list[tuple[str, str]] = []
    for ident, key, words in keys:
        if ident in ALWAYS:
            continue
        room -= _cells((key, words))
        if room < 0:
            break
        chosen.append((key, words))
    return chosen + fixed


def _cells(pair: tuple[str, str]) -> int:
    return width(pair[0]) + 1 + width(pair[1]) + 2


class KeyLine(Widget):
    """The footer."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._keys: list[tuple[str, str, str]] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)
        self.look()

    def look(self) -> None:
        """Read the keys anew. There are none while a window is open over this screen."""
        self._bindings_changed(self.screen)

    def _bindings_changed(self, screen: Screen[object]) -> None:
        own: dict[str, str] = getattr(screen, "key_words", {})
        keys = [
            (ident, key, own.get(ident) or words)
            for ident, key, words in (
                shown_keys(screen.active_bindings.values()) if screen is self.app.screen else ()
            )
        ]
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def render(self) -> Content:
        spans: list[tuple[str, str]] = []
        for key, words in fitted(self._keys, self.size.width + 2):
            spans += [(key, "bold $key"), (f" {words}", "$dim"), ("  ", "")]
        return Content.assemble(*spans)
