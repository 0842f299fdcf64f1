"""The bottom line: the keys that work here now, most useful first, cut between keys and never inside one."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import ActiveBinding
from textual.content import Content
from textual.dom import DOMNode
from textual.events import Click
from textual.screen import Screen
from textual.widget import Widget

from tui.formatting import width
from tui.keymap import UNBOUND, key_label

ALWAYS = ("app.help", "app.quit")
"""Ids of the bindings that keep their place at the right end however narrow it is."""


FIRST = ("pick.choose", "ask.keep", "form.keep")
"""What a window is for stands before what else can be done in it."""

HIDDEN = "-"
"""What a screen's `key_words` call a key that does what another one on the line says already."""

LAST = ("screen.export", "window.leave")
"""What is seldom wanted, and the way out of a window, stand after what can be done in it."""


def shown_keys(active: Iterable[ActiveBinding]) -> list[tuple[str, str, str]]:
    """(id, key, words) of the bindings meant for the line, keys of one action joined (`[ ]`), in their order."""
    found: dict[str, tuple[str, str, str]] = {}
    for entry in declared(active):
        binding = entry.binding
        if not binding.show or not entry.enabled or binding.key.startswith(UNBOUND):
            continue
        ident = binding.id or binding.action
        named = _displayed(entry)
        if ident in found and not named:
            continue
        shown = binding.key_display if named else None
        found[ident] = (ident, shown or key_label(binding.key), binding.description)
    return sorted(found.values(), key=lambda entry: (entry[0] not in FIRST, entry[0] in LAST))


def _displayed(entry: ActiveBinding) -> bool:
    """True for the key that the binding's own words for its keys begin with: the others do not go by them."""
    own = entry.node._bindings.key_to_bindings  # noqa: SLF001 - as declared, in their order
    ident = entry.binding.id
    first = next(
        (key for key, bindings in own.items() if any(binding.id == ident for binding in bindings)), None
    )
    return ident is None or first == entry.binding.key


def declared(active: Iterable[ActiveBinding]) -> list[ActiveBinding]:
    """The bindings in the order in which their classes name them, whatever keys the user has put them on."""
    places: dict[DOMNode, dict[str | None, int]] = {}
    order = []
    for entry in active:
        node = entry.node
        if node not in places:
            own = node._bindings.key_to_bindings.values()  # noqa: SLF001 - as declared, before the user's keymap
            names = dict.fromkeys(binding.id for bindings in own for binding in bindings)
            places[node] = {name: place for place, name in enumerate(names)}
        depth = len(node.ancestors_with_self)  # what has the focus first, the app last
        order.append((-depth, places[node].get(entry.binding.id, len(places[node])), entry))
    return [entry for _, _, entry in sorted(order, key=lambda item: item[:2])]


def fitted(keys: list[tuple[str, str, str]], cells: int) -> list[tuple[str, str, str]]:
    """Those that fit in `cells`: the ones of ALWAYS are kept, the least useful others are dropped."""
    fixed = [entry for entry in keys if entry[0] in ALWAYS]
    room = cells - sum(map(_cells, fixed))
    chosen: list[tuple[str, str, str]] = []
    for entry in keys:
        if entry[0] in ALWAYS:
            continue
        room -= _cells(entry)
        if room < 0:
            break
        chosen.append(entry)
    return chosen + fixed


def _cells(entry: tuple[str, str, str]) -> int:
    return width(entry[1]) + 1 + width(entry[2]) + 2


class KeyLine(Widget):
    """The footer; a click on a key does what the key does."""

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
            if own.get(ident) != HIDDEN
        ]
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def render(self) -> Content:
        spans: list[tuple[str, str]] = []
        for _, key, words in fitted(self._keys, self.size.width + 2):
            spans += [(key, "bold $key"), (f" {words}", "$dim"), ("  ", "")]
        return Content.assemble(*spans)

    async def on_click(self, event: Click) -> None:
        x, start = event.get_content_offset_capture(self).x, 0
        for entry in fitted(self._keys, self.size.width + 2):
            if start <= x < start + _cells(entry) - 2:
                await self._do(entry[0])
                return
            start += _cells(entry)

    async def _do(self, ident: str) -> None:
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if (binding.id or binding.action) == ident and active.enabled:
                await self.app.run_action(binding.action, active.node)
                return
