"""The newer facts that were fetched: one file per source, one line per vendor in it, so that a vendor costs one read.

Line 1 is the head: source, address, ETag, date, how long the rest must be, and where each vendor's line lies.
A file that is not whole is left aside with a note; the bundled facts hold then.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from catalog.merge import merge_layers
from catalog.plaintext import one_line
from catalog.refreshed_genai import Rule, matches, names_of
from catalog.types import ModelInfo

SOURCES = ("genai", "catwalk", "modelsdev", "openrouter")
"""Every source, the one whose prices are believed first in front."""

_FIELD_ORDER = ("modelsdev", "catwalk", "genai")
_PRICE_ORDER = ("genai", "catwalk", "modelsdev")
FORMAT = 1
_HEAD_MAX = 64 * 1024
_FILE_MAX = 128 * 1024 * 1024
_LEFT_S = 600.0
"""A half-written file that old belongs to nobody any more."""


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a stored list without reading its models."""

    source: str
    url: str
    etag: str | None
    fetched_at: int
    """UTC ms."""
    models: int
    vendors: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    """Vendor → where its line begins, counted from the end of the head, how long it is, and its checksum."""
    begins: int = 0
    checked_at: int = 0
    """UTC ms of the last answer that it is still the newest."""


class Note(NamedTuple):
    """A stored list that is not used, and why."""

    file: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Listed:
    """What one source says of one vendor."""

    models: Mapping[str, ModelInfo]
    """By the ids that the vendor takes. Of a source with rules: the names that its rules list."""
    rules: tuple[Rule, ...] = ()
    """Tried in order for other names."""

    def find(self, model_id: str) -> ModelInfo | None:
        if (found := self.models.get(model_id)) is not None:
            return found
        return next((info for clause, info in self.rules if matches(clause, model_id)), None)


def _ranked(vendor: str, order: tuple[str, ...]) -> tuple[str, ...]:
    """Of its own models OpenRouter knows best."""
    return ("openrouter", *order) if vendor == "openrouter" else order


def price_order(vendor: str) -> tuple[str, ...]:
    """Whose prices of a vendor's models are believed, the first in front."""
    return _ranked(vendor, _PRICE_ORDER)


def file_of(folder: Path, source: str) -> Path:
    """Where the list of a source lies."""
    return folder / f"{source}.jsonl"


# -- writing -------------------------------------------------------------------------------------


