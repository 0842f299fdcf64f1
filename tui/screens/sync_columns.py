"""What a provider's line says in the table of syncs: state, ages, what changed, when it is fetched next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.plaintext import one_line
from tui.formatting import UNKNOWN, StateMark, age, ago, clock, duration, millis, state, whole
from tui.screens.schedule_words import schedule, until
from tui.widgets.columns import Cell, Column
from tui.widgets.facets import Facet
from tui.widgets.note import Part

if TYPE_CHECKING:
    from services.sync_views import SyncView
    from store.sync_runs import SyncRunRow

_PHASES = {"waiting": "waiting", "fetching": "fetching", "retrying": "retrying", "saving": "saving"}


@dataclass(frozen=True, slots=True)
class SyncLine:
    """One row: the provider's syncs, and what its present one is doing."""

    view: SyncView
    now: int
    """UTC ms the ages count from."""
    phase: str = ""
    """Of the sync under way; empty: none is."""
    offline: bool = False
    """Nothing is fetched by itself."""

    @property
    def slug(self) -> str:
        return self.view.slug


_FAILED = {
    "invalid_credentials": "invalid key", "permission": "not allowed", "no_credit": "no credit", "rate_limited": "limited",
    "timeout": "too slow", "network": "unreachable", "unexpected_response": "odd answer", "offline": "offline",
    "vault_locked": "locked",
}  # fmt: skip
"""Why a sync failed, in two words; the whole sentence is below the table."""
_NO_LIST = "no_list"
"""As store.sync_runs names it."""


def unlisted(run: SyncRunRow) -> bool:
    """The provider works and has no list to fetch."""
    return run.state == "ok" and run.error_code == _NO_LIST


def run_mark(run: SyncRunRow) -> StateMark:
    """How a sync ended."""
    if unlisted(run):
        return StateMark("●", "no list", "dim")
    if run.state == "ok":
        return state("ok")
    failed = state("failed")
    return StateMark(failed.glyph, _FAILED.get(run.error_code or "", failed.word), failed.tone)


def mark(line: SyncLine) -> StateMark:
    """The state of a provider's list."""
    if line.phase:
        return StateMark(
            "◌", _PHASES.get(line.phase, line.phase), "warn" if line.phase == "retrying" else "accent"
        )
    if line.view.last is None:
        return StateMark("◌", "never", "dim") if line.view.enabled else state("off")
    if not line.view.enabled:
        return state("off")
    return run_mark(line.view.last)


def _state(line: SyncLine) -> Cell:
    found = mark(line)
    return str(found), found.tone


def _name(line: SyncLine) -> Cell:
    return line.slug, "strong" if line.view.enabled else "dim"


def _last(line: SyncLine) -> Cell:
    return (UNKNOWN, "dim") if line.view.last is None else (clock(line.view.last.started_at), "dim")


def list_age(line: SyncLine) -> Cell:
    """How old the list is that the program works with."""
    good = line.view.good
    if good is None or unlisted(good):
        return UNKNOWN, "dim"
    return age(good.started_at, line.now), "warn" if line.view.failed else ""


def _took(line: SyncLine) -> Cell:
    return (UNKNOWN, "dim") if line.view.last is None else millis(line.view.last.duration_ms)


def _models(line: SyncLine) -> Cell:
    return (UNKNOWN, "dim") if line.view.good is None else whole(line.view.good.total)


def changed(run: SyncRunRow | None, name: str) -> Cell:
    """How many models a sync added, updated or removed."""
    if run is None or run.state != "ok":
        return UNKNOWN, "dim"
    number = int(getattr(run, name))
    return (whole(number), "accent") if number else ("0", "dim")


def _last_change(line: SyncLine) -> Cell:
    return (UNKNOWN, "dim") if line.view.changed is None else age(line.view.changed.started_at, line.now)


def _price_change(line: SyncLine) -> Cell:
    """`▲ 12d`: which way the prices went that changed last, and how long ago."""
    price = line.view.price
    if price is None:
        return UNKNOWN, "dim"
    way = ("▲" if price.rose else "") + ("▼" if price.fell else "")
    return f"{way} {age(price.at, line.now)}".strip(), "warn" if price.rose else "ok" if price.fell else ""


def _schedule(line: SyncLine) -> Cell:
    words = schedule(line.view.schedule)
    return words, "dim" if words == "off" else ""


def next_words(line: SyncLine) -> Cell:
    """When it is fetched by itself: `in 3h`, `now`, `at start`, a dash."""
    if not line.view.enabled or line.view.schedule == "off":
        return UNKNOWN, "dim"
    if line.offline:
        return "offline", "warn"
    if line.view.schedule == "start":
        return "at start", "dim"
    return (UNKNOWN, "dim") if line.view.next_at is None else until(line.view.next_at, line.now)


def _error(line: SyncLine) -> Cell:
    last = line.view.last
    return (one_line(last.error_message or ""), "bad") if last is not None and last.state == "error" else ""


