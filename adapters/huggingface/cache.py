"""The hub's cache of models on this machine: what is in it, how large, whole or not; and deleting out of it (WIRE section 7)."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
from dataclasses import dataclass, field
from pathlib import Path

from adapters.abilities import InstalledModel
from adapters.huggingface import shared
from catalog.plaintext import one_line

_REPO = re.compile(r"models--[^/\\]{1,400}")
_DYING = ".deleting-"
_MOST_FILES = 200_000
"""Directory entries that are looked at in one repository."""


@dataclass(slots=True)
class _Found:
    """What was seen in one repository's folder."""

    sizes: dict[tuple[int, int] | str, int] = field(default_factory=dict)
    """Blob or copied file → bytes, each once."""
    used: int = 0
    changed: int = 0
    partial: bool = False
    damaged: bool = False
    files: int = 0
    revisions: int = 0
    refs: list[str] = field(default_factory=list)
    looked: int = 0
    blobs: set[str] = field(default_factory=set)
    """Names of the blobs that are there."""
    shared: list[Path] = field(default_factory=list)
    """Of those that lie in the cache's shared store: where."""


def scan(folder: Path) -> list[InstalledModel]:
    """The models in a cache folder, by name. Slow: for a thread. A folder that is not there holds none."""
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        return []
    return [_model(path) for path in paths if _REPO.fullmatch(path.name) and _is_folder(path)]


def is_name(model: str) -> bool:
    """Whether a text can be a model's name on the hub: `owner/name`, or a name alone."""
    parts = model.split("/")
    return len(parts) <= 2 and all(re.fullmatch(r"\w[\w.-]{0,200}", part) for part in parts)


def folder_of(folder: Path, model: str) -> Path | None:
    """The folder of a model that is there; None for one that is not, and for a name that leads elsewhere."""
    if not is_name(model):
        return None
    path = folder / f"models--{model.replace('/', '--')}"
    return path if _is_folder(path) and path.resolve().parent == folder.resolve() else None


def remove(folder: Path, path: Path) -> None:
    """Delete one model's folder, its locks, and the shared blobs that only it used. Links in it are taken away, never
    followed. Raises OSError.
    """
    if path.parent != folder or not _REPO.fullmatch(path.name) or not _is_folder(path):
        raise PermissionError(f"{path.name} is no model of the cache")
    found = _Found()
    _blobs(path / "blobs", found)
    dying = path.with_name(f"{_DYING}{path.name}-{secrets.token_hex(4)}")
    path.rename(dying)  # first out of sight, so that a deletion that is cut leaves no half a model
    try:
        shutil.rmtree(dying)
    except OSError:
        if not path.exists():
            dying.rename(path)  # what is left is seen, as damaged, and can be deleted again
        raise
    shared.sweep(folder, found.shared)
    locks = folder / ".locks" / path.name
    if _is_folder(locks.parent) and _is_folder(locks):
        shutil.rmtree(locks, ignore_errors=True)
    for entry in _entries(folder, _Found()):  # of deletions that were cut
        if entry.name.startswith(f"{_DYING}models--") and entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)


def drop_parts(path: Path, *, before: float) -> None:
    """Take away what cut downloads left in a model that is whole now: parts nobody has written to since (Unix seconds)."""
    blobs = path / "blobs"
    if not _is_folder(blobs):
        return
    for entry in _entries(blobs, _Found()):
        facts = _facts(entry)
        if entry.name.endswith(".incomplete") and facts is not None and stat.S_ISREG(facts.st_mode) and facts.st_mtime < before:  # fmt: skip
            Path(entry.path).unlink(missing_ok=True)


