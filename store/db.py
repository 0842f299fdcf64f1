"""Who may write when: one writer connection behind a lock, one read-only connection for the faces' queries."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite

from catalog.errors import ReadOnlyError
from store.connection import Params, Statement, StoreConnection
from store.migrations import connect, migrate
from store.steps import STEPS

_BEGIN: Statement = ("BEGIN IMMEDIATE", ())
_ROLLBACK: Statement = ("ROLLBACK", ())
_FULL: Statement = ("PRAGMA synchronous=FULL", ())
_NORMAL: Statement = ("PRAGMA synchronous=NORMAL", ())


class Tx:
    """An open write transaction. It begins with its first statement and cannot be used after its end."""

    __slots__ = ("_begun", "_ended", "_pending", "_writer")

    def __init__(self, writer: StoreConnection, *, durable: bool) -> None:
        self._writer = writer
        self._pending: list[Statement] = [_FULL, _BEGIN] if durable else [_BEGIN]
        self._begun = False
        self._ended = False

    async def execute(self, sql: str, params: Params = ()) -> aiosqlite.Cursor:
        """Runs one statement now; the cursor has `lastrowid` and `rowcount`."""
        return await self._writer.batch(self._take(), sql, params)

    async def executemany(self, sql: str, rows: Iterable[Params]) -> int:
        """Runs one statement for each row; gives the number of rows changed."""
        return await self._writer.batch_many(self._take(), sql, rows)

    async def fetchall(self, sql: str, params: Params = ()) -> list[Any]:
        """All rows of a query, seen from inside the transaction."""
        return await self._writer.batch_fetch(self._take(), sql, params)

    async def fetchone(self, sql: str, params: Params = ()) -> Any | None:
        """The first row of a query, seen from inside the transaction; None when there is none."""
        rows = await self.fetchall(sql, params)
        return rows[0] if rows else None

    def later(self, sql: str, params: Params = ()) -> None:
        """Queues a statement whose result nobody needs; it runs, in order, with the next one or the commit."""
        self._pending.append((sql, params))

    def _take(self) -> list[Statement]:
        if self._ended:
            raise RuntimeError("this transaction has ended")
        pending, self._pending = self._pending, []
        self._begun = True
        return pending

    async def finish(self, sql: str) -> None:
        """Ends the transaction with COMMIT or ROLLBACK; nothing at all happened when nothing was asked."""
        if self._begun or self._pending[-1] is not _BEGIN:
            await self.execute(sql)
        self._ended = True

    def abandon(self) -> None:
        """Undoes what was not committed: queued, not awaited, so that a second cancellation cannot stop it.

        It runs before whatever is sent next. After a commit it finds no transaction and does nothing.
        """
        if not self._ended:
            self._ended = True
            self._writer.post((_ROLLBACK,))


class Database:
    """The open store. `transaction()` is the only way to write."""

    def __init__(
        self,
        path: Path,
        writer: StoreConnection,
        reader: StoreConnection,
        *,
        read_only: bool,
        dry_run: bool,
    ) -> None:
        self.path = path
        self.read_only = read_only
        self.dry_run = dry_run
        self.reader: StoreConnection = reader
        self._writer = writer
        self._lock = asyncio.Lock()
        self._version = 0
        self._open = True

    @classmethod
    async def open(cls, path: Path, *, read_only: bool = False, dry_run: bool = False) -> Database:
        """Opens the store, made or brought up to date first.

        Raises StoreError for a file that is damaged, newer or not ours (it is not touched), and for a disk
        that cannot take it. `read_only`: `transaction()` raises ReadOnlyError. `dry_run`: every transaction
        is undone at its end.
        """

        def connect_writer() -> sqlite3.Connection:
            migrate(path, STEPS)
            return connect(path)

        writer = await StoreConnection.opened(path, connect_writer)
        try:
            reader = await StoreConnection.opened(path, lambda: connect(path, query_only=True))
        except BaseException:
            await writer.close()
            raise
        self = cls(path, writer, reader, read_only=read_only, dry_run=dry_run)
        await self.changed_elsewhere()
        return self

    @asynccontextmanager
    async def transaction(self, *, durable: bool = False) -> AsyncIterator[Tx]:
        """One write transaction: committed at the end of the block, undone when it raises or is cancelled.

        `durable` is for administrative changes: on the disk before it returns (synchronous=FULL); without it
        a power cut may lose the last moments, never the consistency. A cancellation that arrives while the
        commit is under way comes too late: the work stays.
        """
        if self.read_only:
            raise ReadOnlyError(
                "This session is read-only; nothing was changed.",
                hint="Start without --read-only (and unset SWITCHROOM_READ_ONLY) to make changes.",
            )
        async with self._lock:
            tx = Tx(self._writer, durable=durable)
            try:
                yield tx
                await tx.finish("ROLLBACK" if self.dry_run else "COMMIT")
            finally:
                tx.abandon()
                if durable:
                    self._writer.post((_NORMAL,))

    async def changed_elsewhere(self) -> bool:
        """True when another process committed something since the last call."""
        rows = await self._writer.batch_fetch((), "PRAGMA data_version", ())
        before, self._version = self._version, int(rows[0][0])
        return before != self._version

    async def aclose(self) -> None:
        """Waits for a transaction under way, then closes both connections; a second call does nothing."""
        async with self._lock:
            if not self._open:
                return
            self._open = False
            await self.reader.close()
            await self._writer.close()
