"""How rows become strips: styles from the theme, marks over them, a small cache, and what is copied of marked text."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tui.widgets.markdown_wrap import Line

KEPT_STRIPS = 256
"""Painted rows that are kept: a strip is some twenty objects, and a full collection visits each."""

_KINDS = (
    "strong", "em", "strike", "code", "link", "url", "h1", "h2", "h3", "h4", "bullet", "bar", "quote", "rule", "codeblock",
    "comment", "keyword", "string", "number", "function", "builtin", "deleted", "you", "said", "model", "dim", "cost", "event",
    "warn", "error", "hint", "thinking", "tool", "title", "key",
)  # fmt: skip

_MARKS = ("found", "here", "picked", "selected")

Mark = tuple[int, int, str]
"""First and past-the-last character of a row, and how they are marked."""


class PaintedRows(ScrollView):
    """A scrolled view that paints the rows a subclass gives by number."""

    ALLOW_SELECT = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"transcript--{kind}" for kind in (*_KINDS, *_MARKS)}
    DEFAULT_CSS = """
    PaintedRows {
        height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; padding: 0;
        & > .transcript--strong { text-style: bold; }
        & > .transcript--em { text-style: italic; }
        & > .transcript--strike { text-style: strike; }
        & > .transcript--code { color: $accent; background: $surface; }
        & > .transcript--link { color: $primary; text-style: underline; }
        & > .transcript--url { color: $dim; }
        & > .transcript--h1 { color: $primary; text-style: bold underline; }
        & > .transcript--h2 { color: $primary; text-style: bold; }
        & > .transcript--h3 { text-style: bold; }
        & > .transcript--h4 { text-style: bold italic; }
        & > .transcript--bullet { color: $primary; }
        & > .transcript--bar { color: $dim; }
        & > .transcript--quote { text-style: italic; }
        & > .transcript--rule { color: $line; }
        & > .transcript--codeblock { background: $surface; }
        & > .transcript--comment { color: $dim; }
        & > .transcript--keyword { color: $primary; }
        & > .transcript--string { color: $success; }
        & > .transcript--number { color: $warning; }
        & > .transcript--function { color: $accent; }
        & > .transcript--builtin { color: $secondary; }
        & > .transcript--deleted { color: $error; }
        & > .transcript--you { color: $accent; }
        & > .transcript--model { color: $primary; text-style: bold; }
        & > .transcript--dim { color: $dim; }
        & > .transcript--cost { color: $dim; }
        & > .transcript--event { color: $dim; }
        & > .transcript--warn { color: $warning; }
        & > .transcript--error { color: $error; text-style: bold; }
        & > .transcript--hint { color: $dim; }
        & > .transcript--key { color: $key; text-style: bold; }
        & > .transcript--title { text-style: bold; }
        & > .transcript--thinking { color: $dim; text-style: italic; }
        & > .transcript--tool { color: $accent; text-style: bold; }
        & > .transcript--picked { color: $key; text-style: bold; }
        & > .transcript--found { color: $warning; text-style: bold underline; }
        & > .transcript--selected { color: $background; background: $primary; text-style: not bold not italic not underline; }
        & > .transcript--here { color: $warning; background: $background; text-style: bold reverse; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self.row_count = 0
        self.text_width = 0
        """Cells a row of text may take."""
        self._styles_now: dict[str, Style] = {}
        self._strips: dict[int, tuple[Line, tuple[Mark, ...], Strip]] = {}

    def line(self, y: int) -> Line:
        """Row `y` of all."""
        raise NotImplementedError

    def marks(self, y: int) -> tuple[Mark, ...]:
        """What is marked in row `y`, from the bottom layer up."""
        selection = self.text_selection
        span = selection.get_span(y) if selection is not None else None
        if span is None:
            return ()
        line = self.line(y)
        return ((max(span[0], line.pad), len(line.text) if span[1] == -1 else span[1], "selected"),)

    def stale(self, y: int) -> bool:
        """True when row `y` has changed since it was painted."""
        return self._known(y, self.line(y), self.marks(y)) is None

    def _known(self, y: int, line: Line, marks: tuple[Mark, ...]) -> Strip | None:
        known = self._strips.get(y)
        if known is None or known[1] != marks or not (known[0] is line or known[0] == line):
            return None
        return known[2]

    def forget_strips(self) -> None:
        """Paint every row anew."""
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        y += round(self.scroll_y)
        line, marks = self.line(y), self.marks(y)
        strip = self._known(y, line, marks)
        if strip is None:
            if len(self._strips) > KEPT_STRIPS:
                self._strips.clear()
            strip = self._strip(line, y, marks)
            self._strips[y] = (line, marks, strip)
        return strip

    def _strip(self, line: Line, y: int, marks: tuple[Mark, ...]) -> Strip:
        segments = [Segment(text, self._style(style)) for text, style in line.spans]
        used = line.width
        width = self.size.width
        full = min(width, self.text_width)
        if line.fill and used < full:
            segments.append(Segment(" " * (full - used), self._style(line.fill)))
            used = full
        if used < width:
            segments.append(Segment(" " * (width - used), self._style("")))
        strip = Strip(segments, max(used, width))
        if used > width:
            strip = strip.crop(0, width)
        for start, end, name in marks:
            strip = self._marked(strip, start, end, name)
        return strip.apply_offsets(0, y)

    def _marked(self, strip: Strip, start: int, end: int, name: str) -> Strip:
        """The strip with characters `start` to `end` in another style; what is picked has a bar before it."""
        if end <= start:
            return strip
        if name == "picked":
            return Strip(
                [Segment("▌", self._style("") + self._mark_style(name)), *strip.crop(1)], strip.cell_length
            )
        style = self._mark_style(name)
        out: list[Segment] = []
        at = 0
        for text, own, _ in strip:
            low, high = max(0, start - at), max(0, end - at)
            at += len(text)
            for piece, inside in (
                (text[:low], False),
                (text[low:high], True),
                (text[max(low, high) :], False),
            ):
                if piece:
                    out.append(Segment(piece, (own or Style.null()) + style if inside else own))
        return Strip(out, strip.cell_length)

    def _mark_style(self, name: str) -> Style:
        return self.get_component_rich_style(f"transcript--{name}", partial=True)

    def _style(self, name: str) -> Style:
        style = self._styles_now.get(name)
        if style is None:
            style = self.rich_style
            for kind in name.split():
                if kind in _KINDS:
                    style += self.get_component_rich_style(f"transcript--{kind}", partial=True)
            self._styles_now[name] = style
        return style

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles_now.clear()
        self._strips.clear()

    # -- marked text -----------------------------------------------------------------------------

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        first = selection.start.y if selection.start is not None else 0
        last = selection.end.y if selection.end is not None else self.row_count - 1
        parts: list[str] = []
        for y in range(max(0, first), min(self.row_count, last + 1)):
            span = selection.get_span(y)
            if span is None:
                continue
            line = self.line(y)
            if parts:
                parts.append("\n" if line.joins is None else line.joins)
            parts.append(line.text[max(span[0], line.pad) : None if span[1] == -1 else span[1]])
        return "".join(parts), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002 - the screen keeps it
        self.refresh()
