"""The answer that is arriving: a run's events become blocks, in the transcript or kept until it is shown again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from services.run_events import (
    RunEvent,
    RunFinished,
    RunResult,
    RunRetry,
    RunStartedEvent,
    RunText,
    RunThinking,
    RunToolCall,
    RunWaiting,
)
from tui.screens.chat_turns import label, waiting_calls
from tui.screens.chat_words import Bill, end_words, error_spans
from tui.widgets.markdown_wrap import Span
from tui.widgets.transcript_answers import MarkdownBlock, Thinking, ToolCard
from tui.widgets.transcript_blocks import Block, CostLine, Note, TextBlock

if TYPE_CHECKING:
    from tui.widgets.transcript import Transcript


class LiveTurn:
    """Takes the events of one run. While another conversation is shown it only keeps its blocks up to date."""

    def __init__(
        self, transcript: Transcript, ref: str, turn: int, *, shown: bool = True, reader: bool = False
    ) -> None:
        self._transcript = transcript
        self.turn = turn
        """The position of the answer."""
        self.blocks: list[Block] = []
        self._shown = shown
        self._event: Note | None = None
        self._thinking: Thinking | None = None
        self._text: MarkdownBlock | None = None
        self._cards: dict[int, ToolCard] = {}
        self._retried = False
        self.result: RunResult | None = None
        self.error: SwitchroomError | None = None
        """Why the run never began; None when it did."""
        self._put(label(ref, turn, reader=reader))
        self._say([("⋯ waiting for the first token", "event")])
        if shown:
            transcript.streaming(True)

    def hide(self) -> None:
        """Another conversation takes the transcript."""
        self._shown = False
        self._transcript.streaming(False)

    def show(self) -> None:
        """The transcript shows this conversation again: go on below its stored turns."""
        self._shown = True
        self._transcript.streaming(True)
        self._transcript.add(*self.blocks)

    def take(self, event: RunEvent) -> None:
        """Draw one event."""
        match event:
            case RunText(text):
                self._answer(text)
            case RunThinking(text):
                self._think(text)
            case RunToolCall():
                self._call(event)
            case RunStartedEvent(note=note) if note:
                self._put(Note([(f"ⓘ {note}", "event")], turn=self.turn))
            case RunRetry(attempt, delay, error):
                self._retried = True
                words = f"↻ {error.title}: {error.message}"
                after = f"   attempt {attempt} in {max(1, round(delay))} s"
                self._say([(words, "warn"), (after, "warn"), ("   esc stops", "hint")])
            case RunWaiting(reason, seconds):
                self._say([(f"⋯ {reason}", "event"), (f": {math.ceil(seconds)} s   esc stops", "hint")])
            case RunFinished(result):
                self._finish(result)

    def refused(self, error: SwitchroomError) -> None:
        """The run never began."""
        self.error = error
        self._quiet()
        self._close()
        self._put(TextBlock(error_spans(error), turn=self.turn))

    # -- blocks ----------------------------------------------------------------------------------

    def _put(self, *blocks: Block) -> None:
        self.blocks += blocks
        if self._shown:
            self._transcript.add(*blocks)

    def _grown(self, block: Block) -> None:
        if self._shown:
            self._transcript.changed(block)

    def _replaced(self, block: Block) -> None:
        if self._shown:
            self._transcript.replaced(block)

    def _answer(self, text: str) -> None:
        if self._text is None:
            self._quiet()
            self._text = MarkdownBlock(live=True, turn=self.turn, gap=self._thinking is not None)
            self._put(self._text)
        self._text.add(text)
        self._grown(self._text)

    def _think(self, text: str) -> None:
        if self._thinking is None:
            self._quiet()
            self._thinking = Thinking(turn=self.turn)
            self._put(self._thinking)
        self._thinking.add(text)
        self._grown(self._thinking)

    def _call(self, event: RunToolCall) -> None:
        card = self._cards.get(event.index)
        if card is None:
            self._quiet()
            card = self._cards[event.index] = ToolCard(event.name or "", turn=self.turn, live=True)
            self._put(card)
        elif event.name:
            card.name = event.name
            self._replaced(card)
        card.add(event.arguments)
        self._grown(card)

    def _say(self, spans: list[Span]) -> None:
        """One line of what is going on, in the place of the last one."""
        if self._event is None:
            self._event = Note(spans, turn=self.turn)
            self._put(self._event)
        else:
            self._event.replace(spans)
            self._replaced(self._event)

    def _quiet(self) -> None:
        """Content is here: the line of what is going on goes, unless a retry made it worth keeping."""
        event, self._event = self._event, None
        if event is None:
            return
        if self._retried:
            event.replace([("↻ answered after a retry", "event")])
            self._replaced(event)
        else:
            self.blocks.remove(event)
            if self._shown:
                self._transcript.drop(event)
        self._retried = False

    def _close(self) -> None:
        for block in (self._text, *self._cards.values()):
            if block is not None:
                block.close()
                self._replaced(block)
        if self._shown:
            self._transcript.streaming(False)

    def _finish(self, result: RunResult) -> None:
        self.result = result
        self._retried = False
        self._quiet()
        self._close()
        blocks: list[Block] = []
        if result.error is not None:
            blocks.append(TextBlock(error_spans(result.error), gap=bool(result.text), turn=self.turn))
        elif end := end_words(result.state, result.finish_reason, partial=bool(result.text)):
            blocks.append(TextBlock(end, gap=True, turn=self.turn))
        if result.told:
            blocks.append(TextBlock([(result.told, "warn")], turn=self.turn))
        speed = result.speed.words if result.speed is not None else ""
        blocks.append(CostLine(Bill.of_result(result).words, speed, turn=self.turn))
        self._put(*blocks)

    def waits(self, why: str | None) -> None:
        """The calls wait for the user; `why` they were not answered by themselves."""
        self._put(waiting_calls(self.turn, why))
