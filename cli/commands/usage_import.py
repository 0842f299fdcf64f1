"""`switchroom usage import` and `usage why`: a vendor's bill as a file, and what made a day cost what it did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.session import Session, changes, reads

if TYPE_CHECKING:
    from services.container import Services
    from services.usage_import import Imported
    from services.usage_why import Why


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--provider",
    "slug",
    metavar="SLUG",
    help="Whose bill it is; not needed where there is one provider, or one of the vendor the file names.",
)
@click.option(
    "--unit", type=click.Choice(("usd", "cents")), help="What amounts are in, where the file does not say."
)
@click.option("--forget", is_flag=True, help="Take back what came from a file of this name.")
@changes
def import_command(session: Session, file: Path, slug: str | None, unit: str | None, forget: bool) -> int:
    """Take in a vendor's usage export or bill: CSV, JSON or JSON lines.

    It needs a date, and tokens or a cost. Days of which the vendor's own API told are left as they are; a later
    file takes the place of an earlier one for the days it tells of.
    """

    async def work(services: Services) -> None:
        from services.bill_file import read_bill
        from services.usage_import import forget_bill, import_bill

        if forget:
            whose = await forget_bill(services, slug, file.name)
            document: dict[str, object] = {"provider": whose, "file": file.name, "forgotten": True}
            session.changed(
                document, did=f"Forgot what {file.name} said.", would=f"forget what {file.name} said"
            )
            return
        bill = read_bill(file, unit)  # type: ignore[arg-type]
        done = await import_bill(services, slug, bill)
        words = _words(done)
        session.changed(_document(done), did=f"Took in {words}", would=f"take in {words.rstrip('.')}")

    return session.run(work, asks=False)


def _document(done: Imported) -> dict[str, object]:
    from cli.documents import moment, usd

    first, last = done.bill.span
    return {
        "provider": done.provider,
        "file": done.bill.name,
        "since": moment(first),
        "until": moment(last),
        "lines": done.bill.lines,
        "usage": done.usage,
        "costs": done.costs,
        "cost_usd": usd(done.bill.cost),
        "unit": done.bill.unit,
        "unread": list(done.bill.unread),
        "unread_lines": done.bill.bad,
    }


def _words(done: Imported) -> str:
    from cli.output import count, dollars

    first, last = (_day(at) for at in (done.bill.span[0], done.bill.span[1] - 1))
    cost = "no costs" if done.bill.cost is None else f"{dollars(done.bill.cost)} (read as {done.bill.unit})"
    words = (
        f"{count(done.bill.lines)} lines of {done.bill.name} for {done.provider}, {first} to {last}: {cost}."
    )
    kept = done.usage + done.costs
    if not kept:
        words += " The vendor's own API told of all these days: nothing was added."
    if done.bill.unread:
        words += f" Not read: {'; '.join(done.bill.unread[:3])}" + (
            f" … {count(done.bill.bad)} lines altogether." if done.bill.bad > 3 else "."
        )
    return words


def _day(at: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()


@click.command("why")
@click.option("--day", metavar="D", help="A day, such as 2026-11-20 or yesterday. Without it, today.")
@reads
def why_command(session: Session, day: str | None) -> int:
    """Why a day cost what it did, against the day before as far into it."""

    async def work(services: Services) -> None:
        from services.clock import day_bounds, now_ms, parse_when
        from services.usage_range import custom_range

        now = now_ms()
        since, until = day_bounds(parse_when(day) if day else now)
        found = await services.usage.why(custom_range(since, until, now))
        session.emit(_why_document(found, since, until), lambda: _why_words(found))

    return session.run(work, asks=False)


def _why_document(found: Why, since: int, until: int) -> dict[str, object]:
    from cli.documents import moment, usd

    return {
        "since": moment(since),
        "until": moment(until),
        "delta_usd": usd(found.total),
        "parts": {name: usd(part) for name, part in found.parts.items()},
        "movers": [{"key": key, "delta_usd": usd(amount)} for key, amount in found.movers],
        "unpriced_runs": found.unpriced,
    }


_REASONS = {
    "runs": "more or fewer runs", "prompts": "longer or shorter prompts", "answers": "longer or shorter answers",
    "price": "dearer or cheaper tokens", "mix": "other models",
}  # fmt: skip


def _why_words(found: Why) -> str:
    from cli.commands.usage_billed import signed

    if not found.total and not any(found.parts.values()):
        return "It cost the same as the day before."
    lines = [f"{signed(found.total)} against the day before"]
    parts = sorted(found.parts.items(), key=lambda part: -abs(part[1]))
    lines += [f"  {signed(part)} {_REASONS[name]}" for name, part in parts if part]
    lines += [f"{signed(amount)} {key}" for key, amount in found.movers[:5]]
    if found.unpriced:
        lines.append(f"{found.unpriced} runs have no known price and are not in it.")
    return "\n".join(lines)
