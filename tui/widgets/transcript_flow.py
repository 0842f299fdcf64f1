"""How blocks flow: their rows counted once, what grows drawn at a pace, the end followed only from the end, the place kept on a resize."""

from __future__ import annotations

import time
from bisect import bisect_right

from textual.geometry import Region, Size
from textual.message import Message
from textual.timer import Timer

from tui.widgets.markdown_wrap import Line
from tui.widgets.transcript_blocks import Block
from tui.widgets.transcript_paint import PaintedRows

FRAME = 1 / 16
"""Seconds between two renderings of what streams."""
SLOW_FRAME = 1 / 8
"""The same in low-bandwidth mode."""
STEP = 3
"""Rows by which a growing answer scrolls; in low-bandwidth mode half a screen."""
MANY_ROWS = 1000
RESIZED_AFTER = 0.1
"""Seconds without another size, after which so many rows are wrapped anew: a dragged window sends many sizes."""
WIDEST = 118
"""Cells a row of text takes at most: longer ones are hard to read."""


class FlowingBlocks(PaintedRows):
    """Blocks, top to bottom, in a scrolled view."""

    class EndInSight(Message):
        """The end has come into sight, or left it."""

        def __init__(self, seen: bool) -> None:
            super().__init__()
            self.seen = seen

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self.blocks: list[Block] = []
        self.low_bandwidth = False
        """Scroll in steps and draw less often, for slow lines."""
        self._starts: list[int] = []
        self._dirty: list[Block] = []
        self._timer: Timer | None = None
        self._rewrapping: Timer | None = None
        self._last = 0.0
        self._follow = True
        self._moving = False
        self._streaming = False
        self._seen = True
        """What was told last of the end."""

    # -- blocks ----------------------------------------------------------------------------------

    def add(self, *blocks: Block) -> None:
        """Put blocks at the end."""
        first = self.row_count
        for block in blocks:
            block.lay_out(self.text_width)
            self._starts.append(self.row_count)
            self.blocks.append(block)
            self.row_count += block.height
        self.rows_changed(first)
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
        first, row = len(self.blocks), self.row_count
        for block in dirty:
            number = self._index(block)
            if number is not None:
                first = min(first, number)
                row = min(row, self._starts[number] + block.settled)
            block.flush()
        self._restart(first)
        if dirty:
            self.rows_changed(row)
        self._settle()

    def _index(self, block: Block) -> int | None:
        """The number of a block, the newest looked at first; None when it is no longer shown."""
        for number in range(len(self.blocks) - 1, -1, -1):
            if self.blocks[number] is block:
                return number
        return None

    def replaced(self, block: Block) -> None:
        """A block shows something else now."""
        number = self._index(block)
        if number is not None:
            self._counted_from(number)

    def swap(self, old: list[Block], new: list[Block]) -> None:
        """Put other blocks where these stand, which follow each other; without any, at the end."""
        number = self._index(old[0]) if old else len(self.blocks)
        if number is None:
            return
        for block in new:
            block.lay_out(self.text_width)
        self.blocks[number : number + len(old)] = new
        self._counted_from(number)

    def drop(self, block: Block) -> None:
        """Take a block away."""
        self.swap([block], [])

    def _counted_from(self, number: int) -> None:
        self._restart(number)
        first = self._starts[number] if number < len(self._starts) else self.row_count
        self.rows_changed(first)
        self.rows_moved(first)
        self._settle()

    def show(self, blocks: list[Block], *, keep: bool = False) -> None:
        """Show other blocks, from their end; `keep`: the same conversation, and a reader who is further up stays there."""
        place = None if self._follow or not keep else round(self.scroll_y)
        self.blocks = []
        self._dirty.clear()
        self._restart(0)
        self._follow = place is None
        self.forget_strips()
        self.add(*blocks)
        if place is not None:
            self._move(min(place, self.max_scroll_y))
        self.refresh()

    def streaming(self, on: bool) -> None:
        """Text is about to arrive, or no more will: the end keeps room below it only while it grows."""
        if on != self._streaming:
            self._streaming = on
            self.flush()

    def rows_changed(self, first: int) -> None:
        """Rows from `first` on are no longer what they were."""

    def rows_moved(self, first: int) -> None:
        """Rows from `first` on may stand elsewhere now."""

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
        height = self.page
        if not height or not self.text_width:
            return
        total = self.row_count
        if self._streaming and total > height:
            step = max(4, height // 2) if self.low_bandwidth else STEP
            total = height + -(-(total - height) // step) * step
        before = round(self.scroll_y)
        self._resize_to(total)
        if self.following and before != self.max_scroll_y:
            self._move(self.max_scroll_y)
        if round(self.scroll_y) == before:
            self._refresh_changed()
        self._tell_end()

    def _resize_to(self, rows: int) -> None:
        """Be so many rows high. Set past the reactive, which would lay the whole screen out anew for every row."""
        if rows == self.virtual_size.height and self.text_width == self.virtual_size.width:
            return
        self.set_reactive(FlowingBlocks.virtual_size, Size(self.text_width, rows))
        self.vertical_scrollbar.window_virtual_size = rows
        self.vertical_scrollbar.window_size = self.page
        if self.scroll_y > self.max_scroll_y:
            self._move(self.max_scroll_y)

    def _refresh_changed(self) -> None:
        top = round(self.scroll_y)
        width = self.size.width
        changed = [y for y in range(self.page) if self.stale(top + y)]
        if len(changed) > 8:
            self.refresh()
        elif changed:
            self.refresh(*[Region(0, y, width, 1) for y in changed])

    # -- scrolling -------------------------------------------------------------------------------

    @property
    def page(self) -> int:
        """Rows that are on the screen at once."""
        return self.scrollable_content_region.height

    @property
    def following(self) -> bool:
        """True while the end is kept in sight."""
        return self._follow

    def _move(self, y: float) -> None:
        self._moving = True
        self.scroll_to(y=y, animate=False, force=True, immediate=True)
        self._moving = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._moving:
            self._follow = round(new_value) >= self.max_scroll_y
        self._tell_end()

    def _tell_end(self) -> None:
        """Say so when the end comes into sight or leaves it. Room kept below it while it grows does not count."""
        seen = round(self.scroll_y) + self.page >= self.row_count
        if seen != self._seen:
            self._seen = seen
            self.post_message(self.EndInSight(seen))

    def follow_end(self) -> None:
        """Go to the end and stay there while it grows."""
        self._follow = True
        self._move(self.max_scroll_y)

    def bring_into_sight(self, row: int, *, above: int | None = None) -> None:
        """Scroll as little as needed for a row to be seen; with `above` and if it is not, that many rows below the top."""
        top = round(self.scroll_y)
        if top <= row < top + self.page:
            return
        nearest = row if row < top else row - self.page + 1
        y = nearest if above is None else row - above
        self.scroll_to(y=max(0, min(self.max_scroll_y, y)), animate=False, immediate=True)

    # -- size ------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        width = min(WIDEST, self.scrollable_content_region.width)
        if self._rewrapping is not None:
            self._rewrapping.stop()
            self._rewrapping = None
        if width != self.text_width:
            if self.text_width and self.row_count > MANY_ROWS:
                self._rewrapping = self.set_timer(RESIZED_AFTER, self._resize_over)
            else:
                self._rewrap(width)
        self._settle()
        if self.following:
            self._move(self.max_scroll_y)

    def _resize_over(self) -> None:
        """The size has been the same for a moment: now the many rows are worth wrapping."""
        self._rewrapping = None
        self._rewrap(min(WIDEST, self.scrollable_content_region.width))
        self._settle()
        self.refresh()

    def _rewrap(self, width: int) -> None:
        """Render everything for another width and keep the place: the text at the top stays at the top."""
        block, inside = self._find(round(self.scroll_y))
        passed = sum(_letters(block.row(number)) for number in range(inside)) if block is not None else 0
        in_gap = block is not None and inside < block.gap
        self.text_width = width
        self.forget_strips()
        for each in self.blocks:
            each.lay_out(width)
        self._restart(0)
        self.rows_changed(0)
        self.rows_moved(0)
        if block is None or self._follow:
            return
        row = 0
        if not in_gap:
            row, seen = int(block.gap), 0
            while row < block.height - 1 and (seen := seen + _letters(block.row(row))) <= passed:
                row += 1
        self._resize_to(self.row_count)
        self._move(self._starts[self._index(block) or 0] + row)

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

    def start_of(self, block: Block) -> int | None:
        """The first row of a block; None when it is not shown."""
        number = self._index(block)
        return None if number is None else self._starts[number]

    def visible_blocks(self) -> list[Block]:
        """The blocks of which a row is on the screen, top to bottom."""
        top = round(self.scroll_y)
        bottom = top + max(1, self.page)
        return [
            b
            for b, start in zip(self.blocks, self._starts, strict=True)
            if start < bottom and start + b.height > top
        ]


_BLANK = Line(())


def _letters(line: Line) -> int:
    return sum(not character.isspace() for character in line.text[line.pad :])
