"""When providers are synced by themselves while the program is open: at its start, then on their schedules."""

from __future__ import annotations

import asyncio
import logging
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from catalog.errors import SwitchroomError
from services import sync_due
from services.clock import MINUTE_MS, now_ms
from services.feed import OfflineChanged
from services.schedule import next_time

if TYPE_CHECKING:
    from services.container import Services
    from services.sync import SyncResult
    from store.providers import ProviderRow

log = logging.getLogger(__name__)

LOOK_S = MINUTE_MS / 1000
"""How often interval and cron schedules are looked at."""


class Schedules:
    """Fires what is due; several programs on one store share the work."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._owed: set[str] = set()
        """Those of each start that could not be reached yet: offline, or their key is in a locked vault."""

        self._not_before: dict[str, int] = {}
        """Those whose sync the user stopped → when they are due again, UTC ms."""

    async def keep(self) -> None:
        """Sync what wants it at the start, and then what is due, until the services close."""
        if self._services.db.read_only:
            return
        wake = asyncio.Event()
        leave = self._services.feed.subscribe(lambda _: wake.set(), OfflineChanged)
        try:
            await asyncio.to_thread(import_module, "services.sync")
            starting = self._services.settings.sync.at_start
            if not starting:
                await _until(wake)
            while True:
                try:
                    await self.fire(starting=starting)
                    starting = False
                except SwitchroomError:
                    log.exception("a scheduled sync could not be started")
                await _until(wake)
        finally:
            leave()

    async def fire(self, *, starting: bool = False) -> list[SyncResult]:
        """Sync those whose time has come, unless another program does it. `starting`: and those of each start."""
        rows = [row for row in await self._services.registry.rows() if row.enabled]
        if starting:
            self._owed = {row.slug for row in rows if row.auto_sync == "start"}
        near = [row for row in rows if self._at_hand(row) and self._not_before.get(row.slug, 0) <= now_ms()]
        slugs = await sync_due.take(self._services, near, starting=self._owed)
        try:
            results = await self._services.sync.sync(slugs) if slugs else []
        finally:
            await sync_due.done(self._services, slugs)
        self._owed -= {row.slug for row in near}
        stopped = set(slugs) - {result.slug for result in results}
        for row in near:
            if row.slug in stopped and (then := next_time(row.auto_sync, now_ms())) is not None:
                self._not_before[row.slug] = then
        return results

    def _at_hand(self, row: ProviderRow) -> bool:
        """Whether it can be synced without going online and without asking anybody for a passphrase."""
        if not self._services.offline.reaches(urlsplit(row.endpoint).hostname or ""):
            return False
        secrets = (row.key_ref, row.proxy, *row.secret_headers.values())
        in_vault = any(ref is not None and ref.startswith("vault:") for ref in secrets)
        return not in_vault or self._services.credentials.vault_at_hand


async def _until(wake: asyncio.Event) -> None:
    """Until the next look, or something that may let more be done."""
    try:
        await asyncio.wait_for(wake.wait(), LOOK_S)
    except TimeoutError:
        return
    wake.clear()
