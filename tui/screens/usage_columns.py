"""The tables of the Usage mode: by key, by bucket of time, and the runs of one key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from tui.formatting import UNKNOWN, Tone, bar, clock, millis, money, percent, state, tokens, whole
from tui.screens.usage_words import amount_words, bar_words, key_words, signed
from tui.widgets.columns import Cell, Column
from tui.widgets.facets import Facet

if TYPE_CHECKING:
    from services.usage_chart import ChartMeasure, UsageChart
    from services.usage_table import UsageEntry, UsageTable, Used
    from store.ledger import AttemptRow


@dataclass(frozen=True, slots=True)
class UsageLine:
    """One row of the table: a key, and what it is a part of."""

    entry: UsageEntry
    words: str
    """The key for people."""
    share: float | None
    measure: ChartMeasure
    compared: bool
    """There was something before."""
    billed: bool = False
    """As a vendor states it: what it does not state is 0 here, and unknown."""

    @property
    def key(self) -> str:
        return self.entry.key


def usage_lines(
    table: UsageTable, group: str, measure: ChartMeasure, *, billed: bool = False
) -> list[UsageLine]:
    """The table's rows."""
    compared = _anything(table.total.before)
    return [
        UsageLine(
            entry,
            key_words(entry.key, group),
            table.share(entry, measure),
            measure,
            compared,
            billed,
        )
        for entry in table.entries
    ]


def _anything(used: Used) -> bool:
    """Whether there was something: of a bill that may be money alone."""
    return bool(used.runs or used.tokens or used.cost)


def _cost(line: UsageLine) -> Cell:
    now = line.entry.now
    if now.cost is None:
        return ("own" if now.own and not now.unknown else UNKNOWN, "dim")
    return money(now.cost)


def _delta(line: UsageLine) -> Cell:
    entry = line.entry
    if not _anything(entry.before):
        return ("new", "accent") if line.compared else ""
    if line.measure == "cost" and entry.now.cost is None:
        return ""
    change = entry.delta(line.measure)
    return (signed(change, line.measure), "dim" if not change else "")


def _share(line: UsageLine) -> Cell:
    return f"{bar(line.share, 8)} {percent(line.share):>4}" if line.share is not None else ""


def _stated(line: UsageLine, number: int | None, words: Callable[[int | None], str]) -> Cell:
    return (UNKNOWN, "dim") if line.billed and not number else words(number)


def _errors(line: UsageLine) -> Cell:
    now = line.entry.now
    if not now.errors:
        return ("0", "dim")
    words = f"{whole(now.errors)} ({percent(now.errors / now.runs)})" if now.runs else whole(now.errors)
    return (words, "warn")


_NOT_BILLED = ("errors", "ttft")
_REQUESTS = {"runs": "requests", "per_run": "$/request", "tok_run": "tok/req"}
"""A vendor counts requests: a run that was tried again is several."""


def usage_columns(
    group: str, measure: ChartMeasure, *, billed: bool = False
) -> tuple[Column[UsageLine], ...]:
    """What it is, then what is measured with its share and change, then the rest; in a narrow window the rest goes first."""
    key, *others = _columns(group)
    if billed:
        others = [
            replace(
                one,
                title=_REQUESTS.get(one.key, one.title),
                width=max(one.width, len(_REQUESTS.get(one.key, ""))),
            )
            for one in others
            if one.key not in _NOT_BILLED
        ]
    measured = next(column for column in others if column.key == measure)
    others.remove(measured)
    return (key, replace(measured, priority=1), *others)


def _columns(group: str) -> tuple[Column[UsageLine], ...]:
    return (
        Column("key", group, lambda line: line.words, width=14, max_width=48, least=14, cut="middle", sort=lambda line: line.words.casefold()),
        Column("cost", "cost", _cost, width=9, align="right", priority=3, down=True, sort=lambda line: line.entry.now.cost),
        Column("share", "share", _share, width=13, align="right", priority=6, down=True, sort=lambda line: line.share),
        Column("delta", "Δ before", _delta, width=9, align="right", priority=2, down=True, sort=lambda line: line.entry.delta(line.measure)),
        Column("runs", "runs", lambda line: _stated(line, line.entry.now.runs, lambda n: whole(n or 0)), width=7, align="right", priority=3, down=True, sort=lambda line: line.entry.now.runs),
        Column("per_run", "$/run", lambda line: money(line.entry.now.per_run), width=9, align="right", priority=4, down=True, sort=lambda line: line.entry.now.per_run),
        Column("tokens", "tokens", lambda line: _stated(line, line.entry.now.tokens, tokens), width=7, align="right", priority=8, down=True, sort=lambda line: line.entry.now.tokens),
        Column("tok_run", "tok/run", lambda line: _stated(line, line.entry.now.tokens_per_run, tokens), width=7, align="right", priority=5, down=True, sort=lambda line: line.entry.now.tokens_per_run),
        Column("errors", "errors", _errors, width=10, align="right", priority=7, down=True, sort=lambda line: line.entry.now.errors),
        Column("ttft", "TTFT", lambda line: millis(line.entry.now.ttft), width=6, align="right", priority=9, down=True, sort=lambda line: line.entry.now.ttft),
    )  # fmt: skip


