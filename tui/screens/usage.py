"""The Usage mode: what was used and what it cost, as a chart and the table under it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from catalog.errors import SwitchroomError
from tui.screens import usage_billed as theirs
from tui.screens import usage_words as words
from tui.screens.usage_bars import UsageBars
from tui.screens.usage_columns import bucket_columns, bucket_lines, usage_columns, usage_lines
from tui.screens.usage_load import Loaded, load
from tui.widgets.chart import Chart
from tui.widgets.filter_bar import FilterBar
from tui.widgets.limit_lines import LimitLines

if TYPE_CHECKING:
    from services.container import Services
    from services.usage_range import UsageRange
    from tui.exporting import Exported

_RELOAD = frozenset(
    {"RunEnded", "StoreChangedElsewhere", "BudgetsChanged", "ProvidersChanged", "AccountRead"}
)
_ON_A_ROW = frozenset({"open", "filter", "order", "why", "bar"})
_NOTHING = "No runs in this time. {>:usage.longer} shows a longer one, {6:mode.chat} starts a chat."
_UNUSED = "Nothing was used in this time."
SETTLE = 1.0
"""Seconds between two loads while runs keep ending."""
LOOK_EVERY = 30.0
"""Seconds between looks at the clock: a new bar begins by itself."""


TALL = 36
"""From so many lines on, the parts of the screen stand apart."""


class UsageScreen(UsageBars):
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
        Binding("f", "source", "here/billed", id="usage.source", tooltip="What was counted here, what the vendors billed, or both and why they differ"),
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
        self._written: dict[str, list[words.Span]] = {}
        self._late = False
        """Something happened that is not shown yet."""
        self._wait = False

    def compose_body(self) -> ComposeResult:
        yield Static("", id="ranges", markup=False)
        yield Static("", id="head", markup=False)
        yield Chart(id="chart")
        yield self._buckets
        yield Static("", id="projection", markup=False)
        yield LimitLines(words.LIMIT_COLUMNS, id="limits")
        yield FilterBar(self._table)
        yield self._table
        yield self._compared

    # -- data ------------------------------------------------------------------------------------

    async def services_ready(self, services: Services) -> None:
        self._table.set_empty(_NOTHING)
        self._numbers = bool(getattr(services.settings.appearance, "screen_reader", False))
        self._show_numbers()
        self._compared.display = False
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
        asked = self._asked
        try:
            fresh = await load(
                self.app.services, self.span(), self._bar, self.group, self.measure, self.source
            )
        except SwitchroomError as error:
            self.app.tell_error(error)
            return
        if asked == self._asked:
            self._show(fresh)  # else what is asked now is under way

    @property
    def _asked(self) -> tuple[object, ...]:
        return self.range, self._dates, self._bar, self.group, self.measure, self.source

    def reload(self) -> None:
        """Ask again; of several questions only the last is answered."""
        if self.app.opened and self.is_mounted:
            self.run_worker(self._load, exclusive=True, group="load", exit_on_error=True)  # type: ignore[arg-type]

    def _show(self, fresh: Loaded) -> None:
        before, self._shown = self._shown, fresh
        self._table.set_empty(_NOTHING if fresh.source == "here" else theirs.NOTHING)
        self._compared.set_empty(theirs.NOTHING)
        self._show_words()
        chart = self.query_one(Chart)
        unused = (
            f"The runs of this time have no known {fresh.measure.replace('ttft', 'TTFT')}."
            if fresh.table.total.now.runs
            else _UNUSED
        )
        chart.set_empty(unused if fresh.source == "here" else "No bill of this time is known.")
        chart.show(fresh.data)
        if before is None or before.limits != fresh.limits:
            self.query_one(LimitLines).show(fresh.limits)
        if fresh.comparison is not None:
            if before is None or (before.comparison, before.group) != (fresh.comparison, fresh.group):
                self._compared.columns = theirs.compare_columns(fresh.group)
                self._compared.set_rows(fresh.comparison.lines)
                self.refresh_bindings()
        elif before is None or (before.table, before.group, before.measure, before.source) != (
            fresh.table,
            fresh.group,
            fresh.measure,
            fresh.source,
        ):
            billed = fresh.source == "billed"
            self._table.columns = usage_columns(fresh.group, fresh.measure, billed=billed)
            self._table.set_rows(usage_lines(fresh.table, fresh.group, fresh.measure, billed=billed))
            self.refresh_bindings()
        if before is None or (before.chart, before.source) != (fresh.chart, fresh.source):
            labels = [series.label for series in fresh.data.series]
            self._buckets.columns = bucket_columns(
                labels, fresh.group, fresh.measure, summed=fresh.source != "both"
            )
            self._buckets.set_rows(bucket_lines(fresh.chart))

    def _show_words(self) -> None:
        from services.usage_range import RANGES

        names = [*RANGES, "custom"] if self._dates else list(RANGES)
        cells = max(20, self.size.width - 2)
        self._write("#ranges", words.range_spans(names, self.range, cells))
        fresh = self._shown
        if fresh is not None:
            span = fresh.span if fresh.bar is None else fresh.span.bar(*fresh.bar)
            if fresh.comparison is not None:
                spans = theirs.both_head(fresh.comparison, fresh.group, cells)
            elif fresh.source == "billed":
                spans = theirs.billed_head(fresh.table, fresh.group, fresh.measure, fresh.bar, cells)
            else:
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
        if (action == "why" and self.source == "billed") or (action == "filter" and self.source == "both"):
            return False
        return action not in _ON_A_ROW or bool(self.front.rows) or self._bar is not None

    def copy_text(self) -> str | None:
        if self.source == "both":
            both = self._compared.cursor_row
            return None if both is None else theirs.copied(both)
        line = self._table.cursor_row
        if line is None:
            return None
        now = line.entry.now
        cost = words.amount_words(now.cost, "cost")
        if line.billed:
            return f"{line.words}\t{cost} billed"
        return f"{line.words}\t{cost}\t{now.runs} runs\t{now.input} in\t{now.output} out\t{now.errors} errors"

    def exported(self) -> Exported | None:
        from tui.screens.usage_export import buckets_exported, compared_exported, lines_exported

        fresh = self._shown
        if fresh is None:
            return None
        if fresh.comparison is not None:
            return compared_exported(fresh.comparison)
        return (
            buckets_exported(fresh) if self._buckets.has_focus else lines_exported(fresh, self._table.shown)
        )

    def action_range(self, by: int) -> None:
        from services.usage_range import RANGES

        names = [*RANGES, "custom"] if self._dates else list(RANGES)
        self.range = names[(names.index(self.range) + by) % len(names)]
        self._changed()

    def action_group(self) -> None:
        groups = words.GROUPS if self.source == "here" else theirs.GROUPS
        self.group = groups[(groups.index(self.group) + 1) % len(groups)]
        if self._table.filter:  # it named keys of the group before
            self.query_one(FilterBar).clear()
        self.reload()

    def action_measure(self) -> None:
        measures = words.MEASURES if self.source == "here" else theirs.MEASURES
        self.measure = measures[(measures.index(self.measure) + 1) % len(measures)]
        self.reload()

    def action_source(self) -> None:
        """From what was counted here to what was billed, to both."""
        on_table = self.front.has_focus
        self.source = theirs.SOURCES[(theirs.SOURCES.index(self.source) + 1) % len(theirs.SOURCES)]
        self.group, self.measure = theirs.fitting(self.source, self.group, self.measure)
        if self._table.filter:
            self.query_one(FilterBar).clear()
        self._table.set_empty("Reading …")
        self._compared.set_empty("Reading …")
        self._table.display, self._compared.display = self.source != "both", self.source == "both"
        if on_table:
            self.front.focus()
        self._name_enter()
        self._changed()

    def _changed(self) -> None:
        """Another range: its words at once, its figures when they are there."""
        self._bar = None
        self.query_one(Chart).pick(None)
        self._show_words()
        self.reload()

    def action_why(self) -> None:
        fresh = self._shown
        if self.source == "both":
            if fresh is not None and fresh.comparison is not None:
                line = self._compared.cursor_row if self._compared.has_focus else None
                self.app.do(theirs.show_gap(self.app, line or fresh.comparison.total, fresh.comparison))
            return
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
        self.front.next_order()

    def action_clear(self) -> None:
        chart = self.query_one(Chart)
        if self._table.filter:
            self.query_one(FilterBar).clear()
        elif self._bar is not None:
            self._narrow(None)
        else:
            self.query_one(FilterBar).clear()
            chart.pick(None)
        self.front.focus()


def _now() -> int:
    return int(time.time() * 1000)
