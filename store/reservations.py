"""Money set aside for runs under way, so that no other run, here or in another process, can spend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from store.db import Database, Tx
from store.rows import columns, marks, values


@dataclass(frozen=True, slots=True)
class ReservationRow:
    """One run's reservation."""

    id: str
    run_id: str
    provider: str
    model: str
    amount_nanos: int | None
    """None: the price is unknown, nothing could be set aside."""
    input_tokens: int
    created_at: int
    owner: str
    """The process that made it (`host:pid:starttime`)."""
    grade: str = "estimated"
    """How the cost is known should that process be killed: `estimated` (a limit holds, so the amount counts),
    `unknown` or `own`."""


_NAMES = columns(ReservationRow)
_SELECT = f"SELECT {', '.join(_NAMES)} FROM reservations"  # noqa: S608 - our own column names
_INSERT = f"INSERT INTO reservations ({', '.join(_NAMES)}) VALUES ({marks(len(_NAMES))})"  # noqa: S608


class Reservations:
    """Reads and writes reservations."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def insert(self, tx: Tx, row: ReservationRow) -> None:
        tx.later(_INSERT, values(row, _NAMES))

    async def delete(self, tx: Tx, reservation_id: str) -> None:
        """Gives the money back; one that is gone already is no error."""
        tx.later("DELETE FROM reservations WHERE id = ?", (reservation_id,))

    async def all(self, tx: Tx | None = None) -> list[ReservationRow]:
        """Every reservation, oldest first."""
        return [
            ReservationRow(*row) for row in await self._fetch(f"{_SELECT} ORDER BY created_at, id", (), tx)
        ]

    async def _fetch(self, sql: str, params: tuple[Any, ...], tx: Tx | None) -> list[Any]:
        if tx is not None:
            return await tx.fetchall(sql, params)
        return list(await self._db.reader.execute_fetchall(sql, params))
