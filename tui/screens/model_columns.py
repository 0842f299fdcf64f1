"""What a model's line says in the tables of models, and what it can be filtered by: prices, context, abilities."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.capabilities import ability
from tui.formatting import UNKNOWN, Tone, age, millis, rate, state, tokens
from tui.widgets.columns import Cell, Column
from tui.widgets.facets import Facet

if TYPE_CHECKING:
    from services.model_records import ModelRecord
    from services.models import ModelView

_LETTERS = (("tools", "T"), ("vision", "V"), ("reasoning", "R"), ("json", "J"), ("audio", "A"))
LEGEND = "T tools  V vision  R reasoning  J JSON  A audio  small: guessed"

ENDS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("input", "output", "cached"), ("dearest first", "cheapest first")),
    **dict.fromkeys(("context", "max"), ("largest first", "smallest first")),
    "ttft": ("slowest first", "fastest first"),
    "speed": ("fastest first", "slowest first"),
}
"""Column → what its order is called downwards and upwards; the others: Z to A, A to Z."""


@dataclass(slots=True)
class Known:
    """What the lines say besides the models themselves. Changed in place: the columns look in here."""

    records: Mapping[str, ModelRecord] = field(default_factory=dict)
    """Ref → its last 30 days."""
    default: str | None = None
    """The model new chats start with."""
    off: frozenset[str] = frozenset()
    """The providers that are switched off: none of their models is in use."""
    now: int = 0
    """UTC ms the ages count from."""
    discount: float | None = None
    """Percent that the provider of a single model takes off its prices."""

    fetched: Mapping[str, int] = field(default_factory=dict)
    """Source of the refreshed catalog → UTC ms of its list."""

    def usable(self, view: ModelView) -> bool:
        """False: off, gone or retired, or its provider is off."""
        return in_use(view) and view.provider not in self.off

    def standing(self, view: ModelView) -> tuple[str, Tone]:
        """Whether it can be used now, glyph and word."""
        if not self.usable(view):
            return ("○ off", "dim") if in_use(view) else standing(view)
        return ("● default", "accent") if view.ref == self.default else standing(view)


def abilities_in_words(view: ModelView) -> str:
    """`tools vision? reasoning`: what the letters stand for; a question mark where only the name speaks for it."""
    if view.info.capabilities is None:
        return UNKNOWN
    able = [one for name, _ in _LETTERS if (one := ability(view.info, name, view.asked)).can]
    return " ".join(f"{one.title}{'?' * one.guessed}" for one in able) or "text"


def abilities(view: ModelView) -> str:
    """`TvR··`: one place for each of tools, vision, reasoning, JSON, audio; small letters are guessed."""
    known = view.info.capabilities
    if known is None:
        return UNKNOWN
    return "".join(_letter(view, name, letter) if name in known else "·" for name, letter in _LETTERS)


def _letter(view: ModelView, name: str, letter: str) -> str:
    return letter.lower() if ability(view.info, name, view.asked).guessed else letter


def _surely(view: ModelView) -> tuple[str, ...]:
    """How sure its abilities are: `asked` (any was), `guessed` (any is), `yes` (none is)."""
    able, sources = view.info.capabilities, view.info.sources
    if able is None:
        return ("no",)
    asked = ("asked",) if "probe" in sources.values() else ()
    guessed = sources.get("capabilities") == "pattern" and any(
        f"capabilities.{name}" not in sources for name in able
    )
    return (*asked, *(("guessed", "no") if guessed else ("yes",)))


def price(view: ModelView, side: str) -> Cell:
    """USD per 1M tokens of one side; `own` for the user's own hardware."""
    if view.own_cost:
        return "own", "dim"
    amount = price_of(view, side)
    return (UNKNOWN, "dim") if amount is None else rate(amount)


def price_of(view: ModelView, side: str) -> Decimal | None:
    """USD per 1M tokens of one side; None where unknown or without a price per token."""
    known = view.info.price
    amount: Decimal | None = getattr(known, side) if known is not None and not view.own_cost else None
    return amount


