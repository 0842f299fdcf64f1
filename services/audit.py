"""Who did what: every change and every exchange with a provider, written with the actor and the reason."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from services.clock import iso, now_ms

if TYPE_CHECKING:
    from services.audit_search import AuditPages
    from services.container import Services
    from store.audit import AuditLog, AuditRow, Verification
    from store.db import Tx

_acting: ContextVar[str | None] = ContextVar("acting", default=None)


@contextmanager
def acting(actor: str) -> Iterator[None]:
    """Tasks begun in this block act for somebody else: the log names them, and not this session's user."""
    token = _acting.set(actor)
    try:
        yield
    finally:
        _acting.reset(token)


class Audit:
    """The audit log with this session's actor and reason filled in."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @cached_property
    def _log(self) -> AuditLog:
        from store.audit import AuditLog, load_key

        return AuditLog(self._services.db, load_key(self._services.paths.audit_key))

    @cached_property
    def pages(self) -> AuditPages:
        """The log as a screen reads it: searched, a page at a time."""
        from services.audit_search import AuditPages

        return AuditPages(self._services)

    async def record(
        self,
        tx: Tx,
        action: str,
        subject: str,
        *,
        result: str = "ok",
        detail: Mapping[str, object] | None = None,
        reason: str | None = None,
    ) -> AuditRow:
        """Add a row inside the transaction of the change it tells of. `detail` must hold no secret.

        `reason`: why, in the user's words; None: what was said for the whole session, if anything.
        """
        return await self._log.append(
            tx,
            at=now_ms(),
            actor=_acting.get() or self._services.actor,
            action=action,
            subject=subject,
            result=result,
            detail=dict(detail or {}),
            reason=reason or self._services.reason,
        )

    async def interaction(
        self, action: str, subject: str, *, result: str, detail: Mapping[str, object] | None = None
    ) -> None:
        """Record an exchange with a provider (metadata only), unless the setting says not to or nothing may change."""
        services = self._services
        if not services.settings.audit.interactions or services.db.read_only:
            return
        async with services.db.transaction() as tx:
            await self.record(tx, action, subject, result=result, detail=detail)

    async def list(
        self,
        *,
        since: int | None = None,
        action: str | None = None,
        subject: str | None = None,
        limit: int = 200,
        before_id: int | None = None,
    ) -> list[AuditRow]:
        """The newest rows first."""
        return await self._log.list(
            since=since, action=action, subject=subject, limit=limit, before_id=before_id
        )

    async def of_provider(self, slug: str, limit: int = 200) -> builtins.list[AuditRow]:
        """What was done to a provider and to its limits, the newest first."""
        from services.budgets import PERIODS

        return await self._log.about((slug, *(f"provider:{slug} {period}" for period in PERIODS)), limit)

    async def verify(self, progress: Callable[[int, int], None] | None = None) -> Verification:
        """Walk the whole chain; names the first broken row."""
        return await self._log.verify(progress)

    def verify_file(self, path: Path) -> Verification:
        """The same for an exported file."""
        return self._log.verify_file(path)

    async def export(self, path: Path, progress: Callable[[int, int], None] | None = None) -> int:
        """Write the whole log as JSON lines (0600), whole or not at all; returns how many rows."""
        return await self._log.export(path, progress)


def document(row: AuditRow) -> dict[str, object]:
    """One row as `audit list --json` and the export show it."""
    return {
        "id": row.id,
        "at": iso(row.at),
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "result": row.result,
        "detail": row.detail,
        "reason": row.reason,
        "mac": row.mac,
    }
