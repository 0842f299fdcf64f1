"""What a sync changed, in words: `price in $2.50 → $3.00 (+20 %)`, `now also vision`, and what that touches."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from catalog.plaintext import one_line
from tui.formatting import UNKNOWN, StateMark, count, rate, tokens, whole
from tui.widgets.columns import Cell, Column
from tui.widgets.facets import Facet
from tui.widgets.note import Part

if TYPE_CHECKING:
    from services.dependents import Affected
    from services.sync_diff import SyncChange

_PARTS = {"input": "in", "output": "out", "cache_read": "cached", "cache_write": "cache write", "per_1k_requests": "per 1,000 requests"}  # fmt: skip
_FIELDS = {
    "context_window": "context", "max_output": "max out", "max_input": "max in", "shutdown_date": "shut down on",
    "owned_by": "owner", "created": "made on", "fingerprint": "weights",
}  # fmt: skip
_TOKENS = frozenset({"context_window", "max_output", "max_input", "default_max_tokens"})


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One row: a change, and what rests on its model."""

    change: SyncChange
    uses: tuple[str, ...] = ()
    """In words; empty: nothing does."""
    off: bool = False
    """The model is switched off."""

    @property
    def key(self) -> str:
        return f"{self.change.kind} {self.change.model} {self.change.field}"


def lines(changes: list[SyncChange], touched: Affected) -> list[ChangeLine]:
    """The rows of a diff, in its order."""
    return [
        ChangeLine(change, touched.models.get(change.model, ()), change.model in touched.off)
        for change in changes
    ]


def mark(change: SyncChange) -> StateMark:
    """What kind of change it is: glyph and word."""
    if change.kind == "price":
        old, new = _usd(change.old), _usd(change.new)
        if old is None or new is None or old == new:
            return StateMark("•", "price", "accent")
        return StateMark("▲", "dearer", "bad") if new > old else StateMark("▼", "cheaper", "ok")
    return {
        "swapped": StateMark("!", "other model", "warn"),
        "new": StateMark("+", "new", "ok"),
        "gone": StateMark("-", "gone", "warn"),
    }.get(change.kind, StateMark("•", "changed", ""))


def field_word(change: SyncChange) -> str:
    """`price in`, `context`, `capabilities`; empty for models that are new or gone."""
    if change.kind == "price":
        part = change.field.removeprefix("price.")
        return f"price {_PARTS.get(part, part.replace('_', ' '))}"
    return _FIELDS.get(change.field) or one_line(change.field.replace("_", " "), 40)


def old_new(change: SyncChange) -> str:
    """Before → after; of lists only what came and what went."""
    if change.kind in ("new", "gone"):
        return ""
    if change.kind == "price":
        return _price(change)
    if isinstance(change.old, list) and isinstance(change.new, list):
        return _lists(change.old, change.new)
    return f"{_value(change.field, change.old)} → {_value(change.field, change.new)}"


def _price(change: SyncChange) -> str:
    old, new = _usd(change.old), _usd(change.new)
    if old is None and new is None:
        return f"{_rule(change.old)} → {_rule(change.new)}"
    return f"{rate(old)} → {rate(new)}{_percent(change.rise)}"


def _percent(rise: Decimal | None) -> str:
    if rise is None or rise == 0:
        return ""
    digits = 0 if abs(rise) >= Decimal("0.01") else 2
    return f" ({rise * 100:+.{digits}f} %)"


def _rule(value: object) -> str:
    """Tiers, batch and off-peak prices are rules: the model's page has them whole."""
    return "none" if not value else count(len(value), "step") if isinstance(value, list) else "other rates"


def _lists(old: list[Any], new: list[Any]) -> str:
    came = [one_line(str(item), 40) for item in new if item not in old]
    went = [one_line(str(item), 40) for item in old if item not in new]
    parts = [f"now also {', '.join(came)}" if came else "", f"no longer {', '.join(went)}" if went else ""]
    return ", ".join(part for part in parts if part) or "in another order"


