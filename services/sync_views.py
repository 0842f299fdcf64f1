"""How fresh each provider's model list is, and when it is fetched next: one view for the screen of syncs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.clock import now_ms
from services.schedule import due, next_time

if TYPE_CHECKING:
    from services.container import Services
    from store.providers import ProviderRow
    from store.sync_runs import SyncRunRow


@dataclass(frozen=True, slots=True)
class SyncView:
    """One provider's syncs in short."""

    slug: str
    enabled: bool
    schedule: str
    """As services/schedule.check writes it."""
    last: SyncRunRow | None
    """Without its diff. None: never tried."""
    good: SyncRunRow | None
    """The last that brought a list, without its diff; `last` itself when that one did. None: no list yet."""
    changed: SyncRunRow | None
    """The last that found anything new, changed or gone, without its diff. None: none did."""
    next_at: int | None
    """UTC ms; a moment that has passed means at once. None: not by itself."""

    @property
    def failed(self) -> bool:
        """The last one failed."""
        return self.last is not None and self.last.state == "error"


async def overview(services: Services) -> list[SyncView]:
    """Every provider, in the order of their slugs."""
    from store.sync_runs import SyncRuns

    runs = SyncRuns(services.db)
    rows = await services.registry.rows()
    last, good = await runs.last_by_provider(), await runs.last_good_by_provider()
    changed, now = await runs.last_change_by_provider(), now_ms()
    return [
        SyncView(
            row.slug,
            row.enabled,
            row.auto_sync,
            last.get(row.slug),
            good.get(row.slug),
            changed.get(row.slug),
            _next(row, last.get(row.slug), now) if row.enabled else None,
        )
        for row in rows
    ]


def _next(row: ProviderRow, last: SyncRunRow | None, now: int) -> int | None:
    started = last.started_at if last is not None else None
    if due(row.auto_sync, started, now):
        return now
    return next_time(row.auto_sync, now if started is None else started)
