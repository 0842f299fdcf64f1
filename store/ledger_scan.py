"""Sums over a range of the ledger itself: exact to the millisecond, and as dear as the range has rows."""

# ruff: noqa: S608 - every name put into these texts is one of ours
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from store.db import Database
from store.histogram import BUCKETS, percentiles
from store.rollups import UsageRow
from store.rows import dump

KEYS = {
    None: "''",
    "provider": "provider",
    "model": "provider || '/' || model",
    "grade": "grade",
    "outcome": "outcome",
    "caller": "caller",
    "label": "coalesce(l.key || '=' || l.value, '')",
}
_FROM = """json_each(:bounds) AS b CROSS JOIN ledger INDEXED BY ledger_by_time
    ON at >= b.value AND at < (SELECT value FROM json_each(:bounds) AS e WHERE e.key = b.key + 1)"""
_LABELS = " LEFT JOIN json_each(labels_json) AS l"
_FAILED = "outcome IN ('failed', 'interrupted')"
_SUMS = ", ".join(
    (
        "count(*)",
        "sum(final)",
        f"sum(final AND {_FAILED})",
        f"sum({_FAILED})",
        *(
            f"sum(coalesce({name}, 0))"
            for name in ("input", "output", "cache_read", "cache_write", "reasoning", "cost_nanos")
        ),
        "sum(iif(grade IN ('reported', 'computed'), coalesce(cost_nanos, 0), 0))",
        "sum(iif(grade = 'estimated', coalesce(cost_nanos, 0), 0))",
        "sum(cost_nanos IS NULL AND grade <> 'own')",
    )
)


class LedgerScan:
    """Answers what no roll-up holds."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def totals(
        self, bounds: Sequence[int], group: str | None = None, *, grade: str | None = None
    ) -> list[UsageRow]:
        """What was used between each two neighbours of `bounds`, by time, then key. By label, a run of two
        labels counts under each, and one without any under the empty key."""
        where = "" if grade is None else " WHERE grade = :grade"
        sql = (
            f"SELECT {KEYS[group]}, b.value, {_SUMS} FROM {_source(group)}{where} GROUP BY 1, 2 ORDER BY 2, 1"
        )
        params = {"bounds": dump(list(bounds)), "grade": grade}
        return [UsageRow(*row) for row in await self._db.reader.execute_fetchall(sql, params)]

    async def ttft(
        self, bounds: Sequence[int], group: str | None = None, keys: Sequence[str] | None = None
    ) -> dict[str, list[tuple[int, int | None]]]:
        """Key → (attempts measured, median ms to the first token) between each two neighbours of `bounds`."""
        sql = (
            f"SELECT {KEYS[group]} AS k, b.key, ttft_bucket, count(*) FROM {_source(group)}"
            " WHERE ttft_bucket >= 0 GROUP BY 1, 2, 3"
        )
        rows = await self._db.reader.execute_fetchall(sql, {"bounds": dump(list(bounds))})
        return medians(rows, len(bounds) - 1, keys)


def _source(group: str | None) -> str:
    return _FROM + (_LABELS if group == "label" else "")


def medians(
    rows: Any, buckets: int, keys: Sequence[str] | None = None
) -> dict[str, list[tuple[int, int | None]]]:
    """Out of (key, place of the bucket, place in the histogram, count)."""
    found: dict[str, dict[int, list[int]]] = {key: {} for key in keys or ()}
    for key, place, rank, count in rows:
        if keys is None or key in found:
            counts = found.setdefault(key, {}).setdefault(place, [0] * BUCKETS)
            counts[rank] += count
    return {key: [_median(places.get(place)) for place in range(buckets)] for key, places in found.items()}


def _median(counts: Sequence[int] | None) -> tuple[int, int | None]:
    if counts is None:
        return 0, None
    return sum(counts), percentiles(counts, (0.5,))[0]
