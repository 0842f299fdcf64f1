"""The words of the Usage mode: ranges, groups, sums with their difference, the projection, limits and reasons."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from catalog.plaintext import one_line
from tui.formatting import (
    UNKNOWN,
    Tone,
    bar,
    cents,
    count,
    duration,
    money,
    percent,
    state,
    tokens,
    whole,
)
from tui.screens.limit_words import heading, out_words
from tui.widgets.chart import ChartData, Series, Unit
from tui.widgets.columns import Column
from tui.widgets.pairs import Pair

if TYPE_CHECKING:
    from services.projection import Projection
    from services.usage_chart import ChartMeasure, UsageChart
    from services.usage_limits import LimitStanding
    from services.usage_range import UsageRange
    from services.usage_table import UsageEntry, UsageTable
    from services.usage_why import Reason, Why

Span = tuple[str, str]
"""Text and its style."""

RANGE_WORDS = {
    "1h": "1 h",
    "24h": "24 h",
    "7d": "7 d",
    "30d": "30 d",
    "month": "this month",
    "last_month": "last month",
    "90d": "90 d",
    "custom": "from–to",
}
_BEFORE = {
    "1h": "the hour before",
    "24h": "the 24 h before",
    "7d": "the 7 days before",
    "30d": "the 30 days before",
    "month": "last month to this day",
    "last_month": "the month before",
    "90d": "the 90 days before",
    "custom": "as long before",
}
GROUPS = ("provider", "model", "label", "caller", "grade", "outcome")
MEASURES: tuple[ChartMeasure, ...] = ("cost", "tokens", "runs", "ttft", "errors")
MEASURE_WORDS = {
    "cost": "cost",
    "tokens": "tokens",
    "runs": "runs",
    "ttft": "time to the first token",
    "errors": "failed runs",
}
_UNITS: dict[str, Unit] = {"cost": "usd", "tokens": "tokens", "runs": "runs", "errors": "runs", "ttft": "ms"}
GRADE_WORDS = {
    "reported": "reported by the vendor",
    "computed": "reported tokens × price",
    "estimated": "estimated here",
    "unknown": "cost unknown",
    "own": "own hardware or flat rate",
}


def key_words(key: str, group: str) -> str:
    """A key for people."""
    if group == "grade":
        return GRADE_WORDS.get(key, key)
    if group == "outcome":
        return str(state(key))
    if group == "model" and key.endswith("/"):  # a line of a bill
        return f"{one_line(key[:-1])} · no model"
    if key == "":
        return "no label" if group == "label" else UNKNOWN
    return one_line(key)


def amount_words(amount: Decimal | int | None, measure: str) -> str:
    """A figure of a measure."""
    if amount is None:
        return UNKNOWN
    if measure == "cost":
        return money(Decimal(amount))
    if measure == "ttft":
        return duration(int(amount))
    return tokens(int(amount)) if measure == "tokens" else whole(int(amount))


def signed(amount: Decimal | int | None, measure: str) -> str:
    """How much more or less: `+$3.10`, `-12`, `same`; a dash when one side is unknown."""
    if amount is None:
        return UNKNOWN
    if not amount:
        return "same"
    if measure == "cost":
        return ("+" if amount > 0 else "") + money(Decimal(amount))
    return ("+" if amount > 0 else "-") + amount_words(abs(int(amount)), measure)


def bar_words(since: int, until: int) -> str:
    """One bar: `Thu 20 Nov, 14:00–15:00`, `Thu 20 Nov`, `17 Nov – 23 Nov`."""
    start, end = _local(since), _local(until)
    last = _local(until - 1)
    day = f"{start:%a} {start.day} {start:%b}"
    if start.date() != last.date():
        return f"{start.day} {start:%b} – {last.day} {last:%b}"
    if until - since >= 23 * 3_600_000:
        return day
    return f"{day}, {start:%H:%M}–{end:%H:%M}"


def before_words(span: UsageRange, *, narrowed: bool) -> str:
    """What a range, or one bar of it, is compared with."""
    if not narrowed:
        return _BEFORE[span.name]
    hours = round((span.until - span.since) / 3_600_000)
    return {1: "the hour before", 23: "the day before", 24: "the day before", 25: "the day before"}.get(
        hours, "as long before"
    )


def range_spans(names: Sequence[str], now: str, cells: int) -> list[Span]:
    """All ranges, the present one marked; in a narrow window only that one between its neighbours."""
    if sum(len(RANGE_WORDS[name]) + 3 for name in names) > cells:
        return [("‹ ", "$dim"), (RANGE_WORDS[now], "bold underline $primary"), (" ›", "$dim")]
    spans: list[Span] = []
    for name in names:
        spans += [(RANGE_WORDS[name], "bold underline $primary" if name == now else "$dim"), ("   ", "")]
    return spans


def head_spans(
    table: UsageTable, span: UsageRange, group: str, measure: ChartMeasure, narrowed: bool, cells: int
) -> list[Span]:
    """`Cost by provider  $41.20  +$3.10 (8%) against the 24 h before  412 runs`."""
    total = table.total
    title = MEASURE_WORDS[measure]
    spans: list[Span] = [(f"{title[0].upper()}{title[1:]} by {group}  ", "bold")]
    if narrowed:
        spans.append((f"{bar_words(span.since, span.until)}  ", "bold $accent"))
    elif span.name == "custom":
        spans.append((f"{bar_words(span.since, span.until)}  ", ""))
    spans.append((amount_words(total.now.amount(measure), measure), "bold"))
    parts = _against(total, span, measure, narrowed)
    if measure != "runs" and total.now.runs:
        parts.append(count(total.now.runs, "run"))
    if measure == "cost" and total.now.unknown:
        parts.append(f"{count(total.now.unknown, 'attempt')} of unknown cost")
    used = sum(len(text) for text, _ in spans)
    for words in parts:
        used += len(words) + 2
        if used <= cells:
            spans += [("  ", ""), (words, "$dim")]
    return spans


def _against(total: UsageEntry, span: UsageRange, measure: ChartMeasure, narrowed: bool) -> list[str]:
    if not total.before.runs:
        return ["nothing before to compare with"] if total.now.runs else []
    delta, before = total.delta(measure), total.before.amount(measure)
    if delta is None:
        return []
    part = abs(float(delta)) / float(before) if before else 0.0
    share = f" ({percent(part)})" if 0 < part < 10 else ""
    against = before_words(span, narrowed=narrowed)
    return [f"{signed(delta, measure)}{share} against {against}"]


def projection_spans(spent: Decimal | None, found: Projection | None, cells: int) -> list[Span]:
    """What the calendar month will come to, in plain words; in a narrow window without the band."""
    if found is None:
        return [
            ("This month: ", "$dim"),
            (f"{cents(spent)} so far", "")
            if spent
            else ("no known cost" if spent is None else "nothing spent yet", "$dim"),
        ]
    spans = [
        ("This month: ", "$dim"),
        (f"{cents(spent)} so far", ""),
        (", on track for ", "$dim"),
        (cents(found.month), "bold"),
        (f" (likely {cents(found.low)} to {cents(found.high)})", "$dim"),
    ]
    return spans if sum(len(text) for text, _ in spans) <= cells else spans[:-1]


def chart_data(chart: UsageChart, group: str, measure: ChartMeasure, limit: Decimal | None) -> ChartData:
    """The chart's value."""
    from services.usage_chart import OTHER

    series = tuple(
        Series(
            key,
            "all others" if key == OTHER else key_words(key, group),
            values,
            amount_words(total, measure),
        )
        for key, values, total in zip(chart.keys, chart.values, chart.totals, strict=True)
        if any(values)  # what cannot be seen needs no place in the legend; the table has it
    )
    return ChartData(
        chart.starts,
        chart.end,
        series,
        _UNITS[measure],
        "lines" if measure == "ttft" else "bars",
        None if limit is None else float(limit),
    )


