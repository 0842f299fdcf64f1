"""What changed in the catalog, in words: `dearer in $2.50 → $3.00 (+20 %)`, `shut down on 2026-12-11, in 20 days`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.plaintext import one_line
from tui.formatting import StateMark, Tone, ago, whole
from tui.screens import sync_words
from tui.widgets.columns import Cell, Column
from tui.widgets.facets import Facet
from tui.widgets.note import Part

if TYPE_CHECKING:
    from services.catalog_changes import CatalogChange
    from services.catalog_refresh import SourceView
    from services.sync_diff import SyncChange

_MARKS = {
    "dearer": StateMark("▲", "dearer", "bad"),
    "doubted": StateMark("!", "doubted", "warn"),
    "cheaper": StateMark("▼", "cheaper", "ok"),
    "price": StateMark("•", "price", "accent"),
    "ending": StateMark("◐", "ending", "warn"),
    "new": StateMark("+", "new", "ok"),
    "gone": StateMark("-", "gone", "warn"),
}
_NAMES = {
    "genai": "genai-prices",
    "catwalk": "Catwalk",
    "modelsdev": "models.dev",
    "openrouter": "OpenRouter",
    "user": "your catalog file",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One row: a change, and the moment its ages count from."""

    change: CatalogChange
    now: int

    @property
    def key(self) -> str:
        change = self.change
        return f"{change.kind} {change.vendor}/{change.model} {change.field}"

    @property
    def model(self) -> str:
        """As this user calls it; else as the catalog does."""
        change = self.change
        return one_line(change.refs[0] if change.refs else f"{change.vendor}/{change.model}")


def mark(change: CatalogChange) -> StateMark:
    """What kind of change it is: glyph and word."""
    return _MARKS.get(change.kind, StateMark("•", "changed", ""))


def said(change: CatalogChange) -> str:
    """What is different."""
    from services.catalog_changes import in_days

    if change.kind == "ending":
        if change.ends:
            return f"ends {one_line(change.ends, 20)}, {in_days(change.days)}"
        return "the vendor advises against it"
    if change.kind in ("new", "gone"):
        return ""
    words = sync_words.field_word(_as_sync(change)).removeprefix("price ")
    return f"{words} {sync_words.old_new(_as_sync(change))}"


def _as_sync(change: CatalogChange) -> SyncChange:
    from services.sync_diff import SyncChange

    kind = "price" if change.field.startswith("price") else "changed"
    return SyncChange(kind, change.model, change.field, change.old, change.new)  # type: ignore[arg-type]


def _kind(line: Line) -> Cell:
    found = mark(line.change)
    return str(found), found.tone


def _uses(line: Line) -> Cell:
    return ", ".join(line.change.uses), "" if line.change.uses else "dim"


def _found(line: Line) -> Cell:
    return (ago(line.change.at, line.now) if line.change.at else "now", "dim")


COLUMNS: tuple[Column[Line], ...] = (
    Column("kind", "what", _kind, width=9, max_width=10, sort=lambda line: mark(line.change).word),
    Column("model", "model", lambda line: (line.model, "strong" if line.change.refs else ""), width=26, max_width=44, least=20, cut="middle", sort=lambda line: line.model),
    Column("said", "what is different", lambda line: said(line.change), width=30, max_width=50, least=30, flex=1),
    Column("uses", "affects", _uses, width=12, max_width=34, priority=1),
    Column("at", "found", _found, width=7, max_width=12, priority=2, optional=True),
)  # fmt: skip

FACETS: tuple[Facet[Line], ...] = (
    Facet("what", words=lambda line: (mark(line.change).word, line.change.kind)),
    Facet("vendor", words=lambda line: (line.change.vendor,)),
    Facet("rise", number=lambda line: None if line.change.rise is None else float(line.change.rise * 100)),
    Facet("days", number=lambda line: line.change.days),
)


def search_text(line: Line) -> str:
    """What the filter looks in."""
    change = line.change
    return f"{mark(change).word} {line.model} {change.vendor} {said(change)} {' '.join(change.uses)}"


def explained(line: Line) -> list[Part]:
    """The change under the cursor in sentences, and what it touches."""
    change = line.change
    words = {
        "new": "is new in the catalog.",
        "gone": "is no longer in the catalog. What it cost stays recorded.",
        "ending": f"{said(change)}. Choose another before then."
        if change.ends
        else f"is deprecated: {said(change)}.",
        "doubted": f"was not believed: {said(change)}. The price before holds; if it is right all the same:"
        " switchroom catalog refresh --anyway.",
    }.get(change.kind) or f"{mark(change).word}: {said(change)}."
    parts: list[Part] = [(line.model, "strong"), (f" {words}", "")]
    if change.uses:
        parts.append(
            (f"\nAffects: {', '.join(change.uses)}.", "warn" if change.kind in ("dearer", "ending") else "")
        )
    elif change.refs:
        parts.append(("\nNo default, conversation or limit of one provider rests on it.", "dim"))
    else:
        parts.append((f"\nYou have no provider of {one_line(change.vendor, 40)}.", "dim"))
    for ref, whose in change.above[:2]:
        parts.append((f"\n{one_line(ref, 80)} is billed otherwise: {whose} stands above it.", "accent"))
    if change.source:
        source = change.source.rpartition(":")[2]
        when = f", {ago(change.at, line.now)}" if change.at else ""
        parts.append((f"\nSaid by {_NAMES.get(source, 'the catalog')}{when}.", "dim"))
    return parts


# -- the sources ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source, and the moment its ages count from."""

    view: SourceView
    now: int
    asking: bool = False


def _state(line: SourceLine) -> tuple[str, Tone]:
    view = line.view
    if line.asking:
        return "◌ asking", "accent"
    if view.url is None:
        return "○ off", "dim"
    if view.last is not None and view.last.state == "error":
        return "✕ failed", "bad"
    if view.note:
        return "! left aside", "warn"
    return ("● in use", "ok") if view.fetched_at else ("○ never asked", "dim")


def _why(line: SourceLine) -> tuple[str, Tone]:
    view = line.view
    if view.url is None:
        return "0, then General switches it on", "dim"
    if view.last is not None and view.last.state == "error":
        return one_line(view.last.error_message or "", 200), "bad"
    if view.note:
        return view.note, "warn"
    return one_line(view.url, 200), "dim"


def told_of(line: SourceLine) -> list[Part]:
    """A source in sentences: what became of it, and its address."""
    view, (words, tone) = line.view, _why(line)
    parts: list[Part] = [(view.name, "strong"), (f" {_state(line)[0][2:]}. ", "")]
    if view.url is None:
        return [*parts, (f"{words}.", "dim")]
    if words != one_line(view.url, 200):
        parts += [(f"{words.rstrip('.')}.", tone)]
    return [*parts, ("\n", ""), (f"Its address: {one_line(view.url, 200)}", "dim")]


SOURCES: tuple[Column[SourceLine], ...] = (
    Column("name", "source", lambda line: (line.view.name, "strong"), width=12, max_width=14),
    Column("state", "state", _state, width=8, max_width=13),
    Column("facts", "facts from", lambda line: ago(line.view.fetched_at, line.now) if line.view.fetched_at else "never", width=10, max_width=14),
    Column("checked", "asked", lambda line: (ago(line.view.last.started_at, line.now), "dim") if line.view.last else ("never", "dim"), width=7, max_width=14, priority=1),
    Column("models", "models", lambda line: whole(line.view.models) if line.view.models else "—", width=6, align="right"),
    Column("why", "address or problem", _why, width=16, max_width=90, flex=1, priority=2, cut="middle"),
)  # fmt: skip
