"""The ledger: one row per attempt, written once, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from store.db import Database, Tx
from store.rollup_sql import SPENT, SPENT_SERIES, whole_slots
from store.rows import columns, marks, values


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt of one run: what it used and cost. Token buckets: None is unknown, never zero."""

    id: int | None
    """None: not written yet."""
    run_id: str
    number: int
    """1 is the first attempt of the run."""
    final: bool
    """True for the attempt that ended the run."""
    at: int
    """Start, UTC ms."""
    provider: str
    model: str
    outcome: str
    """`complete`, `interrupted`, `cancelled` or `failed`."""
    finish_reason: str | None = None
    error_code: str | None = None
    http_status: int | None = None
    request_id: str | None = None
    retry_after_ms: int | None = None
    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    cost_nanos: int | None = None
    """Nano-dollars; None: unknown, or no price per token (grade `own`)."""
    grade: str = "unknown"
    price_json: str | None = None
    """The price used; None: none was known."""
    ttft_ms: int | None = None
    duration_ms: int | None = None
    caller: str = "cli"
    conversation_id: str | None = None
    labels_json: str | None = None


_NAMES = columns(AttemptRow)
_SELECT = f"SELECT {', '.join(_NAMES)} FROM ledger"  # noqa: S608 - our own column names
_INSERT = f"INSERT INTO ledger ({', '.join(_NAMES)}) VALUES ({marks(len(_NAMES))})"  # noqa: S608

_SPENT = f"""
WITH p (slug, start, first, last, end) AS (VALUES (?, ?, ?, ?, ?))
SELECT {SPENT} FROM p LEFT JOIN usage_series AS s ON {SPENT_SERIES}
"""  # noqa: S608 - our own texts


def attempt_of(record: Any) -> AttemptRow:
    """A record of all columns, in their order."""
    values_of = (*record[:3], bool(record[3]), *record[4:])
    return AttemptRow(*values_of)


class Ledger:
    """Reads and writes attempts."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def insert(self, tx: Tx, row: AttemptRow) -> None:
        """Writes an attempt, roll-ups included (by trigger), with the transaction's next step or commit."""
        tx.later(_INSERT, values(row, _NAMES))

    async def run(self, run_id: str) -> list[AttemptRow]:
        """The attempts of a run, first to last."""
        rows = await self._db.reader.execute_fetchall(
            f"{_SELECT} WHERE run_id = ? ORDER BY number, id", (run_id,)
        )
        return [attempt_of(row) for row in rows]

    async def recent(
        self, limit: int = 50, before_id: int | None = None, provider: str | None = None
    ) -> list[AttemptRow]:
        """Attempts, last written first; `before_id` pages on."""
        rows = await self._db.reader.execute_fetchall(
            f"{_SELECT} WHERE id < ? AND (? IS NULL OR provider = ?) ORDER BY id DESC LIMIT ?",
            (before_id if before_id is not None else 1 << 62, provider, provider, limit),
        )
        return [attempt_of(row) for row in rows]

    async def spent(
        self, start_ms: int, end_ms: int, provider: str | None = None, tx: Tx | None = None
    ) -> int:
        """Nano-dollars of the attempts that started in [start, end), to the millisecond.

        Attempts of unknown cost count nothing.
        """
        params = (provider or "", start_ms, *whole_slots(start_ms, end_ms), end_ms)
        rows = list(
            await (tx.fetchall(_SPENT, params) if tx else self._db.reader.execute_fetchall(_SPENT, params))
        )
        return int(rows[0][0])
