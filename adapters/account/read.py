"""Numbers of account APIs, exact: dollars, cents and texts become Decimal USD, and what is none becomes None."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from time import time
from typing import Any, NoReturn

from adapters.abilities import VendorBucket
from adapters.errors import UnexpectedResponseError
from catalog.plaintext import one_line

DAY_MS = 86_400_000
_LARGEST = Decimal(10) ** 12
_MOST_USD = Decimal(10) ** 8
"""More is no amount of one line of a bill; the sum of many such lines still fits the store's whole numbers."""
_MOST_DIGITS = 60
_SMALLEST_EXPONENT = -40
"""A text such as `1e-999999999` is a number too, and a gigabyte when it is written out."""
_MOST_COUNT = 10**12
LONG = 64 * 1024
"""Bytes of an answer from which on it is read elsewhere, so that the screen goes on."""
_EPOCH_LIMIT = 32_503_680_000
"""The year 3000: a time after it is no time."""
Entry = Mapping[str, object]


def document(body: bytes, slug: str) -> Entry:
    """The JSON object, its numbers exact (Decimal). UnexpectedResponseError for anything else."""
    if body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise unexpected(slug, "a web page instead of figures")
    try:
        found = json.loads(
            body.decode("utf-8", "replace").lstrip("\ufeff"), parse_float=Decimal, parse_constant=_no_number
        )
    except (ValueError, RecursionError, InvalidOperation):
        raise unexpected(slug, "something that is not JSON, or was cut") from None
    if not isinstance(found, dict):
        raise unexpected(slug, "something that holds no figures")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def unexpected(slug: str, what: str) -> UnexpectedResponseError:
    """The account answers with something else; nothing of it is kept."""
    return UnexpectedResponseError(
        f"The account of {slug} sent {what}.",
        hint="The last good figures stay. Check the provider's URL, or try again.",
        provider=slug,
        status=200,
    )


def number(value: object) -> Decimal | None:
    """An amount as a number or its text, negative ones too; None for everything else, NaN and the absurdly large."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        amount = Decimal(value.strip()) if isinstance(value, str) else Decimal(value)
    except (InvalidOperation, ValueError):
        return None
    if not amount.is_finite() or abs(amount) >= _LARGEST:
        return None
    parts = amount.as_tuple()
    exact = isinstance(parts.exponent, int) and parts.exponent >= _SMALLEST_EXPONENT
    return amount if exact and len(parts.digits) <= _MOST_DIGITS else None


def dollars(value: object) -> Decimal | None:
    """USD stated in dollars: `0.06`, `"12.50"`."""
    amount = number(value)
    return amount if amount is not None and abs(amount) < _MOST_USD else None


def cents(value: object) -> Decimal | None:
    """USD stated in cents: `1050` and `"123.45"` are $10.50 and $1.2345."""
    amount = number(value)
    return None if amount is None else dollars(amount.scaleb(-2))


def whole(entry: Entry, *names: str) -> int | None:
    """The first of these fields that is a whole number, zero or more."""
    for name in names:
        amount = number(entry.get(name)) if not isinstance(entry.get(name), str) else None
        if amount is not None and 0 <= amount < _MOST_COUNT and amount == amount.to_integral_value():
            return int(amount)
    return None


def text(value: object, limit: int = 120) -> str:
    """One harmless line; empty for anything but a text."""
    return one_line(value, limit) if isinstance(value, str) else ""


def entries(value: object) -> list[Entry]:
    """The objects of a list; what is none is left out."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def inner(entry: Entry, name: str) -> Entry:
    """An object inside; an empty one where there is none."""
    value = entry.get(name)
    return value if isinstance(value, dict) else {}


def unix_ms(value: object) -> int | None:
    """Unix seconds as UTC ms."""
    seconds = number(value) if not isinstance(value, str) else None
    return int(seconds * 1000) if seconds is not None and 0 <= seconds < _EPOCH_LIMIT else None


def iso_ms(value: object) -> int | None:
    """RFC 3339, or a date, as UTC ms; what names no zone is UTC."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def rfc3339(ms: int) -> str:
    """`2026-11-20T00:00:00Z`."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(ms: int) -> str:
    """The UTC day, `2026-11-20`."""
    return rfc3339(ms)[:10]


def midnight(ms: int, shift: int = 0) -> int:
    """The beginning of the UTC day that holds a moment; days of a vendor have no summer time."""
    start = datetime.fromtimestamp(ms // 1000, UTC).replace(hour=0, minute=0, second=0)
    return round((start + timedelta(days=shift)).timestamp() * 1000)


def days_ago() -> int:
    """A day's beginning that has passed at the vendor though the clock here be wrong by hours."""
    return midnight(round(time() * 1000), -2)


def added_up(buckets: Iterable[VendorBucket]) -> tuple[VendorBucket, ...]:
    """One bucket for each span, model and item: vendors split finer (by tier, by context) than is kept here."""
    found: dict[tuple[int, int, str, str], VendorBucket] = {}
    for one in buckets:
        place = (one.start_at, one.end_at, one.model, one.item)
        had = found.get(place)
        found[place] = one if had is None else _sum(had, one)
    return tuple(found.values())


_FIGURES = ("requests", "input", "output", "cache_read", "cache_write", "cost")


def _sum(left: VendorBucket, right: VendorBucket) -> VendorBucket:
    sums: dict[str, Any] = {}
    for name in _FIGURES:
        said = [value for value in (getattr(left, name), getattr(right, name)) if value is not None]
        sums[name] = sum(said[1:], said[0]) if said else None
    return replace(left, **sums)
