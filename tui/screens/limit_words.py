"""The one sentence about where a limit is heading: when it is reached, and at what pace that is reckoned."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

from tui.formatting import cents
from tui.widgets.chart_time import day_words

if TYPE_CHECKING:
    from services.usage_limits import LimitStanding


def heading(one: LimitStanding, now: int | None = None) -> str:
    """`out at 17:40 at today's rate`, `out on Nov 25 at $4.62 a day on average`, `lasts at …`, `spent until …`."""
    return " ".join(part for part in (out_words(one, now), pace_words(one)) if part)


def out_words(one: LimitStanding, now: int | None = None) -> str:
    """When it is reached: `out at 17:40`, `out on Nov 25`, `lasts`, `spent until Dec 1`."""
    now = int(time.time() * 1000) if now is None else now
    if one.share >= 1:
        return f"spent until {anew_words(one, now)}"
    if one.runs_out is None:
        return "lasts"
    if one.budget.period == "daily":
        return f"out at {_local(one.runs_out):%H:%M}"
    return f"out {_day(one.runs_out, now)}"


def pace_words(one: LimitStanding) -> str:
    """At what pace; empty where none is needed: it is spent, or nothing is being spent."""
    if one.share >= 1 or one.pace <= 0:
        return ""
    return "at today's rate" if one.budget.period == "daily" else f"at {cents(one.pace)} a day on average"


def anew_words(one: LimitStanding, now: int) -> str:
    """When it starts anew, which is always a midnight: `midnight`, `Dec 1`."""
    days = (_local(one.budget.resets_at).date() - _local(now).date()).days
    return "midnight" if days <= 1 else day_words(one.budget.resets_at)


def _day(ms: int, now: int) -> str:
    """`today`, `tomorrow`, `on Nov 25`: an average is no more precise than that."""
    days = (_local(ms).date() - _local(now).date()).days
    return "today" if days <= 0 else "tomorrow" if days == 1 else f"on {day_words(ms)}"


def _local(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1000).astimezone()
