"""Whether a list that suddenly names far fewer models is believed: at once on a server of one's own, else the second time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from catalog.merge import ModelDiff
from services.merging import is_own_server

if TYPE_CHECKING:
    from store.providers import ProviderRow
    from store.sync_runs import SyncRuns

MANY = 10
"""Of fewer models than this only an empty list is doubted."""
LEFT = 10
"""A list is doubted when at most one model of so many is left."""


async def doubt(
    runs: SyncRuns, row: ProviderRow, before: int, diff: ModelDiff, started: int
) -> SwitchroomError | None:
    """Why this list is not taken over now; None: it is. `before`: models of the last good list.

    An outage that answers with an empty list must not switch off a whole provider; asked a second time, it is true.
    `started`: when this one was asked for; two who ask at the same moment hear it once.
    """
    left = before - len(diff.removed)
    now = left + len(diff.added)
    shrunk = now * LEFT <= before if before >= MANY else now == 0
    if before == 0 or not shrunk or is_own_server(row.endpoint):
        return None
    if await runs.refused(row.slug, started):
        return None
    return _doubted(row.slug, before, now)


def _doubted(slug: str, before: int, now: int) -> SwitchroomError:
    from adapters.errors import UnexpectedResponseError

    listed = "no models" if now == 0 else "one model" if now == 1 else f"only {now:,} models"
    return UnexpectedResponseError(
        f"{slug} suddenly lists {listed} instead of {before:,}; the list from before stays.",
        hint="Sync again: said twice, it is believed.",
        title="Hard to believe",
        provider=slug,
        status=200,
    )
