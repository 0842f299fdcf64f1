"""Which stretch of time is looked at, and which one before it is fair to compare with."""

from __future__ import annotations

from dataclasses import dataclass

from services.clock import DAY_MS, HOUR_MS, MINUTE_MS, day_bounds, local_date, month_bounds

RANGES = ("1h", "24h", "7d", "30d", "month", "last_month", "90d")
"""The ranges that have a name, in the order of the screen."""
_DAYS = {"7d": 7, "30d": 30, "90d": 90}


@dataclass(frozen=True, slots=True)
class UsageRange:
    """[since, until) in UTC ms, and what it is compared with."""

    name: str
    """One of `RANGES`, or `custom`."""
    since: int
    until: int
    """The end of the last bucket: may lie ahead of now, so that the bar that grows is as wide as the others."""
    now: int
    before_since: int
    before_until: int
    """The previous equal period, only as far into it as this one has come."""

    def bar(self, since: int, until: int) -> UsageRange:
        """One bar of the chart; it is compared with the stretch of the same length before it."""
        upto = min(until, self.now + 1) if since <= self.now else until
        return UsageRange(self.name, since, until, self.now, since - (until - since), since - (until - upto))


def named_range(name: str, now: int) -> UsageRange:
    """A range by its name as it is at this moment. Days and months are the user's own."""
    if name == "1h":
        until = now - now % (5 * MINUTE_MS) + 5 * MINUTE_MS
        return _rolling(name, until - HOUR_MS, until, now)
    if name == "24h":
        until = _next_hour(now)
        return _rolling(name, until - DAY_MS, until, now)
    if name in _DAYS:
        days = _DAYS[name]
        since, until = day_bounds(now, 1 - days)[0], day_bounds(now)[1]
        today = day_bounds(now)[0]
        before = day_bounds(now, -days)
        return UsageRange(
            name, since, until, now, day_bounds(now, 1 - 2 * days)[0], min(before[0] + now - today, before[1])
        )
    if name == "month":
        since, until = month_bounds(now)
        start, end = month_bounds(now, -1)
        return UsageRange(name, since, until, now, start, min(start + now - since, end))
    if name == "last_month":
        since, until = month_bounds(now, -1)
        start, end = month_bounds(now, -2)
        return UsageRange(name, since, until, now, start, end)
    raise ValueError(name)


def custom_range(since: int, until: int, now: int) -> UsageRange:
    """From one moment to another; whole days are compared with as many whole days before."""
    if since == day_bounds(since)[0] and until == day_bounds(until)[0]:
        days = (local_date(until) - local_date(since)).days
        before = day_bounds(since, -days)[0]
        upto = since if until <= now else min(before + max(0, now - since), since)
        return UsageRange("custom", since, until, now, before, upto)
    return _rolling("custom", since, until, now)


def _rolling(name: str, since: int, until: int, now: int) -> UsageRange:
    span = until - since
    ahead = max(0, until - now - 1) if now >= since else 0
    return UsageRange(name, since, until, now, since - span, since - ahead)


def _next_hour(now: int) -> int:
    # Hours of the user's clock, which in some zones begin at :30 or :45 of UTC.
    offset = day_bounds(now)[0] % HOUR_MS
    return now - (now - offset) % HOUR_MS + HOUR_MS
