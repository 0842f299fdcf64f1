"""The one transcript: a virtual view over blocks of rows, that follows the end only while the user is there."""

from __future__ import annotations

import time
from bisect import bisect_right
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.timer import Timer

from tui.widgets.markdown_wrap import Line
from tui.widgets.transcript_blocks import Block, Thinking
from tui.widgets.transcript_paint import PaintedRows

FRAME = 1 / 16
"""Seconds between two renderings of what streams."""
SLOW_FRAME = 1 / 8
"""The same in low-bandwidth mode."""
STEP = 3
"""Rows by which a growing answer scrolls; in low-bandwidth mode half a screen."""
WIDEST = 118
"""Cells a row of text takes at most: longer ones are hard to read."""


class Transcript(PaintedRows, can_focus=True):
    """Blocks of a conversation, top to bottom."""

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
        self._dirty: list[Block] = []
        self._timer: Timer | None = None
        self._last = 0.0
        self._follow = True
        self._moving = False
        self._streaming = False

    # -- blocks ----------------------------------------------------------------------------------

    def add(self, *blocks: Block) -> None:
        """Put blocks at the end."""
        for block in blocks:
            block.lay_out(self.text_width)
            self._starts.append(self.row_count)
            self.blocks.append(block)
            self.row_count += block.height
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
        self.forget_strips()
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
        self.row_count = start

    def _settle(self) -> None:
        """Bring scroll and screen in step with the rows."""
        height = self._viewport
        if not height or not self.text_width:
            return
        total = self.row_count
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
        if rows == self.virtual_size.height and self.text_width == self.virtual_size.width:
            return
        self.set_reactive(Transcript.virtual_size, Size(self.text_width, rows))
        self.vertical_scrollbar.window_virtual_size = rows
        self.vertical_scrollbar.window_size = self._viewport
        if self.scroll_y > self.max_scroll_y:
            self._move(self.max_scroll_y)

    def _refresh_changed(self) -> None:
        top = round(self.scroll_y)
        width = self.size.width
        changed = [y for y in range(self._viewport) if self.stale(top + y)]
        if len(changed) > 8:
            self.refresh()
        elif changed:
            self.refresh(*[Region(0, y, width, 1) for y in changed])

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
        if width != self.text_width:
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
        self.text_width = width
        self.forget_strips()
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
        self._resize_to(self.row_count)
        self._move(self._starts[self._index(block)] + row)

    def _find(self, y: int) -> tuple[Block | None, int]:
        """The block at row `y` and the row within it."""
        if not 0 <= y < self.row_count:
            return None, 0
        number = bisect_right(self._starts, y) - 1
        while self.blocks[number].height == 0:
            number -= 1
        return self.blocks[number], y - self._starts[number]

    def line(self, y: int) -> Line:
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

    # -- mouse, reasoning ------------------------------------------------------------------------

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
