"""Whether this process may do a scheduled job now: it asks in one transaction, and a dead process's claim is void."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services import process
from services.clock import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from store.db import Database, Tx

LONGEST_MS = 5 * MINUTE_MS
"""A claim older than this is void though its process lives: it hangs, or waits for a passphrase that nobody types."""


async def claim(tx: Tx, job: str, now: int) -> bool:
    """Take a job; False when another living process holds it. Say in the same transaction that it is still due."""
    from store.schedule_claims import hold, holder

    held = await holder(tx, job)
    if held is not None and _stands(held, now):
        return False
    await hold(tx, job, process.identity(), now)
    return True


async def release(db: Database, jobs: Iterable[str]) -> None:
    """The jobs are done, or were given up."""
    from store.schedule_claims import give_back

    async with db.transaction() as tx:
        await give_back(tx, jobs, process.identity())


def _stands(held: tuple[str, int], now: int) -> bool:
    owner, since = held
    age = now - since
    if not -MINUTE_MS < age < LONGEST_MS:  # a clock that was set back must not lock a job for ever
        return False
    return process.is_alive(owner, max(age, 0))
