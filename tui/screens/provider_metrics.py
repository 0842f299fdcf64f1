"""The Metrics tab of a provider: what it did in a day, a week or a month, whole, over time, and by model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical

from tui.formatting import UNKNOWN, Tone, cents, count, millis, percent, tokens, whole
from tui.widgets.chart import Chart, ChartData, Series
from tui.widgets.columns import Cell, Column
from tui.widgets.pairs import Pair, PairPage
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from services.provider_metrics import Metrics, ProviderMetrics
    from store.rollups import Percentiles

_WAIT = "Adding up …"
LOW = 28
"""Rows of the terminal below which the table needs the room of the chart."""
_CODES = {
    "invalid_credentials": "key refused", "unexpected_response": "server error", "network": "unreachable",
    "interrupted": "cut off", "rate_limited": "rate limited", "context_too_long": "prompt too long",
    "timeout": "timed out", "no_credit": "no credit", "model_unavailable": "model not there",
}  # fmt: skip


class MetricsPage(Vertical):
    """Figures, a chart of the runs, and the models in a table."""

    DEFAULT_CSS = """
    MetricsPage > PairPage { padding: 0 1; }
    MetricsPage > Chart { height: 8; margin: 1 1 0 1; }
    MetricsPage.-low > Chart { display: none; }
    MetricsPage > VirtualTable { margin: 1 0 0 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.figures = PairPage()
        self.chart = Chart(empty=_WAIT)
        self.chart.can_focus = False
        self.table: VirtualTable[Metrics] = VirtualTable(
            _COLUMNS,
            key=lambda one: one.model,
            empty=_WAIT,
            marks=False,
        )
        self._shown: tuple[str, ProviderMetrics] | None = None

    def compose(self) -> ComposeResult:
        yield self.figures
        yield self.chart
        yield self.table

    def on_resize(self) -> None:
        self.set_class(self.screen.size.height < LOW, "-low")

    def show(self, span: str, found: ProviderMetrics) -> None:
        """Show these; what is equal is not painted again."""
        if (span, found) == self._shown:
            return
        self._shown = span, found
        self.chart.set_empty("No runs in this time.")
        self.table.set_empty(
            "No runs in this time. {<:provider.shorter} and {>:provider.longer} choose another."
        )
        self.figures.show(figures(span, found))
        self.chart.show(_chart(found))
        self.table.set_rows(found.models)


def figures(span: str, found: ProviderMetrics) -> list[Pair]:
    """The whole provider in words."""
    one = found.whole
    ended = f"{whole(one.runs)} runs" if one.runs != 1 else "1 run"
    if one.runs:
        ended += f", {percent(1 - (one.error_share or 0))} ended well"
    pairs: list[Pair] = [(f"last {span}", ended, _tone(one.error_share))]
    if one.times is not None and one.times.count:
        pairs += [
            ("first token", _three(one.times.ttft_p50, one.times.ttft_p95, one.times.ttft_p99), ""),
            ("answer", _three(one.times.latency_p50, one.times.latency_p95, one.times.latency_p99) + _pace(one), ""),
        ]  # fmt: skip
    if one.runs:
        pairs.append(("tokens", _tokens(one), ""))
    if found.errors:
        kinds = ", ".join(
            f"{_CODES.get(code, code.replace('_', ' '))} {whole(n)}" for code, n in found.errors
        )
        pairs.append(("errors", f"{kinds} (attempts, those tried again included)", "dim"))
    return pairs


def _three(p50: int | None, p95: int | None, p99: int | None) -> str:
    return f"p50 {millis(p50)}, p95 {millis(p95)}, p99 {millis(p99)}"


def _pace(one: Metrics) -> str:
    return "" if one.tok_per_s is None else f", then {one.tok_per_s:.0f} tok/s"


def _tokens(one: Metrics) -> str:
    sent = f"{tokens(one.input)} in" + (
        f" ({tokens(one.cache_read)} of them cached)" if one.cache_read else ""
    )
    back = f"{tokens(one.output)} out" + (f" ({tokens(one.reasoning)} reasoning)" if one.reasoning else "")
    spent = "" if one.cost is None else f", {cents(one.cost)}"
    dark = f", {count(one.unknown, 'attempt')} of unknown cost" if one.unknown else ""
    return f"{sent}, {back}{spent}{dark}"


def _cost(one: Metrics) -> Cell:
    if one.cost is None:
        return "own" if one.own and not one.unknown else UNKNOWN, "dim"
    return cents(one.cost)


def _tone(share: float | None) -> Tone:
    if share is None:
        return "dim"
    return "bad" if share >= 0.1 else "warn" if share >= 0.02 else ""


def _chart(found: ProviderMetrics) -> ChartData:
    lines = [Series("well", "ended well", tuple(map(float, found.good)), whole(sum(found.good)))]
    if any(found.bad):
        lines.append(Series("failed", "failed", tuple(map(float, found.bad)), whole(sum(found.bad))))
    return ChartData(found.starts, found.end, tuple(lines), "runs")


def _times(pick: Sequence[str]) -> Column[Metrics]:
    prefix, title, width, priority = pick

    def cell(one: Metrics) -> Cell:
        times: Percentiles | None = one.times
        three = [getattr(times, f"{prefix}_{name}") if times else None for name in ("p50", "p95", "p99")]
        if three[0] is None:
            return UNKNOWN, "dim"
        return " / ".join(millis(ms) for ms in three)

    return Column(prefix, title, cell, width=int(width), align="right", priority=int(priority))


def _count(name: str) -> Column[Metrics]:
    def cell(one: Metrics) -> Cell:
        amount: int = getattr(one, name)
        return tokens(amount) if amount else (UNKNOWN, "dim")

    title = {"input": "in", "output": "out", "cache_read": "cached", "reasoning": "reasoning"}[name]
    priority = {"input": 4, "output": 4, "cache_read": 7, "reasoning": 8}[name]
    return Column(name, title, cell, width=max(6, len(title)), align="right", priority=priority)


_COLUMNS: tuple[Column[Metrics], ...] = (
    Column("model", "model", lambda one: (one.model, "strong"), width=20, flex=1, cut="middle"),
    Column("runs", "runs", lambda one: whole(one.runs), width=7, align="right"),
    Column("errors", "errors", lambda one: (percent(one.error_share), _tone(one.error_share)), width=6, align="right", priority=1),
    _times(("ttft", "TTFT p50/p95/p99", "22", "2")),
    _times(("latency", "answer p50/p95/p99", "22", "5")),
    Column("speed", "tok/s", lambda one: UNKNOWN if one.tok_per_s is None else f"{one.tok_per_s:.0f}", width=5, align="right", priority=3),
    _count("input"),
    _count("output"),
    _count("cache_read"),
    _count("reasoning"),
    Column("cost", "cost", _cost, width=8, align="right", priority=6),
)  # fmt: skip