def _model(path: Path) -> InstalledModel:
    found = _Found()
    _blobs(path / "blobs", found)
    _refs(path / "refs", found)
    snapshots, blobs = path / "snapshots", str(path / "blobs")
    if _is_folder(snapshots):
        for revision in _entries(snapshots, found):
            if revision.is_dir(follow_symlinks=False):
                found.revisions += 1
                _snapshot(revision.path, blobs, found, 0)
    for ref in found.refs:
        if not _is_folder(snapshots / ref):
            found.damaged = True
    # no snapshot at all: a download that was cut before its first file
    found.partial = found.partial or found.revisions == 0 or found.files == 0
    details: dict[str, str | int] = {"files": found.files, "revisions": found.revisions}
    if found.used:
        details["last_used_at"] = found.used
    return InstalledModel(
        id=one_line(path.name.removeprefix("models--").replace("--", "/"), 200),
        size_bytes=sum(found.sizes.values()),
        modified_at=found.changed or None,
        state="damaged" if found.damaged else "partial" if found.partial else "ready",
        details=details,
    )


def _blobs(path: Path, found: _Found) -> None:
    if not _is_folder(path):
        return
    cache = path.parent.parent
    for entry in _entries(path, found):
        facts = _facts(entry)
        if facts is not None and stat.S_ISLNK(facts.st_mode) and (led := shared.target(entry.path, cache)):
            found.shared.append(led[0])
            facts = led[1]
        if facts is None or not stat.S_ISREG(facts.st_mode):
            continue
        found.blobs.add(entry.name)
        found.sizes[facts.st_dev, facts.st_ino] = facts.st_size
        found.partial = found.partial or entry.name.endswith(".incomplete")
        found.used = max(found.used, round(facts.st_atime * 1000))
        found.changed = max(found.changed, round(facts.st_mtime * 1000))


def _snapshot(path: str, blobs: str, found: _Found, depth: int) -> None:
    """One folder of a revision: real folders all the way down, so that a link's path can be read as it is written."""
    for entry in _entries(path, found):
        if entry.is_dir(follow_symlinks=False):
            if depth < 20:
                _snapshot(entry.path, blobs, found, depth + 1)
            continue
        found.files += 1
        facts = _facts(entry)
        if facts is None:
            found.damaged = True
        elif stat.S_ISLNK(facts.st_mode):
            found.damaged = found.damaged or not _leads_to_a_blob(entry.path, path, blobs, found)
        elif stat.S_ISREG(facts.st_mode):  # a copy, where links cannot be made
            found.sizes[facts.st_dev, facts.st_ino] = facts.st_size
            found.changed = max(found.changed, round(facts.st_mtime * 1000))


def _leads_to_a_blob(link: str, within: str, blobs: str, found: _Found) -> bool:
    """There may be a hundred thousand links: usual ones are read as they are written, which asks the disk once."""
    try:
        led = os.path.normpath(os.path.join(within, os.readlink(link)))  # noqa: PTH115, PTH118
        folder, name = os.path.split(led)
        if folder != blobs:  # another way to write the same place, or another place
            folder, name = os.path.split(os.path.realpath(link, strict=True))
            blobs = os.path.realpath(blobs)
    except (OSError, ValueError):
        return False
    return folder == blobs and name in found.blobs


def _refs(path: Path, found: _Found) -> None:
    """The commits that names such as `main` stand for."""
    if not _is_folder(path):
        return
    for entry in _entries(path, found):
        if not entry.is_file(follow_symlinks=False):
            continue
        try:
            with Path(entry.path).open("rb") as file:
                commit = file.read(64).decode("ascii", "replace").strip()
        except OSError:
            continue
        if re.fullmatch(r"[0-9a-f]{40}", commit):
            found.refs.append(commit)


def _entries(path: Path | str, found: _Found) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            listed = []
            for entry in entries:
                found.looked += 1
                if found.looked > _MOST_FILES:
                    break
                listed.append(entry)
            return listed
    except OSError:
        return []


def _facts(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except OSError:
        return None


def _is_folder(path: Path) -> bool:
    """A real one: a link to a folder leads elsewhere."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except (OSError, ValueError):
        return False
