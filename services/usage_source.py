"""Where the figures of usage come from: the roll-ups, or the ledger itself for what they do not hold."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol, cast, get_args

from catalog.errors import UsageError
from catalog.money import from_nanos
from services.clock import MINUTE_MS

if TYPE_CHECKING:
    from store.db import Database
    from store.rollup_sql import Group
    from store.rollups import Measure, UsageRow

SLOT_MS = 15 * MINUTE_MS
GROUPS = ("provider", "model", "label", "caller", "grade", "outcome")
"""What usage can be grouped by."""
FINE_SPAN_MS = 2 * 60 * MINUTE_MS
"""Up to this long a range is read out of the ledger itself, in steps of five minutes."""

Medians = dict[str, list[tuple[int, int | None]]]
"""Key → (attempts measured, median in ms) per bucket."""


class UsageSource(Protocol):
    """What a range of time used, by key."""

    def aligned(self, bounds: Sequence[int]) -> list[int]:
        """The bounds, widened to what can be told apart."""

    async def totals(self, since: int, until: int, group: str | None) -> list[UsageRow]:
        """One row per key."""

    async def own(self, since: int, until: int, group: str | None) -> dict[str, int]:
        """How many attempts of a key ran on own hardware or at a flat rate: they have no price per token."""

    async def of_grade(self, since: int, until: int, grade: str) -> list[UsageRow]:
        """One row per model: only its attempts of that grade."""

    async def points(
        self, bounds: Sequence[int], measure: str, group: str | None, keys: Sequence[str]
    ) -> list[list[int]]:
        """One list per key, one figure per bucket."""

    async def ttft(
        self, bounds: Sequence[int], group: str | None, keys: Sequence[str] | None = None
    ) -> Medians:
        """The time to the first token."""


def source_for(
    db: Database, since: int, until: int, group: str | None, *, billed: bool = False
) -> UsageSource:
    """The cheapest that can answer; `billed`: what the vendors state."""
    if billed:
        from services.billed_source import BilledSource

        return BilledSource(db)
    if group is not None and group not in GROUPS:
        raise UsageError("Usage cannot be grouped like that.", hint=f"By {', '.join(GROUPS)}.")
    if until - since <= FINE_SPAN_MS:
        from services.usage_scan import LedgerSource

        return LedgerSource(db, 5 * MINUTE_MS)
    return RollupSource(db)


def known_cost(row: UsageRow, own: int) -> Decimal | None:
    """USD; None where nothing is known but that some attempts failed for free: the others are unknown, or own hardware."""
    if not row.cost_nanos and (row.unknown_attempts or row.attempts <= own):
        return None
    return from_nanos(row.cost_nanos)


class RollupSource:
    """Quarters of an hour, whatever the range: the cost does not grow with the ledger."""

    def __init__(self, db: Database) -> None:
        from store.rollups import Rollups

        self._rollups = Rollups(db)

    def aligned(self, bounds: Sequence[int]) -> list[int]:
        return widened(bounds, SLOT_MS)

    async def totals(self, since: int, until: int, group: str | None) -> list[UsageRow]:
        return await self._rollups.totals(since, until, _group(group))

    async def own(self, since: int, until: int, group: str | None) -> dict[str, int]:
        if group in ("caller", "label"):
            # Those are not told apart by grade: where nothing cost anything, it is taken for own hardware.
            rows = await self._rollups.totals(since, until, _group(group))
            return {row.key: row.attempts - row.unknown_attempts for row in rows if not row.cost_nanos}
        rows = await self._rollups.totals(since, until, _group(group), only_grade="own")
        return {row.key: row.attempts for row in rows}

    async def of_grade(self, since: int, until: int, grade: str) -> list[UsageRow]:
        return await self._rollups.totals(since, until, "model", only_grade=grade)

    async def points(
        self, bounds: Sequence[int], measure: str, group: str | None, keys: Sequence[str]
    ) -> list[list[int]]:
        found = await self._rollups.points(bounds, cast("Measure", measure), _group(group), keys=keys)
        places = {start: place for place, start in enumerate(bounds[:-1])}
        lines = {key: [0] * (len(bounds) - 1) for key in keys}
        for point in found:
            lines[point.key][places[point.start_ms]] = point.value
        return [lines[key] for key in keys]

    async def ttft(
        self, bounds: Sequence[int], group: str | None, keys: Sequence[str] | None = None
    ) -> Medians:
        return await self._rollups.ttft(bounds, _group(group), keys)


def widened(bounds: Sequence[int], step: int) -> list[int]:
    """The first bound down to a whole step, the others up, each once."""
    first = bounds[0] - bounds[0] % step
    return sorted({first, *(-(-bound // step) * step for bound in bounds[1:])})


def _group(group: str | None) -> Group | None:
    from store.rollup_sql import Group

    if group is None or group in get_args(Group):
        return cast("Group | None", group)
    raise UsageError("Usage cannot be grouped like that.")