USAGE_FACETS: tuple[Facet[UsageLine], ...] = (
    Facet("cost", number=lambda line: None if line.entry.now.cost is None else float(line.entry.now.cost)),
    Facet("runs", number=lambda line: float(line.entry.now.runs)),
    Facet("errors", number=lambda line: float(line.entry.now.errors)),
    Facet("ttft", number=lambda line: None if line.entry.now.ttft is None else float(line.entry.now.ttft)),
)


@dataclass(frozen=True, slots=True)
class BucketLine:
    """One row of the chart's numbers."""

    start: int
    end: int
    values: tuple[float | None, ...]
    """Per key of the chart."""


def bucket_lines(chart: UsageChart) -> list[BucketLine]:
    """The chart's numbers, the newest bucket first."""
    ends = (*chart.starts[1:], chart.end)
    rows = [
        BucketLine(start, end, tuple(line[place] for line in chart.values))
        for place, (start, end) in enumerate(zip(chart.starts, ends, strict=True))
    ]
    return rows[::-1]


def bucket_columns(
    labels: Sequence[str], group: str, measure: ChartMeasure, *, summed: bool = True
) -> tuple[Column[BucketLine], ...]:
    """The time, all together where that is a sum (a run of two labels counts under each, and what was counted
    here is billed, too), then a column per key."""
    first: list[Column[BucketLine]] = [
        Column("time", "time", lambda line: bar_words(line.start, line.end), width=13, max_width=24),
    ]
    if summed and measure != "ttft" and group != "label":
        first.append(
            Column("all", "all", lambda line: _figure(_sum(line.values), measure), width=9, align="right")
        )
    return (
        *first,
        *(
            Column(f"key{place}", label, _value(place, measure), width=9, max_width=20, align="right", priority=place + 1)
            for place, label in enumerate(labels)
        ),
    )  # fmt: skip


def _value(place: int, measure: ChartMeasure):  # type: ignore[no-untyped-def]
    return lambda line: _figure(line.values[place] if place < len(line.values) else None, measure)


def _figure(value: float | None, measure: ChartMeasure) -> Cell:
    if value is None:
        return (UNKNOWN, "dim")
    exact = Decimal(repr(value)).quantize(Decimal("0.000000001")) if measure == "cost" else round(value)
    return (amount_words(exact, measure), "" if value else "dim")


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known or not values else None


def _cost_of(row: AttemptRow) -> Cell:
    from catalog.money import from_nanos

    if row.cost_nanos is None:
        return ("own" if row.grade == "own" else UNKNOWN, "dim")
    return money(from_nanos(row.cost_nanos))


def run_state(row: AttemptRow) -> tuple[str, Tone]:
    """How a run ended, with the way there."""
    mark = state(row.outcome)
    return (str(mark) + (f", attempt {row.number}" if row.number > 1 else ""), mark.tone)


def pace(row: AttemptRow) -> str:
    """Tokens a second once the first had come; a dash when unknown."""
    if not row.output or row.ttft_ms is None or row.duration_ms is None or row.duration_ms <= row.ttft_ms:
        return UNKNOWN
    return f"{row.output * 1000 / (row.duration_ms - row.ttft_ms):.0f} tok/s"


RUN_COLUMNS: tuple[Column[AttemptRow], ...] = (
    Column("at", "time", lambda row: (clock(row.at), "dim"), width=11, sort=lambda row: row.at),
    Column("model", "model", lambda row: f"{row.provider}/{row.model}", width=16, max_width=48, least=16, cut="middle", sort=lambda row: (row.provider, row.model)),
    Column("state", "how it ended", run_state, width=13, max_width=26, priority=2, sort=lambda row: row.outcome),
    Column("cost", "cost", _cost_of, width=9, align="right", priority=1, down=True, sort=lambda row: row.cost_nanos),
    Column("input", "in", lambda row: tokens(row.input), width=6, align="right", priority=3, down=True, sort=lambda row: row.input),
    Column("output", "out", lambda row: tokens(row.output), width=6, align="right", priority=3, down=True, sort=lambda row: row.output),
    Column("ttft", "TTFT", lambda row: millis(row.ttft_ms), width=6, align="right", priority=4, down=True, sort=lambda row: row.ttft_ms),
    Column("took", "took", lambda row: millis(row.duration_ms), width=6, align="right", priority=5, down=True, sort=lambda row: row.duration_ms),
    Column("pace", "pace", pace, width=10, align="right", priority=7),
    Column("caller", "caller", lambda row: (row.caller, "dim"), width=6, max_width=12, priority=6, sort=lambda row: row.caller),
)  # fmt: skip
