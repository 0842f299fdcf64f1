"""Which prices of a fetched list are believed: one that makes a paid model free, or is of another order, needs a person's word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from catalog.refreshed import price_order
from catalog.refreshed_genai import Rule, matches, names_of
from catalog.types import Rates

if TYPE_CHECKING:
    from catalog.lookup import Catalog
    from catalog.types import ModelInfo, Price

FAR = Decimal(20)
"""A single price so many times what it was is not believed; real ones move less, and honest lists disagree less."""
JUMP = Decimal(5)
"""A whole list whose prices are mostly so many times what they were looks like a mistake in units."""
_BASE = ("input", "output")
_OTHER = tuple(name for name in Rates.model_fields if name not in _BASE)
_FEE = Decimal(100)
"""USD for 1,000 requests; the dearest known costs a fifth of this."""

Said = Mapping[str, Mapping[str, "ModelInfo"] | list[Rule]]


class Doubt(NamedTuple):
    """A price that was not taken, as JSON values."""

    id: str
    field: str
    old: str
    new: str


class Judged(NamedTuple):
    """A list without the prices that are not believed."""

    vendors: Said
    doubts: dict[str, list[Doubt]]
    compared: int
    """Prices for which there was one before."""
    jumped: int
    """Those of them that are JUMP times as high or low, or free now."""


def judge(catalog: Catalog, source: str, vendors: Said) -> Judged:
    """Hold every price against the one in force, whichever source it is from.

    One that is too far off is replaced by what this source said before, or by nothing: other sources speak then.
    """
    found: dict[str, dict[str, ModelInfo] | list[Rule]] = {}
    doubts: dict[str, list[Doubt]] = {}
    compared = jumped = 0
    for vendor, said in vendors.items():
        entries: list[Rule] = (
            [(None, info) for info in said.values()] if isinstance(said, Mapping) else list(said)
        )
        now = catalog.without_user(vendor, [info.id for _, info in entries])
        before = {name: info.price for name, info in now.items() if info.price}
        order = price_order(vendor)
        stronger = {f"refreshed:{other}" for other in order[: order.index(source)]} if source in order else ()
        kept: list[Rule] = []
        for clause, info in entries:
            name = _known(clause, info.id, before)
            if name is not None and info.price is not None:
                compared += 1
                jumped += any(_far(old, new, JUMP) for _, old, new in _pairs(before[name], info.price))
                if doubt := _doubt(name, before[name], info.price):
                    if now[name].sources.get("price") not in stronger:  # else it would not be in force at all
                        doubts.setdefault(vendor, []).append(doubt)
                    earlier = catalog.refreshed.said(source, vendor, name)
                    info = info.model_copy(update={"price": earlier.price if earlier else None})
            kept.append((clause, info))
        found[vendor] = {info.id: info for _, info in kept} if isinstance(said, Mapping) else kept
    return Judged(found, doubts, compared, jumped)


def _known(clause: object, model: str, before: Mapping[str, Price]) -> str | None:
    """The model whose price is in force now that an entry speaks of; None: a new one."""
    if model in before:
        return model
    if clause is None:
        return None
    names: Iterable[str] | None = names_of(clause)
    if names is None:
        names = (name for name in before if matches(clause, name))
    return next((name for name in names if name in before), None)


def _doubt(model: str, before: Price, after: Price) -> Doubt | None:
    for name, rates in _parts(after):
        for field, old, new in _pairs(before, rates):
            if _far(old, new, FAR):
                return Doubt(model, f"price.{name or field}", str(old), str(new))
        highest = max(before.input or 0, before.output or 0) * FAR
        for field in _OTHER:
            if highest and (getattr(rates, field) or 0) > highest:
                return Doubt(model, f"price.{name or field}", str(highest / FAR), str(getattr(rates, field)))
    fee = after.per_1k_requests or Decimal(0)
    if fee > max(_FEE, (before.per_1k_requests or Decimal(0)) * FAR):
        return Doubt(model, "price.per_1k_requests", str(before.per_1k_requests or 0), str(fee))
    return None


def _parts(price: Price) -> Iterable[tuple[str, Rates]]:
    """The base rates, and all that stand in their place under a condition."""
    yield "", price
    yield from (("tiers", tier) for tier in price.tiers)
    yield from (("scheduled", change) for change in price.scheduled)
    yield from (
        (name, rates) for name in ("batch", "off_peak") if (rates := getattr(price, name)) is not None
    )


def _pairs(before: Rates, after: Rates) -> Iterable[tuple[str, Decimal, Decimal]]:
    for field in _BASE:
        old, new = getattr(before, field), getattr(after, field)
        if old and new is not None:
            yield field, old, new


def _far(old: Decimal, new: Decimal, times: Decimal) -> bool:
    return new > old * times or new * times < old
