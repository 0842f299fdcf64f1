"""The keys that work here and now, read from the live bindings; choosing one does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.binding import ActiveBinding

from tui.keymap import key_label
from tui.modals.pick import Pick
from tui.widgets.columns import Column
from tui.widgets.footer import declared

if TYPE_CHECKING:
    from textual.screen import Screen


_ORDER = {"screen": 1, "table": 1, "transcript": 1, "app": 2, "mode": 3}
"""What is special here comes first, what works everywhere last."""


@dataclass(frozen=True, slots=True)
class KeyHelp:
    """One action and all the keys that do it."""

    id: str
    keys: str
    what: str
    entry: ActiveBinding


def live_keys(screen: Screen[object]) -> list[KeyHelp]:
    """What can be done on this screen, keys of one action together, in the order of the footer."""
    found: dict[str, KeyHelp] = {}
    for entry in declared(screen.active_bindings.values()):
        binding = entry.binding
        if binding.id is None or not entry.enabled:
            continue
        label = key_label(binding.key)
        if (known := found.get(binding.id)) is not None:
            found[binding.id] = KeyHelp(binding.id, f"{known.keys} {label}".strip(), known.what, entry)
        else:
            found[binding.id] = KeyHelp(binding.id, label, binding.tooltip or binding.description, entry)
    return sorted(found.values(), key=lambda row: _ORDER.get(row.id.partition(".")[0], 0))


def help_window(screen: Screen[object]) -> Pick[KeyHelp]:
    """The window of the keys."""
    columns: tuple[Column[KeyHelp], ...] = (
        Column("keys", "key", lambda row: (row.keys, "accent"), width=8, max_width=16),
        Column("what", "what it does", lambda row: row.what, width=20, flex=1),
        Column("id", "id", lambda row: (row.id, "dim"), width=8, max_width=24, priority=1),
    )
    return Pick(
        "Keys that work here", columns, live_keys(screen),
        key=lambda row: row.id,
        search=lambda row: f"{row.keys} {row.what} {row.id}",
        placeholder="type to find a key",
        choose_words="do it",
    )  # fmt: skip
