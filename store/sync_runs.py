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
    error_message: str | None = None
    total: int = 0
    added: int = 0
    updated: int = 0
    removed: int = 0
    diff_json: str | None = None
    """None: nothing changed, or it failed."""


_NAMES = columns(SyncRunRow)
_SELECT = f"SELECT {', '.join(_NAMES)} FROM sync_runs"  # noqa: S608 - our own column names
_INSERT = f"INSERT INTO sync_runs ({', '.join(_NAMES)}) VALUES ({marks(len(_NAMES))})"  # noqa: S608
_LAST = f"{_SELECT} WHERE id IN (SELECT max(id) FROM sync_runs GROUP BY provider)"  # noqa: S608


class SyncRuns:
    """Reads and writes sync runs."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def insert(self, tx: Tx, row: SyncRunRow) -> int:
        """Writes a run; gives its id."""
        cursor = await tx.execute(_INSERT, values(row, _NAMES))
        return cursor.lastrowid or 0

    async def last(self, provider: str) -> SyncRunRow | None:
        found = await self.history(provider, 1)
        return found[0] if found else None

    async def last_by_provider(self) -> dict[str, SyncRunRow]:
        """Provider → its newest run; providers never synced are absent."""
        runs = await self._rows(_LAST, ())
        return {run.provider: run for run in runs}

    async def history(self, provider: str, limit: int = 50) -> list[SyncRunRow]:
        """A provider's runs, newest first."""
        return await self._rows(f"{_SELECT} WHERE provider = ? ORDER BY id DESC LIMIT ?", (provider, limit))

    async def _rows(self, sql: str, params: tuple[Any, ...]) -> list[SyncRunRow]:
        return [SyncRunRow(*row) for row in await self._db.reader.execute_fetchall(sql, params)]
