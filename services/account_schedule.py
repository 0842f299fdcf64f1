"""When accounts are read by themselves: some time after the start, every few hours, by one of several programs."""

from __future__ import annotations

import asyncio
import logging
from importlib import import_module
from typing import TYPE_CHECKING

from services.clock import now_ms

if TYPE_CHECKING:
    from services.container import Services
    from store.providers import ProviderRow

log = logging.getLogger(__name__)

FIRST_S = 20.0
"""So long after the start nothing is asked: the first screens and the syncs come first."""
LOOK_S = 60.0


async def keep(services: Services) -> None:
    """Read what is due until the services close."""
    if services.db.read_only:
        return
    await asyncio.sleep(FIRST_S)
    await asyncio.to_thread(import_module, "services.account")
    while True:
        try:
            await fire(services)
        except Exception:  # whatever it was: the next look comes in a minute
            log.exception("a scheduled reading of accounts failed")
        await asyncio.sleep(LOOK_S)


async def fire(services: Services) -> list[str]:
    """Read the accounts whose time has come, one after the other; which they were."""
    if services.settings.account.pull == "off":
        return []
    done = []
    for row in await services.registry.rows():
        if row.admin_ref is None and row.key_ref is None:
            continue
        try:
            if await services.accounts.at_hand(row) and await _taken(services, row):
                try:
                    await services.accounts.refresh(row.slug)
                    done.append(row.slug)
                finally:
                    await _given_back(services, row)
        except Exception:  # one account must not keep the others from being read
            log.exception("the account of %s could not be read by itself", row.slug)
    return done


async def _taken(services: Services, row: ProviderRow) -> bool:
    """Whether it is due and no other program reads it: asked and claimed in one transaction."""
    from services.account import due_at
    from services.schedule_claims import claim

    held, every = services.accounts.held, services.settings.account.every_hours
    now = now_ms()
    if due_at(await held.account(row.slug), every, now) > now:
        return False
    async with services.db.transaction() as tx:
        due = due_at(await held.account(row.slug, tx), every, now) <= now
        return due and await claim(tx, _job(row), now)


async def _given_back(services: Services, row: ProviderRow) -> None:
    from services.schedule_claims import release

    await release(services.db, [_job(row)])


def _job(row: ProviderRow) -> str:
    return f"account:{row.slug}"
