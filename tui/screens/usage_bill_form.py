"""Taking in a vendor's bill as a file: whose it is, where it lies, and what was read of it before it is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from tui.formatting import cents, count
from tui.modals.form import Field, Form

if TYPE_CHECKING:
    from services.bill_file import Bill
    from tui.app import SwitchroomApp

_DETAIL = "CSV, JSON or JSON lines, as the vendor exports it: a date, and tokens or a cost. Days the vendor's own API told stay as they are."


async def take_bill(app: SwitchroomApp) -> None:
    """Ask for provider and file; a form that is refused comes back with what was typed."""
    slugs = [row.slug for row in await app.services.registry.rows()]
    slug, path, unit = (slugs[0] if len(slugs) == 1 else ""), "", ""
    while True:
        fields = [
            Field("slug", "provider", slug, "as the file says, or one of: " + (", ".join(slugs[:6]) or "none yet"), lambda t: None if t.strip() in ("", *slugs) else "one of the providers, or empty"),
            Field("path", "file", path, "~/Downloads/usage.csv", lambda t: None if t.strip() else "a file is needed"),
            Field("unit", "amounts in", unit, "as the file says; usd or cents", lambda t: None if t.strip() in ("", "usd", "cents") else "usd, cents, or empty"),
        ]  # fmt: skip
        values = await app.push_screen_wait(Form("Take in a bill", fields, _DETAIL, keep="take in"))
        if values is None:
            return
        slug, path, unit = values["slug"], values["path"], values["unit"]
        try:
            await _keep(app, slug, path, unit)
        except SwitchroomError as error:
            app.tell_error(error)
            continue
        return


async def _keep(app: SwitchroomApp, slug: str, path: str, unit: str) -> None:
    import asyncio

    from services.bill_file import read_bill
    from services.usage_import import import_bill

    def read() -> Bill:
        return read_bill(Path(path).expanduser(), unit or None)  # type: ignore[arg-type]

    bill = await asyncio.to_thread(read)
    done = await import_bill(app.services, slug.strip() or None, bill)
    app.tell(
        f"{_words(bill)} of {done.provider} taken in.", hint="{5:mode.usage} and {f:usage.source} compare it"
    )


def _words(bill: Bill) -> str:
    first, last = bill.span
    cost = "" if bill.cost is None else f", {cents(bill.cost)}"
    unread = f", {count(bill.bad, 'line')} not read" if bill.bad else ""
    days = " to ".join(dict.fromkeys((_day(first), _day(last - 1))))
    return f"{count(bill.lines, 'line')}, {days}{cost}{unread},"


def _day(at: int) -> str:
    """A UTC day, as the vendor means it."""
    day = datetime.fromtimestamp(at / 1000, UTC)
    return f"{day.day} {day:%b}"
