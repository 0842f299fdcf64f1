"""`switchroom audit`: who changed what, and whether the record is whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.lazy import Nouns
from cli.session import Session, changes, reads

if TYPE_CHECKING:
    from services.container import Services
    from store.audit import AuditRow

BROKEN = 7


@click.group(cls=Nouns)
def command() -> None:
    """Who changed what; check that the record is whole."""


@command.command("list")
@click.option("--since", metavar="SPAN", help="From then on: 7d, 24h, 2026-11-01.")
@click.option("--action", metavar="NAME", help="Only this action, such as provider.add.")
@click.option("--subject", metavar="NAME", help="Only what was done to this provider, model or limit.")
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=200, show_default=True, help="How many rows."
)
@reads
def list_audit(
    session: Session, since: str | None, action: str | None, subject: str | None, limit: int
) -> int:
    """The newest entries first."""
    from services.clock import parse_when

    start = parse_when(since) if since is not None else None

    async def work(services: Services) -> None:
        from services.audit import document

        rows = await services.audit.list(since=start, action=action, subject=subject, limit=limit)
        session.emit({"rows": [document(row) for row in rows]}, lambda: _table(rows))

    return session.run(work, asks=False)


def _table(rows: Sequence[AuditRow]) -> str:
    from cli.documents import moment
    from cli.output import table

    if not rows:
        return "No entries."
    titles = ("ID", "AT", "ACTOR", "ACTION", "SUBJECT", "RESULT", "REASON")
    return table(
        titles,
        [
            (
                str(row.id),
                moment(row.at) or "",
                row.actor,
                row.action,
                row.subject,
                row.result,
                row.reason or "",
            )
            for row in rows
        ],
        right=("ID",),
    )


@command.command("verify")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@reads
def verify_audit(session: Session, file: Path | None) -> int:
    """Check the whole chain, or an exported FILE; exit 7 when it is broken."""
    if file is not None and not file.is_file():
        raise click.UsageError(f"There is no file {file}.")

    async def work(services: Services) -> int:
        from cli.failures import complain

        audit = services.audit
        result = await audit.verify() if file is None else audit.verify_file(file)
        session.emit(
            {"rows": result.rows, "intact": result.intact, "first_broken": result.first_broken},
            lambda: (
                f"{result.rows:,} entries, all intact."
                if result.intact
                else f"BROKEN: entry {result.first_broken} is the first of {result.rows:,} that was changed."
            ),
        )
        if result.intact:
            return 0
        complain(f"The audit log was changed: entry {result.first_broken} is the first that does not fit.")
        return BROKEN

    return session.run(work, asks=False)


@command.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@changes
def export_audit(session: Session, file: Path) -> int:
    """Write every entry to FILE, oldest first, one JSON document a line."""

    async def work(services: Services) -> None:
        if session.dry_run:
            rows = len(await services.audit.list(limit=1_000_000_000))
        else:
            rows = await services.audit.export(file)
        session.changed(
            {"file": str(file), "rows": rows},
            did=f"Wrote {rows:,} entries to {file}.",
            would=f"write {rows:,} entries to {file}",
        )

    return session.run(work, asks=False)
