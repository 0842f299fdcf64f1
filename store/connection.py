"""One SQLite connection on its own thread: several statements per hop, failures as `StoreError`."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import aiosqlite

from store.errors import store_error

Params = Sequence[Any] | Mapping[str, Any]
Statement = tuple[str, Params]


class StoreConnection(aiosqlite.Connection):
    """An aiosqlite connection whose failures are ours and which can run a batch in one hop to its thread."""

    def __init__(self, path: Path, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, 64)
        self._thread.daemon = True  # an abandoned connection never keeps the program from ending
        self.path = path
        self._stopping: asyncio.Future[object] | None = None

    def stop(self) -> asyncio.Future[object] | None:
        """Asks the thread to end; the future says when it has."""
        self._stopping = super().stop()
        return self._stopping

    async def _connect(self) -> aiosqlite.Connection:
        try:
            return await super()._connect()
        except BaseException:
            # Else the thread may answer a loop that is closed, and its traceback lands on the user's screen.
            if self._stopping is not None:
                await self._stopping
            raise

    @classmethod
    async def opened(cls, path: Path, connector: Callable[[], sqlite3.Connection]) -> Self:
        """A connection, open."""
        self = cls(path, connector)
        try:
            await self
        except sqlite3.Error as error:
            if (ours := store_error(path, error)) is not None:
                raise ours from error
            raise
        return self

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        except sqlite3.Error as error:
            if (ours := store_error(self.path, error)) is not None:
                raise ours from error
            raise

    async def batch(self, before: Iterable[Statement], sql: str, params: Params) -> aiosqlite.Cursor:
        """Runs the statements of `before`, then `sql`, and gives the last one's cursor."""
        return aiosqlite.Cursor(self, await self._execute(self._run, before, sql, params))

    async def batch_fetch(self, before: Iterable[Statement], sql: str, params: Params) -> list[Any]:
        """As `batch`, giving all rows of the last statement."""
        rows: list[Any] = await self._execute(self._fetch, before, sql, params)
        return rows

    async def read(self, make: Callable[[Any], Any], sql: str, params: Params) -> Any:
        """What `make` makes of the first value of the first row, on the connection's thread: a large answer is taken
        apart there while the loop goes on."""
        return await self._execute(lambda: make(self._conn.execute(sql, params).fetchone()[0]))

    async def batch_many(self, before: Iterable[Statement], sql: str, rows: Iterable[Params]) -> int:
        """As `batch` with one statement for many rows; gives the number of rows changed."""
        count: int = await self._execute(self._many, before, sql, rows)
        return count

    def post(self, statements: Iterable[Statement]) -> None:
        """Queues statements without waiting; whatever is sent later runs after them. Failures are ignored."""
        self._tx.put_nowait((None, lambda: self._quietly(statements)))

    def _run(self, before: Iterable[Statement], sql: str, params: Params) -> sqlite3.Cursor:
        execute = self._conn.execute
        for statement in before:
            execute(*statement)
        return execute(sql, params)

    def _fetch(self, before: Iterable[Statement], sql: str, params: Params) -> list[Any]:
        return self._run(before, sql, params).fetchall()

    def _many(self, before: Iterable[Statement], sql: str, rows: Iterable[Params]) -> int:
        execute = self._conn.execute
        for statement in before:
            execute(*statement)
        return self._conn.executemany(sql, rows).rowcount

    def _quietly(self, statements: Iterable[Statement]) -> None:
        for sql, params in statements:
            try:
                self._conn.execute(sql, params)
            except sqlite3.Error:
                continue
