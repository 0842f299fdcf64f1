"""One line of tabs and what each shows; `[` and `]` go through them."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget


class TabsLine(Widget):
    """The names, the present one underlined."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "TabsLine { height: 1; padding: 0 1; margin: 0 0 1 0; }"
    place: reactive[int] = reactive(0)

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = tuple(names)

    def render(self) -> Content:
        spans: list[tuple[str, str]] = []
        for place, name in enumerate(self.names):
            spans += [(name, "bold underline $primary" if place == self.place else "$dim"), ("   ", "")]
        return Content.assemble(*spans)

    def step(self, by: int) -> int:
        """Go on by so many tabs, round and round; the new place."""
        self.place = (self.place + by) % len(self.names)
        return self.place
