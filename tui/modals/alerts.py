"""What needs a look now, then everything that was reported, newest first: a toast that is gone is not lost.

Enter goes to what an alert is about, as in the Overview, and shows all of a message. The status line counts what is
new, alerts not looked at here and messages not read here; the Overview's title counts all of them, and says how many
of these are new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from catalog.errors import SwitchroomError
from tui.formatting import Tone, clock
from tui.messages import AlertLine, Notice
from tui.modals.base import Modal
from tui.modals.pick import Pick
from tui.widgets.columns import Cell, Column

_WORDS: dict[str, str] = {
    "bad": "✕ error",
    "warn": "! warning",
    "ok": "● done",
    "dim": "○ note",
    "": "○ note",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: an alert that stands, or a message."""

    key: str
    alert: AlertLine | None
    notice: Notice | None
    """None exactly when it is an alert."""


def entries(alerts: Sequence[AlertLine], notices: Sequence[Notice]) -> list[Entry]:
    """What needs a look now, then what was reported, the newest first."""
    told = [Entry(f"message {place}", None, notice) for place, notice in enumerate(notices)]
    return [*(Entry(alert.key, alert, None) for alert in alerts), *reversed(told)]


def _when(entry: Entry) -> Cell:
    return ("now", "accent") if entry.notice is None else (clock(entry.notice.at), "dim")


def _kind(entry: Entry) -> tuple[str, Tone]:
    if entry.alert is not None:
        return f"{entry.alert.text[:1]} alert", entry.alert.tone
    assert entry.notice is not None
    return _WORDS.get(entry.notice.tone, "○ note"), entry.notice.tone


def _what(entry: Entry) -> str:
    if entry.alert is not None:
        return entry.alert.text[2:]
    assert entry.notice is not None
    return ": ".join(part for part in (entry.notice.title, entry.notice.message) if part)


def _told(entry: Entry) -> str:
    """The words first: they need the width, and enter shows the rest."""
    hint = "" if entry.notice is None else entry.notice.hint
    return f"{_what(entry)} → {hint}" if hint else _what(entry)


class Alerts(Pick[Entry]):
    """Ends in the alert to go to; a message is opened over the list."""

    def __init__(self, alerts: Sequence[AlertLine], notices: Sequence[Notice]) -> None:
        columns: tuple[Column[Entry], ...] = (
            Column("at", "time", _when, width=8, max_width=14),
            Column("kind", "", _kind, width=9),
            Column("what", "what happened, and what is next", _told, width=20, flex=1),
        )  # fmt: skip
        found = entries(alerts, notices)
        super().__init__(
            "Alerts and messages", columns, found,
            key=lambda entry: entry.key,
            search=lambda entry: f"{_kind(entry)[0]} {_told(entry)}",
            empty="Nothing needs your attention, and nothing has been reported since the start.",
            header=bool(found),
            wide=True,
            choose_words="open",
        )  # fmt: skip

    def on_mount(self) -> None:
        if self.app.opened:
            self.run_worker(self._look, exit_on_error=True)  # type: ignore[arg-type]

    async def _look(self) -> None:
        """Another mode may have been in front for long: what needs a look is asked for anew."""
        from tui.screens.standing_alerts import standing

        try:
            found = await standing(self.app.services)
        except SwitchroomError as error:
            self.app.tell_error(error)
            return
        before = self.app.alerts
        self.app.set_alerts(found)
        if self.app.alerts != before:
            self._table.set_rows(entries(self.app.alerts, self.app.notices))
        self.app.alerts_looked_at()

    def action_choose(self) -> None:
        entry = self._table.cursor_row
        if entry is not None and entry.notice is not None:
            self.app.push_screen(AlertDetail(entry.notice))
        elif entry is not None:
            self.dismiss(entry)


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
