"""The one chart: stacked bars or lines of a frozen value, on which only what changed is painted anew."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.formatting import fit, width
from tui.widgets import chart_ink, chart_legend
from tui.widgets.chart_data import ChartData, Series, Unit
from tui.widgets.chart_draw import BLANK
from tui.widgets.chart_ink import AXIS, LIMIT, NONE, Look
from tui.widgets.chart_layout import Picture, lay_out
from tui.widgets.chart_legend import STRONG, Item

__all__ = ["Chart", "ChartData", "Series", "Unit"]

_PARTIAL = frozenset("▁▂▃▄▅▆▇")
_PARTS = {AXIS: "axis", LIMIT: "limit", STRONG: "strong"}


class Chart(Widget, can_focus=True):
    """Draws a `ChartData`; `h` and `l` pick a bar, a click too; enter (bound by the screen) or a double click opens it."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"chart--{name}" for name in ("axis", "limit", "strong", "picked", "empty")
    }
    DEFAULT_CSS = """
    Chart { height: 1fr; }
    Chart > .chart--axis { color: $dim; }
    Chart > .chart--limit { color: $warning; }
    Chart > .chart--strong { text-style: bold; }
    Chart > .chart--picked { background: $row-cursor; }
    Chart:ansi > .chart--picked { background: $row-blurred; }
    Chart > .chart--empty { color: $dim; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h,left", "pick(-1)", "bar", show=False, id="chart.left", tooltip="The bar before"),
        Binding("l,right", "pick(1)", "bar", show=False, id="chart.right", tooltip="The next bar"),
        Binding("escape", "unpick", "none", show=False, id="chart.unpick", tooltip="Pick no bar"),
    ]

    class Picked(Message):
        """Another bar was picked; `place` is its first bucket. None: none is."""

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
        """The first bucket of the picked bar."""
        self._inks: dict[str, int] = {}
        self._picture: Picture | None = None
        self._strips: dict[int, Strip] = {}
        self._pens: dict[tuple[int, int, bool], Style] = {}

    # -- data ------------------------------------------------------------------------------------

    def show(self, data: ChartData) -> None:
        """Draw this from now on; what is equal is not painted again. The picked bucket stays picked."""
        before, old = self.data, self._picture
        if data == before:
            return
        self.data = data
        self._inks = chart_ink.inks((series.key for series in data.series), self._inks)
        moved = self._repick(before)
        self._lay_out()
        new = self._picture
        if moved or old is None or new is None or not old.same_frame(new):
            self._paint_all()
        else:
            self._paint_difference(old, new)

    def set_empty(self, text: str) -> None:
        """What stands there when there is nothing to draw."""
        if text != self.empty:
            self.empty = text
            self._paint_all()

    @property
    def picked_bounds(self) -> tuple[int, int] | None:
        """UTC ms of the beginning and end of the picked bar, which may stand for several buckets; None: none is picked."""
        picture = self._picture
        if self.picked is None or self.data is None or picture is None:
            return None
        return self.data.bounds(self.picked - self.picked % picture.merge, picture.merge)

    def _repick(self, before: ChartData | None) -> bool:
        """Keep the picked bucket although time went on; True when it stands elsewhere or is gone."""
        if self.picked is None or before is None or self.data is None or before.starts == self.data.starts:
            return False
        start = before.starts[self.picked]
        self.picked = self.data.starts.index(start) if start in self.data.starts else None
        self.post_message(self.Picked(self, self.picked))
        return True

    @property
    def look(self) -> Look:
        """How the series are told apart on this terminal."""
        if any(type(one).__name__ == "AsciiFilter" for one in self.app._filters):  # noqa: SLF001
            return "ascii"
        return "pattern" if self.app.no_color or self.app.current_theme.ansi else "colour"

    def _lay_out(self) -> None:
        data = self.data
        if data is None or data.empty or not self.is_attached:
            self._picture = None
        else:
            self._picture = lay_out(data, self._inks, self.size.width, self.size.height, self.look)

    # -- painting --------------------------------------------------------------------------------

    def _paint_all(self) -> None:
        self._strips.clear()
        self.refresh()

    def _paint(self, *regions: Region) -> None:
        for region in regions:
            for row in range(region.y, region.bottom):
                self._strips.pop(row, None)
        if regions:
            self.refresh(*regions)

    def _paint_difference(self, old: Picture, new: Picture) -> None:
        """Ask for the painting of what differs between two pictures of one frame."""
        regions: list[Region] = []
        for before, column in zip(old.columns, new.columns, strict=True):
            if before != column:
                pairs = zip(before.cells, column.cells, strict=True)
                rows = [row for row, (a, b) in enumerate(pairs) if a != b]
                region = Region(new.left + column.x, rows[0], column.width, rows[-1] - rows[0] + 1)
                if regions and regions[-1].right == region.x:
                    region = region.union(regions.pop())
                regions.append(region)
        for row, (a, b) in enumerate(zip(old.names, new.names, strict=True)):
            if a != b:
                regions.append(Region(0, row, new.left, 1))
        if old.limit_row != new.limit_row:
            moved = (old.limit_row, new.limit_row)
            regions += [Region(0, row, new.width, 1) for row in moved if row is not None]
        if old.known != new.known:
            regions.append(Region(0, new.rows, new.width, 1))
        if old.times != new.times:
            regions.append(Region(0, new.rows + 1, new.width, 1))
        if new.legend_rows and (self.picked is not None or old.legend != new.legend):
            regions.append(Region(0, new.rows + 2, new.width, new.legend_rows))
        self._paint(*regions)

    def render_line(self, y: int) -> Strip:
        strip = self._strips.get(y)
        if strip is None:
            strip = self._strips[y] = self._line(y)
        return strip

    def _line(self, y: int) -> Strip:
        picture, cells = self._picture, self.size.width
        if self._as_words and self.data is not None and not self.data.empty:
            return self._words_line(chart_legend.spoken(self.data, self.picked, y), cells)
        if picture is None or picture.width != cells:
            words = (
                self.empty if y == self.size.height // 3 and (self.data is None or self.data.empty) else ""
            )
            return Strip([Segment(fit(words, cells), self._part("empty"))], cells)
        if y < picture.rows:
            return self._plot_line(picture, y)
        if y == picture.rows:
            return self._base_line(picture)
        if y == picture.rows + 1:
            return Strip([Segment(fit(picture.times, cells), self._pen(AXIS))], cells)
        number = y - picture.rows - 2
        legend = self._legend(picture)
        return self._words_line(legend[number] if number < len(legend) else (), cells)

    @property
    def _as_words(self) -> bool:
        """A screen reader gets the figures as lines of text."""
        return bool(getattr(self.app, "screen_reader", False))

    def _legend(self, picture: Picture) -> tuple[Item, ...]:
        if self.picked is None or self.data is None:
            return picture.legend
        items = chart_legend.picked(
            self.data, picture.shown, picture.inks, picture.look, self.picked, picture.merge
        )
        return chart_legend.flow(items, picture.width, picture.legend_rows)

    def _words_line(self, item: Item, cells: int) -> Strip:
        segments = [Segment(text, self._pen(ink)) for text, ink in item]
        strip = Strip(segments, sum(width(text) for text, _ in item))
        return strip.adjust_cell_length(cells, self._pen(NONE))

    def _plot_line(self, picture: Picture, y: int) -> Strip:
        inner = picture.width - picture.left
        texts, fronts, backs = [" "] * inner, [NONE] * inner, [NONE] * inner
        for x, wide, cells in picture.columns:
            cell = cells[y]
            if cell is BLANK:
                continue
            text, front, back = cell
            for at in range(x, x + wide):
                texts[at], fronts[at], backs[at] = text, front, back
        if y == picture.limit_row:
            for x in range(inner):
                if texts[x] == " ":
                    texts[x], fronts[x] = "╌", LIMIT
                elif texts[x] not in _PARTIAL:
                    texts[x], fronts[x] = "─", LIMIT
        if picture.shown.kind == "lines":
            _join_over_blanks(texts, fronts)
        left, right = self._picked_cells(picture)
        segments = [Segment(picture.names[y], self._pen(AXIS))]
        start, front, back = 0, fronts[0], backs[0]
        for x in range(1, inner + 1):
            if x < inner and fronts[x] == front and backs[x] == back and x != left and x != right:
                continue
            style = self._pen(front, back, picked=left <= start < right)
            segments.append(Segment("".join(texts[start:x]), style))
            if x < inner:
                start, front, back = x, fronts[x], backs[x]
        return Strip(segments, picture.width)

    def _base_line(self, picture: Picture) -> Strip:
        inner = picture.width - picture.left
        cells = ["─"] * inner
        for slot, known in zip(picture.slots, picture.known, strict=True):
            if not known:
                cells[slot.left : slot.right] = " " * (slot.right - slot.left)
        left, right = self._picked_cells(picture)
        segments = [Segment(picture.names[picture.rows], self._pen(AXIS))]
        if right > left:
            middle = (left + right - 1) // 2
            segments += [
                Segment("".join(cells[:middle]), self._pen(AXIS)),
                Segment("▲", self._pen(STRONG)),
                Segment("".join(cells[middle + 1 :]), self._pen(AXIS)),
            ]
        else:
            segments.append(Segment("".join(cells), self._pen(AXIS)))
        return Strip(segments, picture.width)

    def _picked_cells(self, picture: Picture) -> tuple[int, int]:
        """First cell of the picked bar's slot and the one past its last; equal when none is picked."""
        if self.picked is None:
            return 0, 0
        slot = picture.slots[min(self.picked // picture.merge, len(picture.slots) - 1)]
        return slot.left, slot.right

    def _pen(self, front: int, back: int = NONE, *, picked: bool = False) -> Style:
        key = (front, back, picked)
        style = self._pens.get(key)
        if style is None:
            style = self.rich_style
            if picked:
                style += self._part("picked")
            if front in _PARTS:
                style += self._part(_PARTS[front])
            elif front != NONE:
                style += Style(color=self._palette[front])
            if back >= 0:
                style += Style(bgcolor=self._palette[back])
            self._pens[key] = style
        return style

    def _part(self, name: str) -> Style:
        return self.get_component_rich_style(f"chart--{name}", partial=True)

    @property
    def _palette(self) -> tuple[str, ...]:
        theme = self.app.current_theme
        return chart_ink.ANSI if theme.ansi else chart_ink.DARK if theme.dark else chart_ink.LIGHT

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._pens = {}
        self._strips = {}
        self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()
        self._paint_all()

    # -- picking ---------------------------------------------------------------------------------

    def pick(self, place: int | None) -> None:
        """Pick the bar that holds this bucket; None: none."""
        picture = self._picture
        if picture is None:
            return
        if place is not None:
            place -= place % picture.merge
        if place == self.picked:
            return
        for change in (None, place):
            left, right = self._picked_cells(picture)
            if change is not None:
                self.picked = change
                left, right = self._picked_cells(picture)
            if right > left:
                self._paint(Region(picture.left + left, 0, right - left, picture.rows + 1))
        self.picked = place
        if picture.legend_rows:
            self._paint(Region(0, picture.rows + 2, picture.width, picture.legend_rows))
        self.post_message(self.Picked(self, place))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Esc is the screen's while nothing is picked."""
        return action != "unpick" or self.picked is not None

    def action_pick(self, steps: int) -> None:
        picture = self._picture
        if picture is None:
            return
        last = len(picture.slots) - 1
        bar = last if self.picked is None else max(0, min(last, self.picked // picture.merge + steps))
        self.pick(bar * picture.merge)

    def action_unpick(self) -> None:
        self.pick(None)

    def on_click(self, event: events.Click) -> None:
        at, picture = event.get_content_offset(self), self._picture
        place = None if at is None or picture is None else picture.place_at(at.x)
        if place is None:
            return
        self.pick(place)
        if event.chain == 2:
            self.post_message(self.Opened(self, self.picked))


def _join_over_blanks(texts: list[str], inks: list[int]) -> None:
    """A blank between two dots has no colour of its own, so it takes its neighbour's: half as many pieces in a row."""
    for x in range(1, len(texts)):
        if texts[x] == " ":
            inks[x] = inks[x - 1]
