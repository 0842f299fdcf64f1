"""Which providers are to be synced by themselves now, and that only one of several programs does it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from services.clock import MINUTE_MS, now_ms
from services.schedule import clock_was_ahead, due
from services.schedule_claims import claim, release

if TYPE_CHECKING:
    from services.container import Services
    from store.db import Tx
    from store.providers import ProviderRow

FRESH_MS = MINUTE_MS
"""A list fetched less than this ago, by whichever program, is not fetched again because one starts."""
TRIED_MS = 10_000
"""The same for one that could not be fetched: whoever starts the program anew may have mended what was wrong."""


async def take(services: Services, rows: Sequence[ProviderRow], *, starting: Collection[str]) -> list[str]:
    """Those of these providers whose time has come, claimed for this process; say `done` when they are synced.

    `starting`: the slugs of those that this start still owes a sync.
    """
    from store.sync_runs import SyncRuns

    runs = SyncRuns(services.db)
    now, last = now_ms(), await runs.last_starts()
    if not (wanted := [row for row in rows if _wants(row, last.get(row.slug), now, starting)]):
        return []
    async with services.db.transaction() as tx:
        last, now = await runs.last_starts(tx), now_ms()  # another program may have been quicker
        return [row.slug for row in wanted if await _taken(tx, row, last.get(row.slug), now, starting)]


async def _taken(
    tx: Tx, row: ProviderRow, last: tuple[int, str] | None, now: int, starting: Collection[str]
) -> bool:
    return _wants(row, last, now, starting) and await claim(tx, row.slug, now)


async def done(services: Services, slugs: Sequence[str]) -> None:
    """Give the claims back."""
    if slugs:
        await release(services.db, slugs)


def _wants(row: ProviderRow, last: tuple[int, str] | None, now: int, starting: Collection[str]) -> bool:
    """`last`: when its last sync began, and how it ended."""
    began = None if last is None or clock_was_ahead(last[0], now) else last[0]
    if row.slug in starting:
        return began is None or now - began >= (FRESH_MS if last and last[1] == "ok" else TRIED_MS)
    return due(row.auto_sync, began, now)
