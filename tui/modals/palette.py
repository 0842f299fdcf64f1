"""The palette's window: open at once, filled while one types, the best of what is found first."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui.modals.pick import Pick
from tui.widgets.columns import Column
from tui.widgets.table import VirtualTable

_RANKED = 2_000
"""Of more than these nobody looks for the best: the next letter makes them fewer."""
_SHOWN = 500
"""Rows that stand in the window: whoever has not found it by then types on."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the palette."""

    kind: str
    title: str
    detail: str
    key: str
    """The key that does the same; empty where there is none."""
    run: Callable[[], Awaitable[object] | object]
    page: Callable[[], Awaitable[object] | object] | None = None
    """Opens all about it; None where there is no more than `run` shows."""
    name: str = ""
    """What the line of keys calls it; empty where it does not stand there."""
    words: str = ""
    """Further words by which people look for it; they are not shown."""


Found = tuple[str, str, "Command | T"]
"""The text in which it is looked for, its title, and the command, or what becomes one once it is shown."""


def searchable(command: Command) -> Found[Any]:
    text = f"{command.title} {command.detail} {command.kind} {command.name} {command.words}"
    return text.casefold(), command.title, command


def ranked(found: Sequence[Found[T]], text: str) -> Sequence[Found[T]]:
    """Those in which every word stands, else those that have its letters in order; what is called so first,
    then what begins with it, last what is only found by words that are not shown."""
    words = text.casefold().split()
    for word in words:
        plain = [entry for entry in found if word in entry[0]]
        if not plain:
            search = re.compile("[^ ]*".join(map(re.escape, word))).search
            plain = [entry for entry in found if search(entry[0])]
        found = plain
    if not words or len(found) > _RANKED:
        return found
    whole = " ".join(words)

    def rank(entry: Found[T]) -> tuple[bool, ...]:
        title = f" {entry[1].casefold()} "
        name = f" {entry[2].name.casefold()} " if isinstance(entry[2], Command) else " "
        return (
            whole not in (title.strip(), name.strip()),
            not title.startswith(f" {whole} "),
            not title.startswith(f" {whole}"),
            any(f" {word}" not in title + name for word in words),
        )

    return sorted(found, key=rank)


class Palette(Pick[Command], Generic[T]):
    """Ends in the command to run, or None. `make` turns what is not a command yet into one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "page", "its page", id="palette.page", tooltip="Open the page of the model under the cursor"),
    ]  # fmt: skip

    def __init__(self, commands: Sequence[Command], make: Callable[[T], Command]) -> None:
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
        self._found: list[Found[T]] = [searchable(command) for command in commands]
        self._make = make
        self._moved = False

    def add(self, more: Sequence[Found[T]]) -> None:
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
        shown = ranked(self._found, self.typed)[:_SHOWN]
        self._table.set_rows([one if isinstance(one, Command) else self._make(one) for _, _, one in shown])
        if first:
            self._table.action_first()

    def on_virtual_table_highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Only what has a page can be asked for it."""
        row = self._table.cursor_row
        return action != "page" or (row is not None and row.page is not None)

    def action_page(self) -> None:
        row = self._table.cursor_row
        if row is not None and row.page is not None:
            self.dismiss(replace(row, run=row.page))

    def action_move(self, steps: int) -> None:
        self._moved = True
        super().action_move(steps)