def number_of(side: str) -> Callable[[ModelView], float | None]:
    """The same to compare and to order by: thousands of floats take no time."""

    def number(view: ModelView) -> float | None:
        amount = price_of(view, side)
        return None if amount is None else float(amount)

    return number


def standing(view: ModelView) -> tuple[str, Tone]:
    """Whether it can be used now, glyph and word."""
    if not view.available:
        return "✕ gone", "bad"
    if view.info.status == "retired":
        return "✕ retired", "bad"
    if not view.enabled:
        mark = state("off")
        return f"{mark.glyph} off", mark.tone
    if view.info.status == "deprecated":
        return "◐ ending", "warn"
    mark = state("ok")
    return f"{mark.glyph} on", mark.tone


def in_use(view: ModelView) -> bool:
    """False: off, gone or retired."""
    return view.enabled and view.available and view.info.status != "retired"


def price_source(view: ModelView, now: int) -> str:
    """Where the price is from and how old it is: `live 12m`, `catalog 3d`, `yours`; empty without a price."""
    if view.own_cost:
        return "own cost"
    if view.info.price is None:
        return ""
    source = view.info.sources.get("price", "").partition(":")[0]
    if source == "live":
        return f"live {age(view.seen, now)}"
    if source == "refreshed":
        return "refreshed"
    if source == "map":
        return "mapped"
    return "yours" if source in ("user", "typed") else f"catalog {facts_age(now)}"


