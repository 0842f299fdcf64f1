"""The time axis: which buckets are named below a chart, in the user's zone, so that no two names touch."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Sequence
from functools import lru_cache

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HOURS_MS = 20 * 3_600_000
"""Buckets from this length on are days: a day on which clocks change is shorter than 24 hours."""
_APART = 2
"""Cells between two names at least."""

Name = tuple[Callable[[dt.datetime], tuple[int, int]], Callable[[dt.datetime], str]]
"""What stays equal within one step (a step begins where it changes; 0 at its end: it begins right here), and its name."""


def local(ms: int) -> dt.datetime:
    """A moment in the user's zone."""
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC).astimezone()


@lru_cache(maxsize=16)
def time_line(starts: tuple[int, ...], end: int, middles: tuple[int, ...], cells: int) -> str:
    """The names of some buckets, each under the middle of its own, on a line of exactly so many cells."""
    moments = [local(start) for start in starts]
    best = ""
    for rule in _rules(starts, end):
        places = _places(moments, *rule)
        line = _placed([(middles[place], rule[1](moments[place])) for place in places], cells)
        if line is None:
            continue
        best = line
        break
    return best.ljust(cells)


def _places(
    moments: Sequence[dt.datetime],
    step: Callable[[dt.datetime], tuple[int, int]],
    _name: Callable[[dt.datetime], str],
) -> list[int]:
    """The buckets in which a step begins."""
    found, before = [], None
    for place, moment in enumerate(moments):
        number, into = step(moment)
        if (before is None and into == 0) or (before is not None and number != before):
            found.append(place)
        before = number
    return found


def _placed(names: list[tuple[int, str]], cells: int) -> str | None:
    """The names on a line; None when they would touch, or there are none."""
    line, free = "", 0
    for middle, name in names:
        at = max(0, min(middle - len(name) // 2, cells - len(name)))
        if at < free or len(name) > cells:
            return None
        line = line.ljust(at) + name
        free = at + len(name) + _APART
    return line or None


def _rules(starts: Sequence[int], end: int) -> list[Name]:
    """Ways to name the buckets, the closest first."""
    size = (end - starts[0]) / len(starts)
    if len(starts) > 1:
        size = min(b - a for a, b in itertools.pairwise(starts))
    rules: list[Name] = []
    if size < _HOURS_MS:
        rules += [(_minutes(step), _hour) for step in (1, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720)]
    short = end - starts[0] < 11 * 86_400_000
    rules += [(_ordinal(step), _weekday if short else _day) for step in (1, 2)]
    rules += [(_ordinal(step), _day) for step in (7, 14)]
    rules += [(_months(step), _month) for step in (1, 2, 3, 6, 12)]
    return rules


def _minutes(step: int) -> Callable[[dt.datetime], tuple[int, int]]:
    def begun(moment: dt.datetime) -> tuple[int, int]:
        minute = moment.hour * 60 + moment.minute
        return moment.toordinal() * 1440 + minute // step, minute % step

    return begun


def _ordinal(step: int) -> Callable[[dt.datetime], tuple[int, int]]:
    def begun(moment: dt.datetime) -> tuple[int, int]:
        day = moment.toordinal() - 1  # day 1 was a Monday: weeks begin on Mondays
        return day // step, day % step + moment.hour * 60 + moment.minute

    return begun


def _months(step: int) -> Callable[[dt.datetime], tuple[int, int]]:
    def begun(moment: dt.datetime) -> tuple[int, int]:
        month = moment.year * 12 + moment.month - 1
        return month // step, month % step + moment.day - 1

    return begun


def _hour(moment: dt.datetime) -> str:
    midnight = moment.hour == moment.minute == 0
    return _weekday(moment) if midnight else f"{moment.hour:02}:{moment.minute:02}"


def _weekday(moment: dt.datetime) -> str:
    return f"{_DAYS[moment.weekday()]} {moment.day}"


def _day(moment: dt.datetime) -> str:
    return f"{_MONTHS[moment.month - 1]} {moment.day}"


def _month(moment: dt.datetime) -> str:
    return f"{_MONTHS[moment.month - 1]} {moment.year}" if moment.month == 1 else _MONTHS[moment.month - 1]


def day_words(ms: int) -> str:
    """A day: `Nov 27`."""
    return _day(local(ms))


def span_words(start: int, end: int) -> str:
    """A bucket's time: `Thu Nov 20 14:00–15:00`, `Thu Nov 20`, `Nov 18–20`."""
    first, after = local(start), local(end)
    last = local(max(start, end - 1))
    day = f"{_DAYS[first.weekday()]} {_day(first)}"
    if first.date() != last.date():
        tail = str(last.day) if (first.year, first.month) == (last.year, last.month) else _day(last)
        return f"{_day(first)}–{tail}"
    whole_day = first.hour == first.minute == 0 and after.date() != first.date()
    return day if whole_day else f"{day} {first:%H:%M}–{after:%H:%M}"
