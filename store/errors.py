"""How SQLite's failures read to a person: each becomes a `StoreError` that names the file and the next step."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from catalog.errors import StoreError

_FREE_SPACE = "Free some space on that disk, then try again; nothing was half-written."
_FULL_BYTES = 256 * 1024
"""With less than this free, SQLite's "disk I/O error" (the shared memory beside the file, say) is a full disk."""
_BUSY = "Another Switchroom process holds it; wait a moment or close that one, then try again."


def newest_backup(path: Path) -> Path | None:
    """The latest copy that a migration left beside the database; None when there is none."""
    found = sorted(path.parent.glob(f"{path.name}.*.bak"), key=lambda p: p.stat().st_mtime)
    return found[-1] if found else None


def restore_hint(path: Path) -> str:
    """What to do about a database that cannot be opened, with the newest backup where there is one."""
    backup = newest_backup(path)
    if backup is None:
        return (
            f"There is no backup beside it. Move {path} away to start with an empty store; "
            "the file itself was not touched."
        )
    return (
        f"The newest backup is {backup}. To use it: move {path} away and copy the backup to that name; "
        "the file itself was not touched."
    )


def corrupt(path: Path, detail: str) -> StoreError:
    """The error for a file that is no readable SQLite database."""
    return StoreError(
        f"The database {path} is damaged ({detail}).", title="Database damaged", hint=restore_hint(path)
    )


def store_error(path: Path, error: sqlite3.Error) -> StoreError | None:
    """The error for people; None for mistakes of ours (SQL, constraints), which should be seen as they are."""
    if isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError)):
        return None
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return corrupt(path, str(error))
    if name.startswith("SQLITE_FULL") or (name.startswith("SQLITE_IOERR") and _is_full(path)):
        return StoreError(f"The disk that holds {path} is full.", title="Disk full", hint=_FREE_SPACE)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreError(f"The database {path} is busy.", title="Database busy", hint=_BUSY)
    if name.startswith(("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")):
        return StoreError(
            f"The database {path} cannot be written.",
            title="Database not writable",
            hint=f"Make it and its folder writable: chmod u+w {path.parent} {path}",
        )
    if name.startswith("SQLITE_CANTOPEN"):
        return StoreError(
            f"The database {path} cannot be opened.",
            title="Database not readable",
            hint=f"Check that {path.parent} exists and that both are yours: ls -ld {path.parent} {path}",
        )
    if name.startswith("SQLITE_IOERR"):
        return StoreError(
            f"Reading or writing {path} failed: {error}.",
            title="Disk trouble",
            hint="Check the disk (df, dmesg), then try again.",
        )
    return None


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _FULL_BYTES
    except OSError:
        return False
