"""The list of everything that was reported, newest first: a toast that is gone is not lost."""

from __future__ import annotations

from collections.abc import Sequence

from tui.formatting import Tone, clock
from tui.messages import Notice
from tui.modals.pick import Pick
from tui.widgets.columns import Column

_WORDS: dict[str, str] = {
    "bad": "✕ error",
    "warn": "! warning",
    "ok": "● done",
    "dim": "○ note",
    "": "○ note",
}


def _kind(row: tuple[int, Notice]) -> tuple[str, Tone]:
    return _WORDS.get(row[1].tone, "○ note"), row[1].tone


def _what(row: tuple[int, Notice]) -> str:
    notice = row[1]
    return ": ".join(part for part in (notice.title, notice.message) if part)


def alerts_window(notices: Sequence[Notice]) -> Pick[tuple[int, Notice]]:
    """The history; enter closes it."""
    rows = list(enumerate(notices))[::-1]
    columns: tuple[Column[tuple[int, Notice]], ...] = (
        Column("at", "time", lambda row: (clock(row[1].at), "dim"), width=8, max_width=14),
        Column("kind", "", _kind, width=9),
        Column("what", "what happened", _what, width=20, flex=3),
        Column(
            "hint", "next", lambda row: (row[1].hint, "accent"), width=10, max_width=40, flex=1, priority=2
        ),
    )
    return Pick(
        "Alerts and messages", columns, rows,
        key=lambda row: str(row[0]),
        search=lambda row: f"{_kind(row)[0]} {_what(row)} {row[1].hint}",
        empty="Nothing has been reported since the start.",
        wide=True,
        choose_words="close",
    )  # fmt: skip
