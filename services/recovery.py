"""What a killed process left behind: its reservations are settled as interrupted, so no money stays tied up."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from services import process
from services.clock import now_ms

if TYPE_CHECKING:
    from services.container import Services
    from store.db import Tx
    from store.reservations import ReservationRow

log = logging.getLogger(__name__)


async def settle_orphans(services: Services) -> int:
    """Write an `interrupted` ledger row for every reservation whose process is dead; returns how many.

    What such a run used is not known. Where a limit held it, it counts with the whole amount that was set aside
    (grade `estimated`), so that the limit holds whatever happened; else its cost is `unknown`, or `own`. The audit
    log says which. Live processes are left alone.
    """
    from store.reservations import Reservations

    reservations = Reservations(services.db)
    if not _dead(await reservations.all()):
        return 0
    async with services.db.transaction(durable=True) as tx:
        # Asked again under the write lock: another process may be settling the same ones.
        dead = _dead(await reservations.all(tx))
        for row in dead:
            await _settle(services, tx, row)
            await reservations.delete(tx, row.id)
    if dead:
        log.warning("settled %d interrupted runs of a process that ended", len(dead))
    return len(dead)


def _dead(rows: list[ReservationRow]) -> list[ReservationRow]:
    now = now_ms()
    return [row for row in rows if not process.is_alive(row.owner, now - row.created_at)]


async def _settle(services: Services, tx: Tx, row: ReservationRow) -> None:
    from store.ledger import AttemptRow, Ledger

    counts = row.grade == "estimated" and row.amount_nanos is not None
    grade = "own" if row.grade == "own" else "estimated" if counts else "unknown"
    attempt = AttemptRow(
        id=None,
        run_id=row.run_id,
        number=1,
        final=True,
        at=row.created_at,
        provider=row.provider,
        model=row.model,
        outcome="interrupted",
        error_code="interrupted",
        input=row.input_tokens,
        cost_nanos=row.amount_nanos if counts else None,
        grade=grade,
        caller="recovery",
    )
    await Ledger(services.db).insert(tx, attempt)
    await services.audit.record(
        tx,
        "run.recovered",
        f"{row.provider}/{row.model}",
        result="interrupted",
        detail={
            "run_id": row.run_id,
            "owner": row.owner,
            "reserved_nanos": row.amount_nanos,
            "counted": "the reserved amount" if counts else grade,
        },
    )
