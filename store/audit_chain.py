"""What proves the audit log: each row signed with the row before it, and a signed head over the whole."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from store.rows import columns, dump

GENESIS = ""
"""Stands for the mac before the first row."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry."""

    id: int
    at: int
    actor: str
    action: str
    subject: str
    result: str
    detail: dict[str, Any]
    reason: str | None
    mac: str
    """Hex; proves this row and its place after the one before."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of the chain found."""

    rows: int
    """Rows that were read."""
    intact: bool
    first_broken: int | None
    """The id of the first row that is changed, missing or out of place; None when all is well."""


NAMES = columns(AuditRow)


class Chain:
    """The state of a check: what the next row must follow."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.last_id = 0
        self.last_mac = GENESIS
        self.rows = 0
        self.broken: int | None = None

    def take(self, row: tuple[Any, ...]) -> bool:
        """Takes the next row (id … reason, mac); False when it is not what must come here."""
        self.rows += 1
        expected = self.last_id + 1
        mac = row_mac(self._key, self.last_mac, row[:8])
        if row[0] != expected or not isinstance(row[8], str) or not hmac.compare_digest(mac, row[8]):
            self.broken = expected
            return False
        self.last_id, self.last_mac = expected, row[8]
        return True

    def end(self, head: tuple[Any, ...] | None, ever: int) -> Verification:
        """The verdict, once the rows are all taken: does the signed head agree?"""
        if head is None:
            intact = self.rows == 0 and ever == 0
            return Verification(
                self.rows, intact, None if intact else self.last_id + 1 if ever > self.rows else 1
            )
        expected = (self.last_id, self.rows, self.last_mac, head_mac(self._key, *head[:3]))
        if head == expected and ever <= self.last_id:
            return Verification(self.rows, True, None)
        return Verification(self.rows, False, self.last_id + 1)


def row_mac(key: bytes, before: str, row: tuple[Any, ...]) -> str:
    text = json.dumps([before, *row], ensure_ascii=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def head_mac(key: bytes, last_id: int, count: int, last_mac: str) -> str:
    text = json.dumps(["head", last_id, count, last_mac], separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def row_of(record: Any) -> AuditRow:
    values = (*record[:6], json.loads(record[6]), *record[7:])
    return AuditRow(*values)


def exported(row: AuditRow) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in NAMES}
    moment = datetime.fromtimestamp(row.at // 1000, UTC)
    shown["at"] = f"{moment:%Y-%m-%dT%H:%M:%S}.{row.at % 1000:03d}Z"
    return shown


def _imported(shown: dict[str, Any]) -> tuple[Any, ...]:
    at = datetime.fromisoformat(shown["at"])
    milliseconds = round(at.timestamp() * 1000)
    if set(shown) != set(NAMES) or exported(AuditRow(**{**shown, "at": milliseconds}))["at"] != shown["at"]:
        raise ValueError("not a row as the export writes it")
    named = {**shown, "at": milliseconds, "detail": dump(shown["detail"])}
    return tuple(named[name] for name in NAMES)


def verify_lines(key: bytes, lines: Iterable[str]) -> Verification:
    chain = Chain(key)
    head: tuple[Any, ...] | None = None
    for line in lines:
        if head is not None:  # something follows the head
            return Verification(chain.rows, False, chain.last_id + 1)
        try:
            shown = json.loads(line)
            if set(shown) == {"head"}:
                signed = shown["head"]
                head = (signed["last_id"], signed["rows"], chain.last_mac, signed["mac"])
                continue
            row = _imported(shown)
        except (ValueError, KeyError, TypeError, AttributeError):
            return Verification(chain.rows + 1, False, chain.last_id + 1)
        if not chain.take(row):
            return Verification(chain.rows, False, chain.broken)
    return chain.end(head, chain.rows + 1 if head is None else 0)