def _value(field: str, value: object) -> str:
    if value is None or value == []:
        return UNKNOWN
    if field == "created" and isinstance(value, int):
        return f"{dt.datetime.fromtimestamp(value).astimezone():%Y-%m-%d %H:%M}"
    if field in _TOKENS and isinstance(value, int):
        return tokens(value)
    if isinstance(value, list):
        return one_line(", ".join(str(item) for item in value), 120)
    return one_line(str(value), 120)


def _usd(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _kind(line: ChangeLine) -> Cell:
    found = mark(line.change)
    return str(found), found.tone


def _uses(line: ChangeLine) -> Cell:
    words = ["switched off"] if line.off else []
    return ", ".join([*words, *line.uses]), "" if line.uses else "dim"


COLUMNS: tuple[Column[ChangeLine], ...] = (
    Column("kind", "what", _kind, width=9, max_width=13, sort=lambda line: mark(line.change).word),
    Column("model", "model", lambda line: (one_line(line.change.model), "strong"), width=18, max_width=44, least=16, cut="middle", sort=lambda line: line.change.model),
    Column("field", "field", lambda line: field_word(line.change), width=8, max_width=14, priority=1),
    Column("change", "before → after", lambda line: old_new(line.change), width=24, max_width=46, least=22, flex=1),
    Column("uses", "affects", _uses, width=12, max_width=60, flex=1, priority=2, optional=True),
)  # fmt: skip

FACETS: tuple[Facet[ChangeLine], ...] = (
    Facet("what", words=lambda line: (mark(line.change).word, line.change.kind)),
    Facet("field", words=lambda line: (field_word(line.change), *field_word(line.change).split())),
    Facet("rise", number=lambda line: None if line.change.rise is None else float(line.change.rise * 100)),
)


def search_text(line: ChangeLine) -> str:
    """What the filter looks in."""
    change = line.change
    return f"{mark(change).word} {change.model} {field_word(change)} {old_new(change)} {' '.join(line.uses)}"


def explained(line: ChangeLine, limits: tuple[str, ...]) -> list[Part]:
    """The change under the cursor in sentences, and what it touches."""
    change = line.change
    parts: list[Part] = [(one_line(change.model), "strong"), (f" {_said(change)}", "")]
    if line.off:
        parts.append(("\nIt is switched off: nothing uses it.", "dim"))
    elif line.uses:
        parts.append(
            (f"\nAffects: {', '.join(line.uses)}.", "warn" if change.kind in ("gone", "swapped") else "")
        )
    else:
        parts.append(("\nNo default and no conversation uses it.", "dim"))
    if limits and change.kind == "price":
        parts.append(
            (
                f" Its cost counts against the {', '.join(word.removeprefix('the ') for word in limits)}.",
                "dim",
            )
        )
    return parts


def _said(change: SyncChange) -> str:
    if change.kind == "new":
        return "is new in the list."
    if change.kind == "gone":
        return "is no longer in the list. What it cost stays recorded."
    if change.kind == "swapped":
        return f"has the same name, but is a different model: {field_word(change)} {old_new(change)}."
    if change.kind == "price":
        unit = "" if change.field.startswith("price.per_") else " per 1M tokens"
        return f"{mark(change).word}: {field_word(change)} {old_new(change)}{unit}."
    return f"has another {field_word(change)}: {old_new(change)}."


def summary(changes: list[SyncChange]) -> str:
    """`2 dearer, 1 cheaper, 3 new, 1 gone`, counted by models."""
    models: dict[str, set[str]] = {
        word: set() for word in ("dearer", "cheaper", "price", "other model", "changed", "new", "gone")
    }
    for change in changes:
        models[mark(change).word].add(change.model)
    return ", ".join(f"{whole(len(some))} {word}" for word, some in models.items() if some) or "nothing"