LIMIT_COLUMNS: tuple[Column[LimitStanding], ...] = (
    Column("limit", "limit", lambda one: (limit_words(one), "dim"), width=13, max_width=30),
    Column("spent", "spent", lambda one: f"{cents(one.budget.spent)} of {cents(one.budget.limit)}", width=16, max_width=24),
    Column("meter", "", lambda one: (bar(one.share, 8), _limit_tone(one)), width=8, priority=3),
    Column("share", "", lambda one: (f"{one.share:.0%}", _limit_tone(one)), width=5, align="right"),
    Column("out", "runs out", lambda one: (heading(one), _limit_tone(one)), width=18, max_width=42, priority=1, brief=lambda one: (out_words(one), _limit_tone(one))),
    Column("by", "set by", lambda one: (set_words(one), "dim"), width=36, flex=1, priority=4),
)  # fmt: skip


def limit_words(one: LimitStanding) -> str:
    """Whose limit it is: `anthropic monthly`, `all providers daily`."""
    whose = "all providers" if one.budget.scope == "global" else one.budget.scope.removeprefix("provider:")
    return f"{whose} {one.budget.period}"


def _limit_tone(one: LimitStanding) -> Tone:
    if one.share >= 1:
        return "bad"
    return "warn" if one.share >= one.budget.alert or one.runs_out is not None else "ok"


