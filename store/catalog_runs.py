"""Every time a source of the catalog was asked: when, how it ended, and what it changed."""

from __future__ import annotations

from dataclasses import dataclass

from store.db import Database, Tx
from store.rows import columns, marks, values

KEPT = 200
"""Runs that are kept per source."""
KEPT_DIFFS = 40
"""Of so many newest changes per source the details are kept."""


@dataclass(frozen=True, slots=True)
class CatalogRunRow:
    """One source, asked once."""

    id: int | None
    """None: not written yet."""
    source: str
    started_at: int
    duration_ms: int
    state: str
    """`ok`, `unchanged` or `error`."""
    error_code: str | None = None
    error_message: str | None = None
    providers: int = 0
    """Vendors in its list."""
    models: int = 0
    added: int = 0
    updated: int = 0
    removed: int = 0
    diff_json: str | None = None
    """None: nothing changed, it failed, or it is too long ago."""


_NAMES = columns(CatalogRunRow)
_INSERT = f"INSERT INTO catalog_runs ({', '.join(_NAMES)}) VALUES ({marks(len(_NAMES))})"  # noqa: S608
_SHORT = f"SELECT {', '.join(_NAMES[:-1])}, NULL FROM catalog_runs"  # noqa: S608 - our own column names


class CatalogRuns:
    """Reads and writes the runs."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def insert(self, tx: Tx, row: CatalogRunRow) -> None:
        """Write a run; the oldest go, and old diffs before them."""
        await tx.execute(_INSERT, values(row, _NAMES))
        tx.later(
            "DELETE FROM catalog_runs WHERE source = ?1 AND id <= coalesce("
            "(SELECT id FROM catalog_runs WHERE source = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2), 0)",
            (row.source, KEPT),
        )
        tx.later(
            "UPDATE catalog_runs SET diff_json = NULL WHERE source = ?1 AND diff_json IS NOT NULL AND id <= coalesce("
            "(SELECT id FROM catalog_runs WHERE source = ?1 AND diff_json IS NOT NULL"
            " ORDER BY id DESC LIMIT 1 OFFSET ?2), 0)",
            (row.source, KEPT_DIFFS),
        )

    async def last(self) -> dict[str, CatalogRunRow]:
        """Source → its newest run, without the diff."""
        found = await self._db.reader.execute_fetchall(
            f"{_SHORT} WHERE id IN (SELECT max(id) FROM catalog_runs GROUP BY source)"  # noqa: S608
        )
        return {row.source: row for row in (CatalogRunRow(*record) for record in found)}

    async def last_asked(self, tx: Tx) -> dict[str, tuple[int, str]]:
        """Source → when it was asked last, and how that ended."""
        found = await tx.fetchall(
            "SELECT source, started_at, state FROM catalog_runs"
            " WHERE id IN (SELECT max(id) FROM catalog_runs GROUP BY source)"
        )
        return {source: (at, state) for source, at, state in found}

    async def changed(self, since: int) -> list[CatalogRunRow]:
        """The runs since then that changed something, with their diffs, newest first."""
        found = await self._db.reader.execute_fetchall(
            f"SELECT {', '.join(_NAMES)} FROM catalog_runs"  # noqa: S608
            " WHERE diff_json IS NOT NULL AND started_at >= ? ORDER BY id DESC",
            (since,),
        )
        return [CatalogRunRow(*record) for record in found]