def facts_age(now: int) -> str:
    """The age of the catalog's facts: `today`, `12d`."""
    from catalog.bundled import facts_date

    then = dt.datetime.fromisoformat(facts_date()).replace(tzinfo=dt.UTC)
    days = int((now / 1000 - then.timestamp()) // 86_400)
    return "today" if days < 1 else f"{days}d"


def _asked(side: str) -> Callable[[ModelView], float | None]:
    """The same as a filter asks for it: `price<1` means also what has no price per token because it is one's own."""
    number = number_of(side)
    return lambda view: 0.0 if view.own_cost else number(view)


def _name(view: ModelView) -> Cell:
    return view.info.id, "strong" if in_use(view) else "dim"


def _can(view: ModelView) -> Cell:
    if not view.chat:
        return ("embed" if "embeddings" in (view.info.capabilities or ()) else "·····"), "dim"
    text = abilities(view)
    return (text, "dim") if text == UNKNOWN else text


def _tokens(count: int | None) -> Cell:
    return (UNKNOWN, "dim") if count is None else tokens(count)


COLUMNS: tuple[Column[ModelView], ...] = (
    Column("state", "state", standing, width=6, max_width=9),
    Column("model", "model", _name, width=18, max_width=60, cut="middle", sort=lambda v: v.info.id),
    Column("input", "$in/1M", lambda v: price(v, "input"), width=7, max_width=9, align="right", priority=1, down=True, sort=number_of("input")),
    Column("output", "$out/1M", lambda v: price(v, "output"), width=7, max_width=9, align="right", priority=1, down=True, sort=number_of("output")),
    Column("context", "context", lambda v: _tokens(v.info.context_window), width=7, align="right", priority=2, down=True, sort=lambda v: v.info.context_window),
    Column("max", "max out", lambda v: _tokens(v.info.max_output), width=7, align="right", priority=4, down=True, sort=lambda v: v.info.max_output),
    Column("can", "can", abilities_in_words, width=5, max_width=33, priority=3, brief=abilities),
)  # fmt: skip
"""The models of one provider."""


def all_columns(known: Known) -> tuple[Column[ModelView], ...]:
    """The models of all providers, with what was measured; a line that is out of use is dim."""

    def ttft(view: ModelView) -> int | None:
        record = known.records.get(view.ref)
        return record.ttft_p50 if record is not None else None

    def speed(view: ModelView) -> float | None:
        record = known.records.get(view.ref)
        return record.tok_per_s if record is not None else None

    def speed_cell(view: ModelView) -> Cell:
        found = speed(view)
        return (UNKNOWN, "dim") if found is None else f"{found:.0f}"

    def ttft_cell(view: ModelView) -> Cell:
        found = ttft(view)
        return (UNKNOWN, "dim") if found is None else millis(found)

    by_key = {column.key: column for column in COLUMNS}
    found: tuple[Column[ModelView], ...] = (
        Column("state", "state", known.standing, width=6, max_width=9),
        replace(by_key["model"], least=26),
        Column("provider", "provider", lambda v: v.provider, width=8, max_width=20, priority=2, cut="middle", sort=lambda v: (v.provider, v.info.id)),
        by_key["input"],
        by_key["output"],
        Column("cached", "$cached", lambda v: price(v, "cache_read"), width=7, max_width=9, align="right", priority=7, down=True, sort=number_of("cache_read")),
        by_key["context"],
        Column("can", "can", _can, width=5, priority=3),
        Column("ttft", "TTFT", ttft_cell, width=6, align="right", priority=4, sort=ttft),
        Column("speed", "tok/s", speed_cell, width=5, align="right", priority=5, down=True, sort=speed),
        replace(by_key["max"], priority=6),
        Column("source", "price from", lambda v: (price_source(v, known.now) or UNKNOWN, "dim"), width=11, max_width=14, priority=8),
    )  # fmt: skip
    return tuple(column if column.key == "state" else _quiet(column, known) for column in found)


def _quiet(column: Column[ModelView], known: Known) -> Column[ModelView]:
    cell = column.cell

    def quiet(view: ModelView) -> Cell:
        found = cell(view)
        if known.usable(view):
            return found
        return found if isinstance(found, str) else found[0], "dim"

    return replace(column, cell=quiet)


def _yes(value: bool) -> tuple[str, ...]:
    return ("yes", "on") if value else ("no", "off")


def _sources(view: ModelView) -> Iterable[str]:
    if view.own_cost:
        return ("own",)
    source = view.info.sources.get("price", "").partition(":")[0] if view.info.price is not None else ""
    return (source or "none",)


FACETS: tuple[Facet[ModelView], ...] = (
    Facet("cap", words=lambda v: v.info.capabilities or ()),
    Facet("sure", words=_surely),
    Facet("price", number=_asked("input")),
    Facet("out", number=_asked("output")),
    Facet("ctx", number=lambda v: v.info.context_window),
    Facet("enabled", words=lambda v: _yes(v.enabled)),
    Facet("available", words=lambda v: _yes(v.available)),
    Facet("chat", words=lambda v: _yes(v.chat)),
    Facet("status", words=lambda v: (v.info.status,) if v.info.status else ()),
    Facet("source", words=_sources),
)
"""What the models of one provider are narrowed by."""


def all_facets(known: Known) -> tuple[Facet[ModelView], ...]:
    """What the models of all providers are narrowed by."""

    def speed(view: ModelView) -> float | None:
        record = known.records.get(view.ref)
        return record.tok_per_s if record is not None else None

    def ttft(view: ModelView) -> float | None:
        record = known.records.get(view.ref)
        return record.ttft_p50 if record is not None else None

    def enabled(view: ModelView) -> tuple[str, ...]:
        return _yes(view.enabled and view.provider not in known.off)

    return (
        Facet("provider", words=lambda v: (v.provider,)),
        *(replace(facet, words=enabled) if facet.name == "enabled" else facet for facet in FACETS),
        Facet("ttft", number=ttft),
        Facet("speed", number=speed),
    )


def search_text(view: ModelView) -> str:
    """What the filter looks in."""
    return f"{view.info.id} {view.info.name or ''} {' '.join(view.info.capabilities or ())}"


def full_search_text(view: ModelView) -> str:
    """The same where the models of many providers stand together."""
    return f"{view.ref} {view.info.name or ''} {' '.join(view.info.capabilities or ())}"


def now_ms() -> int:
    """UTC ms, as the pictures fix it."""
    return int(time.time() * 1000)
