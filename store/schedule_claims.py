"""Which process has taken a scheduled job, so that no other one does it too."""

from __future__ import annotations

from collections.abc import Iterable

from store.db import Tx


async def holder(tx: Tx, job: str) -> tuple[str, int] | None:
    """The process that holds a job, and since when (UTC ms); None: nobody does."""
    row = await tx.fetchone("SELECT process, claimed_at FROM schedule_claims WHERE job = ?", (job,))
    return None if row is None else (row[0], row[1])


async def hold(tx: Tx, job: str, process: str, at: int) -> None:
    """Give a job to a process, whoever held it."""
    await tx.execute(
        "INSERT INTO schedule_claims (job, claimed_at, process) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET claimed_at = excluded.claimed_at, process = excluded.process",
        (job, at, process),
    )


async def give_back(tx: Tx, jobs: Iterable[str], process: str) -> None:
    """Free what this process holds; what another one took over meanwhile stays its own."""
    await tx.executemany(
        "DELETE FROM schedule_claims WHERE job = ? AND process = ?", [(job, process) for job in jobs]
    )
