"""Who did what: every change and every exchange with a provider, written with the actor and the reason."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import StoreError
from services.clock import iso, now_ms

if TYPE_CHECKING:
    from services.container import Services
    from store.audit import AuditLog, AuditRow, Verification
    from store.db import Tx


class Audit:
    """The audit log with this session's actor and reason filled in."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @cached_property
    def _log(self) -> AuditLog:
        from store.audit import AuditLog, load_key

        return AuditLog(self._services.db, load_key(self._services.paths.audit_key))

    async def record(
        self,
        tx: Tx,
        action: str,
        subject: str,
        *,
        result: str = "ok",
        detail: Mapping[str, object] | None = None,
    ) -> AuditRow:
        """Add a row inside the transaction of the change it tells of. `detail` must hold no secret."""
        return await self._log.append(
            tx,
            at=now_ms(),
            actor=self._services.actor,
            action=action,
            subject=subject,
            result=result,
            detail=dict(detail or {}),
            reason=self._services.reason,
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

    async def verify(self, progress: Callable[[int, int], None] | None = None) -> Verification:
        """Walk the whole chain; names the first broken row."""
        return await self._log.verify(progress)

    async def verify_file(self, path: Path) -> Verification:
        """The same for an exported file."""
        from store.audit import load_key, verify_file

        return verify_file(path, load_key(self._services.paths.audit_key))

    async def export(self, path: Path) -> int:
        """Write every row, oldest first, one JSON document a line (0600); returns how many."""
        pages: list[list[AuditRow]] = []
        before: int | None = None
        while page := await self.list(limit=5000, before_id=before):
            pages.append(page)
            before = page[-1].id
        rows = [row for page in reversed(pages) for row in reversed(page)]
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.writelines(json.dumps(document(row), ensure_ascii=False) + "\n" for row in rows)
        except OSError as error:
            raise StoreError(
                f"{path} cannot be written: {error.strerror}.", hint="Choose another file."
            ) from None
        return len(rows)


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
