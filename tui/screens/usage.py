"""The Usage mode: what was used and what it cost, as a chart and the table under it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from catalog.errors import SwitchroomError
from tui.screens import usage_words as words
from tui.screens.base import ModeScreen
from tui.screens.usage_columns import (
    USAGE_FACETS,
    BucketLine,
    UsageLine,
    bucket_columns,
    bucket_lines,
    usage_columns,
    usage_lines,
)
from tui.screens.usage_load import Loaded, load
from tui.widgets.chart import Chart
from tui.widgets.filter_bar import FilterBar
from tui.widgets.footer import KeyLine
from tui.widgets.limit_lines import LimitLines
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from services.container import Services
    from services.usage_chart import ChartMeasure
    from services.usage_range import UsageRange
    from tui.exporting import Exported

_RELOAD = frozenset({"RunEnded", "StoreChangedElsewhere", "BudgetsChanged", "ProvidersChanged"})
_ON_A_ROW = frozenset({"open", "filter", "order", "why", "bar"})
_NOTHING = "No runs in this time. {>:usage.longer} shows a longer one, {6:mode.chat} starts a chat."
SETTLE = 1.0
"""Seconds between two loads while runs keep ending."""
LOOK_EVERY = 30.0
"""Seconds between looks at the clock: a new bar begins by itself."""


TALL = 36
"""From so many lines on, the parts of the screen stand apart."""


class UsageScreen(ModeScreen):
    """The chart, the sums and the table. Range, group and measure stay while other modes are in front."""

    MODE = "usage"
    HEADING = "Usage"
    CSS_PATH = "usage.tcss"
    AUTO_FOCUS = "#by-key"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("less_than_sign", "range(-1)", "range", show=False, id="usage.shorter", tooltip="The range before: 24 h, 7 d, 30 d …"),
        Binding("greater_than_sign", "range(1)", "range", key_display="< >", id="usage.longer", tooltip="The next range: 24 h, 7 d, 30 d …"),
        Binding("v", "group", "group", id="usage.group", tooltip="Group by provider, model, label, caller, grade or outcome"),
        Binding("m", "measure", "measure", id="usage.measure", tooltip="Measure cost, tokens, runs, time to the first token or errors"),
        Binding("h,left", "bar(-1)", "bar", key_display="h l", id="usage.bar_before", tooltip="Pick the bar before; enter then shows only that time"),
        Binding("l,right", "bar(1)", "bar", show=False, id="usage.bar_after", tooltip="Pick the next bar; enter then shows only that time"),
        Binding("enter", "open", "open", id="usage.open", tooltip="The runs of this row; with a picked bar: only that time"),
        Binding("w", "why", "why", id="usage.why", tooltip="Why the cost differs from the period before"),
        Binding("b", "limits", "budgets", id="usage.limits", tooltip="See and set the limits, with who changed each last and why"),
        Binding("number_sign", "numbers", "numbers", id="usage.numbers", tooltip="The chart as a table of numbers, and back"),
        Binding("slash", "filter", "filter", id="usage.filter", tooltip="Filter the table"),
        Binding("F", "dates", "from–to", id="usage.dates", tooltip="Look at a range from one day to another"),
        Binding("o", "order", "order", show=False, id="usage.order", tooltip="Order by the next column"),
        Binding("j,down", "table", "table", show=False, id="usage.table", tooltip="From the chart back to the table"),
        Binding("escape", "clear", "clear", show=False, id="usage.clear", tooltip="Clear the filter, the picked time, the picked bar"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.range = "24h"
        self.group = "provider"
        self.measure: ChartMeasure = "cost"
        self._dates: tuple[int, int] | None = None
        """The range from one day to another; None: none was given yet."""
        self._bar: tuple[int, int] | None = None
        """The stretch of time the table is narrowed to; None: the whole range."""
        self._shown: Loaded | None = None
        self._written: dict[str, list[words.Span]] = {}
        self._numbers = False
        self._late = False
        """Something happened that is not shown yet."""
        self._wait = False
        self.key_words: dict[str, str] = {}
        """Binding id → what the line of keys calls it now."""
        self._table: VirtualTable[UsageLine] = VirtualTable(
            usage_columns(self.group, self.measure),
            key=lambda line: line.key,
            search=lambda line: line.words,
            facets=USAGE_FACETS,
            empty="Opening …",
            marks=False,
            id="by-key",
        )
        self._buckets: VirtualTable[BucketLine] = VirtualTable(
            (),
            key=lambda line: str(line.start),
            empty="Nothing was used in this time.",
            marks=False,
            id="numbers",
        )

    def compose_body(self) -> ComposeResult:
        yield Static("", id="ranges", markup=False)
        yield Static("", id="head", markup=False)
        yield Chart(id="chart")
        yield self._buckets
        yield Static("", id="projection", markup=False)
        yield LimitLines(words.LIMIT_COLUMNS, id="limits")
        yield FilterBar(self._table)
        yield self._table

    # -- data ------------------------------------------------------------------------------------

    async def services_ready(self, services: Services) -> None:
        self._table.set_empty(_NOTHING)
        self._numbers = bool(getattr(services.settings.appearance, "screen_reader", False))
        self._show_numbers()
        self.set_interval(LOOK_EVERY, self._look)
        await self._load()

    def span(self, now: int | None = None) -> UsageRange:
        """The range as it is at this moment."""
        from services.usage_range import custom_range, named_range

        now = _now() if now is None else now
        return (
            custom_range(*self._dates, now)
            if self.range == "custom" and self._dates
            else named_range(self.range, now)
        )

    async def _load(self) -> None:
        self._late = False
        asked = self.range, self._dates, self._bar, self.group, self.measure
        try:
            fresh = await load(self.app.services, self.span(), self._bar, self.group, self.measure)
        except SwitchroomError as error:
            self.app.tell_error(error)
            return
        if asked == (self.range, self._dates, self._bar, self.group, self.measure):
            self._show(fresh)  # else what is asked now is under way

    def reload(self) -> None:
        """Ask again; of several questions only the last is answered."""
        if self.app.opened and self.is_mounted:
            self.run_worker(self._load, exclusive=True, group="load", exit_on_error=True)  # type: ignore[arg-type]

    def _show(self, fresh: Loaded) -> None:
        before, self._shown = self._shown, fresh
        self._show_words()
        self.query_one(Chart).show(fresh.data)
        if before is None or before.limits != fresh.limits:
            self.query_one(LimitLines).show(fresh.limits)
        if before is None or (before.table, before.group, before.measure) != (
            fresh.table,
            fresh.group,
            fresh.measure,
        ):
            self._table.columns = usage_columns(fresh.group, fresh.measure)
            self._table.set_rows(usage_lines(fresh.table, fresh.group, fresh.measure))
            self.refresh_bindings()
        if before is None or before.chart != fresh.chart:
            labels = [series.label for series in fresh.data.series]
            self._buckets.columns = bucket_columns(labels, fresh.group, fresh.measure)
            self._buckets.set_rows(bucket_lines(fresh.chart))

    def _show_words(self) -> None:
        from services.usage_range import RANGES

        names = [*RANGES, "custom"] if self._dates else list(RANGES)
        cells = max(20, self.size.width - 2)
        self._write("#ranges", words.range_spans(names, self.range, cells))
        fresh = self._shown
        if fresh is not None:
            span = fresh.span if fresh.bar is None else fresh.span.bar(*fresh.bar)
            spans = words.head_spans(
                fresh.table, span, fresh.group, fresh.measure, fresh.bar is not None, cells
            )
            self._write("#head", spans)
            self._write("#projection", words.projection_spans(fresh.month, fresh.projection, cells))

    def _write(self, selector: str, spans: list[words.Span]) -> None:
        if spans != self._written.get(selector):  # texts are equal to Textual whatever their colours
            self._written[selector] = spans
            self.query_one(selector, Static).update(Content.assemble(*spans))

    def feed_event(self, event: object) -> None:
        if type(event).__name__ in _RELOAD:
            self._late = True
            if self.is_mounted and self.seen and not self._wait:
                self._wait = True
                self.set_timer(SETTLE, self._settled)

    def _settled(self) -> None:
        self._wait = False
        if self._late and self.seen:
            self.reload()

    def _look(self) -> None:
        fresh = self._shown
        if self.seen and fresh is not None and self.span().until != fresh.span.until:
            self.reload()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if (
            self.framed
            and self._shown is not None
            and (self._late or self.span().until != self._shown.span.until)
        ):
            self.reload()

    def on_resize(self) -> None:
        self.set_class(self.size.height >= TALL, "-tall")
        if self.framed:
            self._show_words()

    # -- keys ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """What needs a row is there once there is one."""
        return action not in _ON_A_ROW or bool(self._table.rows) or self._bar is not None

    def copy_text(self) -> str | None:
        line = self._table.cursor_row
        if line is None:
            return None
        now = line.entry.now
        cost = words.amount_words(now.cost, "cost")
        return f"{line.words}\t{cost}\t{now.runs} runs\t{now.input} in\t{now.output} out\t{now.errors} errors"

    def exported(self) -> Exported | None:
        from tui.screens.usage_export import buckets_exported, lines_exported

        fresh = self._shown
        if fresh is None:
            return None
        return (
            buckets_exported(fresh) if self._buckets.has_focus else lines_exported(fresh, self._table.shown)
        )

    def action_range(self, by: int) -> None:
        from services.usage_range import RANGES

        names = [*RANGES, "custom"] if self._dates else list(RANGES)
        self.range = names[(names.index(self.range) + by) % len(names)]
        self._changed()

    def action_group(self) -> None:
        self.group = words.GROUPS[(words.GROUPS.index(self.group) + 1) % len(words.GROUPS)]
        if self._table.filter:  # it named keys of the group before
            self.query_one(FilterBar).clear()
        self.reload()

    def action_measure(self) -> None:
        self.measure = words.MEASURES[(words.MEASURES.index(self.measure) + 1) % len(words.MEASURES)]
        self.reload()

    def _changed(self) -> None:
        """Another range: its words at once, its figures when they are there."""
        self._bar = None
        self.query_one(Chart).pick(None)
        self._show_words()
        self.reload()

    def action_bar(self, by: int) -> None:
        chart = self.query_one(Chart)
        if chart.display:
            chart.focus()
            chart.action_pick(by)

    def action_table(self) -> None:
        self._table.focus()

    def action_numbers(self) -> None:
        self._numbers = not self._numbers
        self._show_numbers()

    def _show_numbers(self) -> None:
        self.query_one(Chart).display = not self._numbers
        self._buckets.display = self._numbers
        (self._buckets if self._numbers else self._table).focus()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()
        self.action_open()

    def on_chart_picked(self, event: Chart.Picked) -> None:
        event.stop()
        self._name_enter()

    def on_descendant_focus(self) -> None:
        self._name_enter()

    def _name_enter(self) -> None:
        """What enter does is told where it is pressed."""
        chart = self.query_one(Chart)
        bar = self._buckets.has_focus or (chart.has_focus and chart.picked is not None)
        wanted = {"usage.open": "only this time"} if bar else {}
        if wanted != self.key_words:
            self.key_words = wanted
            self.query_one(KeyLine).look()

    def on_chart_opened(self, event: Chart.Opened) -> None:
        event.stop()
        self._narrow(self.query_one(Chart).picked_bounds)

    def action_open(self) -> None:
        chart = self.query_one(Chart)
        if chart.has_focus and chart.picked_bounds is not None:
            self._narrow(chart.picked_bounds)
        elif self._buckets.has_focus and (bucket := self._buckets.cursor_row) is not None:
            self._narrow((bucket.start, bucket.end))
        elif (line := self._table.cursor_row) is not None and self._shown is not None:
            from tui.screens.usage_runs import UsageRuns

            span = self._shown.span
            since, until = self._bar or (span.since, span.until)
            self.app.push_screen(UsageRuns(since, until, self.group, line.key, line.words))

    def _narrow(self, bar: tuple[int, int] | None) -> None:
        self._bar = bar
        self._table.focus()
        self.reload()

    def action_why(self) -> None:
        from tui.screens.usage_dialogs import show_why

        span = self.span()
        self.app.do(
            show_why(self.app, span.bar(*self._bar) if self._bar else span, narrowed=self._bar is not None)
        )

    def action_limits(self) -> None:
        if not self.app.opened:
            return
        from tui.screens.usage_dialogs import edit_limits

        line = self._table.cursor_row
        self.app.do(edit_limits(self.app, line.key if line and self.group == "provider" else None))

    def action_dates(self) -> None:
        self.app.do(self._ask_dates())

    async def _ask_dates(self) -> None:
        from tui.screens.usage_dialogs import ask_dates

        dates = await ask_dates(self.app, self._dates)
        if dates is not None:
            self._dates, self.range = dates, "custom"
            self._changed()

    def action_filter(self) -> None:
        self.query_one(FilterBar).open()

    def action_order(self) -> None:
        self._table.next_order()

    def action_clear(self) -> None:
        chart = self.query_one(Chart)
        if self._table.filter:
            self.query_one(FilterBar).clear()
        elif self._bar is not None:
            self._narrow(None)
        else:
            self.query_one(FilterBar).clear()
            chart.pick(None)
        self._table.focus()


def _now() -> int:
    return int(time.time() * 1000)
