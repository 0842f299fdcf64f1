"""The Overview's lines: alerts, providers with the worst first, runs that ended, and the bars of its chart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.plaintext import one_line
from tui.formatting import UNKNOWN, Tone, cents, clock, count, millis, money, rate, state, tokens
from tui.messages import AlertLine, provider_key
from tui.screens import provider_columns
from tui.screens.limit_words import anew_words, heading
from tui.screens.provider_columns import ProviderLine
from tui.screens.provider_next import next_step
from tui.widgets.chart import ChartData, Series
from tui.widgets.columns import Cell, Column

if TYPE_CHECKING:
    from services.catalog_news import News
    from services.overview import PriceRise, RecentRun
    from services.registry import ProviderView
    from services.usage_chart import UsageChart
    from services.usage_limits import LimitStanding
    from tui.messages import Notice

_HALF = 0.5
"""A limit that will run out is told from this share on."""
_WORST: dict[Tone, int] = {"bad": 0, "warn": 1, "accent": 2, "": 3, "ok": 3, "strong": 3, "dim": 4}


# -- alerts ------------------------------------------------------------------------------------------


def alert_lines(
    views: Iterable[ProviderView],
    limits: Iterable[LimitStanding],
    rises: Iterable[PriceRise],
    unread: Sequence[Notice],
    now: int,
    news: Sequence[News] = (),
) -> list[AlertLine]:
    """Everything that needs a look, the worst first."""
    found = [line for standing in limits if (line := _limit_line(standing, now)) is not None]
    found += [
        _provider_line(view) for view in views if view.state == "locked" or state(view.state).tone == "bad"
    ]
    found.sort(key=lambda line: _WORST[line.tone])
    found += [_rise_line(rise) for rise in rises]
    if news:
        from services.catalog_news import foremost

        first = foremost(news)
        others = len({one.ref for one in news} - {first.ref})
        more = f", and {count(others, 'more model')} in the catalog's news" if others else ""
        found.append(AlertLine("catalog", "warn", f"! {one_line(first.words, 200)}{more}", "catalog"))
    if unread:
        last = unread[-1]
        words = ": ".join(part for part in (last.title, last.message) if part)
        text = f"! {count(len(unread), 'message')} not read yet, the last: {words}"
        found.append(AlertLine("notices", "warn", text, "notices"))
    return found


def _limit_line(standing: LimitStanding, now: int) -> AlertLine | None:
    budget = standing.budget
    slug = budget.scope.removeprefix("provider:") if budget.scope != "global" else ""
    whose = f"{slug} at" if slug else "At"
    which = f"{'its' if slug else 'the'} {budget.period} limit"
    key = f"limit {budget.scope} {budget.period}"
    if standing.share >= 1:
        start = f"{slug}: {budget.period} limit" if slug else f"{budget.period.capitalize()} limit"
        text = f"✕ {start} reached, {cents(budget.spent)} of {cents(budget.limit)}: no paid runs until {anew_words(standing, now)}"
        return AlertLine(key, "bad", text, "limit", slug)
    if standing.share < budget.alert and (standing.runs_out is None or standing.share < _HALF):
        return None
    out = "" if standing.runs_out is None else f", {heading(standing, now)}"
    text = f"! {whose} {standing.share:.0%} of {which}, {cents(budget.spent)} of {cents(budget.limit)}{out}"
    return AlertLine(key, "warn", text, "limit", slug)


def _provider_line(view: ProviderView) -> AlertLine:
    mark, slug = state(view.state), view.row.slug
    said = one_line(view.row.state_message or "", 120).rstrip(".")
    parts = [f"{mark.glyph} {slug}: {mark.word}", *([said] if said else [])]
    if hint := next_step(view.state, here=False):
        parts.append(hint)
    return AlertLine(provider_key(slug), mark.tone, " · ".join(parts), "provider", slug)


def _rise_line(rise: PriceRise) -> AlertLine:
    part = rise.field.removeprefix("price.").replace("_", " ")
    more = f", and {count(rise.others, 'more model')}" if rise.others else ""
    text = f"! {rise.slug}/{rise.model} is dearer: {part} {rate(rise.old)} → {rate(rise.new)} per 1M tokens (+{rise.share:.0%}){more}"
    return AlertLine(f"price {rise.slug}", "warn", text, "price", rise.slug)


ALERTS: tuple[Column[AlertLine], ...] = (
    Column("what", "", lambda line: (line.text, line.tone), width=20, flex=1),
)

# -- providers ---------------------------------------------------------------------------------------


def provider_lines(views: Iterable[ProviderView], now: int) -> list[ProviderLine]:
    """The worst first."""
    ordered = sorted(views, key=lambda view: (_WORST[state(view.state).tone], view.row.slug))
    return [ProviderLine(view, now) for view in ordered]


_WANTED = {
    "state": 0,
    "provider": 0,
    "ttft": 2,
    "errors": 1,
    "spend": 4,
    "models": 3,
    "sync": 5,
    "type": 6,
    "key": 7,
}
PROVIDERS: tuple[Column[ProviderLine], ...] = tuple(
    replace(column, priority=_WANTED[column.key])
    for column in provider_columns.COLUMNS
    if column.key in _WANTED
)

# -- runs that ended ---------------------------------------------------------------------------------


def run_key(run: RecentRun) -> str:
    return run.row.run_id


def _ref(run: RecentRun) -> str:
    return f"{run.row.provider}/{run.row.model}"


def _cost(run: RecentRun) -> Cell:
    row = run.row
    if row.grade == "own":
        return "own", "dim"
    if row.cost_nanos is None:
        return UNKNOWN, "dim"
    words = money(Decimal(row.cost_nanos) / 1_000_000_000)
    return f"≈{words}" if row.grade == "estimated" else words


def _tokens(run: RecentRun) -> Cell:
    if not run.row.input and not run.row.output:
        return UNKNOWN, "dim"
    return f"{tokens(run.row.input)} → {tokens(run.row.output)}"


def _pace(run: RecentRun) -> Cell:
    row = run.row
    if not row.output or row.duration_ms is None or row.duration_ms <= (row.ttft_ms or 0):
        return UNKNOWN, "dim"
    return f"{row.output * 1000 / (row.duration_ms - (row.ttft_ms or 0)):.0f} tok/s"


def _ended(run: RecentRun) -> Cell:
    mark = state(run.row.outcome)
    return str(mark), mark.tone


def _note(run: RecentRun) -> Cell:
    row = run.row
    if row.outcome in ("failed", "interrupted"):
        status = str(row.http_status) if (row.http_status or 0) >= 400 else ""
        code = "" if row.error_code in (None, row.outcome) else row.error_code.replace("_", " ")
        return " ".join(part for part in (status, code) if part), "dim"
    if not run.before:
        return ""
    last = run.before[-1]
    why = str(last.http_status or "") or (last.error_code or "an error").replace("_", " ")
    if (last.provider, last.model) != (row.provider, row.model):
        return f"after {why} from {last.provider}", "dim"
    return (
        f"{'2nd' if row.number == 2 else '3rd' if row.number == 3 else f'{row.number}th'} try, after {why}",
        "dim",
    )


RUNS: tuple[Column[RecentRun], ...] = (
    Column("at", "time", lambda run: (clock(run.row.at), "dim"), width=8, max_width=11),
    Column("model", "model", _ref, width=22, max_width=36, cut="middle", brief=_ref),
    Column("tokens", "in → out", _tokens, width=13, align="right", priority=2),
    Column("cost", "cost", _cost, width=8, align="right"),
    Column("ttft", "TTFT", lambda run: millis(run.row.ttft_ms), width=6, align="right", priority=4),
    Column("pace", "speed", _pace, width=10, max_width=12, align="right", priority=3),
    Column("state", "", _ended, width=10, max_width=13, priority=1),
    Column("note", "", _note, width=16, flex=1, priority=5, optional=True),
)  # fmt: skip


# -- cost per hour -----------------------------------------------------------------------------------


def hours_chart(chart: UsageChart) -> ChartData:
    """What each provider cost in each hour."""
    series = tuple(
        Series(key, "all others" if key == "*" else key, values, cents(total))  # type: ignore[arg-type]
        for key, values, total in zip(chart.keys, chart.values, chart.totals, strict=True)
        if any(values)  # what cannot be seen needs no place in the legend
    )
    return ChartData(chart.starts, chart.end, series, "usd")
