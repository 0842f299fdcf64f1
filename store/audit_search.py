"""How the audit log is searched: a stretch of ids at a time, newest first, so that a million rows stall nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from store.audit_chain import NAMES, AuditRow, row_of
from store.db import Database

STRETCH = 20_000
"""Ids one query looks at: some 20 ms in the reader's thread."""

_SELECT = f"SELECT {', '.join(NAMES)} FROM audit"  # noqa: S608 - our own column names
_WORDS = "(action || ' ' || subject || ' ' || actor || ' ' || result || ' ' || coalesce(reason, '') || ' ' || detail)"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are looked for: every part must be found somewhere in its column, case of A–Z ignored."""

    action: tuple[str, ...] = ()
    actor: tuple[str, ...] = ()
    subject: tuple[str, ...] = ()
    result: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """Looked for in all columns together."""
    since: int | None = None
    """UTC ms; None: from the beginning."""

    @property
    def everything(self) -> bool:
        """Nothing is left out."""
        return self == Wanted()

    def where(self) -> tuple[str, tuple[object, ...]]:
        """The condition in SQL and its values."""
        parts: list[str] = []
        params: list[object] = []
        for column, asked in (
            ("action", self.action), ("actor", self.actor), ("subject", self.subject), ("result", self.result), (_WORDS, self.words),
        ):  # fmt: skip
            for text in asked:
                parts.append(f"{column} LIKE ? ESCAPE '^'")
                params.append(f"%{text.replace('^', '^^').replace('%', '^%').replace('_', '^_')}%")
        if self.since is not None:
            parts.append("at >= ?")
            params.append(self.since)
        return " AND ".join(parts) or "1", tuple(params)


class AuditSearch:
    """Reads pages of the log."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def newest_id(self) -> int:
        """The id of the newest entry; 0: there is none."""
        rows: list[Any] = list(await self._db.reader.execute_fetchall("SELECT max(id) FROM audit"))
        return int(rows[0][0] or 0)

    async def between(self, wanted: Wanted, above: int, up_to: int, limit: int) -> list[AuditRow]:
        """Entries with `above < id <= up_to` that are wanted, newest first, at most `limit`."""
        where, params = wanted.where()
        rows = await self._db.reader.execute_fetchall(
            f"{_SELECT} WHERE id > ? AND id <= ? AND {where} ORDER BY id DESC LIMIT ?",
            (above, up_to, *params, limit),
        )
        return [row_of(row) for row in rows]

    async def get(self, row_id: int) -> AuditRow | None:
        """One entry; None: there is none of this number."""
        found = await self.between(Wanted(), row_id - 1, row_id, 1)
        return found[0] if found else None
