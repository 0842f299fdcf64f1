"""The one transcript: a virtual view over blocks of rows, that follows the end only while the user is there."""

from __future__ import annotations

import time
from bisect import bisect_right
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.timer import Timer

from tui.widgets.markdown_wrap import Line
from tui.widgets.transcript_blocks import Block, Thinking

FRAME = 1 / 16
"""Seconds between two renderings of what streams."""
SLOW_FRAME = 1 / 8
"""The same in low-bandwidth mode."""
STEP = 3
"""Rows by which a growing answer scrolls; in low-bandwidth mode half a screen."""
WIDEST = 118
"""Cells a row of text takes at most: longer ones are hard to read."""

_KINDS = (
    "strong", "em", "strike", "code", "link", "url", "h1", "h2", "h3", "h4", "bullet", "bar", "quote", "rule", "codeblock",
    "comment", "keyword", "string", "number", "function", "builtin", "deleted", "you", "said", "model", "dim", "cost", "event",
    "warn", "error", "hint", "thinking", "tool", "title", "key",
)  # fmt: skip


class Transcript(ScrollView, can_focus=True):
    """Blocks of a conversation, top to bottom."""

    ALLOW_SELECT = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "line(1)", "down", show=False, id="transcript.down", tooltip="A row down"),
        Binding("k,up", "line(-1)", "up", show=False, id="transcript.up", tooltip="A row up"),
        Binding("g,home", "top", "start", show=False, id="transcript.top", tooltip="To the start"),
        Binding("G,end", "bottom", "end", show=False, id="transcript.bottom", tooltip="To the end, and follow it"),
        Binding("ctrl+d", "half(1)", "half down", show=False, id="transcript.half_down", tooltip="Half a page down"),
        Binding("ctrl+u", "half(-1)", "half up", show=False, id="transcript.half_up", tooltip="Half a page up"),
        Binding("pagedown", "half(2)", "page down", show=False, id="transcript.page_down", tooltip="A page down"),
        Binding("pageup", "half(-2)", "page up", show=False, id="transcript.page_up", tooltip="A page up"),
    ]  # fmt: skip
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"transcript--{kind}" for kind in (*_KINDS, "found")}
    DEFAULT_CSS = """
    Transcript {
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
        & > .transcript--found { background: $warning 40%; }
    }
    """

    class Clicked(Message):
        """A block was clicked."""

        def __init__(self, block: Block) -> None:
            super().__init__()
            self.block = block

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self.blocks: list[Block] = []
        self.low_bandwidth = False
        """Scroll in steps and draw less often, for slow lines."""
        self._starts: list[int] = []
        self._total = 0
        self._width = 0
        self._dirty: list[Block] = []
        self._timer: Timer | None = None
        self._last = 0.0
        self._follow = True
        self._moving = False
        self._streaming = False
        self._styles_now: dict[str, Style] = {}
        self._strips: dict[int, tuple[Line, Strip]] = {}
        self._found: tuple[str, int] | None = None

    # -- blocks ----------------------------------------------------------------------------------

    def add(self, *blocks: Block) -> None:
        """Put blocks at the end."""
        for block in blocks:
            block.lay_out(self._width)
            self._starts.append(self._total)
            self.blocks.append(block)
            self._total += block.height
        self._settle()

    def changed(self, block: Block) -> None:
        """A block has got more text: draw it with the next frame."""
        if block not in self._dirty:
            self._dirty.append(block)
        if self._timer is None:
            frame = SLOW_FRAME if self.low_bandwidth else FRAME
            wait = max(0.001, self._last + frame - time.monotonic())
            self._timer = self.set_timer(wait, self.flush)

    def flush(self) -> None:
        """Draw what has changed."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._last = time.monotonic()
        dirty, self._dirty = self._dirty, []
        first = len(self.blocks)
        for block in dirty:
            block.flush()
            if block in self.blocks:
                first = min(first, self._index(block))
        self._restart(first)
        self._settle()

    def _index(self, block: Block) -> int:
        for number in range(len(self.blocks) - 1, -1, -1):
            if self.blocks[number] is block:
                return number
        raise ValueError(block)

    def replaced(self, block: Block) -> None:
        """A block shows something else now."""
        self._restart(self._index(block))
        self._settle()

    def drop(self, block: Block) -> None:
        """Take a block away."""
        number = self._index(block)
        del self.blocks[number]
        del self._starts[number]
        self._restart(number)
        self._settle()

    def rebuild(self) -> None:
        """Count all rows anew, after blocks were closed."""
        self._restart(0)
        self._settle()

    def show(self, blocks: list[Block]) -> None:
        """Show another conversation, from its end."""
        self.blocks = []
        self._dirty.clear()
        self._restart(0)
        self._follow = True
        self._found = None
        self._strips.clear()
        self.add(*blocks)
        self.refresh()

    def streaming(self, on: bool) -> None:
        """Text is about to arrive, or no more will: the end keeps room below it only while it grows."""
        if on != self._streaming:
            self._streaming = on
            self.flush()

    def _restart(self, first: int) -> None:
        """Count the rows anew from block number `first` on."""
        first = min(first, len(self._starts))
        start = self._starts[first - 1] + self.blocks[first - 1].height if first else 0
        del self._starts[first:]
        for block in self.blocks[first:]:
            self._starts.append(start)
            start += block.height
        self._total = start

    def _settle(self) -> None:
        """Bring scroll and screen in step with the rows."""
        height = self._viewport
        if not height or not self._width:
            return
        total = self._total
        if self._streaming and total > height:
            step = max(4, height // 2) if self.low_bandwidth else STEP
            total = height + -(-(total - height) // step) * step
        before = round(self.scroll_y)
        self._resize_to(total)
        if self._follow and before != self.max_scroll_y:
            self._move(self.max_scroll_y)
        if round(self.scroll_y) == before:
            self._refresh_changed()

    def _resize_to(self, rows: int) -> None:
        """Be so many rows high. Set past the reactive, which would lay the whole screen out anew for every row."""
        if rows == self.virtual_size.height and self._width == self.virtual_size.width:
            return
        self.set_reactive(Transcript.virtual_size, Size(self._width, rows))
        self.vertical_scrollbar.window_virtual_size = rows
        self.vertical_scrollbar.window_size = self._viewport
        if self.scroll_y > self.max_scroll_y:
            self._move(self.max_scroll_y)

    def _refresh_changed(self) -> None:
        top = round(self.scroll_y)
        width = self.size.width
        changed = [y for y in range(self._viewport) if self._is_stale(top + y)]
        if len(changed) > 8:
            self.refresh()
        elif changed:
            self.refresh(*[Region(0, y, width, 1) for y in changed])

    def _is_stale(self, y: int) -> bool:
        known = self._strips.get(y)
        line = self._line(y)
        return known is None or (known[0] is not line and known[0] != line)

    # -- scrolling -------------------------------------------------------------------------------

    @property
    def _viewport(self) -> int:
        return self.scrollable_content_region.height

    @property
    def following(self) -> bool:
        """True while the end is kept in sight."""
        return self._follow

    def _move(self, y: float) -> None:
        self._moving = True
        self.scroll_to(y=y, animate=False, force=True)
        self._moving = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._moving:
            self._follow = round(new_value) >= self.max_scroll_y

    def _jump(self, rows: int) -> None:
        self.scroll_to(y=max(0, min(self.max_scroll_y, round(self.scroll_y) + rows)), animate=False)

    def action_line(self, rows: int) -> None:
        self._jump(rows)

    def action_half(self, halves: int) -> None:
        self._jump(halves * max(1, self._viewport // 2))

    def action_top(self) -> None:
        self.scroll_to(y=0, animate=False)

    def action_bottom(self) -> None:
        self._follow = True
        self._move(self.max_scroll_y)

    # -- size ------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        width = min(WIDEST, self.scrollable_content_region.width)
        if width != self._width:
            self._rewrap(width)
        self._settle()
        if self._follow:
            self._move(self.max_scroll_y)

    def _rewrap(self, width: int) -> None:
        """Render everything for another width and keep the place: the text at the top stays at the top."""
        top = round(self.scroll_y)
        block, inside = self._find(top)
        passed = sum(_letters(block.row(number)) for number in range(inside)) if block is not None else 0
        into = inside if block is not None and inside <= block.gap else None
        self._width = width
        self._strips.clear()
        for each in self.blocks:
            each.lay_out(width)
        self._restart(0)
        if block is None or self._follow:
            return
        row = into or 0
        if into is None:
            row = block.gap
            seen = 0
            while row < block.height - 1 and seen + _letters(block.row(row)) <= passed:
                seen += _letters(block.row(row))
                row += 1
        self._resize_to(self._total)
        self._move(self._starts[self._index(block)] + row)

    def _find(self, y: int) -> tuple[Block | None, int]:
        """The block at row `y` and the row within it."""
        if not 0 <= y < self._total:
            return None, 0
        number = bisect_right(self._starts, y) - 1
        while self.blocks[number].height == 0:
            number -= 1
        return self.blocks[number], y - self._starts[number]

    def _line(self, y: int) -> Line:
        block, inside = self._find(y)
        return block.row(inside) if block is not None else _BLANK

    def visible_blocks(self) -> list[Block]:
        """The blocks of which a row is on the screen, top to bottom."""
        top = round(self.scroll_y)
        bottom = top + max(1, self._viewport)
        return [
            b
            for b, start in zip(self.blocks, self._starts, strict=True)
            if start < bottom and start + b.height > top
        ]

    # -- painting --------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        y += round(self.scroll_y)
        line = self._line(y)
        selection = self.text_selection
        if selection is None and self._found is None:
            known = self._strips.get(y)
            if known is not None and (known[0] is line or known[0] == line):
                return known[1]
            if len(self._strips) > 256:
                self._strips.clear()
        strip = self._strip(line, y, selection)
        if selection is None and self._found is None:
            self._strips[y] = (line, strip)
        return strip

    def _strip(self, line: Line, y: int, selection: Selection | None) -> Strip:
        base = self._style("")
        segments = [Segment(text, self._style(style)) for text, style in line.spans]
        used = line.width
        width = self.size.width
        full = min(width, self._width)
        if line.fill and used < full:
            segments.append(Segment(" " * (full - used), self._style(line.fill)))
            used = full
        if used < width:
            segments.append(Segment(" " * (width - used), base))
        strip = Strip(segments, max(used, width))
        if used > width:
            strip = strip.crop(0, width)
        if self._found is not None:
            strip = self._mark_found(strip, line)
        if selection is not None and (span := selection.get_span(y)) is not None:
            strip = self._mark(
                strip,
                span[0],
                len(line.text) if span[1] == -1 else span[1],
                self.screen.get_component_rich_style("screen--selection"),
            )
        return strip.apply_offsets(0, y)

    def _mark_found(self, strip: Strip, line: Line) -> Strip:
        word = self._found[0] if self._found else ""
        text = line.text.casefold()
        at = text.find(word) if len(text) == len(line.text) else -1
        style = self.get_component_rich_style("transcript--found", partial=True)
        while at >= 0:
            strip = self._mark(strip, at, at + len(word), style)
            at = text.find(word, at + len(word))
        return strip

    def _mark(self, strip: Strip, start: int, end: int, style: Style) -> Strip:
        """The strip with characters `start` to `end` in another style."""
        if end <= start:
            return strip
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

    # -- selection, search, mouse ----------------------------------------------------------------

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        first = selection.start.y if selection.start is not None else 0
        last = selection.end.y if selection.end is not None else self._total - 1
        parts: list[str] = []
        for y in range(max(0, first), min(self._total, last + 1)):
            span = selection.get_span(y)
            if span is None:
                continue
            line = self._line(y)
            if parts:
                parts.append("\n" if line.joins is None else line.joins)
            parts.append(line.text[max(span[0], line.pad) : None if span[1] == -1 else span[1]])
        return "".join(parts), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002 - the screen keeps it
        self._strips.clear()
        self.refresh()

    def search(self, word: str, *, back: bool = False) -> bool:
        """Go to the next row (from the top of the screen) with this text and mark it; empty text ends the search."""
        word = word.casefold()
        had, self._found = self._found, None
        self._strips.clear()
        self.refresh()
        if not word or not self._total:
            return False
        here = (
            had[1] if had is not None and had[0] == word else round(self.scroll_y) + (-1 if not back else 0)
        )
        order = range(1, self._total + 1)
        for step in order:
            y = (here + (-step if back else step)) % self._total
            if word in self._line(y).text.casefold():
                self._found = (word, y)
                self.scroll_to(y=max(0, min(self.max_scroll_y, y - self._viewport // 3)), animate=False)
                return True
        return False

    def on_click(self, event: events.Click) -> None:
        block, _ = self._find(round(self.scroll_y) + event.y)
        if block is not None:
            self.post_message(self.Clicked(block))

    def toggle_thinking(self) -> bool:
        """Fold or unfold the reasoning in sight, else the last there is; False when there is none."""
        candidates = [b for b in self.visible_blocks() if isinstance(b, Thinking)] or [
            b for b in self.blocks if isinstance(b, Thinking)
        ]
        if not candidates:
            return False
        candidates[-1].toggle()
        self.replaced(candidates[-1])
        return True


_BLANK = Line(())


def _letters(line: Line) -> int:
    return sum(not character.isspace() for character in line.text[line.pad :])
