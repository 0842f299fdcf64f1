"""Blobs that several models of the cache share: what a link in a model leads to, and taking away what none uses any more.

Newer releases of Hugging Face's libraries keep a file once in `blobs/<2 hex>/<hash>` of the cache, link to it from each
model, and write those links into `<hash>.refs` beside it. What that list does not tell for sure is kept.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

_HASH = re.compile(r"[0-9a-f]{64}")
_OWNER = re.compile(r"(?:models|datasets|spaces|kernels)--[^/\\\r\n]+/blobs/[^/\\\r\n]+")
_MARK = ".huggingface-shared-blobs"
_LAYOUT = b"1\n"
_LONGEST = 4 * 1024 * 1024
"""Bytes of a list of links that are read."""


def target(link: str, cache: Path) -> tuple[Path, os.stat_result] | None:
    """The shared blob that a model's link leads to, and its facts; None for a link to anywhere else.

    The path is compared as it is written, and every folder on it must be a real one: no second link is followed.
    """
    try:
        path = Path(os.path.normpath(Path(link).parent / Path(link).readlink()))
        store = cache / "blobs"
        if path.parent.parent != store or _HASH.fullmatch(path.name) is None or path.parent.name != path.name[:2]:  # fmt: skip
            return None
        facts = path.lstat()
        folders = all(stat.S_ISDIR(one.lstat().st_mode) for one in (store, path.parent))
    except (OSError, ValueError):
        return None
    return (path, facts) if folders and stat.S_ISREG(facts.st_mode) else None


def sweep(cache: Path, blobs: Iterable[Path]) -> None:
    """Delete those of these shared blobs that no model links to any more. What cannot be told stays."""
    try:
        import fcntl
    except ImportError:  # Windows: its locks are others, and the library's own cleaning does it
        return
    store = cache / "blobs"
    if _text(store / _MARK) != _LAYOUT.decode():
        return
    for blob in set(blobs):
        try:
            # the library's own lock, so that nobody links to it between the look and the deletion
            lock = os.open(
                blob.with_name(f"{blob.name}.lock"), os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o666
            )
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if _unused(blob, cache):
                    blob.unlink()
                    blob.with_name(f"{blob.name}.refs").unlink(missing_ok=True)
            finally:
                os.close(lock)
        except OSError:
            continue


def _unused(blob: Path, cache: Path) -> bool:
    told = _text(blob.with_name(f"{blob.name}.refs"))
    if not told:
        return False
    for line in told.splitlines():
        if _OWNER.fullmatch(line) is None or ".." in line.split("/"):
            continue
        link = cache / line
        if link.is_symlink() and (led := target(str(link), cache)) is not None and led[0] == blob:
            return False
    return stat.S_ISREG(blob.lstat().st_mode)


def _text(path: Path) -> str:
    """A small ordinary file's text; empty where it is none, or cannot be read whole."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return ""
        with path.open("rb") as file:
            content = file.read(_LONGEST + 1)
        return content.decode() if len(content) <= _LONGEST else ""
    except (OSError, ValueError):
        return ""
