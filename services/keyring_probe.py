"""Whether the OS keyring answers: asked once, and believed for as long as the answer is likely to hold."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from services.clock import now_ms
from store.vault.base import BackendState

if TYPE_CHECKING:
    from services.container import Services
    from store.vault.keyring_backend import OsKeyring

_PROBE_KEY = "keyring_probe"
_AGE_MS = {"ready": 30 * 86_400_000, "absent": 86_400_000, "locked": 3_600_000}
"""How long an answer is believed within the same desktop session."""


class KeyringProbe:
    """The keyring's last answer, kept in the store from one start to the next."""

    def __init__(self, services: Services, keyring: OsKeyring) -> None:
        self._services = services
        self._keyring = keyring
        self._known: BackendState | None = None

    async def answer(self) -> BackendState:
        """What is known: from this process, from the store, else by asking."""
        if self._known is None:
            self._known = await self._remembered()
        return self._known or await self.ask()

    async def ask(self) -> BackendState:
        """Asks now, whatever is remembered, and remembers the answer. Takes some seconds at most."""
        state = await self._keyring.state()
        self._known = state
        if state.state in _AGE_MS:
            known = {"state": state.state, "message": state.message, "session": _session(), "at": now_ms()}
            await remember(self._services, _PROBE_KEY, known)
        return state

    async def _remembered(self) -> BackendState | None:
        found = await self._services.state.get(_PROBE_KEY)
        if not isinstance(found, dict) or found.get("session") != _session():
            return None
        state, at = found.get("state"), found.get("at")
        if state not in _AGE_MS or not isinstance(at, int) or now_ms() - at > _AGE_MS[state]:
            return None
        return BackendState(state, str(found.get("message", "")))


async def remember(services: Services, key: str, value: object) -> None:
    """A store that cannot be written now costs another probe or question, no more."""
    if services.db.read_only or services.db.dry_run or await services.state.get(key) == value:
        return
    with contextlib.suppress(SwitchroomError):
        async with services.db.transaction() as tx:
            await services.state.set(tx, key, value)


def _session() -> str:
    """Which desktop session this is, as a short hash: over SSH another keyring answers, or none."""
    names = ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "PYTHON_KEYRING_BACKEND")
    text = "\n".join(os.environ.get(name, "") for name in names)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
