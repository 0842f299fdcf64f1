"""The audit log: append-only, chained by HMAC, with a signed head so that a cut tail shows too.

Each row's mac covers the row and the mac of the row before it. The head (one row beside the log) signs the
last id, the number of rows and the last mac. Without `data/audit.key` neither can be made to fit again.
What cannot be seen: the whole file put back to an earlier state of itself.
"""

from __future__ import annotations

import asyncio
import builtins
import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from catalog.errors import StoreError
from store.audit_chain import (
    GENESIS,
    NAMES,
    AuditRow,
    Chain,
    Verification,
    exported,
    head_mac,
    row_mac,
    row_of,
    verify_lines,
)
from store.db import Database, Tx
from store.rows import dump

_CHUNK = 500
"""Rows checked between two turns of the event loop: about 3 ms."""


_SELECT = f"SELECT {', '.join(NAMES)} FROM audit"  # noqa: S608 - our own column names
_INSERT = f"INSERT INTO audit ({', '.join(NAMES)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_HEAD = (
    "INSERT INTO audit_head (one, last_id, count, last_mac, mac) VALUES (1, ?1, ?2, ?3, ?4)"
    " ON CONFLICT DO UPDATE SET last_id = ?1, count = ?2, last_mac = ?3, mac = ?4"
)


def load_key(path: Path) -> bytes:
    """The key of the chain, made (0600) when there is none. Two processes starting at once agree on one."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return _make_key(path)
    except (OSError, UnicodeDecodeError) as error:
        raise _bad_key(path, str(error)) from error
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise _bad_key(path, "it holds no 64 hex digits")
    return key


def _make_key(path: Path) -> bytes:
    """Written whole under another name, then linked: the name appears with its content or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # the other process was first: its key is the key
            os.link(partial, path)
    except OSError as error:
        raise _bad_key(path, error.strerror or str(error)) from error
    finally:
        partial.unlink(missing_ok=True)
    return load_key(path)


def _bad_key(path: Path, detail: str) -> StoreError:
    return StoreError(
        f"The audit log's key {path} cannot be used: {detail}.",
        title="Audit key unusable",
        hint=f"Put the file back from a backup (chmod 600 {path}); without it the old rows cannot be verified.",
    )


