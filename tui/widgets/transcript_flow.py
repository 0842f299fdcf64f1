"""How blocks flow: their rows counted once, what grows drawn at a pace, the end followed only from the end, the place kept on a resize."""

from __future__ import annotations

import math
import time

from textual.geometry import Region, Size
from textual.message import Message
from textual.selection import Selection
from textual.timer import Timer

from tui.widgets.markdown_wrap import Line
from tui.widgets.transcript_blocks import Block
from tui.widgets.transcript_places import PlacedBlocks

FRAME = 1 / 16
"""Seconds between two renderings of what streams."""
SLOW_FRAME = 1 / 8
"""The same in low-bandwidth mode."""
STEP = 3
"""Rows by which a growing answer scrolls; in low-bandwidth mode half a screen."""
MANY_ROWS = 1000
RESIZED_AFTER = 0.1
"""Seconds without another size, after which so many rows are wrapped anew: a dragged window sends many sizes."""
TURN = 0.008
"""Seconds for which blocks above the screen are laid out at once; then whatever else waits has its turn."""
PAUSE = 1 / 60
"""Seconds between two such turns."""
WHILE_HELD = 0.25
"""The same while something is marked, or the screen is on its way to a row by number: rows must not move then."""
WIDEST = 118
"""Cells a row of text takes at most: longer ones are hard to read."""


class FlowingBlocks(PlacedBlocks):
    """Blocks, top to bottom, in a scrolled view."""

    class EndInSight(Message):
        """The end has come into sight, or left it."""

        def __init__(self, seen: bool) -> None:
            super().__init__()
            self.seen = seen

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self.low_bandwidth = False
        """Scroll in steps and draw less often, for slow lines."""
        self._dirty: list[Block] = []
        self._unlaid = 0
        """So many blocks from the top are not laid out yet: they take no rows."""
        self._filling: Timer | None = None
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
        if number < self._unlaid:
            self.lay_out_all()
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
        self.blocks = list(blocks)
        self._dirty.clear()
        self._follow = place is None
        self.forget_strips()
        self._lay_out(self.text_width, above=place is not None)
        self.rows_changed(0)
        self._settle()
        if place is not None:
            self._move(min(place, self.max_scroll_y))
        self.refresh()

    # -- laying out ------------------------------------------------------------------------------

    @property
    def all_needed(self) -> bool:
        """True while something is done with all rows, those that nobody sees included."""
        return False

    def _lay_out(self, width: int, *, above: bool) -> None:
        """Lay all blocks out. Without `above` those that fill the screen from the end; the others later, in turns."""
        if self._filling is not None:
            self._filling.stop()
            self._filling = None
        above = above or self.all_needed
        number, rows = len(self.blocks), 0
        while number and (above or rows < 2 * self.page):
            number -= 1
            self.blocks[number].lay_out(width)
            rows += self.blocks[number].height
        for block in self.blocks[:number]:
            block.lay_out(0)
        self._unlaid = number
        self._restart(0)
        self._lay_out_later()

    def _lay_out_later(self, pause: float = PAUSE) -> None:
        if self._unlaid and self.text_width:
            self._filling = self.set_timer(pause, self._lay_out_more)

    def _lay_out_more(self) -> None:
        """A turn of laying out, from the screen upwards."""
        self._filling = None
        moving = self.app.animator.is_being_animated(self, "scroll_y") or self.is_vertical_scrollbar_grabbed
        if moving or self.text_selection is not None:
            self._lay_out_later(WHILE_HELD)
        else:
            self._lay_out_above(time.monotonic() + TURN)
            self._lay_out_later()

    def lay_out_all(self) -> None:
        """All rows are needed now."""
        if self._unlaid:
            self._lay_out_above(math.inf)
            self.rows_moved(0)

    def _lay_out_above(self, until: float) -> None:
        """Lay blocks out, the lowest first, until all are or that moment has come; what is on the screen stays there."""
        before, y = self.row_count, self.scroll_y
        while self._unlaid:
            self._unlaid -= 1
            self.blocks[self._unlaid].lay_out(self.text_width)
            if time.monotonic() >= until:
                break
        self._restart(0)
        self.forget_strips()
        if not self._follow:
            self._resize_to(max(self.row_count, self.virtual_size.height))
            self._move(y + self.row_count - before)
        self._settle()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        if selection.start is None and self._unlaid:  # from the very beginning
            before, end = self.row_count, selection.end
            self._lay_out_above(math.inf)
            moved = (0, self.row_count - before)
            selection = Selection(None, None if end is None else end + moved)
        return super().get_selection(selection)

    # -- rows ------------------------------------------------------------------------------------

    def streaming(self, on: bool) -> None:
        """Text is about to arrive, or no more will: the end keeps room below it only while it grows."""
        if on != self._streaming:
            self._streaming = on
            self.flush()

    def rows_changed(self, first: int) -> None:
        """Rows from `first` on are no longer what they were."""

    def rows_moved(self, first: int) -> None:
        """Rows from `first` on may stand elsewhere now."""

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
        self._lay_out(width, above=block is not None and not self._follow)
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


def _letters(line: Line) -> int:
    return sum(not character.isspace() for character in line.text[line.pad :])
