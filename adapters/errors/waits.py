"""How long a vendor asks to wait: headers and texts in all their units (WIRE section 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_GO = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s|d)")
_IETF = re.compile(r";\s*r=(\d{1,12})\s*;\s*t=(\d{1,9})")
"""Hugging Face's `RateLimit: "api";r=0;t=55`: what is left, and the seconds to the reset (WIRE section 7)."""
_UNITS = {
    "d": 86_400_000.0,
    "h": 3_600_000.0,
    "m": 60_000.0,
    "s": 1000.0,
    "ms": 1.0,
    "us": 1e-3,
    "µs": 1e-3,
    "ns": 1e-6,
}
_LONGEST_MS = 31 * 86_400_000
_TEXT = re.compile(
    r"(?:try again|retry) (?:in|after) ((?:\d+(?:\.\d+)?(?:ms|[dhms]))+|\d+(?:\.\d+)? ?(?:seconds?|minutes?))"
)


def wait_ms(text: str | None, *, now: datetime | None = None, unit_ms: float = 1000.0) -> int | None:
    """Milliseconds from a number (`unit_ms` each), a Go duration, an HTTP or RFC 3339 date, or a Unix time.

    None for what cannot be read; a moment in the past is 0.
    """
    if text is None or not (text := text.strip()) or len(text) > 64:
        return None
    moment = now or datetime.now(UTC)
    try:
        number = float(text)
    except ValueError:
        return _duration(text) if _GO.match(text) else _date(text, moment)
    if number != number:
        return None
    if number > 1e11:
        return _bounded(number - moment.timestamp() * 1000)
    if number > 1e9:
        return _bounded((number - moment.timestamp()) * 1000)
    return _bounded(number * unit_ms)


def retry_after_ms(headers: Mapping[str, str], *, now: datetime | None = None) -> int | None:
    """The wait the headers ask for: retry-after-ms, retry-after, else the resets of what is used up."""
    for name, unit in (("retry-after-ms", 1.0), ("retry-after", 1000.0)):
        wait = wait_ms(headers.get(name), now=now, unit_ms=unit)
        if wait is not None:
            return wait
    return _resets(headers, now)


def wait_in_text(text: str) -> int | None:
    """A wait stated in words: “Please try again in 6m0s”."""
    found = _TEXT.search(text[:2000].lower())
    if found is None:
        return None
    words = re.sub(r" ?minutes?", "m", re.sub(r" ?seconds?", "s", found[1]))
    return _duration(words)


def _resets(headers: Mapping[str, str], now: datetime | None) -> int | None:
    """The longest reset among the limits that have nothing left; None when none says so."""
    ietf = _IETF.findall(headers.get("ratelimit", "")[:400])
    waits: list[int] = [_bounded(float(seconds) * 1000) for left, seconds in ietf if int(left) == 0]
    for name, value in headers.items():
        lowered = name.lower()
        if "ratelimit" not in lowered or "reset" not in lowered:
            continue
        left = headers.get(lowered.replace("reset", "remaining"))
        wait = wait_ms(value, now=now)
        if wait is not None and left is not None and _empty(left):
            waits.append(wait)
    return max(waits, default=None)


def _empty(left: str) -> bool:
    try:
        return float(left) <= 0
    except ValueError:
        return False


def _duration(text: str) -> int | None:
    if _GO.sub("", text).strip():
        return None
    return _bounded(sum(float(amount) * _UNITS[unit] for amount, unit in _GO.findall(text)))


def _date(text: str, moment: datetime) -> int | None:
    try:
        then = datetime.fromisoformat(text)
    except ValueError:
        try:
            then = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return _bounded((then - moment).total_seconds() * 1000)


def _bounded(ms: float) -> int:
    return round(min(max(ms, 0.0), _LONGEST_MS))
