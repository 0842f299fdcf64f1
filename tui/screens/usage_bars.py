"""What the Usage mode looks at, and the ways through its chart and tables: picking a bar, narrowing to it, opening a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.screens.base import ModeScreen
from tui.screens.usage_billed import compare_columns
from tui.screens.usage_columns import USAGE_FACETS, BucketLine, UsageLine, usage_columns
from tui.widgets.chart import Chart
from tui.widgets.footer import KeyLine
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from services.billed import Compared
    from services.usage_chart import ChartMeasure
    from tui.screens.usage_billed import Source
    from tui.screens.usage_load import Loaded


class UsageBars(ModeScreen):
    """The state of the mode, its tables, and what moves between them."""

    def __init__(self) -> None:
        super().__init__()
        self.range = "24h"
        self.group = "provider"
        self.measure: ChartMeasure = "cost"
        self.source: Source = "here"
        self._dates: tuple[int, int] | None = None
        """The range from one day to another; None: none was given yet."""
        self._bar: tuple[int, int] | None = None
        """The stretch of time the table is narrowed to; None: the whole range."""
        self._shown: Loaded | None = None
        self._numbers = False
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
        self._compared: VirtualTable[Compared] = VirtualTable(
            compare_columns(self.group), key=lambda line: line.key, empty="", marks=False, id="compared"
        )

    def reload(self) -> None:
        """Ask again."""
        raise NotImplementedError

    def action_why(self) -> None:
        """Explain."""
        raise NotImplementedError

    @property
    def front(self) -> VirtualTable[UsageLine] | VirtualTable[Compared]:
        """The table under the chart."""
        return self._compared if self.source == "both" else self._table

    def action_bar(self, by: int) -> None:
        chart = self.query_one(Chart)
        if chart.display:
            chart.focus()
            chart.action_pick(by)

    def action_table(self) -> None:
        self.front.focus()

    def action_numbers(self) -> None:
        self._numbers = not self._numbers
        self._show_numbers()

    def _show_numbers(self) -> None:
        self.query_one(Chart).display = not self._numbers
        self._buckets.display = self._numbers
        (self._buckets if self._numbers else self.front).focus()

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
        row = {"usage.open": "why"} if self.source == "both" else {}
        wanted = {"usage.open": "only this time"} if bar else row
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
        elif self.source == "both":
            self.action_why()
        elif (line := self._table.cursor_row) is not None and self._shown is not None:
            from tui.screens.usage_runs import UsageRuns

            span = self._shown.span
            since, until = self._bar or (span.since, span.until)
            self.app.push_screen(UsageRuns(since, until, self.group, line.key, line.words))

    def _narrow(self, bar: tuple[int, int] | None) -> None:
        self._bar = bar
        self.front.focus()
        self.reload()
