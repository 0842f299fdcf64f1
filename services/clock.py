"""What time it is: UTC milliseconds in the store, ISO-8601 with `Z` in documents, and the user's own days and months."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta

from catalog.errors import UsageError

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000

_FIRST_YEAR, _LAST_YEAR = 1900, 9000
_UNITS = {"s": 1000, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS, "w": 7 * DAY_MS}
_SPAN = re.compile(r"(\d{1,6})\s*([smhdw])")


def now_ms() -> int:
    """This moment, in UTC milliseconds."""
    return time.time_ns() // 1_000_000


def iso(ms: int | None) -> str | None:
    """`2026-11-20T18:47:40.123Z`; None stays None."""
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_ms(moment: datetime) -> int:
    """A datetime as UTC milliseconds; a naive one is in the user's zone."""
    return round(moment.timestamp() * 1000)


def parse_span(text: str) -> int | None:
    """`30d`, `24h`, `15m`, `90s`, `2w` as milliseconds; None when the text is no span."""
    match = _SPAN.fullmatch(text.strip().lower())
    return int(match.group(1)) * _UNITS[match.group(2)] if match else None


def parse_when(text: str, now: int | None = None) -> int:
    """A moment as a person writes it: a span back from now (`30d`, `24h`), a local day (`2026-11-01`, `today`,
    `yesterday`), a month (`2026-11`: its first moment), or ISO-8601 (in the user's zone unless it names one)."""
    now = now_ms() if now is None else now
    text = text.strip()
    if (span := parse_span(text)) is not None:
        return now - span
    if text in ("today", "yesterday"):
        return day_bounds(now, -1 if text == "yesterday" else 0)[0]
    if re.fullmatch(r"\d{4}-\d{2}", text):
        text += "-01"
    try:
        moment = datetime.fromisoformat(text)
        if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:  # the days and months around it must exist too
            raise ValueError(text)
        return to_ms(moment)
    except (ValueError, OverflowError):
        raise UsageError(
            "That is not a time.", hint="Write 30d, 24h, 2026-11-01, 2026-11 or 2026-11-01T08:00Z."
        ) from None


def local_date(ms: int) -> date:
    """The calendar day of the user's zone that holds this moment."""
    return _local(ms).date()


def day_bounds(ms: int, shift: int = 0) -> tuple[int, int]:
    """First moment of the user's calendar day that holds `ms`, and of the day after; `shift` moves by days.

    A day on which clocks change has 23 or 25 hours.
    """
    day = local_date(ms) + timedelta(days=shift)
    return _midnight(day), _midnight(day + timedelta(days=1))


def utc_day(ms: int, *, up: bool = False) -> int:
    """The UTC midnight that a bound of days means to a vendor: the user's 1 November is the vendor's 1 November,
    though they begin at different moments. A bound within a day goes down to its UTC day, or up to the next."""
    day = local_date(ms)
    if ms == _midnight(day):
        return (day - date(1970, 1, 1)).days * DAY_MS
    return -(-ms // DAY_MS) * DAY_MS if up else ms // DAY_MS * DAY_MS


def own_day(ms: int) -> int:
    """The first moment, by the user's clock, of the day that has the same date as a UTC day."""
    return _midnight(datetime.fromtimestamp(ms / 1000, UTC).date())


def month_bounds(ms: int, shift: int = 0) -> tuple[int, int]:
    """First moment of the user's calendar month that holds `ms`, and of the month after; `shift` moves by months."""
    day = local_date(ms)
    months = day.year * 12 + day.month - 1 + shift
    return _month_start(months), _month_start(months + 1)


def _local(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone()


def _midnight(day: date) -> int:
    # A naive datetime is read in the zone's rules of that very day, so daylight saving time comes out right.
    return to_ms(datetime(day.year, day.month, day.day))  # noqa: DTZ001


def _month_start(months: int) -> int:
    return _midnight(date(months // 12, months % 12 + 1, 1))
