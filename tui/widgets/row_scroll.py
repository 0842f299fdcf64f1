"""How a cursor moves over rows and the view follows it; the table adds what the rows are and how they look."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.geometry import Region, Size
from textual.scroll_view import ScrollView

from tui.widgets.rows import RowSet

T = TypeVar("T")


class RowScroll(ScrollView, Generic[T]):
    """A cursor over keyed rows, one line each, under a header line or none."""

    _set: RowSet[T]
    _header: int
    """Lines of header: 0 or 1."""
    _told: str | None = None
    """The key last told by `cursor_moved`."""

    def cursor_moved(self, key: str | None) -> None:
        """The cursor came to another row; None: no row is shown."""

    def fit_rows(self) -> None:
        """There are other rows, or other lines for them."""
        self.virtual_size = Size(self.size.width, len(self._set) + self._header)
        self._keep_visible()

    def hold(self, line: int) -> None:
        """The row under the cursor stays on this line of the view, whatever came above it; the top stays the top."""
        top = self._set.cursor - line
        if 0 <= line < self._page() and self.scroll_target_y not in (0, top):
            self.scroll_to(y=top, animate=False, force=True)

    def on_focus(self) -> None:
        self.refresh_row(self._set.cursor)

    def on_blur(self) -> None:
        self.refresh_row(self._set.cursor)

    def refresh_row(self, place: int) -> None:
        """Paint one line anew, if it is on the screen."""
        y = place + self._header - self.scroll_offset.y
        if self._header <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def move_to(self, place: int) -> None:
        """Put the cursor on a place of what is shown, or on the nearest there is."""
        place = max(0, min(place, len(self._set) - 1))
        if place != self._set.cursor:
            self.refresh_row(self._set.cursor)
            self._set.cursor = place
            self.refresh_row(place)
            self._keep_visible()
            self.tell_cursor()

    def tell_cursor(self) -> None:
        """Say where the cursor is, if that is another row than before."""
        key = self._set.current_key
        if key != self._told:
            self._told = key
            self.cursor_moved(key)

    def _keep_visible(self) -> None:
        page, cursor = self._page(), self._set.cursor
        top = int(self.scroll_target_y)
        if cursor < top:
            self.scroll_to(y=cursor, animate=False, force=True)
        elif cursor >= top + page:
            self.scroll_to(y=cursor - page + 1, animate=False, force=True)

    def _page(self) -> int:
        return max(1, self.size.height - self._header)

    def action_move(self, steps: int) -> None:
        self.move_to(self._set.cursor + steps)

    def action_first(self) -> None:
        self.move_to(0)

    def action_last(self) -> None:
        self.move_to(len(self._set) - 1)

    def action_half(self, halves: int) -> None:
        self.move_to(self._set.cursor + halves * max(1, self._page() // 2))
