"""The list of everything that was reported, newest first: a toast that is gone is not lost; enter shows all of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.formatting import Tone, clock
from tui.messages import Notice
from tui.modals.base import Modal
from tui.modals.pick import Pick
from tui.widgets.columns import Column

_WORDS: dict[str, str] = {
    "bad": "✕ error",
    "warn": "! warning",
    "ok": "● done",
    "dim": "○ note",
    "": "○ note",
}

Row = tuple[int, Notice]


def _kind(row: Row) -> tuple[str, Tone]:
    return _WORDS.get(row[1].tone, "○ note"), row[1].tone


def _what(row: Row) -> str:
    notice = row[1]
    return ": ".join(part for part in (notice.title, notice.message) if part)


class Alerts(Pick[Row]):
    """The history; enter opens one over it."""

    def __init__(self, notices: Sequence[Notice]) -> None:
        columns: tuple[Column[Row], ...] = (
            Column("at", "time", lambda row: (clock(row[1].at), "dim"), width=8, max_width=14),
            Column("kind", "", _kind, width=9),
            Column("what", "what happened", _what, width=20, flex=3),
            Column("hint", "next", lambda row: (row[1].hint, "accent"), width=10, max_width=40, flex=1, priority=2),
        )  # fmt: skip
        super().__init__(
            "Alerts and messages", columns, list(enumerate(notices))[::-1],
            key=lambda row: str(row[0]),
            search=lambda row: f"{_kind(row)[0]} {_what(row)} {row[1].hint}",
            empty="Nothing has been reported since the start.",
            header=bool(notices),
            wide=True,
            choose_words="details",
        )  # fmt: skip

    def action_choose(self) -> None:
        if (row := self._table.cursor_row) is not None:
            self.app.push_screen(AlertDetail(row[1]))


class AlertDetail(Modal[None]):
    """One message in full: when, what, and what to do next."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy", id="alert.copy", tooltip="Copy the message"),
        Binding("enter", "leave", "back", show=False, id="alert.back", tooltip="Back to the list"),
    ]

    def __init__(self, notice: Notice) -> None:
        super().__init__(notice.title or _WORDS.get(notice.tone, "○ note"))
        self._notice = notice

    def compose_body(self) -> ComposeResult:
        notice = self._notice
        with VerticalScroll(classes="lines"):
            yield Static(notice.message, markup=False)
        if notice.hint:
            yield Static(f"Next: {notice.hint}", markup=False, classes="next")
        said = f"{_WORDS.get(notice.tone, '○ note')} · {clock(notice.at)}"
        yield Static(said, markup=False, classes="hint")

    async def action_copy(self) -> None:
        notice = self._notice
        await self.app.copy("\n".join(part for part in (notice.title, notice.message, notice.hint) if part))
