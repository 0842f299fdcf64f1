"""How a sync schedule and a time to come are written for people."""

from __future__ import annotations

import re

from catalog.plaintext import one_line

_SPAN = re.compile(r"(\d+)\s*([smhdw])")
_UNITS = {"s": "s", "m": "min", "h": "h", "d": "d", "w": "w"}
_DAYS = {"*": "daily", "1-5": "Mon-Fri", "6,0": "weekends", "0,6": "weekends", "6-7": "weekends"}
_NAMED = {"0": "Sun", "1": "Mon", "2": "Tue", "3": "Wed", "4": "Thu", "5": "Fri", "6": "Sat", "7": "Sun"}


def schedule(text: str) -> str:
    """`off`, `at start`, `every 6 h`, `daily 06:00`, `Mon-Fri 06:00`, else `cron 0 */2 1 * *`."""
    if text in ("off", ""):
        return "off"
    if text == "start":
        return "at start"
    if (span := _SPAN.fullmatch(text)) is not None:
        return f"every {span.group(1)} {_UNITS[span.group(2)]}"
    return _cron(text)


def _cron(text: str) -> str:
    fields = text.split()
    if len(fields) == 5:
        minute, hour, day, month, weekday = fields
        when = _DAYS.get(weekday) or _NAMED.get(weekday)
        if minute.isdigit() and hour.isdigit() and (day, month) == ("*", "*") and when is not None:
            return f"{when} {int(hour):02}:{int(minute):02}"
    return f"cron {one_line(text, 40)}"


def until(then_ms: int, now_ms: int) -> str:
    """How long until then, short: `now`, `in 40s`, `in 90m`, `in 3h`, `in 5d`; minutes up to two hours, so that
    an hour and a half is neither one hour nor two."""
    seconds = (then_ms - now_ms + 999) // 1000
    if seconds <= 0:
        return "now"
    for size, unit, limit in ((1, "s", 60), (60, "m", 2 * 3600), (3600, "h", 48 * 3600)):
        if seconds < limit:
            return f"in {-(-seconds // size) if size == 1 else round(seconds / size)}{unit}"
    return f"in {round(seconds / 86400)}d"
