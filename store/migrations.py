"""When and how a database file may be brought up to date: one step, one transaction, a copy first."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import StoreError
from store.errors import corrupt, restore_hint, store_error

APPLICATION_ID = 0x53575243  # "SWRC": marks the file as ours
BUSY_SECONDS = 10.0
_HEADER = b"SQLite format 3\x00"
_SMALL = 2 * 1024 * 1024
"""Files up to this size are checked whole at every opening; a bigger one is found out page by page in use."""
_READER_CACHE_KIB = 16 * 1024
"""What the reader may keep of the file in memory; it is taken only as pages are read."""
_WAL_KEPT = 16 * 1024 * 1024
"""The write-ahead log is cut back to this size once what it holds is in the file."""
_RECORDS = """CREATE TABLE IF NOT EXISTS schema_steps (
    position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, applied_at INTEGER NOT NULL) STRICT"""


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the schema. Its name is its identity: never renamed, never reordered, never edited."""

    name: str
    sql: str
    """One or more SQL statements."""


def connect(path: Path, *, query_only: bool = False) -> sqlite3.Connection:
    """A connection with our settings; transactions are begun by hand."""
    conn = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    conn.execute("PRAGMA synchronous=NORMAL")
    conn.execute("PRAGMA foreign_keys=ON")
    conn.execute(f"PRAGMA journal_size_limit={_WAL_KEPT}")
    if query_only:
        conn.execute("PRAGMA query_only=ON")
        conn.execute(f"PRAGMA cache_size=-{_READER_CACHE_KIB}")
    return conn


