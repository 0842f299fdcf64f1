"""Files of the user catalog on their way: which leave in an export, and which of a foreign configuration may come in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from catalog.errors import SwitchroomError
from services.transfer_read import read_bytes, safe, secretive
from services.transfer_types import Remark

if TYPE_CHECKING:
    from catalog.types import CatalogProvider

MOST_TOGETHER = 1_000_000
"""Bytes of all files in one export, which must stay below what an import reads."""


@dataclass(frozen=True, slots=True)
class VendorFile:
    """One file that may travel."""

    name: str
    text: str
    vendor: CatalogProvider


def outgoing(folder: Path, left: list[str]) -> dict[str, str]:
    """Name → text of every file of the user catalog; empty where it must be copied by hand, and why is in `left`."""
    found: dict[str, str] = {}
    room = MOST_TOGETHER
    for path in sorted(folder.glob("*.json")):
        if not _plain_name(path.name):
            left.append(f"the user catalog's file {safe(path.name)}, whose name is unusual")
            continue
        try:
            text = _text(path)
            why = _unfit(path.name, text, room)
        except (SwitchroomError, UnicodeDecodeError):
            text, why = "", "which cannot be read"
        if why:
            left.append(f"the user catalog's {safe(path.name)}, {why}")
        found[path.name] = "" if why else text
        room -= len(found[path.name].encode())
    return found


def incoming(file: Path, texts: Mapping[str, Any], remarks: list[Remark]) -> list[VendorFile]:
    """The files of a configuration that may come in; what is wrong with the others is remarked on."""
    from catalog.user import Problem, understood

    found: list[VendorFile] = []
    for name, text in texts.items():
        if not _plain_name(name) or not isinstance(text, str):
            remarks.append(Remark("refused", f"{safe(name)} is no file of a user catalog.", file))
            continue
        vendor = understood(Path(name), text.removeprefix("\ufeff"))
        if isinstance(vendor, Problem):
            remarks.append(Remark("refused", safe(f"{name}: {vendor.reason}", 200), file, vendor.line))
            continue
        found.append(VendorFile(name, text, vendor))
        remarks += _elsewhere(file, name, vendor)
    return found


def in_folder(folder: Path, remarks: list[Remark]) -> list[VendorFile]:
    """The same of a folder beside a configuration."""
    found: list[VendorFile] = []
    for path in sorted(folder.glob("*.json"))[:500] if folder.is_dir() else ():
        try:
            found += incoming(path, {path.name: _text(path)}, remarks)
        except (SwitchroomError, UnicodeDecodeError):
            remarks.append(Remark("refused", "The file cannot be read as text.", path))
    return found


def _elsewhere(file: Path, name: str, vendor: CatalogProvider) -> list[Remark]:
    """A warning where a known vendor would from then on be somewhere else: keys for it would go there."""
    from catalog.bundled import spec

    known = spec(vendor.id)
    here, there = urlsplit(known.endpoint).hostname if known else None, urlsplit(vendor.endpoint).hostname
    if known is None or known.local or here == there:
        return []
    words = f"{name} moves the vendor {vendor.id} from {here} to {there}: new keys for it go there."
    return [Remark("warning", safe(words, 300), file)]


def _plain_name(name: str) -> bool:
    """A file name and no path: nothing is ever written outside the folder."""
    odd = not name.isprintable() or name.startswith(".") or any(letter in name for letter in '/\\:*?"<>|')
    return name.endswith(".json") and 5 < len(name) <= 120 and not odd


def _text(path: Path) -> str:
    return read_bytes(path)[0].decode()


def _unfit(name: str, text: str, room: int) -> str:
    """Why a file of ours stays here, in words; empty: it may travel."""
    from catalog.user import Problem, understood

    if len(text.encode()) > room:
        return "which is too large for the file"
    vendor = understood(Path(name), text.removeprefix("\ufeff"))
    if isinstance(vendor, Problem):
        return f"which cannot be used: {safe(vendor.reason, 120)}"
    return (
        "which holds what looks like a key" if _holds_secret(json.loads(text.removeprefix("\ufeff"))) else ""
    )


def _holds_secret(value: Any, name: str = "") -> bool:
    """`"api_key": "$ACME_API_KEY"` names a variable, as Catwalk writes it; anything else there is a key."""
    if isinstance(value, dict):
        return any(secretive(key) or _holds_secret(item, str(key)) for key, item in value.items())
    if isinstance(value, list):
        return any(_holds_secret(item) for item in value)
    return bool(value) and secretive(value, "" if str(value).startswith("$") else name)
