"""One line of tabs and what each shows; `[` and `]` go through them, a click goes to one."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui.formatting import width


class TabsLine(Widget):
    """The names, the present one underlined."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "TabsLine { height: 1; padding: 0 1; margin: 0 0 1 0; }"
    place: reactive[int] = reactive(0)

    class Chosen(Message):
        """A tab was clicked; `by` is how many tabs further on it is than the present one."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = tuple(names)

    @property
    def _gap(self) -> int:
        """Cells between two names: three, or fewer where the line is narrow."""
        spare = self.size.width - sum(map(width, self.names))
        return max(1, min(3, spare // max(1, len(self.names) - 1)))

    def render(self) -> Content:
        spans: list[tuple[str, str]] = []
        for place, name in enumerate(self.names):
            spans += [
                (name, "bold underline $primary" if place == self.place else "$dim"),
                (" " * self._gap, ""),
            ]
        return Content.assemble(*spans)

    def step(self, by: int) -> int:
        """Go on by so many tabs, round and round; the new place."""
        self.place = (self.place + by) % len(self.names)
        return self.place

    def on_click(self, event: Click) -> None:
        x, start = event.get_content_offset_capture(self).x, 0
        for place, name in enumerate(self.names):
            if start <= x < start + width(name):
                self.post_message(self.Chosen(place - self.place))
                return
            start += width(name) + self._gap
