"""The runs of one key in a stretch of time, page by page: the roll-ups say where to look in the ledger."""

# ruff: noqa: S608 - every name put into these texts is one of ours
from __future__ import annotations

from typing import Any

from store.db import Database
from store.ledger import AttemptRow, attempt_of
from store.ledger_scan import KEYS
from store.rollup_sql import KEYS as SERIES_KEYS
from store.rollup_sql import SLOT_MS, series_of
from store.rows import columns, dump

_NAMES = ", ".join(f"ledger.{name}" for name in columns(AttemptRow))
_PAGE = "AND final AND (+at < :at OR (+at = :at AND ledger.id < :id)) ORDER BY at DESC, ledger.id DESC LIMIT :limit"
_MASK = (1 << 32) - 1


class RunPages:
    """Final attempts, the last started first."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def page(
        self,
        since: int,
        until: int,
        group: str | None,
        key: str,
        *,
        limit: int = 100,
        before: AttemptRow | None = None,
    ) -> list[AttemptRow]:
        """The runs that started in [since, until) and count under `key`; `before`: those after that one in the list."""
        at, last = (until, 0) if before is None else (before.at, before.id or 0)
        params = {"since": since, "until": until, "key": key, "at": at, "id": last, "limit": limit}
        found: list[AttemptRow] = []
        upper = at // SLOT_MS
        while len(found) < limit:
            slots = await self._slots(group, key, since // SLOT_MS, upper, limit)
            if not slots:
                break
            sql = f"""FROM json_each(:slots) AS w CROSS JOIN ledger INDEXED BY ledger_by_time
                ON at >= w.value * {SLOT_MS} AND at < (w.value + 1) * {SLOT_MS}
                WHERE +at >= :since AND +at < :until AND {_where(group)} {_PAGE}"""
            params |= {"slots": dump(slots), "limit": limit - len(found)}
            found += await self._read(sql, params)
            upper = slots[-1] - 1
        return found

    async def _slots(self, group: str | None, key: str, low: int, high: int, most: int) -> list[int]:
        """The last slots up to `high` in which enough runs of the key ended, newest first; empty: none is left."""
        series = f"(SELECT s.id FROM usage_series AS s WHERE {series_of(_series(group), None, None)} AND {SERIES_KEYS[_series(group)]} = :key)"
        sql = f"""
SELECT place & {_MASK}, runs FROM rollup_running
 WHERE place >= ({series} << 32 | :low) AND place <= ({series} << 32 | :high) ORDER BY place DESC LIMIT :most"""
        params = {"low": low, "high": high, "key": key, "most": most + 1}
        rows = list(await self._db.reader.execute_fetchall(sql, params))
        [newest] = await self._db.reader.execute_fetchall(
            "SELECT coalesce(max(slot), -1) FROM rollup_current"
        )
        slots = [newest[0]] if low <= newest[0] <= high else []  # not among the running totals yet
        runs = 0
        for row, older in zip(rows, [*rows[1:], None], strict=False):
            if row[0] not in slots:
                slots.append(row[0])
            runs += 0 if older is None else row[1] - older[1]
            if runs >= most:
                break
        return slots

    async def _read(self, sql: str, params: dict[str, Any]) -> list[AttemptRow]:
        rows = await self._db.reader.execute_fetchall(f"SELECT {_NAMES} {sql}", params)
        return [attempt_of(row) for row in rows]


def _series(group: str | None) -> Any:
    return group


def _where(group: str | None) -> str:
    if group == "label":
        return (
            "(:key = '' AND (labels_json IS NULL OR labels_json = '{}') OR EXISTS (SELECT 1 FROM"
            " json_each(labels_json) AS l WHERE l.key || '=' || l.value = :key))"
        )
    if group == "model":
        return (
            "model = substr(:key, instr(:key, '/') + 1) AND provider = substr(:key, 1, instr(:key, '/') - 1)"
        )
    return "true" if group is None else f"{KEYS[group]} = :key"
