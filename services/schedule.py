"""When a provider is synced by itself: `off`, `start`, an interval (`6h`), or cron's five fields in the user's zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from catalog.errors import UsageError
from services.clock import MINUTE_MS, parse_span, to_ms

SHORTEST_MS = 5 * MINUTE_MS
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))

_LONGEST_MONTH = dict(zip(range(1, 13), (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), strict=True))


def check(text: str) -> str:
    """The schedule in its stored spelling; UsageError when it is none."""
    text = " ".join(text.strip().lower().split())
    if text in ("off", "start"):
        return text
    if (span := parse_span(text)) is not None:
        if span < SHORTEST_MS:
            raise UsageError("A sync every few seconds is too often.", hint="The shortest interval is 5m.")
        return text
    _, _, days, months, weekdays = _cron(text)
    fields = text.split()
    by_weekday = fields[2] != "*" and fields[4] != "*" and weekdays
    if not by_weekday and all(min(days) > _LONGEST_MONTH[month] for month in months):
        raise UsageError(
            f"{text} would never sync: there is no such day.",
            hint="The third field is the day, the fourth the month: 0 6 28 2 *.",
        )
    return text


def due(schedule: str, last_ms: int | None, now: int) -> bool:
    """Whether an interval or cron schedule wants a sync now; `last_ms` is the last one's start (None: never)."""
    if schedule in ("off", "start"):
        return False
    if last_ms is None or clock_was_ahead(last_ms, now):
        return True
    if (span := parse_span(schedule)) is not None:
        return now - last_ms >= span
    upcoming = next_time(schedule, last_ms)
    return upcoming is not None and upcoming <= now


def clock_was_ahead(last_ms: int, now: int) -> bool:
    """A sync that lies in the future was noted by a clock that has been put right since: it says nothing."""
    return last_ms > now + MINUTE_MS


def next_time(schedule: str, after_ms: int) -> int | None:
    """The first moment after this one at which a schedule fires; None for `off`, `start`, or never."""
    if schedule in ("off", "start"):
        return None
    if (span := parse_span(schedule)) is not None:
        return after_ms + span
    minutes, hours, days, months, weekdays = _cron(schedule)
    fields = schedule.split()
    either = fields[2] != "*" and fields[4] != "*"
    """Cron's old rule: with both day fields given, one of them is enough."""
    every_hour = fields[1].startswith("*")
    moment = datetime.fromtimestamp(after_ms / 1000, UTC).astimezone().replace(tzinfo=None)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(4 * 366 + 1):
        by_date, by_weekday = day.day in days, day.isoweekday() % 7 in weekdays
        if day.month in months and ((by_date or by_weekday) if either else (by_date and by_weekday)):
            earliest = moment.hour - 1 if day.date() == moment.date() else 0
            fires = _first(
                day, [hour for hour in sorted(hours) if hour >= earliest], minutes, every_hour, after_ms
            )
            if fires is not None:
                return fires
        day += timedelta(days=1)
    return None


def _first(day: datetime, hours: list[int], minutes: set[int], every_hour: bool, after_ms: int) -> int | None:
    """The first of a day's moments after this one; None: none is left."""
    found: int | None = None
    reached = 24
    for hour in hours:
        if hour > reached + 1:  # a skipped hour may come after the next one, not later
            break
        for minute in minutes:
            for fires in _moments(day.replace(hour=hour, minute=minute), every_hour):
                if fires > after_ms and (found is None or fires < found):
                    found, reached = fires, min(reached, hour)
    return found


def _moments(local: datetime, every_hour: bool) -> list[int]:
    """When the user's clock shows this time. On the days on which clocks change: a fixed hour counts once, and one
    that is left out comes as much later; what is done every hour goes on hour by hour."""
    first, second = to_ms(local), to_ms(local.replace(fold=1))
    if not every_hour or first == second:
        return [first]
    shown = datetime.fromtimestamp(first / 1000, UTC).astimezone().replace(tzinfo=None)
    return [first, second] if shown == local else []


def _cron(text: str) -> list[set[int]]:
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise _refuse()
    values = [_field(field, low, high) for field, (_, low, high) in zip(fields, _FIELDS, strict=True)]
    values[4] = {number % 7 for number in values[4]}
    return values


def _field(text: str, low: int, high: int) -> set[int]:
    """`*`, `5`, `1-5`, `*/15`, `0-30/10`, and lists of those."""
    numbers: set[int] = set()
    for part in text.split(","):
        span, _, step_text = part.partition("/")
        first_text, dash, last_text = span.partition("-")
        try:
            step = int(step_text) if step_text else 1
            first = low if span == "*" else int(first_text)
            last = high if span == "*" or (step_text and not dash) else int(last_text) if dash else first
        except ValueError:
            raise _refuse() from None
        if step < 1 or not low <= first <= last <= high:
            raise _refuse()
        numbers.update(range(first, last + 1, step))
    return numbers


def _refuse() -> UsageError:
    return UsageError(
        "That is no sync schedule.",
        hint="Write off, start, an interval such as 6h, or five cron fields: 0 6 * * 1-5.",
    )
