"""How fresh each provider's model list is, and when it is fetched next: one view for the screen of syncs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.clock import now_ms
from services.schedule import due, next_time
from services.sync_diff import read_diff

if TYPE_CHECKING:
    from services.container import Services
    from store.providers import ProviderRow
    from store.sync_runs import SyncRunRow, SyncRuns


@dataclass(frozen=True, slots=True)
class PriceChange:
    """When a sync found other prices than before, and which way they went."""

    at: int
    """UTC ms."""
    rose: bool
    """At least one went up."""
    fell: bool
    """At least one went down."""


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
    price: PriceChange | None = None
    """The last change of a price that a sync found. None: none did."""

    @property
    def failed(self) -> bool:
        """The last one failed."""
        return self.last is not None and self.last.state == "error"


class PriceChanges:
    """The last price change of each provider; its syncs are looked through again only after one changed something."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int | None, PriceChange | None]] = {}
        """Provider → the last run that changed anything when this was read, and what was found."""

    async def last(self, runs: SyncRuns, changed: SyncRunRow | None) -> PriceChange | None:
        """Of the provider whose last run that changed anything is this one."""
        if changed is None:
            return None
        known = self._known.get(changed.provider)
        if known is None or known[0] != changed.id:
            found = await runs.last_price_change(changed.provider)
            known = (changed.id, None if found is None else price_change(found))
            self._known[changed.provider] = known
        return known[1]


def price_change(run: SyncRunRow) -> PriceChange:
    """Which way the prices went in a run that found some changed."""
    shares = [change.rise for change in read_diff(run.diff_json) if change.rise is not None]
    return PriceChange(run.started_at, any(share > 0 for share in shares), any(share < 0 for share in shares))


async def overview(services: Services, prices: PriceChanges) -> list[SyncView]:
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
            await prices.last(runs, changed.get(row.slug)),
        )
        for row in rows
    ]


def _next(row: ProviderRow, last: SyncRunRow | None, now: int) -> int | None:
    started = last.started_at if last is not None else None
    if due(row.auto_sync, started, now):
        return now
    return next_time(row.auto_sync, now if started is None else started)
