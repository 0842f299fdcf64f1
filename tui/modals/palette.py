"""The palette's window: open at once, filled while one types, the best of what is found first."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from textual.widgets import Input

from tui.modals.pick import Pick
from tui.widgets.columns import Column

_RANKED = 2_000
"""Of more than these nobody looks for the best: the next letter makes them fewer."""


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the palette."""

    kind: str
    title: str
    detail: str
    key: str
    """The key that does the same; empty where there is none."""
    run: Callable[[], Awaitable[object] | object]


Found = tuple[str, Command]
"""A command after the text in which it is looked for."""


def searchable(command: Command) -> Found:
    return f"{command.title} {command.detail} {command.kind}".casefold(), command


def ranked(found: Sequence[Found], text: str) -> list[Command]:
    """Those in which every word stands, else those that have its letters in order; what begins with it first."""
    words = text.casefold().split()
    for word in words:
        plain = [entry for entry in found if word in entry[0]]
        if not plain:
            search = re.compile("[^ ]*".join(map(re.escape, word))).search
            plain = [entry for entry in found if search(entry[0])]
        found = plain
    if not words or len(found) > _RANKED:
        return [command for _, command in found]
    whole = " ".join(words)

    def rank(entry: Found) -> tuple[bool, ...]:
        title = f" {entry[1].title.casefold()} "
        return (
            title.strip() != whole,
            not title.startswith(f" {whole} "),
            not title.startswith(f" {whole}"),
            any(f" {word}" not in title for word in words),
        )

    return [command for _, command in sorted(found, key=rank)]


class Palette(Pick[Command]):
    """Ends in the command to run, or None."""

    def __init__(self, commands: Sequence[Command]) -> None:
        columns: tuple[Column[Command], ...] = (
            Column("kind", "", lambda c: (c.kind, "dim"), width=8),
            Column("title", "", lambda c: f"{c.title}  {c.detail}".rstrip(), width=30, flex=1),
            Column("key", "", lambda c: (c.key, "accent"), width=6, align="right", priority=1),
        )
        super().__init__(
            "Do what?", columns, commands,
            key=lambda c: f"{c.kind} {c.title} {c.detail}",
            search=lambda c: c.title,
            placeholder="type an action, a mode, a setting, a provider or a model",
            empty="Nothing matches. Backspace widens the search.",
        )  # fmt: skip
        self._found: list[Found] = [searchable(command) for command in commands]
        self._moved = False

    def add(self, more: Sequence[Found]) -> None:
        """Further commands are known. The cursor stays where the user has moved it to."""
        self._found += more
        if self.is_mounted:
            self._show(first=not self._moved)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        event.prevent_default()
        self.typed = event.value
        self._moved = False
        self._show(first=True)

    def _show(self, *, first: bool) -> None:
        self._table.set_rows(ranked(self._found, self.typed))
        if first:
            self._table.action_first()

    def action_move(self, steps: int) -> None:
        self._moved = True
        super().action_move(steps)