def prepare(
    folder: Path,
    source: str,
    vendors: Mapping[str, Iterable[Rule] | Mapping[str, ModelInfo]],
    *,
    url: str,
    etag: str | None,
    at: int,
) -> Path:
    """Write a list whole and safe on disk beside the one in use; `put` makes it the one in use. Raises OSError."""
    lines: dict[str, bytes] = {}
    models = 0
    for vendor, said in vendors.items():
        pairs = ((None, info) for info in said.values()) if isinstance(said, Mapping) else said
        entries = [_entry(info, clause) for clause, info in pairs]
        models += len(entries)
        lines[vendor] = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    places: dict[str, tuple[int, int, int]] = {}
    position = 0
    for vendor, line in lines.items():
        places[vendor] = (position, len(line), crc32(line))
        position += len(line)
    head = {
        "format": FORMAT, "source": source, "url": url, "etag": etag, "fetched_at": at, "models": models,
        "bytes": position, "vendors": places,
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sweep(folder)
    unfinished = folder / f".{source}.{os.getpid()}.tmp"
    try:
        with unfinished.open("wb") as out:
            out.write(json.dumps(head).encode() + b"\n")
            out.writelines(lines.values())
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        drop(unfinished)
        raise
    return unfinished


def put(unfinished: Path, folder: Path, source: str) -> None:
    """Put a prepared list in the place of the one before, in one step. Raises OSError."""
    unfinished.replace(file_of(folder, source))


def drop(unfinished: Path) -> None:
    """A prepared list is not wanted."""
    with suppress(OSError):
        unfinished.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """What processes that were killed left half-written."""
    with suppress(OSError):
        for left in folder.glob(".*.tmp"):
            if time.time() - left.stat().st_mtime > _LEFT_S:
                left.unlink(missing_ok=True)


def still_newest(folder: Path, source: str) -> None:
    """The source said that the stored list is its newest: note the moment."""
    with suppress(OSError):
        os.utime(file_of(folder, source))


def _entry(info: ModelInfo, clause: object) -> dict[str, Any]:
    entry = info.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return entry if clause is None else {**entry, "match": clause}


# -- reading -------------------------------------------------------------------------------------


def read_head(path: Path) -> Head | None:
    """What lies at a path; None: nothing. Raises ValueError when it is not a whole list."""
    try:
        with path.open("rb") as stored:
            first = stored.readline(_HEAD_MAX)
            info = os.fstat(stored.fileno())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError(error.strerror or "it cannot be read") from None
    try:
        raw = json.loads(first)
        if raw["format"] != FORMAT:
            raise ValueError("it was written by another version of Switchroom")
        places = {
            str(vendor): (int(start), int(size), int(check))
            for vendor, (start, size, check) in raw["vendors"].items()
        }
        whole = len(first) + int(raw["bytes"])
        head = Head(
            str(raw["source"]), one_line(str(raw["url"]), 300), raw["etag"] if isinstance(raw["etag"], str) else None,
            int(raw["fetched_at"]), int(raw["models"]), places, len(first), info.st_mtime_ns // 1_000_000,
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError, RecursionError, json.JSONDecodeError, UnicodeDecodeError):
        raise ValueError("its first line cannot be read") from None
    if info.st_size != whole or whole > _FILE_MAX:
        raise ValueError("it is not whole")
    return head


def read_line(path: Path, head: Head, vendor: str) -> bytes:
    """A vendor's line as it was written. Raises ValueError or OSError when it is another one."""
    start, size, check = head.vendors[vendor]
    with path.open("rb") as stored:
        stored.seek(head.begins + start)
        line = stored.read(size)
    if crc32(line) != check:
        raise ValueError("it is not what was written")
    return line


def read_vendor(path: Path, head: Head, vendor: str) -> Listed:
    """What a vendor's line says. Raises ValueError or OSError when it cannot be read."""
    line = read_line(path, head, vendor)
    models: dict[str, ModelInfo] = {}
    rules: list[Rule] = []
    for raw in json.loads(line):
        clause = raw.pop("match", None)
        info = ModelInfo.model_validate(raw)
        if clause is None:
            models[info.id] = info
        elif (names := names_of(clause)) is not None:
            for name in (*names, info.id):
                models.setdefault(name, info)
        else:
            models.setdefault(info.id, info)
            rules.append((clause, info))
    return Listed(models, tuple(rules))


class Refreshed:
    """The stored lists of all sources; a head is read on first use, a vendor's models when it is asked for."""

    def __init__(
        self,
        folder: Path | None,
        sources: Iterable[str] = SOURCES,
        instead: Mapping[str, Path] | None = None,
    ) -> None:
        self._folder = folder
        self._instead = dict(instead or {})
        """Source → a prepared list that is looked at as if it were in use already."""
        self._sources = tuple(sources)
        """Sources that are switched off are not used, even where their file is still there."""
        self._heads: dict[str, Head] | None = None
        self._vendors: dict[str, dict[str, Listed]] = {}
        self._found: dict[tuple[str, str], ModelInfo | None] = {}
        self._notes: dict[str, Note] = {}

    @property
    def heads(self) -> Mapping[str, Head]:
        """Source → its stored list, of those that can be used."""
        if self._heads is None:
            self._heads = {}
            for source in self._sources if self._folder is not None else ():
                path = self._path(source)
                try:
                    if (head := read_head(path)) is not None:
                        self._heads[source] = head
                except ValueError as error:
                    self._notes[source] = Note(path, f"left aside: {error}")
        return self._heads

    @property
    def dates(self) -> dict[str, int]:
        """Source → UTC ms of the last word that its stored list is the newest."""
        return {source: max(head.fetched_at, head.checked_at) for source, head in self.heads.items()}

    @property
    def notes(self) -> tuple[Note, ...]:
        """Stored lists that are not used, with the reason."""
        _ = self.heads
        return tuple(self._notes.values())

    def model(self, vendor: str, model_id: str) -> ModelInfo | None:
        """What the sources say of a model, each field from the one that is believed first."""
        key = (vendor, model_id)
        if key not in self._found:
            self._found[key] = self._merged(vendor, model_id)
        return self._found[key]

    def ids(self, vendor: str) -> list[str]:
        """The ids of models that the sources list for a vendor; rules stand for many names and list none."""
        listed = self._listed(vendor)
        found = [model for source, said in listed.items() if source != "genai" for model in said.models]
        return list(dict.fromkeys(found))

    def _path(self, source: str) -> Path:
        assert self._folder is not None
        return self._instead.get(source) or file_of(self._folder, source)

    def line(self, source: str, vendor: str) -> bytes:
        """A vendor's stored line, to see whether two lists differ; empty when there is none."""
        head = self.heads.get(source)
        if head is None or vendor not in head.vendors:
            return b""
        with suppress(OSError, ValueError):
            return read_line(self._path(source), head, vendor)
        return b""

    def said(self, source: str, vendor: str, model_id: str) -> ModelInfo | None:
        """What one source says of a model."""
        listed = self._listed(vendor).get(source)
        return None if listed is None else listed.find(model_id)

    def sound(self, source: str) -> bool:
        """True when all of a source's stored list can be read: only then need it not be fetched whole."""
        head = self.heads.get(source)
        return head is not None and all(self.line(source, vendor) for vendor in head.vendors)

    def _merged(self, vendor: str, model_id: str) -> ModelInfo | None:
        said = {
            source: info
            for source, listed in self._listed(vendor).items()
            if (info := listed.find(model_id)) is not None
        }
        if not said:
            return None
        return merge_layers(
            model_id,
            [(f"refreshed:{name}", said[name]) for name in _ranked(vendor, _FIELD_ORDER) if name in said],
            prices=[(f"refreshed:{name}", said[name]) for name in price_order(vendor) if name in said],
        )

    def _listed(self, vendor: str) -> dict[str, Listed]:
        if vendor not in self._vendors:
            found: dict[str, Listed] = {}
            for source, head in self.heads.items():
                if vendor not in head.vendors:
                    continue
                path = self._path(source)
                try:
                    found[source] = read_vendor(path, head, vendor)
                except (ValueError, OSError, TypeError, AttributeError, RecursionError):
                    self._notes[source] = Note(path, f"its part about {vendor} cannot be read")
            self._vendors[vendor] = found
        return self._vendors[vendor]
