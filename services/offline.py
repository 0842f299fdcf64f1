"""Whether connections may leave: offline is chosen by setting, variable or key, and one gate enforces it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.errors import OfflineError, UsageError
from services.feed import OfflineChanged, StoreChangedElsewhere

if TYPE_CHECKING:
    from services.container import Services

KEY = "offline"
"""Where the remembered choice is kept (store.state)."""


class Offline:
    """The choice, and the gate that `adapters.fetch` asks before every connection."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._remembered = False
        services.feed.subscribe(self._elsewhere, StoreChangedElsewhere)

    @property
    def forced(self) -> bool:
        """True when a setting or variable says offline: a key cannot end it."""
        return self._services.settings.network.offline

    @property
    def state(self) -> bool:
        """True while offline."""
        return self.forced or self._remembered

    @property
    def source(self) -> str | None:
        """What makes it offline: the setting's source, or `remembered`; None while online."""
        if self.forced:
            from services.settings import source

            return source(self._services.settings, "network.offline")
        return "remembered" if self._remembered else None

    async def load(self) -> None:
        """Read the remembered choice."""
        self._remembered = await self._services.state.get(KEY) is True

    async def set(self, on: bool) -> None:
        """Choose, and remember it."""
        if not on and self.forced:
            raise UsageError(
                f"Offline comes from {self.source}.",
                hint="Take it away there to go online.",
                title="Still offline",
            )
        if on == self._remembered:
            return
        async with self._services.db.transaction(durable=True) as tx:
            await self._services.state.set(tx, KEY, on)
            await self._services.audit.record(
                tx, "offline.on" if on else "offline.off", "network", detail={"before": not on, "after": on}
            )
        if not self._services.db.dry_run:
            self._remembered = on
            self._services.feed.publish(OfflineChanged(self.state))

    def reaches(self, host: str) -> bool:
        """Whether a connection to this host may be made now."""
        if not self.state:
            return True
        from catalog.detect import is_loopback, is_private

        if is_loopback(host):
            return True
        return self._services.settings.network.offline_private and is_private(host)

    def gate(self, host: str) -> None:
        """Raise OfflineError for a host outside the scope; asked before any name is looked up."""
        if not self.reaches(host):
            raise OfflineError(
                f"You are offline by choice, and {host} is not on this machine.",
                hint="Go online with `switchroom offline off`, or use a local provider.",
            )

    def _elsewhere(self, _event: StoreChangedElsewhere) -> None:
        self._services.spawn(self._reload())

    async def _reload(self) -> None:
        before = self.state
        await self.load()
        if self.state != before:
            self._services.feed.publish(OfflineChanged(self.state))
