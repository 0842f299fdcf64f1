"""How the audit log is searched: a stretch of ids at a time, newest first, so that a million rows stall nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from store.audit_chain import NAMES, AuditRow, row_of
from store.db import Database

STRETCH = 20_000
"""Ids one query looks at: some 20 ms in the reader's thread."""

COLUMNS = ("action", "actor", "subject", "result")
"""Columns that can be searched by their name."""

_SELECT = f"SELECT {', '.join(NAMES)} FROM audit"  # noqa: S608 - our own column names
_WORDS = "(action || ' ' || subject || ' ' || actor || ' ' || result || ' ' || coalesce(reason, '') || ' ' || detail)"


@dataclass(frozen=True, slots=True)
class Term:
    """A text that must be found in a column, case of A–Z ignored; of actions, a part must begin with it."""

    column: str
    """`action`, `actor`, `subject`, `result`; empty: anywhere."""
    text: str
    without: bool = False
    """It must not be found there."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are looked for: all terms must hold."""

    terms: tuple[Term, ...] = ()
    since: int | None = None
    """UTC ms; None: from the beginning."""

    @property
    def everything(self) -> bool:
        """Nothing is left out."""
        return not self.terms and self.since is None

    def where(self) -> tuple[str, tuple[object, ...]]:
        """The condition in SQL and its values."""
        parts: list[str] = []
        params: list[object] = []
        for term in self.terms:
            column = term.column if term.column in COLUMNS else _WORDS
            text = term.text.replace("^", "^^").replace("%", "^%").replace("_", "^_")
            patterns = (f"{text}%", f"%.{text}%") if column == "action" else (f"%{text}%",)
            either = " OR ".join([f"{column} LIKE ? ESCAPE '^'"] * len(patterns))
            parts.append(f"{'NOT ' if term.without else ''}({either})")
            params += patterns
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
