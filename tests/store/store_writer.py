"""A second process for the tests: writes settle transactions into a store until told or killed.

Usage: store_writer.py DATABASE NAME COUNT (0: for ever). Prints `ready`, then each committed number.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from store.audit import AuditLog, load_key
from store.db import Database
from store.ledger import AttemptRow, Ledger
from store.reservations import ReservationRow, Reservations

T0 = 1_763_596_800_000


async def main(path: Path, name: str, count: int) -> None:
    db = await Database.open(path)
    audit = AuditLog(db, load_key(path.parent / "audit.key"))
    ledger, reservations = Ledger(db), Reservations(db)
    print("ready", flush=True)
    number = 0
    while not count or number < count:
        number += 1
        run = f"{name}-{number}"
        async with db.transaction() as tx:
            row = ReservationRow(run, run, name, "m", 1000, 10, T0, "host:1:1")
            await reservations.insert(tx, row)
        async with db.transaction(durable=number % 10 == 0) as tx:
            at = T0 + number * 60_000
            await ledger.insert(
                tx,
                AttemptRow(
                    None, run, 1, True, at, name, "m", "complete", cost_nanos=1000, grade="computed", input=7
                ),
            )
            await reservations.delete(tx, run)
            await audit.append(tx, at=at, actor=name, action="run", subject=run)
        print(number, flush=True)
    await db.aclose()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
