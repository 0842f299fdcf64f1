"""`switchroom catalog diff`: what newer facts changed, and what of the user's it affects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cli.session import Session, reads

if TYPE_CHECKING:
    from services.catalog_changes import CatalogChange
    from services.container import Services

MOST_LINES = 60
"""Lines of changes in the text for people, as in `sync`."""


@click.command()
@click.option(
    "--since", metavar="WHEN", default="30d", show_default=True, help="How far back: 7d, 2026-11-01."
)
@click.option(
    "--all", "everything", is_flag=True, help="Every change, of vendors you have no provider of, too."
)
@reads
def diff(session: Session, since: str, everything: bool) -> int:
    """What changed in the catalog, and what it affects: price rises first."""

    async def work(services: Services) -> None:
        from cli import documents
        from services import catalog_changes
        from services.clock import parse_when

        start = parse_when(since)
        found = await catalog_changes.changes(services, start)
        shown = [change for change in found if everything or change.refs]
        document: dict[str, object] = {
            "since": documents.moment(start),
            "changes": [_change_document(change) for change in shown],
            "elsewhere": len(found) - len(shown),
        }
        session.emit(document, lambda: _changes(shown, len(found) - len(shown), everything=everything))

    return session.run(work, asks=False)


def _change_document(change: CatalogChange) -> dict[str, object]:
    from cli import documents

    return {
        "kind": change.kind,
        "vendor": change.vendor,
        "model": change.model,
        "field": change.field or None,
        "old": change.old,
        "new": change.new,
        "rise": None if change.rise is None else f"{change.rise:.4f}",
        "at": documents.moment(change.at),
        "source": change.source or None,
        "shutdown_date": change.ends,
        "days": change.days,
        "refs": list(change.refs),
        "affects": list(change.uses),
        "overruled": dict(change.above),
    }


def _changes(found: Sequence[CatalogChange], elsewhere: int, *, everything: bool) -> str:
    from catalog.plaintext import one_line
    from cli.output import table
    from services.catalog_changes import in_days

    more = f"{elsewhere} more of vendors you have no provider of: --all" if elsewhere else ""
    if not found:
        return f"Nothing changed for your models. {more}".strip()
    rows = []
    for change in found if everything else found[:MOST_LINES]:
        said = (
            change.ends
            if change.kind == "ending"
            else f"{_plain(change.old)} → {_plain(change.new)}"
            if change.field
            else ""
        )
        when = in_days(change.days)
        rows.append(
            (
                change.kind,
                ", ".join(change.refs) or f"{change.vendor}/{change.model}",
                change.field,
                one_line(f"{said or change.new or ''} {when}".strip(), 60),
                "; ".join(
                    [
                        ", ".join(change.uses),
                        *(f"not in force for {ref}: {whose} holds" for ref, whose in change.above),
                    ]
                ).strip("; "),
            )
        )
    text = table(("WHAT", "MODEL", "FIELD", "CHANGE", "AFFECTS"), rows)
    left = len(found) - len(rows)
    cut = f"… and {left:,} further changes (all with --all or --json)" if left else ""
    return "\n".join(part for part in (text, cut, more) if part)


def _plain(value: object) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, list):
        return (
            f"{len(value)} steps"
            if any(isinstance(item, dict) for item in value)
            else ", ".join(map(str, value))
        )
    return "other rates" if isinstance(value, dict) else str(value)