def statements(script: str) -> Iterator[str]:
    """The single statements of a script; triggers stay whole."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending.strip()
            pending = ""
    if pending.strip():
        raise ValueError(f"unfinished statement: {pending.strip()[:80]}")


def migrate(path: Path, steps: Sequence[Step]) -> None:
    """Makes the file or brings it up to date.

    Raises StoreError when it is damaged, newer than this program or not ours; it is not touched then.
    A step that fails leaves the file as it was before that step, and the copy beside it.
    """
    try:
        _prepare(path)
        found = _inspect(path, steps)
        if len(found) < len(steps):
            _bring_up(path, steps, copy_first=bool(found))
    except sqlite3.Error as error:
        raise store_error(path, error) or corrupt(path, str(error)) from error
    except OSError as error:
        raise StoreError(
            f"The database {path} cannot be opened: {error.strerror or error}.",
            title="Database not readable",
            hint=f"Check that {path.parent} exists and is yours: ls -ld {path.parent}",
        ) from error


def _prepare(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        return
    if path.stat().st_mode & 0o077 and os.access(path, os.W_OK):
        path.chmod(0o600)


def _inspect(path: Path, steps: Sequence[Step]) -> list[str]:
    """The names of the steps in the file, read without touching it or leaving anything beside it."""
    if path.stat().st_size == 0:
        return []
    before = _fingerprint(path)
    try:
        applied = _read(path, alone=before[0] == 0)
    except (StoreError, sqlite3.Error):
        if _fingerprint(path) == before:
            raise
        applied = _read(path, alone=False)  # another process was at it meanwhile
    _refuse_foreign(path, applied, steps)
    return applied


def _fingerprint(path: Path) -> tuple[int, int, int]:
    """Size of the write-ahead log (0: nobody has the file open), size and time of the file."""
    wal = path.with_name(path.name + "-wal")
    stat = path.stat()
    return (wal.stat().st_size + 1 if wal.exists() else 0, stat.st_size, stat.st_mtime_ns)


def _read(path: Path, *, alone: bool) -> list[str]:
    """`alone`: nobody has the file open, so it is read as it lies there, without locks."""
    size = path.stat().st_size
    _check_header(path, size)
    how = "immutable=1" if alone else "mode=ro"
    conn = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=BUSY_SECONDS)
    try:
        if size <= _SMALL and (found := conn.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise corrupt(path, str(found).splitlines()[-1])
        tables = conn.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if tables and conn.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise StoreError(
                f"{path} is a database of another program.",
                title="Not our database",
                hint="Point SWITCHROOM_HOME elsewhere, or move that file away; it was not touched.",
            )
        return _applied(conn)
    finally:
        conn.close()


def _check_header(path: Path, size: int) -> None:
    with path.open("rb") as file:
        header = file.read(100)
    if not header.startswith(_HEADER):
        raise corrupt(path, "it is not an SQLite file")
    page = int.from_bytes(header[16:18], "big")
    page = 65536 if page == 1 else page
    pages = int.from_bytes(header[28:32], "big")
    wal = path.with_name(path.name + "-wal")
    # While a write-ahead log is there, the file may rightly be shorter than its header says.
    if size < pages * page and not (wal.exists() and wal.stat().st_size):
        raise corrupt(path, f"it is cut short: {size} of {pages * page} bytes")


def _applied(conn: sqlite3.Connection) -> list[str]:
    if not conn.execute("SELECT 1 FROM sqlite_schema WHERE name = 'schema_steps'").fetchone():
        return []
    return [row[0] for row in conn.execute("SELECT name FROM schema_steps ORDER BY position")]


def _refuse_foreign(path: Path, applied: list[str], steps: Sequence[Step]) -> None:
    known = [step.name for step in steps]
    if applied == known[: len(applied)]:
        return
    unknown = next((name for name in applied if name not in known), applied[-1])
    raise StoreError(
        f"The database {path} was written by a newer Switchroom (it has the step “{unknown}”).",
        title="Database is newer",
        hint=f"Update Switchroom. {restore_hint(path)}",
    )


def _bring_up(path: Path, steps: Sequence[Step], *, copy_first: bool) -> None:
    conn = connect(path)
    try:
        _use_wal(conn)
        conn.execute("PRAGMA synchronous=FULL")
        for position, step in enumerate(steps):
            conn.execute("BEGIN IMMEDIATE")
            try:
                if copy_first and len(_applied(conn)) == position:
                    _copy(path, step)  # under the write lock: nobody changes the file meanwhile
                    copy_first = False
                _apply(conn, path, steps, position, step)
                conn.execute("COMMIT")
            except BaseException:
                if conn.in_transaction:
                    conn.execute("ROLLBACK")
                raise
    finally:
        conn.close()


def _use_wal(conn: sqlite3.Connection) -> None:
    """Turn the write-ahead log on. SQLite does not wait here for another process that does the same: we do."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            conn.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)


def _apply(conn: sqlite3.Connection, path: Path, steps: Sequence[Step], position: int, step: Step) -> None:
    """One step and its record. Under the write lock, so a second process finds it done."""
    applied = _applied(conn)
    _refuse_foreign(path, applied, steps)
    if position < len(applied):
        return
    if position == 0:
        conn.execute(f"PRAGMA application_id={APPLICATION_ID}")
        conn.execute(_RECORDS)
    try:
        for statement in statements(step.sql):
            conn.execute(statement)
    except sqlite3.Error as error:
        if (known := store_error(path, error)) is not None and "damaged" not in known.message:
            raise known from error
        raise StoreError(
            f"The database {path} could not be brought up to date at the step “{step.name}”: {error}.",
            title="Migration failed",
            hint=f"It was left as it was before that step. {restore_hint(path)}",
        ) from error
    conn.execute(
        "INSERT INTO schema_steps (position, name, applied_at) VALUES (?, ?, ?)",
        (position, step.name, time.time_ns() // 1_000_000),
    )


def _copy(path: Path, step: Step) -> None:
    """A copy of the file as it is before the step, complete or not there at all."""
    target = path.with_name(f"{path.name}.before-{step.name}.bak")
    partial = target.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_CREAT | os.O_RDWR, 0o600))
    source = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
    copy = sqlite3.connect(partial)
    try:
        try:
            source.backup(copy)
        finally:
            copy.close()
            source.close()
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)  # on a full disk it would stand in the way of everything else
        raise
