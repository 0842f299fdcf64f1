"""Usage as the vendors state it, in the shape in which the charts and tables read usage: whole UTC days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from services.clock import utc_day
from services.usage_source import Medians

if TYPE_CHECKING:
    from store.db import Database
    from store.rollups import UsageRow
    from store.vendor_usage import By, VendorDay, VendorTotal

GROUPS = ("provider", "model")
"""What vendors tell usage by; labels, callers, grades and outcomes are known here only."""


class BilledSource:
    """Implements services.usage_source.UsageSource over what vendors said."""

    def __init__(self, db: Database) -> None:
        from store.vendor_usage import VendorUsage

        self._held = VendorUsage(db)

    def aligned(self, bounds: Sequence[int]) -> list[int]:
        return utc_days(bounds)

    async def totals(self, since: int, until: int, group: str | None) -> list[UsageRow]:
        first, last = self.aligned([since, until])
        rows = await self._held.totals(first, last, _by(group))
        return [_row(row, "" if group is None else row.key, first) for row in rows]

    async def own(self, since: int, until: int, group: str | None) -> dict[str, int]:  # noqa: ARG002
        return {}

    async def of_grade(self, since: int, until: int, grade: str) -> list[UsageRow]:
        """What a vendor bills is reported, all of it."""
        if grade != "reported":
            return []
        return [row for row in await self.totals(since, until, "model") if not row.unknown_attempts]

    async def points(
        self, bounds: Sequence[int], measure: str, group: str | None, keys: Sequence[str]
    ) -> list[list[int]]:
        lines = {key: [0] * (len(bounds) - 1) for key in keys}
        place = 0
        for day in await self._held.days(bounds[0], bounds[-1], _by(group), keys):
            while day.start_at >= bounds[place + 1]:
                place += 1
            key = "" if group is None else day.key
            if key in lines:
                lines[key][place] += _amount(day, measure)
        return [lines[key] for key in keys]

    async def ttft(
        self,
        bounds: Sequence[int],
        group: str | None,  # noqa: ARG002
        keys: Sequence[str] | None = None,
    ) -> Medians:
        """No vendor states it: nothing was measured."""
        return {key: [(0, None)] * (len(bounds) - 1) for key in keys or ()}


def utc_days(bounds: Sequence[int]) -> list[int]:
    """The bounds as the vendors' days, each once: days of the user's calendar are the days of the same date."""
    first, last = utc_day(bounds[0]), utc_day(bounds[-1], up=True)
    inner = {utc_day(bound, up=True) for bound in bounds[1:-1]}
    return [first, *sorted(bound for bound in inner if first < bound < last), last]


def check_group(group: str | None) -> None:
    """Raise UsageError for what vendors do not tell usage by."""
    if group is not None and group not in GROUPS:
        raise UsageError(
            f"No vendor says what was billed by {group}.",
            hint=f"By {' or '.join(GROUPS)}, or what was used here.",
        )


def _by(group: str | None) -> By | None:
    check_group(group)
    return None if group is None else "model" if group == "model" else "provider"


def _row(total: VendorTotal, key: str, start: int) -> UsageRow:
    from store.rollups import UsageRow

    return UsageRow(
        key=key,
        start_ms=start,
        attempts=max(total.requests or 0, 1),
        runs=total.requests or 0,
        failed_runs=0,
        errors=0,
        input=total.input or 0,
        output=total.output or 0,
        cache_read=total.cache_read or 0,
        cache_write=total.cache_write or 0,
        reasoning=0,
        cost_nanos=total.cost_nanos or 0,
        measured_nanos=total.cost_nanos or 0,
        estimated_nanos=0,
        unknown_attempts=int(total.cost_nanos is None),
    )


def _amount(day: VendorDay, measure: str) -> int:
    figures = {
        "cost_nanos": day.cost_nanos or 0,
        "unknown_attempts": int(day.cost_nanos is None),
        "runs": day.requests or 0,
        "input + output": (day.input or 0) + (day.output or 0),
    }
    return figures.get(measure, 0)
