"""What a stored diff says, change by change: prices first, then models that are no longer the same, then the rest."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from catalog.merge import FieldChange
from services.feed import Alert

Kind = Literal["price", "swapped", "changed", "new", "gone"]

_ORDER: tuple[Kind, ...] = ("price", "swapped", "changed", "new", "gone")

IDENTITY = ("created", "fingerprint", "owned_by")
"""Fields that say which model this is. When they change under one name, it is another model."""

_PRICE_WORDS = {
    "input": "in",
    "output": "out",
    "cache_read": "cached",
    "cache_write": "cache write",
    "per_1k_requests": "per 1,000 requests",
}


@dataclass(frozen=True, slots=True)
class SyncChange:
    """One change that a sync found."""

    kind: Kind
    model: str
    field: str = ""
    """Empty for models that are new or gone."""
    old: object = None
    """As JSON has it; None: unknown."""
    new: object = None

    @property
    def rise(self) -> Decimal | None:
        """The change of a price as a share of the old one (0.2: a fifth dearer); None where there is none to tell."""
        if self.kind != "price":
            return None
        old, new = usd(self.old), usd(self.new)
        return None if old is None or new is None or old == 0 else (new - old) / old


def usd(value: object) -> Decimal | None:
    """A price as a diff has it; None for what is unknown or no single amount (tiers)."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def price_word(field: str) -> str:
    """`in`, `out`, `cached` … for a field such as `price.input`."""
    part = field.removeprefix("price.")
    return _PRICE_WORDS.get(part, part.replace("_", " "))


def read_diff(text: str | None) -> list[SyncChange]:
    """The changes of a stored diff; price changes first, the steepest rise first among them."""
    if not text:
        return []
    stored: dict[str, Any] = json.loads(text)
    changes = [SyncChange("new", model) for model in stored.get("added", ())]
    changes += [SyncChange("gone", model) for model in stored.get("removed", ())]
    changes += [
        SyncChange(_kind(entry["field"]), entry["id"], entry["field"], entry["old"], entry["new"])
        for entry in stored.get("updated", ())
    ]
    return sorted(changes, key=_rank)


def _kind(field: str) -> Kind:
    if field.startswith("price"):
        return "price"
    return "swapped" if field in IDENTITY else "changed"


def _rank(change: SyncChange) -> tuple[int, Decimal, str, str]:
    return (_ORDER.index(change.kind), -(change.rise or Decimal(0)), change.model, change.field)


@dataclass(frozen=True, slots=True)
class Rise:
    """A price that went up, of a model that is on."""

    slug: str
    model: str
    field: str
    old: Decimal
    new: Decimal

    @property
    def words(self) -> str:
        share = f" (+{(self.new - self.old) / self.old * 100:.0f} %)" if self.old else ""
        return f"{self.slug}/{self.model} {price_word(self.field)} {price_dollars(self.old)} → {price_dollars(self.new)}{share}"

    @property
    def steepness(self) -> Decimal:
        return (self.new - self.old) / self.old if self.old else Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class Rises:
    """The prices of one provider that went up."""

    steepest: Rise
    models: int


def rises(slug: str, changes: Iterable[FieldChange], enabled: Collection[str]) -> Iterator[Rise]:
    """The prices that went up among these changes, of the models that are on."""
    for change in changes:
        if change.id in enabled and change.field.startswith("price."):
            old, new = usd(change.old), usd(change.new)
            if old is not None and new is not None and new > old:
                yield Rise(slug, change.id, change.field, old, new)


def rise_alert(found: Sequence[Rises]) -> Alert:
    """One alert for all the rises of a sync; the steepest is named."""
    first = max((rises.steepest for rises in found), key=lambda rise: rise.steepness)
    models = sum(rises.models for rises in found)
    more = "" if models == 1 else f", and {models - 1} more model{'s' if models > 2 else ''}"
    return Alert(
        "warning",
        "Dearer since this sync",
        f"{first.words} per 1M tokens{more}.",
        hint=f"4, then enter on {first.slug} shows what changed",
    )


def price_dollars(amount: Decimal) -> str:
    """A price to the last digit: `$2.50`, `$0.00001`."""
    whole, _, fraction = f"{amount.normalize():f}".partition(".")
    return f"${int(whole):,}.{fraction.ljust(2, '0')}"