class AuditLog:
    """Appends, reads and verifies entries."""

    def __init__(self, db: Database, key: bytes) -> None:
        self._db = db
        self._key = key

    async def append(
        self,
        tx: Tx,
        *,
        at: int,
        actor: str,
        action: str,
        subject: str,
        result: str = "ok",
        detail: Mapping[str, Any] | None = None,
        reason: str | None = None,
    ) -> AuditRow:
        """Writes one entry inside the transaction of the change that it tells of."""
        head = await tx.fetchone("SELECT last_id, count, last_mac FROM audit_head")
        last_id, count, last_mac = head or (0, 0, GENESIS)
        row_id = last_id + 1
        text = dump(dict(detail or {}))
        mac = row_mac(self._key, last_mac, (row_id, at, actor, action, subject, result, text, reason))
        tx.later(_INSERT, (row_id, at, actor, action, subject, result, text, reason, mac))
        tx.later(_HEAD, (row_id, count + 1, mac, head_mac(self._key, row_id, count + 1, mac)))
        return AuditRow(row_id, at, actor, action, subject, result, json.loads(text), reason, mac)

    async def list(
        self,
        since: int | None = None,
        action: str | None = None,
        subject: str | None = None,
        limit: int = 200,
        before_id: int | None = None,
    ) -> list[AuditRow]:
        """Entries, newest first. `action` also takes a beginning (`provider` finds `provider.add`)."""
        rows = await self._db.reader.execute_fetchall(
            f"{_SELECT} WHERE id < ?1 AND (?2 IS NULL OR at >= ?2)"
            " AND (?3 IS NULL OR action = ?3 OR substr(action, 1, length(?3) + 1) = ?3 || '.')"
            " AND (?4 IS NULL OR subject = ?4) ORDER BY id DESC LIMIT ?5",
            (before_id if before_id is not None else 1 << 62, since, action, subject, limit),
        )
        return [row_of(row) for row in rows]

    async def about(self, subjects: Sequence[str], limit: int = 200) -> builtins.list[AuditRow]:
        """Entries on any of these subjects, newest first; of a long log only they are read."""
        each = f"SELECT * FROM ({_SELECT} WHERE subject = ? ORDER BY id DESC LIMIT ?)"  # noqa: S608
        sql = " UNION ALL ".join([each] * len(subjects)) + " ORDER BY id DESC LIMIT ?"
        params = [value for subject in subjects for value in (subject, limit)]
        return [row_of(row) for row in await self._db.reader.execute_fetchall(sql, (*params, limit))]

    async def verify(self, progress: Callable[[int, int], None] | None = None) -> Verification:
        """Checks the whole chain; `progress(rows checked, rows in all)` is called between chunks."""
        # Rows first, then the head: what another process appends meanwhile is read by the next round.
        chain = Chain(self._key)
        while True:
            found = await self._after(chain.last_id)
            if not found:
                if (end := await self._end(chain)) is None:
                    continue
                return end
            for row in found:
                if not chain.take(tuple(row)):
                    return Verification(chain.rows, False, chain.broken)
            if progress is not None:
                progress(chain.rows, max(chain.rows, await self._ever()))

    async def _end(self, chain: Chain) -> Verification | None:
        """The verdict once the rows are all taken; None: there are more by now."""
        found = await self._db.reader.execute_fetchall("SELECT last_id, count, last_mac, mac FROM audit_head")
        head = next((tuple(row) for row in found), None)
        if head is not None and head[0] > chain.last_id and await self._more(chain.last_id):
            return None
        return chain.end(head, await self._ever())

    async def _after(self, last_id: int) -> builtins.list[Any]:
        """The next rows: a long log is never in memory whole."""
        sql = f"{_SELECT} WHERE id > ? ORDER BY id LIMIT ?"
        return list(await self._db.reader.execute_fetchall(sql, (last_id, _CHUNK)))

    async def _more(self, last_id: int) -> bool:
        return bool(
            list(
                await self._db.reader.execute_fetchall("SELECT 1 FROM audit WHERE id > ? LIMIT 1", (last_id,))
            )
        )

    async def _ever(self) -> int:
        """The highest id that SQLite ever gave out here."""
        rows = list(
            await self._db.reader.execute_fetchall("SELECT seq FROM sqlite_sequence WHERE name = 'audit'")
        )
        return int(rows[0][0]) if rows else 0

    async def export(self, path: Path, progress: Callable[[int, int], None] | None = None) -> int:
        """Writes the whole log as JSON lines (0600), the signed head last; gives the number of rows.

        A log whose end is missing here gets no head: the file must not prove what the log does not.
        The file appears whole or not at all. `progress(rows written, rows in all)` is called between chunks.
        """
        chain = Chain(self._key)
        path, part = _places(path)
        try:
            with os.fdopen(
                os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="utf-8"
            ) as file:
                end: Verification | None = None
                while end is None:
                    while rows := await self._after(chain.last_id):
                        await asyncio.to_thread(_write_rows, file, rows)  # the screen goes on meanwhile
                        chain.last_id, chain.last_mac, chain.rows = (
                            rows[-1][0],
                            rows[-1][8],
                            chain.rows + len(rows),
                        )
                        if progress is not None:
                            progress(chain.rows, max(chain.rows, await self._ever()))
                    end = await self._end(chain)
                if end.intact:
                    mac = head_mac(self._key, chain.last_id, chain.rows, chain.last_mac)
                    file.write(
                        dump({"head": {"last_id": chain.last_id, "rows": chain.rows, "mac": mac}}) + "\n"
                    )
            if part != path:
                part.replace(path)
        except OSError as error:
            raise StoreError(
                f"The export {path} cannot be written: {error.strerror or error}.",
                title="Export failed",
                hint="Choose another file, or free some space on that disk.",
            ) from error
        finally:
            if part != path:
                with suppress(OSError):
                    part.unlink(missing_ok=True)
        return chain.rows

    def verify_file(self, path: Path) -> Verification:
        """Checks an exported file; one without its last line (the head) counts as cut."""
        try:
            with path.open(encoding="utf-8") as file:
                return verify_lines(self._key, file)
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(
                f"The export {path} cannot be read: {error}.",
                title="Export not readable",
                hint="Give a file that `switchroom audit export` wrote.",
            ) from error


def _places(path: Path) -> tuple[Path, Path]:
    """The file meant, and the one to write; the same for a pipe or `/dev/stdout`, which cannot be put in place."""
    path = path.resolve()
    straight = path.exists() and not path.is_file()
    return path, path if straight else path.with_name(f".{path.name}.{os.getpid()}.part")


def _write_rows(file: IO[str], rows: Iterable[tuple[Any, ...]]) -> None:
    file.writelines(dump(exported(row_of(row))) + "\n" for row in rows)


__all__ = ["AuditLog", "AuditRow", "Verification", "load_key"]
