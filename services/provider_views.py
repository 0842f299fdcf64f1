"""What a face shows of a provider: its row with counts, last sync, money and speed beside it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from catalog.money import from_nanos
from services.clock import DAY_MS, month_bounds, now_ms
from services.entra import wants_sign_in

if TYPE_CHECKING:
    from services.container import Services
    from store.providers import ProviderRow
    from store.sync_runs import SyncRunRow

RECENT_MS = 30 * DAY_MS


@dataclass(frozen=True, slots=True)
class ProviderView:
    """A provider as it is listed."""

    row: ProviderRow
    state: str
    """adapters.base.ProviderState; `off` while disabled, `offline` while out of reach by choice."""
    state_word: str
    """The state in words: `invalid key`."""
    key_label: str
    """`keyring …vX2Q`, `env OPENAI_API_KEY`, `none needed`."""
    models_enabled: int
    models_total: int
    last_sync: SyncRunRow | None
    """None: never synced."""
    spend_month: Decimal | None
    """USD this calendar month; None: nothing with a known cost."""
    ttft_p50: int | None
    """Milliseconds, over 30 days."""
    ttft_p95: int | None
    error_share: float | None
    """Failed runs of all runs, over 30 days; None: no runs."""
    runs_30d: int


@dataclass(frozen=True, slots=True)
class _Figures:
    spend: Decimal | None = None
    ttft_p50: int | None = None
    ttft_p95: int | None = None
    error_share: float | None = None
    runs: int = 0


async def views(services: Services, rows: list[ProviderRow]) -> list[ProviderView]:
    """The views of these rows, with one query a subject for all of them."""
    from store.models import Models
    from store.sync_runs import SyncRuns

    counts = await Models(services.db).counts()
    synced = await SyncRuns(services.db).last_by_provider()
    figures = await _figures(services)
    return [
        _view(
            services,
            row,
            counts.get(row.slug, (0, 0)),
            synced.get(row.slug),
            figures.get(row.slug, _Figures()),
        )
        for row in rows
    ]


def new_view(services: Services, row: ProviderRow) -> ProviderView:
    """The view of a row that has no history yet."""
    return _view(services, row, (0, 0), None, _Figures())


def state_of(services: Services, row: ProviderRow) -> str:
    """The state to show: what the user chose comes before what was last seen."""
    if not row.enabled:
        return "off"
    if row.dialect != "fake" and not services.offline.reaches(urlsplit(row.endpoint).hostname or ""):
        return "offline"
    return row.state


def key_label(row: ProviderRow) -> str:
    """Where the key is, as it is shown."""
    if row.key_ref is None and wants_sign_in(row):
        return "sign-in needed" if row.sign_in_ref is None else f"sign-in {row.sign_in_ref.partition(':')[0]}"
    if row.key_ref is None:
        return "none needed"
    kind, _, name = row.key_ref.partition(":")
    return f"env {name}" if kind == "env" else f"{kind} …{row.key_last4 or ''}"


async def _figures(services: Services) -> dict[str, _Figures]:
    from store.rollups import Rollups

    rollups = Rollups(services.db)
    now = now_ms()
    bounds = month_bounds(now)
    month = {row.key: row for row in await rollups.totals(*bounds, "provider")}
    recent = {row.key: row for row in await rollups.totals(now - RECENT_MS, now + 1, "provider")}
    speed = await rollups.percentiles(now - RECENT_MS, now + 1, "provider")
    figures = {}
    for slug in {*month, *recent}:
        spent, runs, ttft = month.get(slug), recent.get(slug), speed.get(slug)
        spend = None if spent is None else from_nanos(spent.cost_nanos)
        if spend == 0:  # free, or is it only that nothing has a price?
            spend = await services.usage.spent(*bounds, provider=slug)
        figures[slug] = _Figures(
            spend=spend,
            ttft_p50=ttft.ttft_p50 if ttft else None,
            ttft_p95=ttft.ttft_p95 if ttft else None,
            error_share=runs.failed_runs / runs.runs if runs is not None and runs.runs else None,
            runs=runs.runs if runs else 0,
        )
    return figures


def _view(
    services: Services,
    row: ProviderRow,
    count: tuple[int, int],
    last_sync: SyncRunRow | None,
    figures: _Figures,
) -> ProviderView:
    state = state_of(services, row)
    return ProviderView(
        row=row,
        state=state,
        state_word=state.replace("_", " "),
        key_label=key_label(row),
        models_enabled=count[0],
        models_total=count[1],
        last_sync=last_sync,
        spend_month=figures.spend,
        ttft_p50=figures.ttft_p50,
        ttft_p95=figures.ttft_p95,
        error_share=figures.error_share,
        runs_30d=figures.runs,
    )
