"""Files for the user's eyes only: read when nobody else can, written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from catalog.errors import StoreError, VaultLockedError

LOCK_SECONDS = 15.0
"""How long another process may hold the lock before we give up."""


def read_private(path: Path) -> bytes | None:
    """The bytes of a regular file that only its owner can read; None when there is no file.

    Refuses symbolic links, foreign owners and wider permissions, naming the command that puts it right.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        if path.is_symlink():
            raise VaultLockedError(
                f"{path} is a symbolic link, which is not followed for secrets.",
                hint="Put the file itself there.",
            ) from None
        raise _unusable(path, error) from None
    try:
        _check(path, os.fstat(descriptor), directory=False)
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            return stream.read()
    except OSError as error:
        raise _unusable(path, error) from None
    finally:
        os.close(descriptor)


def write_private(path: Path, content: bytes) -> None:
    """Replaces the file in one step, 0600, on disk when this returns: old or new, never a part."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        descriptor = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)  # noqa: PTH105  beside its siblings
        sync_directory(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _unusable(path, error) from None


def remove_private(path: Path) -> None:
    """Removes the file for good; one that is not there is no error."""
    try:
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            sync_directory(path.parent)
    except OSError as error:
        raise _unusable(path, error) from None


def private_directory(path: Path, *, create: bool) -> bool:
    """True when the directory is there, and only its owner can enter it. `create` makes it (0700)."""
    try:
        if create:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unusable(path, error) from None
    _check(path, found, directory=True)
    return True


@contextlib.contextmanager
def exclusive(path: Path, leftovers: str | None = None) -> Iterator[None]:
    """Holds the lock beside `path` against other processes and threads; StoreError when it stays taken.

    `leftovers` is the pattern of temporary files beside it (None: those of `path`). What a killed writer left behind is cleared away, since nobody else can be writing now.
    """
    import fcntl

    lock = path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(lock, error) from None
    try:
        give_up = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > give_up:
                    raise StoreError(
                        f"Another program keeps {path} locked.", hint="Close it, then try again."
                    ) from None
                time.sleep(0.01)
        for leftover in path.parent.glob(leftovers or f".{path.name}.*.tmp"):
            leftover.unlink(missing_ok=True)
        yield
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check(path: Path, found: os.stat_result, *, directory: bool) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise VaultLockedError(
            f"{path} is a symbolic link, which is not followed for secrets.", hint="Put the real one there."
        )
    if not (stat.S_ISDIR(found.st_mode) if directory else stat.S_ISREG(found.st_mode)):
        raise StoreError(f"{path} is not a {'folder' if directory else 'regular file'}.")
    if found.st_uid != os.geteuid():
        raise VaultLockedError(f"{path} belongs to another user.", hint=f"chown {os.geteuid()} '{path}'")
    if found.st_mode & 0o077:
        mode = "700" if directory else "600"
        raise VaultLockedError(
            f"Others can open {path} (permissions {stat.S_IMODE(found.st_mode):03o}); it is not used for secrets.",
            hint=f"chmod {mode} '{path}'",
        )


def _unusable(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path} cannot be used: {error.strerror or type(error).__name__}.")
