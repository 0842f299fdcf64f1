"""The limits: one per scope and period, with who changed it last and why."""

from __future__ import annotations

from dataclasses import dataclass

from store.db import Database, Tx
from store.rollup_sql import SPENT, SPENT_SERIES, whole_slots
from store.rows import columns


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One limit."""

    id: int
    scope: str
    """`global` or `provider:SLUG`."""
    period: str
    """`daily` or `monthly`, in the user's zone."""
    limit_nanos: int
    alert: float
    """The share of the limit at which to warn."""
    until: int | None
    """UTC ms after which it no longer applies; None: for good."""
    reason: str | None
    changed_by: str
    changed_at: int


@dataclass(frozen=True, slots=True)
class Standing:
    """One limit and where it stands in its period."""

    row: BudgetRow
    spent_nanos: int
    reserved_nanos: int
    """Set aside for runs in flight, also for those that began before this period: their next attempt may fall into it."""


_COLUMNS = "id, scope, period, limit_nanos, alert, until, reason, changed_by, changed_at"
_UPSERT = f"""
INSERT INTO budgets (scope, period, limit_nanos, alert, until, reason, changed_by, changed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope, period) DO UPDATE SET
    limit_nanos = excluded.limit_nanos, alert = excluded.alert, until = excluded.until,
    reason = excluded.reason, changed_by = excluded.changed_by, changed_at = excluded.changed_at
RETURNING {_COLUMNS}
"""  # noqa: S608 - our own column names

# What was spent and set aside comes with the limits: a run waits for every way to the writer's thread and back.
_STANDING = f"""
WITH period (name, start, first, last, end) AS (VALUES (?, ?, ?, ?, ?), (?, ?, ?, ?, ?)),
     p AS MATERIALIZED (
         SELECT b.*, substr(b.scope, 1 + length('provider:')) AS slug, start, first, last, end
           FROM budgets AS b JOIN period ON name = b.period)
SELECT {", ".join(f"p.{name}" for name in columns(BudgetRow))}, {SPENT},
       (SELECT coalesce(sum(amount_nanos), 0) FROM reservations WHERE p.slug = '' OR provider = p.slug)
  FROM p LEFT JOIN usage_series AS s ON {SPENT_SERIES}
 ORDER BY p.scope, p.period
"""  # noqa: S608 - our own texts


class Budgets:
    """Reads and writes limits."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def standing(
        self, day: tuple[int, int], month: tuple[int, int], tx: Tx | None = None
    ) -> list[Standing]:
        """All limits, with what was spent in the day or month given ([start, end) in UTC ms)."""
        params = [
            value
            for name, (start, end) in (("daily", day), ("monthly", month))
            for value in (name, start, *whole_slots(start, end), end)
        ]
        rows = await (
            tx.fetchall(_STANDING, params) if tx else self._db.reader.execute_fetchall(_STANDING, params)
        )
        return [Standing(BudgetRow(*row[:-2]), row[-2], row[-1]) for row in rows]

    async def list(self, tx: Tx | None = None) -> list[BudgetRow]:
        """All limits, those past their `until` included."""
        sql = f"SELECT {_COLUMNS} FROM budgets ORDER BY scope, period"  # noqa: S608 - our own column names
        rows = await (tx.fetchall(sql) if tx else self._db.reader.execute_fetchall(sql))
        return [BudgetRow(*row) for row in rows]

    async def upsert(
        self,
        tx: Tx,
        *,
        scope: str,
        period: str,
        limit_nanos: int,
        alert: float,
        until: int | None = None,
        reason: str | None = None,
        changed_by: str,
        changed_at: int,
    ) -> BudgetRow:
        """Sets the limit of a scope and period; gives it with its id."""
        row = (scope, period, limit_nanos, alert, until, reason, changed_by, changed_at)
        rows = await tx.fetchall(_UPSERT, row)
        return BudgetRow(*rows[0])

    async def delete(self, tx: Tx, budget_id: int) -> bool:
        """Removes a limit; False when there was none."""
        cursor = await tx.execute("DELETE FROM budgets WHERE id = ?", (budget_id,))
        return cursor.rowcount > 0
