"""The one table: a virtual view over plain rows, so that 50,000 of them cost no more than a screenful."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, TypeVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from tui.widgets import table_paint as paint
from tui.widgets.columns import Column, Layout, lay_out
from tui.widgets.facets import Facet, completions
from tui.widgets.row_scroll import RowScroll
from tui.widgets.rows import RowSet

T = TypeVar("T")


class VirtualTable(RowScroll[T], can_focus=True):
    """Rows of any type, read through its columns only when they are on the screen.

    `key` names a row for ever: cursor, marks and `update_row` go by it, so a refresh moves nothing. `search` gives
    the text the filter looks in, `facets` what else it can ask for. Enter and `o` (see `next_order`) are not bound
    here: the screen binds them, so that its footer says what they do.
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
        Binding("asterisk", "mark_all", "mark all", show=False, id="table.mark_all", tooltip="Mark all rows that are shown, or none of them"),
        Binding("I", "reverse", "reverse", show=False, id="table.reverse", tooltip="Turn the order round"),
    ]  # fmt: skip
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"table--{name}" for name in (*paint.PARTS, *paint.TONES)}
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

    class Ordered(Highlighted):
        """The order changed."""

    def __init__(
        self,
        columns: Sequence[Column[T]],
        *,
        key: Callable[[T], str],
        search: Callable[[T], str] | None = None,
        facets: Sequence[Facet[T]] = (),
        empty: str = "Nothing here.",
        no_match: str = "Nothing matches. esc clears the filter.",
        header: bool = True,
        marks: bool = True,
        blurred_cursor: bool = True,
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.columns = tuple(columns)
        self._set = RowSet(key, search, facets)
        self._header = int(header)
        self._empty, self._no_match, self._can_mark = empty, no_match, marks
        self._blurred = (
            "blurred" if blurred_cursor else ""
        )  # of several tables side by side only one has a cursor
        self._sorted: tuple[Column[T], bool] | None = None
        self._layout: Layout[T] | None = None
        self._styles_now: dict[str, Style] = {}
        self.pretend_focus = False
        """The cursor is drawn as if focused: another widget sends it the keys."""
        self.arranged: Callable[[], None] = lambda: None
        """Called when other rows are shown than before, or others are marked."""

    # -- rows ------------------------------------------------------------------------------------

    def set_rows(self, rows: Iterable[T]) -> None:
        """Show these rows. Cursor and marks stay with their keys, the line under the cursor where it was read."""
        key, line = self.cursor_key, self._set.cursor - int(self.scroll_target_y)
        self._set.set(rows)
        self._rearranged()
        if key is not None and self.cursor_key == key:
            self.hold(line)

    def update_row(self, row: T) -> bool:
        """Replace the row of the same key, repainting that one line; False when it is not here."""
        place = self._set.update(row)
        if place is None:
            return False
        if place < 0:
            self._rearranged()
        else:
            self.refresh_row(place)
        return True

    def set_empty(self, text: str) -> None:
        """What stands there when there are no rows at all: which key fills it."""
        if text != self._empty:
            self._empty = text
            self.refresh()

    def keep_last(self) -> None:
        """The last row passes every filter from now on: “something else”."""
        self._set.keep_last = True

    def beginnings_first(self) -> None:
        """What begins with the words of the filter stands before what has them in its middle."""
        self._set.beginnings_first = True

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
            self._marks_changed()

    def go_to(self, key: str) -> bool:
        """Put the cursor on a row; False when the filter hides it or it is not here."""
        place = self._set.place_of(key)
        if place is None:
            return False
        self.move_to(place)
        return True

    @property
    def filter(self) -> str:
        """The filter in force; empty when there is none."""
        return self._set.filter

    def set_filter(self, text: str) -> None:
        """Show only the rows that this asks for: words, `!words` and facets."""
        if text != self._set.filter:
            self._set.set_filter(text)
            self._rearranged()

    @property
    def facets(self) -> Sequence[Facet[T]]:
        """What the filter can ask for by name."""
        return self._set.search.facets

    @property
    def filter_problem(self) -> str:
        """What in the filter cannot be meant, in words; empty when nothing is wrong with it."""
        return self._set.search.query.problem

    def completions(self, text: str) -> list[str]:
        """What the last word of a filter can become."""
        found = self._set.search
        return completions(text, found.facets, lambda place: found.values(self._set.rows, place))

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
        self.post_message(self.Ordered(self, self.cursor_key))

    def next_order(self) -> None:
        """Order by the next column on the screen; after the last, in the rows' own order again.

        Those come first whose highest value is asked for first: the dearest, the slowest, the largest.
        """
        columns = self._layout_now().columns
        able = sorted((c for c, _ in columns if c.sort is not None), key=lambda column: not column.down)
        keys = [column.key for column in able]
        now = self._sorted[0].key if self._sorted is not None else None
        place = keys.index(now) + 1 if now in keys else 0
        if place < len(able):
            self.sort_by(keys[place], descending=able[place].down)
        else:
            self.sort_by(None)
        self.action_first()  # whoever asks for an order wants to see where it begins

    @property
    def order_words(self) -> str:
        """What the rows are ordered by, as the header shows it: `$in/1M ▼`; empty in their own order."""
        if self._sorted is None:
            return ""
        column, descending = self._sorted
        return f"{column.title} {'▼' if descending else '▲'}"

    def _rearranged(self) -> None:
        self._layout = None
        self.fit_rows()
        self.refresh()
        self.tell_cursor()
        self.arranged()

    # -- painting --------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        layout, styles, shown = self._layout_now(), self._styles(), self._set
        if self._header and y == 0:
            return paint.header_line(layout, self.sorted_by, styles)
        line = y - self._header + self.scroll_offset.y
        if not shown and line == 0:
            words = self._no_match if shown.rows else self._empty
            return paint.words_line(self._words(words), layout.cells, styles)
        if line >= len(shown):
            return paint.blank_line(layout.cells, styles)
        row = shown.at(line)
        focused = self.has_focus or self.pretend_focus
        cursor = "" if line != shown.cursor else "cursor" if focused else self._blurred
        marked = bool(shown.marks) and shown.key_of(row) in shown.marks
        return paint.row_line(layout, row, styles, cursor=cursor, marked=marked)

    def _words(self, text: str) -> str:
        """A sentence with the keys of now."""
        with_keys = getattr(self.app, "with_keys", None)
        return with_keys(text) if callable(with_keys) else text

    def _layout_now(self) -> Layout[T]:
        cells, layout = self.scrollable_content_region.width, self._layout
        if layout is None or layout.cells != cells:
            sample = [self._set.at(place) for place in range(min(200, len(self._set)))]
            layout = self._layout = lay_out(self.columns, sample, cells)
        return layout

    def _styles(self) -> dict[str, Style]:
        if not self._styles_now:
            base = self.rich_style
            self._styles_now = {
                name: self.get_component_rich_style(f"table--{name}", partial=True)
                for name in (*paint.PARTS, *paint.TONES)
            }
            self._styles_now |= {name: base + self._styles_now[name] for name in ("header", "empty")}
            self._styles_now["base"] = base
        return self._styles_now

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles_now = {}

    def on_resize(self) -> None:
        self._layout = None
        self.fit_rows()

    def cursor_moved(self, key: str | None) -> None:
        self.post_message(self.Highlighted(self, key))

    # -- marks and mouse -------------------------------------------------------------------------

    def action_mark(self) -> None:
        key = self.cursor_key
        if key is None or not self._can_mark:
            return
        self._set.marks ^= {key}
        self.refresh_row(self._set.cursor)
        self.move_to(self._set.cursor + 1)
        self._marks_changed(repaint=False)

    def action_mark_all(self) -> None:
        if self._can_mark and self._set:
            self._set.mark_shown()
            self._marks_changed()

    def _marks_changed(self, *, repaint: bool = True) -> None:
        if repaint:
            self.refresh()
        self.post_message(self.Marked(self, self.cursor_key))
        self.arranged()

    def action_reverse(self) -> None:
        if self._sorted is not None:
            self.sort_by(self._sorted[0].key, descending=not self._sorted[1])
            self.action_first()

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is None:
            return
        if at.y < self._header:
            self._order_by_click(at.x)
            return
        line = at.y - self._header + self.scroll_offset.y
        if line < len(self._set):
            self.move_to(line)
            if event.chain == 2:
                self.post_message(self.Opened(self, self.cursor_key))

    def _order_by_click(self, x: int) -> None:
        """A click on a title orders by its column, another one turns the order round."""
        column = self._layout_now().column_at(x)
        if column is None or column.sort is None:
            return
        if self._sorted is not None and self._sorted[0].key == column.key:
            self.action_reverse()
        else:
            self.sort_by(column.key, descending=column.down)
            self.action_first()
