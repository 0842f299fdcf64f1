"""A bill that came as a file, kept beside what the vendors' APIs say, and taken back."""

from __future__ import annotations

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
    from store.vendor_usage import Kind, VendorRow


@dataclass(frozen=True, slots=True)
class Imported:
    """What was taken over."""

    provider: str
    bill: Bill
    usage: int
    costs: int
    """Buckets held of each kind: days that the vendor's own API told already are left out."""


async def import_bill(services: Services, slug: str, bill: Bill) -> Imported:
    """Keep what a file says of a provider, in one transaction with its audit row."""
    from store.vendor_usage import VendorUsage

    services.require_writable()
    await services.registry.row(slug)
    held, source = VendorUsage(services.db), f"file:{bill.name}"
    counted: dict[str, int] = {"usage": 0, "cost": 0}
    async with services.db.transaction(durable=True) as tx:
        for kind in ("usage", "cost"):
            rows = list(_rows(slug, source, kind, bill))
            if rows:
                counted[kind] = await held.replace(tx, slug, source, kind, bill.span, rows)
        detail: dict[str, object] = {
            "file": bill.name, "since": iso(bill.span[0]), "until": iso(bill.span[1]), **counted,
        }  # fmt: skip
        await services.audit.record(tx, "usage.import", slug, detail=detail)
    _tell(services, slug)
    return Imported(slug, bill, counted["usage"], counted["cost"])


async def forget_bill(services: Services, slug: str, name: str) -> None:
    """Take back what came from a file."""
    from store.vendor_usage import VendorUsage

    services.require_writable()
    held, source = VendorUsage(services.db), f"file:{one_line(name, 80)}"
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


def _tell(services: Services, slug: str) -> None:
    from services.feed import AccountRead

    services.feed.publish(AccountRead(slug))


def _rows(slug: str, source: str, kind: Kind, bill: Bill) -> Iterator[VendorRow]:
    from store.vendor_usage import VendorRow

    now = now_ms()
    for (start, model, item), day in bill.days.items():
        row = VendorRow(slug, start, kind, model, item, source, start + DAY_MS, fetched_at=now)
        if kind == "usage" and day.figures:
            yield replace(row, **day.figures)  # type: ignore[arg-type]
        elif kind == "cost" and day.cost is not None:
            yield replace(row, cost_nanos=to_nanos(day.cost))
