"""The one transcript: what can be done with a conversation on the screen: read, search, mark, pick, unfold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.selection import Selection

from tui.widgets.transcript_answers import MarkdownBlock, Thinking, ToolCard
from tui.widgets.transcript_blocks import Block
from tui.widgets.transcript_flow import FlowingBlocks
from tui.widgets.transcript_marking import Marking
from tui.widgets.transcript_paint import Mark
from tui.widgets.transcript_search import Finder


@dataclass(frozen=True, slots=True)
class Pick:
    """What the keys act on: a whole answer, or code block number `code` of it."""

    block: MarkdownBlock
    code: int | None = None

    @property
    def text(self) -> str:
        """What is copied."""
        return self.block.source if self.code is None else self.block.codes[self.code].text

    @property
    def rows(self) -> tuple[int, int]:
        """First and past-the-last row within the block."""
        if self.code is None:
            return int(self.block.gap), self.block.height
        code = self.block.codes[self.code]
        return self.block.gap + code.row, self.block.gap + code.end


class Transcript(FlowingBlocks, can_focus=True):
    """Blocks of a conversation, and the keys that act on them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "screen.copy", "copy", id="chat.copy", tooltip="Copy what is marked or picked, else an answer or one of its code blocks"),
        Binding("left_square_bracket", "pick(-1)", "pick", key_display="[ ]", id="chat.pick_before", tooltip="Pick the code block or answer before"),
        Binding("right_square_bracket", "pick(1)", "pick", show=False, id="chat.pick_next", tooltip="Pick the next code block or answer"),
        Binding("v", "mark", "mark", id="chat.mark", tooltip="Mark rows: j k move the end, y copies"),
        Binding("o", "other_end", "other end", id="chat.other_end", tooltip="Move the other end of what is marked"),
        Binding("h,left", "sideways(-1)", "by characters", show=False, id="transcript.left", tooltip="The marked end a character back"),
        Binding("l,right", "sideways(1)", "character on", show=False, id="transcript.right", tooltip="The marked end a character on"),
        Binding("b", "sideways(-1,True)", "word back", show=False, id="transcript.word_back", tooltip="The marked end a word back"),
        Binding("w", "sideways(1,True)", "word on", show=False, id="transcript.word_on", tooltip="The marked end a word on"),
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

    class Changed(Message):
        """What is picked, marked or found is another."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self.finder = Finder(self.line)
        self.marking: Marking | None = None
        """What is being marked with keys."""
        self.picked: Pick | None = None

    def show(self, blocks: list[Block], *, keep: bool = False) -> None:
        self.unpick()
        self._unmark()
        super().show(blocks, keep=keep)

    @property
    def all_needed(self) -> bool:
        return self.finder.active

    def rows_changed(self, first: int) -> None:
        if self.finder.active:
            before = len(self.finder.places)
            self.finder.rescan(first, self.row_count)
            if len(self.finder.places) != before:
                self.post_message(self.Changed())

    def rows_moved(self, first: int) -> None:
        selection = self.text_selection
        if selection is not None and (selection.end is None or first <= selection.end.y):
            self._unmark()

    def marks(self, y: int) -> tuple[Mark, ...]:
        found: list[Mark] = []
        if self.picked is not None:
            start = self.start_of(self.picked.block)
            low, high = self.picked.rows
            if start is not None and start + low <= y < start + high:
                found.append((0, 1, "picked"))
        for low, high, here in self.finder.marks(y) if self.finder.active else ():
            found.append((low, high, "here" if here else "found"))
        return (*found, *super().marks(y))

    # -- moving ----------------------------------------------------------------------------------

    @property
    def following(self) -> bool:
        return self._follow and self.marking is None

    def _jump(self, rows: int) -> None:
        if self.marking is not None:
            self._mark_to(self.marking.row + rows)
        else:
            self.scroll_to(
                y=max(0, min(self.max_scroll_y, round(self.scroll_y) + rows)), animate=False, immediate=True
            )

    def action_line(self, rows: int) -> None:
        self._jump(rows)

    def action_half(self, halves: int) -> None:
        self._jump(halves * max(1, self.page // 2))

    def action_top(self) -> None:
        self.lay_out_all()
        if self.marking is not None:
            self._mark_to(0)
        else:
            self.scroll_to(y=0, animate=False, immediate=True)

    def action_bottom(self) -> None:
        if self.marking is not None:
            self._mark_to(self.row_count - 1)
        else:
            self.follow_end()

    # -- marking ---------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("other_end", "sideways"):
            return self.marking is not None
        if action == "pick":
            return self.marking is None and any(isinstance(block, MarkdownBlock) for block in self.blocks)
        return super().check_action(action, parameters)

    def action_mark(self) -> None:
        """Begin at what is picked or found, else at the first row of text in sight; once more: end it."""
        if self.marking is not None:
            self._unmark()
            return
        if not self.row_count:
            return
        self.lay_out_all()
        top = round(self.scroll_y)
        seen = range(top, min(self.row_count, top + self.page))
        row = next((y for y in seen if self.line(y).text[self.line(y).pad :].strip()), top)
        last = row
        if self.picked is not None and (start := self.start_of(self.picked.block)) is not None:
            low, high = self.picked.rows
            row, last = start + low, start + high - 1
            self.unpick()
        elif self.finder.current is not None:
            row = last = self.finder.places[self.finder.current][0][0]
        self.marking = Marking(row, last)
        self._show_marking()

    def action_other_end(self) -> None:
        if self.marking is not None:
            self.marking.other_end()
            self.bring_into_sight(self.marking.row)

    def action_sideways(self, by: int, words: bool = False) -> None:
        if self.marking is not None:
            self.marking.sideways(by, words, self.line)
            self._show_marking()

    def _mark_to(self, row: int) -> None:
        assert self.marking is not None
        self.marking.move_to(max(0, min(self.row_count - 1, row)))
        self._show_marking()

    def _show_marking(self) -> None:
        assert self.marking is not None
        self.screen.selections = {self: self.marking.selection(self.line)}
        self.bring_into_sight(self.marking.row)
        self.post_message(self.Changed())

    def _unmark(self) -> None:
        if self.marking is not None or self.text_selection is not None:
            self.marking = None
            self.screen.clear_selection()
            self.post_message(self.Changed())

    def selection_updated(self, selection: Selection | None) -> None:
        super().selection_updated(selection)
        if self.text_selection is None:
            self.marking = None
        self.post_message(self.Changed())

    # -- picking ---------------------------------------------------------------------------------

    def _picks(self) -> list[tuple[int, Pick]]:
        """Answers and code blocks by the row they begin on."""
        self.lay_out_all()
        found = []
        for block, start in zip(self.blocks, self._starts, strict=True):
            if isinstance(block, MarkdownBlock):
                picks = [Pick(block, number) for number in range(len(block.codes))]
                if not isinstance(block, ToolCard):
                    picks.insert(0, Pick(block))
                found += [(start + pick.rows[0], pick) for pick in picks]
        return found

    def picks_in_sight(self) -> list[Pick]:
        """The last answer of which something is on the screen (else the last of all), and its code blocks."""
        answers = [block for block in self.visible_blocks() if isinstance(block, MarkdownBlock)] or [
            block for block in self.blocks if isinstance(block, MarkdownBlock)
        ]
        turn = answers[-1].turn if answers else None
        return [pick for _, pick in self._picks() if answers and pick.block.turn == turn]

    def action_pick(self, step: int) -> None:
        """Go to the next or last code block or answer; the first time to the one nearest to the end in sight."""
        picks = self._picks()
        if not picks:
            return
        now = next((number for number, (_, pick) in enumerate(picks) if pick == self.picked), None)
        if now is None:
            top = round(self.scroll_y)
            seen = [n for n, (row, _) in enumerate(picks) if top <= row < top + self.page]
            number = (seen[-1] if step < 0 else seen[0]) if seen else len(picks) - 1 if step < 0 else 0
        else:
            number = max(0, min(len(picks) - 1, now + step))
        row, self.picked = picks[number]
        self.refresh()
        low, high = self.picked.rows
        self.bring_into_sight(row + min(high - low, self.page) - 1)
        self.bring_into_sight(row)
        self.post_message(self.Changed())

    def unpick(self) -> bool:
        """Nothing is picked any more; False when nothing was."""
        if self.picked is None:
            return False
        self.picked = None
        self.refresh()
        self.post_message(self.Changed())
        return True

    # -- searching -------------------------------------------------------------------------------

    def find(self, word: str, start: int) -> None:
        """Look for a text and go to its first place at or below row `start`; an empty text ends the search."""
        self.lay_out_all()
        self.finder.find(word, self.row_count)
        self._go_to(self.finder.nearest(start))

    def find_next(self, step: int) -> bool:
        """Go to the next place, or the one before; False when there is none."""
        row = self.finder.step(step, round(self.scroll_y))
        self._go_to(row)
        return row is not None

    def _go_to(self, row: int | None) -> None:
        if row is not None:
            self.bring_into_sight(row, above=self.page // 3)
        self.refresh()
        self.post_message(self.Changed())

    # -- mouse, reasoning ------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        block, _ = self._find(round(self.scroll_y) + event.y)
        if block is not None:
            self.post_message(self.Clicked(block))

    def toggle_thinking(self) -> bool:
        """Fold or unfold the reasoning in sight, else the last there is; False when there is none."""
        self.lay_out_all()
        seen = [block for block in self.visible_blocks() if isinstance(block, Thinking)]
        known = seen or [block for block in self.blocks if isinstance(block, Thinking)]
        if not known:
            return False
        known[-1].toggle()
        self.replaced(known[-1])
        self.bring_into_sight(self.start_of(known[-1]) or 0)
        return True
