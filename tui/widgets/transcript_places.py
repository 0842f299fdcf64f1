"""Where each block stands: its first row among all, counted once and anew only from what has changed."""

from __future__ import annotations

from bisect import bisect_right

from tui.widgets.markdown_wrap import Line
from tui.widgets.transcript_blocks import Block
from tui.widgets.transcript_paint import PaintedRows


class PlacedBlocks(PaintedRows):
    """Blocks, top to bottom, and the rows they take."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self.blocks: list[Block] = []
        self._starts: list[int] = []

    @property
    def page(self) -> int:
        """Rows that are on the screen at once."""
        return self.scrollable_content_region.height

    def _index(self, block: Block) -> int | None:
        """The number of a block, the newest looked at first; None when it is no longer shown."""
        for number in range(len(self.blocks) - 1, -1, -1):
            if self.blocks[number] is block:
                return number
        return None

    def _restart(self, first: int) -> None:
        """Count the rows anew from block number `first` on."""
        first = min(first, len(self._starts))
        start = self._starts[first - 1] + self.blocks[first - 1].height if first else 0
        del self._starts[first:]
        for block in self.blocks[first:]:
            self._starts.append(start)
            start += block.height
        self.row_count = start

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
