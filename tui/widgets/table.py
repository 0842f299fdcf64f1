"""The one table: a virtual view over plain rows, so that 50,000 of them cost no more than a screenful."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.formatting import Tone, fit
from tui.widgets.columns import Column, Layout, lay_out
from tui.widgets.rows import RowSet

T = TypeVar("T")

_TONES: tuple[Tone, ...] = ("ok", "warn", "bad", "dim", "accent", "strong")
_PARTS = ("header", "cursor", "blurred", "marked", "empty")


class VirtualTable(ScrollView, Generic[T], can_focus=True):
    """Rows of any type, read through its columns only when they are on the screen.

    `key` names a row for ever: cursor, marks and `update_row` go by it, so a refresh moves nothing. `search` gives
    the text the filter looks in. Enter is not bound here: the screen binds it, so that its footer says what it does.
    """

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "down", show=False, id="table.down", tooltip="Next row"),
        Binding("k,up", "move(-1)", "up", show=False, id="table.up", tooltip="Previous row"),
        Binding("g,home", "first", "first", show=False, id="table.first", tooltip="First row"),
        Binding("G,end", "last", "last", show=False, id="table.last", tooltip="Last row"),
        Binding("ctrl+d", "half(1)", "half down", show=False, id="table.half_down", tooltip="Half a page down"),
        Binding("ctrl+u", "half(-1)", "half up", show=False, id="table.half_up", tooltip="Half a page up"),
        Binding("pagedown", "half(2)", "page down", show=False, id="table.page_down", tooltip="A page down"),
        Binding("pageup", "half(-2)", "page up", show=False, id="table.page_up", tooltip="A page up"),
        Binding("space", "mark", "mark", show=False, id="table.mark", tooltip="Mark the row; actions then take all marked"),
    ]  # fmt: skip
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"table--{name}" for name in (*_PARTS, *_TONES)}
    DEFAULT_CSS = """
    VirtualTable { height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    VirtualTable > .table--header { color: $dim; text-style: bold; }
    VirtualTable > .table--cursor { background: $row-cursor; }
    VirtualTable > .table--blurred { background: $row-blurred; }
    VirtualTable > .table--marked { color: $accent; text-style: bold; }
    VirtualTable > .table--empty { color: $dim; }
    VirtualTable > .table--ok { color: $success; }
    VirtualTable > .table--warn { color: $warning; }
    VirtualTable > .table--bad { color: $error; }
    VirtualTable > .table--dim { color: $dim; }
    VirtualTable > .table--accent { color: $accent; }
    VirtualTable > .table--strong { text-style: bold; }
    """

    class Highlighted(Message):
        """The cursor came to another row (key None: no row is shown)."""

        def __init__(self, table: VirtualTable[Any], key: str | None) -> None:
            super().__init__()
            self.table, self.key = table, key

    class Opened(Highlighted):
        """A double click on a row."""

    class Marked(Highlighted):
        """Marks changed."""

    def __init__(
        self,
        columns: Sequence[Column[T]],
        *,
        key: Callable[[T], str],
        search: Callable[[T], str] | None = None,
        empty: str = "Nothing here.",
        no_match: str = "Nothing matches. esc clears the filter.",
        header: bool = True,
        marks: bool = True,
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.columns = tuple(columns)
        self._set: RowSet[T] = RowSet(key, search)
        self._empty, self._no_match = empty, no_match
        self._header, self._can_mark = int(header), marks
        self._sorted: tuple[Column[T], bool] | None = None
        self._layout: Layout[T] | None = None
        self._styles_now: dict[str, Style] = {}
        self._told: str | None = None
        self.pretend_focus = False
        """The cursor is drawn as if focused: another widget sends it the keys."""

    # -- rows ------------------------------------------------------------------------------------

    def set_rows(self, rows: Iterable[T]) -> None:
        """Show these rows. Cursor and marks stay with their keys, the scroll stays where it was."""
        self._set.set(rows)
        self._rearranged()

    def update_row(self, row: T) -> bool:
        """Replace the row of the same key, repainting that one line; False when it is not here."""
        place = self._set.update(row)
        if place is None:
            return False
        if place < 0:
            self._rearranged()
        else:
            self._refresh_line(place)
        return True

    def set_empty(self, text: str) -> None:
        """What stands there when there are no rows at all: which key fills it."""
        if text != self._empty:
            self._empty = text
            self.refresh()

    def keep_last(self) -> None:
        """The last row passes every filter from now on: “something else”."""
        self._set.keep_last = True

    @property
    def rows(self) -> Sequence[T]:
        """All rows, whether the filter shows them or not."""
        return self._set.rows

    @property
    def shown(self) -> list[T]:
        """The rows that pass the filter, in the order of the screen."""
        return [self._set.rows[index] for index in self._set.shown]

    @property
    def shown_count(self) -> int:
        """How many rows pass the filter."""
        return len(self._set)

    @property
    def cursor_row(self) -> T | None:
        """The row under the cursor; None when nothing is shown."""
        return self._set.current

    @property
    def cursor_key(self) -> str | None:
        """The key of the row under the cursor."""
        return self._set.current_key

    @property
    def marked(self) -> frozenset[str]:
        """The keys of the marked rows."""
        return frozenset(self._set.marks)

    def targets(self) -> list[T]:
        """What an action takes: the marked rows, or the one under the cursor."""
        return self._set.targets()

    def clear_marks(self) -> None:
        """Take all marks away."""
        if self._set.marks:
            self._set.marks.clear()
            self.refresh()
            self.post_message(self.Marked(self, self.cursor_key))

    def go_to(self, key: str) -> bool:
        """Put the cursor on a row; False when the filter hides it or it is not here."""
        place = self._set.place_of(key)
        if place is None:
            return False
        self._move_to(place)
        return True

    @property
    def filter(self) -> str:
        """The filter in force; empty when there is none."""
        return self._set.filter

    def set_filter(self, text: str) -> None:
        """Show only rows in which every word is found."""
        if text != self._set.filter:
            self._set.set_filter(text)
            self._rearranged()

    @property
    def sorted_by(self) -> tuple[str, bool] | None:
        """(column key, descending); None in the order of the rows."""
        return None if self._sorted is None else (self._sorted[0].key, self._sorted[1])

    def sort_by(self, column: str | None, *, descending: bool = False) -> None:
        """Order by a column that can be ordered; None gives the rows' own order back."""
        found = next((c for c in self.columns if c.key == column and c.sort is not None), None)
        self._sorted = None if found is None else (found, descending)
        self._set.set_order(None if found is None else found.sort, descending=descending)
        self._rearranged()

    def _rearranged(self) -> None:
        self._layout = None
        self.virtual_size = Size(self.size.width, len(self._set) + self._header)
        self._keep_visible()
        self.refresh()
        self._tell()

    # -- painting --------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        cells, shown = self.scrollable_content_region.width, self._set
        layout = self._layout
        if layout is None or layout.cells != cells:
            sample = [shown.at(place) for place in range(min(200, len(shown)))]
            layout = self._layout = lay_out(self.columns, sample, cells)
        styles = self._styles()
        if self._header and y == 0:
            return self._header_line(layout, styles)
        line = y - self._header + self.scroll_offset.y
        if not shown:
            words = (self._no_match if shown.rows else self._empty) if line == 0 else ""
            return Strip([Segment(fit("  " + words, cells), styles["empty"])], cells)
        if line >= len(shown):
            return Strip([Segment(" " * cells, styles["base"])], cells)
        return self._row_line(layout, styles, line)

    def _header_line(self, layout: Layout[T], styles: dict[str, Style]) -> Strip:
        parts = [" " * layout.gutter]
        for column, size in layout.columns:
            title = column.title
            if self._sorted is not None and self._sorted[0].key == column.key:
                title += "▼" if self._sorted[1] else "▲"
            parts.append(fit(title, size, column.align) + layout.gap)
        return Strip([Segment(fit("".join(parts).rstrip(), layout.cells), styles["header"])], layout.cells)

    def _row_line(self, layout: Layout[T], styles: dict[str, Style], line: int) -> Strip:
        row = self._set.at(line)
        here = line == self._set.cursor
        marked = bool(self._set.marks) and self._set.key_of(row) in self._set.marks
        base = styles["base"]
        if here:
            base += styles["cursor" if self.has_focus or self.pretend_focus else "blurred"]
        segments = []
        if layout.gutter:
            segments.append(
                Segment(("▌" if here else " ") + ("•" if marked else " "), base + styles["marked"])
            )
        used = layout.gutter
        for column, size in layout.columns:
            cell = column.cell(row)
            text, tone = (cell, "") if isinstance(cell, str) else cell
            style = base + styles[tone] if tone and not (here and tone == "dim") else base
            segments.append(Segment(column.fitted(text, size) + layout.gap, style))
            used += size + len(layout.gap)
        if used < layout.cells:
            segments.append(Segment(" " * (layout.cells - used), base))
        strip = Strip(segments, max(used, layout.cells))
        return strip.crop(0, layout.cells) if used > layout.cells else strip

    def _styles(self) -> dict[str, Style]:
        if not self._styles_now:
            base = self.rich_style
            self._styles_now = {
                name: self.get_component_rich_style(f"table--{name}", partial=True)
                for name in (*_PARTS, *_TONES)
            }
            self._styles_now |= {name: base + self._styles_now[name] for name in ("header", "empty")}
            self._styles_now["base"] = base
        return self._styles_now

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles_now = {}

    def _refresh_line(self, line: int) -> None:
        y = line + self._header - self.scroll_offset.y
        if self._header <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    # -- moving ----------------------------------------------------------------------------------

    def on_resize(self) -> None:
        self._layout = None
        self.virtual_size = Size(self.size.width, len(self._set) + self._header)
        self._keep_visible()

    def on_focus(self) -> None:
        self._refresh_line(self._set.cursor)

    def on_blur(self) -> None:
        self._refresh_line(self._set.cursor)

    def _move_to(self, place: int) -> None:
        place = max(0, min(place, len(self._set) - 1))
        if place != self._set.cursor:
            self._refresh_line(self._set.cursor)
            self._set.cursor = place
            self._refresh_line(place)
            self._keep_visible()
            self._tell()

    def _keep_visible(self) -> None:
        page, cursor = self._page(), self._set.cursor
        top = int(self.scroll_target_y)
        if cursor < top:
            self.scroll_to(y=cursor, animate=False)
        elif cursor >= top + page:
            self.scroll_to(y=cursor - page + 1, animate=False)

    def _page(self) -> int:
        return max(1, self.size.height - self._header)

    def _tell(self) -> None:
        key = self.cursor_key
        if key != self._told:
            self._told = key
            self.post_message(self.Highlighted(self, key))

    def action_move(self, steps: int) -> None:
        self._move_to(self._set.cursor + steps)

    def action_first(self) -> None:
        self._move_to(0)

    def action_last(self) -> None:
        self._move_to(len(self._set) - 1)

    def action_half(self, halves: int) -> None:
        self._move_to(self._set.cursor + halves * max(1, self._page() // 2))

    def action_mark(self) -> None:
        key = self.cursor_key
        if key is None or not self._can_mark:
            return
        self._set.marks ^= {key}
        self._refresh_line(self._set.cursor)
        self._move_to(self._set.cursor + 1)
        self.post_message(self.Marked(self, key))

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is None or at.y < self._header:
            return
        line = at.y - self._header + self.scroll_offset.y
        if line < len(self._set):
            self._move_to(line)
            if event.chain == 2:
                self.post_message(self.Opened(self, self.cursor_key))