def set_words(one: LimitStanding) -> str:
    """Who changed it last and why."""
    who = f"set by {one_line(one.budget.changed_by).partition(' ')[0]} {_moment(one.budget.changed_at)}"
    return f"{who}: “{one_line(one.budget.reason)}”" if one.budget.reason else who


_MORE: dict[Reason, tuple[str, str]] = {
    "runs": ("more runs", "fewer runs"),
    "prompts": ("longer prompts", "shorter prompts"),
    "answers": ("longer answers", "shorter answers"),
    "price": ("dearer tokens", "cheaper tokens"),
    "mix": ("dearer models", "cheaper models"),
}


def reason_name(reason: Reason, amount: Decimal) -> str:
    """`more runs`, or `fewer runs`."""
    return _MORE[reason][amount < 0]


R = TypeVar("R", bound=str)


def part_pairs(parts: Mapping[R, Decimal], name: Callable[[R, Decimal], str], cells: int) -> list[Pair]:
    """What a difference in cost is made of, the largest part first, with a meter each."""
    moved = sorted(
        ((reason, amount) for reason, amount in parts.items() if amount), key=lambda one: -abs(one[1])
    )
    return [
        (
            name(reason, amount),
            f"{signed(amount, 'cost'):>10}  {bar(float(abs(amount) / abs(moved[0][1])), cells)}",
            "warn" if amount > 0 else "ok",
        )
        for reason, amount in moved
    ]


def reason_words(reason: Reason, amount: Decimal) -> str:
    """`+$24.00 more runs`."""
    return f"{signed(amount, 'cost')} {reason_name(reason, amount)}"


def why_sentence(found: Why, span: UsageRange, *, narrowed: bool = False) -> str:
    """`+$31.20 against the 24 h before = +$24.00 more runs, +$5.00 longer prompts`."""
    parts = sorted(((r, a) for r, a in found.parts.items() if a), key=lambda one: -abs(one[1]))
    told = ", ".join(reason_words(reason, amount) for reason, amount in parts)
    total = "No difference" if not found.total else signed(found.total, "cost")
    return f"{total} against {before_words(span, narrowed=narrowed)}" + (f" = {told}" if told else "")


def _moment(ms: int) -> str:
    when, today = _local(ms), dt.datetime.fromtimestamp(time.time()).astimezone()
    if when.date() == today.date():
        return f"{when:%H:%M}"
    days = (when.date() - today.date()).days
    return f"{when:%a %H:%M}" if 0 < days < 7 else f"{when.day} {when:%b}"


def _local(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1000).astimezone()
