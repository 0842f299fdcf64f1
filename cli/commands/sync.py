"""`switchroom sync`: ask the providers which models they have, and show what changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cli.session import Session, changes

if TYPE_CHECKING:
    from services.container import Services
    from services.feed import FeedEvent
    from services.sync import SyncResult

FAILED = 5
"""Any provider failed, whatever the reason; all were tried."""


MOST_LINES = 60
"""Lines of changes in the text for people."""


@click.command()
@click.argument("slugs", nargs=-1, metavar="[SLUG …]")
@click.option("--all", "everyone", is_flag=True, help="All enabled providers; the same as naming none.")
@changes
def command(session: Session, slugs: tuple[str, ...], everyone: bool) -> int:
    """Ask the providers which models they have.

    Progress goes to standard error, the result with what changed to standard output.
    """
    if slugs and everyone:
        raise click.UsageError("Name providers or say --all, not both.")

    async def work(services: Services) -> int:
        from cli import documents
        from services.feed import SyncEnded, SyncProgress

        if not session.json:
            services.feed.subscribe(_Told(), SyncEnded, SyncProgress)
        results = await services.sync.sync(list(dict.fromkeys(slugs)) or None)
        document: dict[str, object] = {"providers": [documents.sync(result) for result in results]}
        if session.dry_run:
            document["dry_run"] = True
        session.emit(document, lambda: _text(results, session.dry_run))
        return _verdict(results)

    return session.run(work)


def _verdict(results: Sequence[SyncResult]) -> int:
    from cli.failures import complain, say

    failed = [result for result in results if result.error is not None]
    if len(failed) == 1 and failed[0].error is not None:
        say(failed[0].error)
    elif failed:
        slugs = ", ".join(result.slug for result in failed)
        complain(f"{len(failed)} of {len(results)} providers could not be synced: {slugs}.")
    return FAILED if failed else 0


class _Told:
    """One line a provider as each ends, and one where something is tried again: 30 of them stay readable."""

    def __init__(self) -> None:
        self._done = self._total = 0

    def __call__(self, event: FeedEvent) -> None:
        from cli.output import note
        from services.feed import SyncEnded, SyncProgress

        if isinstance(event, SyncProgress):
            self._done, self._total = event.done, event.total
            if event.phase == "retrying":
                note(f"{event.provider}: trying again")
        elif isinstance(event, SyncEnded):
            width = len(str(self._total))
            note(f"{self._done:{width}}/{self._total} {event.result.slug}: {_ended(event.result)}")


def _ended(result: SyncResult) -> str:
    if result.error is not None:
        return "failed"
    models = f"{result.total:,} model{'' if result.total == 1 else 's'}"
    if not result.listed:
        return f"has no list, {models} from the catalog"
    counts = ((result.added, "new"), (result.updated, "changed"), (result.removed, "gone"))
    return ", ".join([models, *(f"{number:,} {word}" for number, word in counts if number)])


def _text(results: Sequence[SyncResult], dry_run: bool) -> str:
    from cli.output import table

    if not results:
        return "No enabled providers. Connect one: switchroom providers add --help"
    rows = [
        (
            result.slug,
            result.state,
            str(result.total),
            str(result.added),
            str(result.updated),
            str(result.removed),
            f"{result.duration_ms} ms",
            _remark(result),
        )
        for result in results
    ]
    titles = ("PROVIDER", "STATE", "MODELS", "ADDED", "UPDATED", "REMOVED", "TOOK", "NOTE")
    parts = [table(titles, rows, right=titles[2:7])]
    changed = [line for result in results for line in _changes(result)]
    parts += changed[:MOST_LINES]
    if len(changed) > MOST_LINES:
        parts.append(f"… and {len(changed) - MOST_LINES} further lines of changes (all with --json)")
    if dry_run:
        parts.append("Nothing was changed.")
    return "\n".join(parts)


def _remark(result: SyncResult) -> str:
    from cli.failures import document

    if result.error is not None:
        return str(document(result.error)["message"])
    return "" if result.listed else "has no list of models: the catalog's are used"


def _changes(result: SyncResult) -> list[str]:
    """What changed, in words; long lists of new and gone models are counted, not named."""
    from catalog.plaintext import one_line
    from cli import documents

    diff = result.diff
    lines = []
    for word, ids in (("new", diff.added), ("gone", diff.removed)):
        if 0 < len(ids) <= 10:
            lines.append(f"{result.slug}: {word}: {', '.join(one_line(model) for model in ids)}")
    for change in diff.updated[:20]:
        old, new = documents.field_value(change.old), documents.field_value(change.new)
        lines.append(one_line(f"{result.slug}: {change.id}: {change.field}: {old} → {new}", 300))
    if len(diff.updated) > 20:
        lines.append(f"{result.slug}: and {len(diff.updated) - 20} further changes (all with --json)")
    return lines
