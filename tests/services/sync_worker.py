"""A program with schedules, as its own process: sync_worker.py GO_AT ROUNDS. Fires whatever is due."""

from __future__ import annotations

import asyncio
import sys
import time

from services.container import open_services


async def main(go_at: float, rounds: int) -> None:
    async with open_services(actor="worker") as services:
        await services.registry.rows()
        await asyncio.sleep(max(0.0, go_at - time.time()))
        results = await services.schedules.fire(starting=True)
        for _ in range(rounds):
            results += await services.schedules.fire()
        print(len(results), flush=True)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), int(sys.argv[2])))
