"""What is kept of a sync: the new list when it is believed, else the last good one with the error beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from catalog.errors import NotFoundError, SwitchroomError, UsageError
from catalog.merge import ModelDiff
from services.clock import now_ms
from services.merging import live_counts
from services.sync_belief import doubt
from services.sync_rows import SyncResult, compared, dearer, model_rows, run_row

if TYPE_CHECKING:
    from adapters.base import RemoteModel
    from services.container import Services
    from store.db import Tx
    from store.models import Models
    from store.providers import ProviderRow
    from store.sync_runs import SyncRunRow, SyncRuns

_SOURCE = ("endpoint", "dialect", "catalog_id", "key_ref", "options", "headers", "secret_headers")
"""What decides which list a provider gives: when one of them was edited meanwhile, this list is another's."""


class Keeper:
    """Writes what came of a sync: models, run and audit row together, then the provider's state."""

    def __init__(self, services: Services, models: Models, runs: SyncRuns, turn: asyncio.Lock) -> None:
        self._services, self._models, self._runs = services, models, runs
        self._turn = turn
        """Lists are compared one at a time, so that many together do not stall the screen."""

    async def keep(self, row: ProviderRow, remote: Sequence[RemoteModel], attempt: Attempt) -> SyncResult:
        """Take the list over. When another program did so since it was compared, it is compared anew."""
        while True:
            seen = await self._runs.newest(row.slug)
            stored = await self._models.list(row.slug)
            async with self._turn:
                rows = await model_rows(row.slug, remote, stored, now_ms())
                diff = await compared(stored, rows)
            before = sum(1 for model in stored if model.available and model.last_seen)
            if (error := await doubt(self._runs, row, before, diff, attempt.started)) is not None:
                return await self.failed(row, error, attempt, diff)
            result = SyncResult(
                row.slug,
                "ok",
                total=len(rows),
                added=len(diff.added),
                updated=len({change.id for change in diff.updated}),
                removed=len(diff.removed),
                duration_ms=attempt.milliseconds,
                error=None,
                diff=diff,
                rises=await dearer(
                    row.slug, diff, {m.id for m in stored if m.enabled and live_counts(row, m)}
                ),
            )
            run = await run_row(result, attempt.started)
            async with self._services.db.transaction() as tx:
                await self._same(row, tx)
                if await self._runs.newest(row.slug, tx) != seen:
                    continue
                await self._models.replace_live(tx, row.slug, rows)
                await self._record(tx, result, run)
            await self._services.registry.note(row.slug, None)
            return result

    async def unlisted(self, row: ProviderRow, attempt: Attempt) -> SyncResult:
        """It works and has no list: that is no error, the catalog's models count."""
        known = self._services.catalog.provider(row.catalog_id)
        total = len(known.models) if known is not None else 0
        result = SyncResult(
            row.slug, "ok", total, 0, 0, 0, attempt.milliseconds, None, ModelDiff(), listed=False
        )
        run = await run_row(result, attempt.started)
        async with self._services.db.transaction() as tx:
            await self._same(row, tx)
            await self._record(tx, result, run)
        await self._services.registry.note(row.slug, None)
        return result

    async def failed(
        self, row: ProviderRow, error: SwitchroomError, attempt: Attempt, refused: ModelDiff | None = None
    ) -> SyncResult:
        """Keep the last good list, and the error beside it."""
        error.provider = error.provider or row.slug
        kept, _ = await self._models.listed(row.slug)
        result = SyncResult(
            row.slug, "error", kept, 0, 0, 0, attempt.milliseconds, error, ModelDiff(), refused=refused
        )
        run = await run_row(result, attempt.started)
        same = False
        async with self._services.db.transaction() as tx:
            if (now := await self._services.registry.find(row.slug, tx)) is not None:
                same = _same_source(row, now)
                await self._record(tx, result, run)
        if same:  # what was wrong with the address of before says nothing of the one of now
            await self._services.registry.note(row.slug, error)
        return result

    async def _same(self, row: ProviderRow, tx: Tx) -> None:
        """Raise unless the provider is still there and still the one that was asked."""
        now = await self._services.registry.find(row.slug, tx)
        if now is None:
            raise NotFoundError(
                f"{row.slug} was deleted while its models were fetched.", hint="Nothing of it was kept."
            )
        if not _same_source(row, now):
            raise UsageError(
                f"{row.slug} was edited while its models were fetched; the list from before stays.",
                hint="Sync it again.",
                title="Edited meanwhile",
            )

    async def _record(self, tx: Tx, result: SyncResult, run: SyncRunRow) -> None:
        await self._runs.insert(tx, run)
        if not self._services.settings.audit.interactions and result.diff.empty:
            return
        counts = {"total": run.total, "added": run.added, "updated": run.updated, "removed": run.removed}
        detail = {**counts, "duration_ms": run.duration_ms, "error": run.error_code}
        await self._services.audit.record(
            tx, "provider.sync", result.slug, result=run.error_code or "ok", detail=detail
        )


def _same_source(row: ProviderRow, now: ProviderRow) -> bool:
    return all(getattr(row, name) == getattr(now, name) for name in _SOURCE)


@dataclass(slots=True)
class Attempt:
    """One provider's sync under way."""

    started: int = field(default_factory=now_ms)
    """UTC ms."""
    began: float = field(default_factory=time.monotonic)
    failed: int = 0
    error: SwitchroomError | None = None
    """The last thing that went wrong."""

    def restart(self) -> None:
        """The wait for a free place is over: time counts from now."""
        self.started, self.began = now_ms(), time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def milliseconds(self) -> int:
        return round(self.seconds * 1000)