COLUMNS: tuple[Column[SyncLine], ...] = (
    Column("provider", "provider", _name, width=12, max_width=28, cut="middle", sort=lambda line: line.slug),
    Column("state", "state", _state, width=10, max_width=13, sort=lambda line: mark(line).word),
    Column("last", "last run", _last, width=8, max_width=11, priority=9, sort=lambda line: line.view.last.started_at if line.view.last else 0),
    Column("age", "list age", list_age, width=8, align="right", priority=1, sort=lambda line: line.view.good.started_at if line.view.good else 0),
    Column("took", "took", _took, width=5, max_width=7, align="right", priority=10, sort=lambda line: line.view.last.duration_ms if line.view.last else -1),
    Column("models", "models", _models, width=6, align="right", priority=2, down=True, sort=lambda line: line.view.good.total if line.view.good else -1),
    Column("added", "new", lambda line: changed(line.view.last, "added"), width=3, max_width=6, align="right", priority=3),
    Column("updated", "changed", lambda line: changed(line.view.last, "updated"), width=7, align="right", priority=5),
    Column("removed", "gone", lambda line: changed(line.view.last, "removed"), width=4, max_width=6, align="right", priority=4),
    Column(
        "changed_at", "last change", _last_change, width=11, align="right", priority=7, down=True,
        sort=lambda line: line.view.changed.started_at if line.view.changed else 0,
    ),
    Column(
        "price", "price change", _price_change, width=12, align="right", priority=5, down=True,
        sort=lambda line: line.view.price.at if line.view.price else 0,
    ),
    Column("schedule", "schedule", _schedule, width=9, max_width=22, priority=6),
    Column("next", "next", next_words, width=8, priority=1, sort=lambda line: line.view.next_at or 1 << 62),
    Column("error", "error", _error, width=14, flex=1, priority=8, optional=True),
)  # fmt: skip


def _states(line: SyncLine) -> tuple[str, ...]:
    """All failures answer to `failed`, too."""
    word = mark(line).word
    return (word, "failed") if line.view.failed and not line.phase else (word,)


FACETS: tuple[Facet[SyncLine], ...] = (
    Facet("state", words=_states),
    Facet("schedule", words=lambda line: ("off",) if line.view.schedule == "off" else (line.view.schedule.split()[0], schedule(line.view.schedule))),
    Facet("models", number=lambda line: float(line.view.good.total) if line.view.good else None),
    Facet("age", number=lambda line: (line.now - line.view.good.started_at) / 3_600_000 if line.view.good else None),
)  # fmt: skip


def search_text(line: SyncLine) -> str:
    """What the filter looks in."""
    return f"{line.slug} {mark(line).word} {schedule(line.view.schedule)} {_text(_error(line))}"


def explained(line: SyncLine) -> list[Part]:
    """The line under the table: what the row stands for, in whole sentences."""
    view, last, good = line.view, line.view.last, line.view.good
    parts: list[Part] = [(line.slug, "strong"), (": ", "")]
    if last is None:
        parts.append(("its models were never fetched. s fetches them.", "dim"))
        return parts
    if last.state == "error":
        said = one_line(last.error_message or "no reason was given")
        parts = [(said, "bad")] if said.startswith(line.slug) else [*parts, (said, "bad")]
        kept = (
            f"\nThe list fetched {ago(good.started_at, line.now)} stays: {_count(good)}."
            if good
            else "\nThere is no list yet."
        )
        parts.append((kept, "warn"))
    elif unlisted(last):
        parts.append((f"it works, but has no list of models to fetch. {_catalog(last)}", ""))
    else:
        took = f" in {duration(last.duration_ms)}"
        when = ago(last.started_at, line.now)
        parts.append((f"{_count(last)}, fetched {when}{took}; {_changes(last)}.", ""))
    if view.price is not None and view.price.rose:
        parts.append((f" Dearer {ago(view.price.at, line.now)}.", "warn"))
    parts.append((f"\n{_next(line)}", "dim"))
    return parts if view.enabled else [*parts[:-1], ("\nSwitched off: 2, then x switches it on.", "dim")]


def _catalog(run: SyncRunRow) -> str:
    if not run.total:
        return "Nor does the catalog know any: chat with slug/model as the vendor names it."
    return f"The catalog's {_count(run)} {'is' if run.total == 1 else 'are'} used."


def _count(run: SyncRunRow) -> str:
    return f"{whole(run.total)} model{'' if run.total == 1 else 's'}"


def _changes(run: SyncRunRow) -> str:
    parts = [
        f"{whole(n)} {word}"
        for n, word in ((run.added, "new"), (run.updated, "changed"), (run.removed, "gone"))
        if n
    ]
    return ", ".join(parts) + " (enter shows which)" if parts else "nothing had changed"


def _next(line: SyncLine) -> str:
    words = schedule(line.view.schedule)
    if words == "off":
        return "Fetched only when you say so (s). i sets a schedule."
    return (
        f"Fetched by itself {words}, next {_text(next_words(line))}."
        if words != "at start"
        else "Fetched by itself at each start of the program."
    )


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell[0]
