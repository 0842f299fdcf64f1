"""Every sync that was tried: when, how it ended, what it changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from store.db import Database, Tx
from store.rows import columns, marks, values


@dataclass(frozen=True, slots=True)
class SyncRunRow:
    """One sync of one provider."""

    id: int | None
    """None: not written yet."""
    provider: str
    started_at: int
    duration_ms: int
    state: str
    """`ok` or `error`."""
    error_code: str | None = None
    """Of an `ok` run: NO_LIST, or none."""
    error_message: str | None = None
    total: int = 0
    added: int = 0
    updated: int = 0
    removed: int = 0
    diff_json: str | None = None
    """None: nothing changed, or it failed. Of a failed run: what a list would have changed that was not believed."""


NO_LIST = "no_list"
"""The provider works but has no list of models: those of the catalog count."""
KEPT_RUNS = 500
"""Runs kept of one provider."""
KEPT_MS = 365 * 86_400_000
KEPT_QUIET_MS = 30 * 86_400_000
"""Runs that found nothing new are kept this long."""

_NAMES = columns(SyncRunRow)
_INSERT = f"INSERT INTO sync_runs ({', '.join(_NAMES)}) VALUES ({marks(len(_NAMES))})"  # noqa: S608
_SHORT = f"SELECT {', '.join(_NAMES[:-1])}, NULL FROM sync_runs"  # noqa: S608 - our own column names
"""Without the diffs: a list of runs must not load what thousands of models changed."""
_STARTS = (
    "SELECT provider, started_at, state FROM sync_runs"
    " WHERE id IN (SELECT max(id) FROM sync_runs GROUP BY provider)"
)
_REFUSED = (
    "SELECT state = 'error' AND diff_json IS NOT NULL AND started_at + duration_ms <= ?"
    " FROM sync_runs WHERE provider = ? ORDER BY id DESC LIMIT 1"
)
_PRUNE = """
DELETE FROM sync_runs WHERE id IN (
    SELECT id FROM sync_runs WHERE provider = :p AND (
        started_at < :old
        OR (started_at < :quiet AND added + updated + removed = 0)
        OR id <= (SELECT id FROM sync_runs WHERE provider = :p ORDER BY id DESC LIMIT 1 OFFSET :most)
    )
) AND id NOT IN (SELECT coalesce(max(id), 0) FROM sync_runs WHERE provider = :p AND state = 'ok')
  AND id NOT IN (SELECT coalesce(max(id), 0) FROM sync_runs WHERE provider = :p AND added + updated + removed > 0)
  AND id NOT IN (
    SELECT coalesce(max(id), 0) FROM sync_runs WHERE provider = :p AND updated > 0 AND instr(diff_json, '"field": "price') > 0
)
"""
"""What the screens still name stays: the last good list, the last change, the last change of a price."""
_LAST = f"{_SHORT} WHERE id IN (SELECT max(id) FROM sync_runs GROUP BY provider)"  # noqa: S608
_LAST_GOOD = (
    f"{_SHORT} WHERE id IN"  # noqa: S608
    " (SELECT max(id) FROM sync_runs WHERE state = 'ok' GROUP BY provider)"
)
_LAST_CHANGE = (
    f"{_SHORT} WHERE id IN"  # noqa: S608
    " (SELECT max(id) FROM sync_runs WHERE added + updated + removed > 0 GROUP BY provider)"
)
_LAST_PRICE = (
    f"SELECT {', '.join(_NAMES)} FROM sync_runs"  # noqa: S608
    """ WHERE provider = ? AND updated > 0 AND instr(diff_json, '"field": "price') > 0 ORDER BY id DESC LIMIT 1"""
)


class SyncRuns:
    """Reads and writes sync runs."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def insert(self, tx: Tx, row: SyncRunRow) -> int:
        """Writes a run, and drops those too old to matter; gives its id."""
        cursor = await tx.execute(_INSERT, values(row, _NAMES))
        at = row.started_at
        tx.later(
            _PRUNE, {"p": row.provider, "old": at - KEPT_MS, "quiet": at - KEPT_QUIET_MS, "most": KEPT_RUNS}
        )
        return cursor.lastrowid or 0

    async def last_starts(self, tx: Tx | None = None) -> dict[str, tuple[int, str]]:
        """Provider → when its newest run began, and its state; as the transaction sees it when there is one."""
        rows = await tx.fetchall(_STARTS) if tx else await self._db.reader.execute_fetchall(_STARTS)
        return {row[0]: (row[1], row[2]) for row in rows}

    async def newest(self, provider: str, tx: Tx | None = None) -> int:
        """The id of a provider's newest run, 0 for none: another one means that somebody synced it meanwhile."""
        sql = "SELECT coalesce(max(id), 0) FROM sync_runs WHERE provider = ?"
        asked = (provider,)
        rows = await tx.fetchall(sql, asked) if tx else await self._db.reader.execute_fetchall(sql, asked)
        return next((row[0] for row in rows), 0)

    async def refused(self, provider: str, before: int) -> bool:
        """Whether the newest run had brought a list that was not believed, by this time (UTC ms)."""
        rows = await self._db.reader.execute_fetchall(_REFUSED, (before, provider))
        return any(row[0] for row in rows)

    async def last(self, provider: str) -> SyncRunRow | None:
        found = await self.history(provider, 1)
        return found[0] if found else None

    async def last_by_provider(self) -> dict[str, SyncRunRow]:
        """Provider → its newest run, without the diff; providers never synced are absent."""
        runs = await self._rows(_LAST, ())
        return {run.provider: run for run in runs}

    async def last_good_by_provider(self) -> dict[str, SyncRunRow]:
        """Provider → the newest run that brought a list, without the diff."""
        runs = await self._rows(_LAST_GOOD, ())
        return {run.provider: run for run in runs}

    async def last_change_by_provider(self) -> dict[str, SyncRunRow]:
        """Provider → the newest run that found anything new, changed or gone, without the diff."""
        runs = await self._rows(_LAST_CHANGE, ())
        return {run.provider: run for run in runs}

    async def last_price_change(self, provider: str) -> SyncRunRow | None:
        """The newest run that found a price changed, with its diff; None: none did."""
        found = await self._rows(_LAST_PRICE, (provider,))
        return found[0] if found else None

    async def diff(self, run_id: int) -> str | None:
        """What one run changed, as JSON; None: nothing, or there is no such run."""
        rows = list(
            await self._db.reader.execute_fetchall("SELECT diff_json FROM sync_runs WHERE id = ?", (run_id,))
        )
        return rows[0][0] if rows else None

    async def history(self, provider: str, limit: int = 50) -> list[SyncRunRow]:
        """A provider's runs, newest first, without their diffs."""
        return await self._rows(f"{_SHORT} WHERE provider = ? ORDER BY id DESC LIMIT ?", (provider, limit))

    async def _rows(self, sql: str, params: tuple[Any, ...]) -> list[SyncRunRow]:
        return [SyncRunRow(*row) for row in await self._db.reader.execute_fetchall(sql, params)]
