"""What was found, in words: the notice, the lines of its window, the question before one is added, the welcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from catalog.plaintext import one_line
from tui.formatting import Tone, count
from tui.messages import Notice
from tui.widgets.columns import Cell, Column

if TYPE_CHECKING:
    from services.discovery_views import Finding, Option, Report

Span = tuple[str, str]

_STATES: dict[str, tuple[str, Tone]] = {
    "adds": ("● ready", "ok"), "offered": ("● offered", "ok"), "ambiguous": ("? which one", "accent"),
    "incomplete": ("! incomplete", "warn"), "not yet": ("○ not yet", "dim"), "configured": ("✓ here", "dim"),
}  # fmt: skip
_PLACES = {"environment": "environment", "config": "config/.env", "loopback": "this machine"}
_MOST = 5
"""Findings that the welcome names."""


def _state(one: Finding) -> Cell:
    return _STATES[one.state] if one.options or one.kind != "offered" else ("+ add", "dim")


def _place(one: Finding) -> str:
    return _PLACES.get(one.source, one_line(one.path, 200)) if one.options or one.kind != "offered" else ""


def _why(one: Finding) -> Cell:
    return why(one), "dim"


def why(one: Finding) -> str:
    """Why it is there and what is in its way, in one line."""
    parts = [one.why, one.unsupported]
    if one.missing and one.kind == "incomplete" and one.supported:
        parts.append(f"set {one.missing}" if not one.open else "")
    if one.declined:
        parts.append("taken back before")
    return "; ".join(part for part in parts if part)


COLUMNS: tuple[Column[Finding], ...] = (
    Column("state", "", _state, width=12),
    Column("name", "what", lambda one: (one.name, "strong"), width=14, max_width=24),
    Column("why", "why", _why, width=24, flex=1),
    Column("place", "where", lambda one: (_place(one), "dim"), width=12, max_width=30, priority=2, cut="middle"),
)  # fmt: skip


def search_text(one: Finding) -> str:
    """What the filter of the window looks in."""
    return f"{one.name} {one.slug} {one.key_name} {one.endpoint} {one.state} {_place(one)}"


def names(words: Sequence[str], most: int = 4) -> str:
    """A few names, and how many more there are."""
    shown = ", ".join(words[:most])
    return shown + (f" and {len(words) - most} more" if len(words) > most else "")


def notice(report: Report, *, offline: bool, read_only: bool) -> Notice | None:
    """The one notice after a look around; None where there is nothing new to tell."""
    offers = [one for one in report.offers if one.id in report.new]
    offered = f"Found here too: {names([_offer(one) for one in offers])}." if offers else ""
    if report.added:
        places = {one.source for one in report.findings if one.configured in report.added}
        where = "config/.env" if places == {"config"} else "your environment and config/.env" if "config" in places else "your environment"  # fmt: skip
        words = f"Added {count(len(report.added), 'provider')} from {where}: {names(report.added)}."
        words += _keys_stay(report)
        words += " Offline: their models were not fetched." if offline else ""
        hint = (
            "{z:app.take_back} takes them back"
            if len(report.added) > 1
            else "{z:app.take_back} takes it back"
        )
        return Notice(0, "ok", "Found here", f"{words} {offered}".rstrip(), hint + (_ADDS if offers else ""))
    if offers and not read_only:
        return Notice(0, "ok", "", offered.replace(" too", ""), _ADDS_ONE)
    return None


def _keys_stay(report: Report) -> str:
    keys = sum(bool(one.key_name) for one in report.findings if one.configured in report.added)
    return (
        ""
        if not keys
        else " Its key stays where it is."
        if len(report.added) == 1
        else " Their keys stay where they are."
    )


_ADDS = ", {::app.palette} “found here” adds the others"
_ADDS_ONE = "{::app.palette}, then “found here” adds what you choose"


def _offer(one: Finding) -> str:
    return f"{one.name} in {one_line(one.path, 120)}" if one.source == "folder" else one.name


def question(found: Finding, option: Option) -> tuple[str, str]:
    """Title and text of the question before one is added."""
    lines = [f"{found.why[:1].upper()}{found.why[1:]}."]
    if found.source == "folder" and found.key_name:
        lines.append(
            f"The key is copied out of {one_line(found.path, 200)} to where your keys are kept; the file is not read again."
        )
    elif found.key_name:
        lines.append(f"Only the name {found.key_name} is stored, not the key.")
    if option.allow_http:
        lines.append(
            f"{one_line(option.url or '', 200)} is on a private network, without encryption: whoever listens there can read the key and every prompt."
        )
    lines.append("It is tested first, and added only if the test passes.")
    return f"Add {option.label}?", "\n".join(lines)


def banner(report: Report | None) -> list[Span]:
    """The line above the Overview's panels: what was added in this session and what is offered; empty: nothing."""
    if report is None:
        return []
    spans: list[Span] = []
    if report.added:
        what = f"{count(len(report.added), 'provider')} from your environment: {names(report.added, 6)}"
        spans += [("+ ", "$success"), (f"Added {what}", ""), ("  ", ""), ("z", "bold $key"), (" takes them back" if len(report.added) > 1 else " takes it back", "$dim")]  # fmt: skip
    offers = [one for one in report.offers if one.id in report.new]
    if offers:
        spans += [("\n" if spans else "", ""), ("● ", "$accent"), (f"Found here{' too' if spans else ''}: {names([_offer(one) for one in offers], 3)}", ""), ("  ", ""), ("a", "bold $key"), (" adds", "$dim")]  # fmt: skip
    return spans


def found_lines(report: Report) -> list[Span]:
    """What the welcome says was found."""
    shown = [one for one in report.findings if not one.configured]
    shown.sort(key=lambda one: (not one.open, one.kind == "incomplete"))
    if not shown:
        return []
    spans: list[Span] = [("Found here\n", "bold")]
    for one in shown[:_MOST]:
        glyph, tone = _STATES[one.state][0].split(" ")[0], _TONES[_STATES[one.state][1]]
        words = why(one)
        name = "" if words.startswith(one.name) else f"{one.name}  "
        spans += [(f"  {glyph} ", tone), (name, ""), (f"{words}\n", "$dim")]
    more = len(shown) - _MOST
    if more > 0:
        spans.append((f"  and {more} more\n", "$dim"))
    if report.offers:
        spans += [("  a", "bold $key"), (" adds one of them, and says first what is stored\n", "$dim")]
    return [*spans, ("\n", "")]


_TONES: dict[Tone, str] = {"ok": "$success", "accent": "$accent", "warn": "$warning", "dim": "$dim"}
