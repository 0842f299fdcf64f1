"""A bill that came as a file, kept beside what the vendors' APIs say, and taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from catalog.money import to_nanos
from catalog.plaintext import one_line
from services.clock import DAY_MS, iso, now_ms

if TYPE_CHECKING:
    from services.bill_file import Bill
    from services.container import Services
    from store.vendor_usage import Kind, VendorRow, VendorUsage

_KINDS: tuple[Kind, ...] = ("usage", "cost")


@dataclass(frozen=True, slots=True)
class Imported:
    """What was taken over."""

    provider: str
    bill: Bill
    usage: int
    costs: int
    """Buckets held of each kind: days that the vendor's own API told already are left out."""


async def import_bill(services: Services, slug: str | None, bill: Bill) -> Imported:
    """Keep what a file says of a provider, in one transaction with its audit row.

    `slug` None: whose bill it is is known where there is one provider, or one of the vendor that the file names.
    """
    from store.vendor_usage import VendorUsage

    services.require_writable()
    if slug is None:
        slug = await _whose(services, bill)
    await services.registry.row(slug)
    held, source = VendorUsage(services.db), f"file:{bill.name}"
    counted: dict[str, int] = {"usage": 0, "cost": 0}
    of_kind = await asyncio.to_thread(_all_rows, slug, source, bill)
    async with services.db.transaction(durable=True) as tx:
        for kind in _KINDS:
            rows = of_kind[kind]
            if rows:
                counted[kind] = await held.replace(tx, slug, source, kind, bill.span, rows)
        detail: dict[str, object] = {
            "file": bill.name, "since": iso(bill.span[0]), "until": iso(bill.span[1]), **counted,
        }  # fmt: skip
        await services.audit.record(tx, "usage.import", slug, detail=detail)
    _tell(services, slug)
    return Imported(slug, bill, counted["usage"], counted["cost"])


async def _whose(services: Services, bill: Bill) -> str:
    """The provider that a bill is of, where only one can be meant."""
    rows = await services.registry.rows()
    fitting = [row.slug for row in rows]
    if bill.vendor is not None and len(rows) > 1:
        fitting = [row.slug for row in rows if bill.vendor in (row.catalog_id, row.dialect)]
    if len(fitting) == 1:
        return fitting[0]
    known = ", ".join(fitting or [row.slug for row in rows][:8])
    raise UsageError(
        f"Whose bill is {bill.name}? It does not say which provider's.",
        hint=f"Name the provider (--provider SLUG): one of: {known}." if known else "Add a provider first.",
    )


async def _held_by(held: VendorUsage, source: str) -> str:
    """The provider that a file was taken in for."""
    found = [
        slug
        for slug in await held.providers()
        if any(one.source == source for one in await held.coverage(slug))
    ]
    if len(found) == 1:
        return found[0]
    name = source.removeprefix("file:")
    if not found:
        raise UsageError(f"No file {name} was taken in.", hint="The name is enough, without its folder.")
    raise UsageError(
        f"The file {name} was taken in for several providers.",
        hint=f"Name the provider (--provider SLUG): one of: {', '.join(found)}.",
    )


async def forget_bill(services: Services, slug: str | None, name: str) -> str:
    """Take back what came from a file; returns the provider that it was taken in for."""
    from store.vendor_usage import VendorUsage

    services.require_writable()
    held, source = VendorUsage(services.db), f"file:{one_line(name, 80)}"
    if slug is None:
        slug = await _held_by(held, source)
    files = sorted({one.source for one in await held.coverage(slug) if one.source.startswith("file:")})
    if source not in files:
        known = ", ".join(file.removeprefix("file:") for file in files) or "none"
        raise UsageError(
            f"No file {one_line(name, 80)} was taken in for {slug}.", hint=f"There are: {known}."
        )
    async with services.db.transaction(durable=True) as tx:
        await held.forget_source(tx, slug, source)
        await services.audit.record(tx, "usage.forget", slug, detail={"file": one_line(name, 80)})
    _tell(services, slug)
    return slug


def _tell(services: Services, slug: str) -> None:
    from services.feed import AccountRead

    services.feed.publish(AccountRead(slug))


def _all_rows(slug: str, source: str, bill: Bill) -> dict[Kind, list[VendorRow]]:
    return {kind: list(_rows(slug, source, kind, bill)) for kind in _KINDS}


def _rows(slug: str, source: str, kind: Kind, bill: Bill) -> Iterator[VendorRow]:
    from store.vendor_usage import VendorRow

    now = now_ms()
    for (start, model, item), day in bill.days.items():
        row = VendorRow(slug, start, kind, model, item, source, start + DAY_MS, fetched_at=now)
        if kind == "usage" and day.figures:
            yield replace(row, **day.figures)  # type: ignore[arg-type]
        elif kind == "cost" and day.cost is not None:
            yield replace(row, cost_nanos=to_nanos(day.cost))
