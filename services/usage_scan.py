"""Figures straight from the ledger: for an hour or two in steps of five minutes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from services.usage_source import Medians, widened

if TYPE_CHECKING:
    from store.db import Database
    from store.rollups import UsageRow


class LedgerSource:
    """Reads each attempt of the range once per question."""

    def __init__(self, db: Database, step_ms: int) -> None:
        from store.ledger_scan import LedgerScan

        self._scan = LedgerScan(db)
        self._step = step_ms

    def aligned(self, bounds: Sequence[int]) -> list[int]:
        return widened(bounds, self._step)

    async def totals(self, since: int, until: int, group: str | None) -> list[UsageRow]:
        return await self._scan.totals([since, until], group)

    async def own(self, since: int, until: int, group: str | None) -> dict[str, int]:
        rows = await self._scan.totals([since, until], group, grade="own")
        return {row.key: row.attempts for row in rows}

    async def of_grade(self, since: int, until: int, grade: str) -> list[UsageRow]:
        return await self._scan.totals([since, until], "model", grade=grade)

    async def points(
        self, bounds: Sequence[int], measure: str, group: str | None, keys: Sequence[str]
    ) -> list[list[int]]:
        rows = await self._scan.totals(bounds, group)
        places = {start: place for place, start in enumerate(bounds[:-1])}
        lines = {key: [0] * (len(bounds) - 1) for key in keys}
        names = measure.split(" + ")
        for row in rows:
            if row.key in lines:
                lines[row.key][places[row.start_ms]] = sum(getattr(row, name) for name in names)
        return [lines[key] for key in keys]

    async def ttft(
        self, bounds: Sequence[int], group: str | None, keys: Sequence[str] | None = None
    ) -> Medians:
        return await self._scan.ttft(bounds, group, keys)
