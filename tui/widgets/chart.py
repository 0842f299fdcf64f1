"""The one chart: stacked bars or lines of a frozen value, on which only what changed is painted anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

Unit = Literal["usd", "tokens", "runs", "ms", "percent"]


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of the chart."""

    key: str
    """What `Chart.Opened` names: a provider's slug, a model's ref, a grade."""
    label: str
    values: tuple[float | None, ...]
    """One per bucket, in the chart's unit (USD, tokens, runs, milliseconds, share from 0 to 1); None: nothing is known."""
    total: str = ""
    """For the legend, in words: `$41.20`. Empty: no total makes sense."""


@dataclass(frozen=True, slots=True)
class ChartData:
    """All that a chart shows; an equal value paints nothing."""

    starts: tuple[int, ...]
    """UTC ms of the beginning of each bucket, ascending."""
    end: int
    """UTC ms of the end of the last bucket."""
    series: tuple[Series, ...]
    """Stacked from the bottom in this order, at most eight."""
    unit: Unit
    kind: Literal["bars", "lines"] = "bars"
    limit: float | None = None
    """A line across, such as a daily limit; None: none."""


class Chart(Widget, can_focus=True):
    """Draws a `ChartData`; `h` and `l` pick a bar, enter opens it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h,left", "pick(-1)", "bar", show=False, id="chart.left", tooltip="The bar before"),
        Binding("l,right", "pick(1)", "bar", show=False, id="chart.right", tooltip="The next bar"),
    ]

    class Picked(Message):
        """Another bar was picked; None: none is."""

        def __init__(self, chart: Chart, place: int | None) -> None:
            super().__init__()
            self.chart, self.place = chart, place

    class Opened(Picked):
        """The picked bar was opened (a double click)."""

    def __init__(self, *, empty: str = "Nothing was used in this time.", id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.empty = empty
        self.data: ChartData | None = None
        self.picked: int | None = None

    def show(self, data: ChartData) -> None:
        """Draw this from now on; what is equal is not painted again."""
        if data != self.data:
            self.data = data
            self.refresh()

    def action_pick(self, steps: int) -> None:
        """Pick another bar."""
        if self.data is None or not self.data.starts:
            return
        last = len(self.data.starts) - 1
        self.picked = last if self.picked is None else max(0, min(last, self.picked + steps))
        self.post_message(self.Picked(self, self.picked))
