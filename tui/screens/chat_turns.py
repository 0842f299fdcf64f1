"""How turns become blocks of the transcript: those read from the store, and the one that is arriving."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from catalog.errors import SwitchroomError
from catalog.plaintext import one_line
from services.chat import stored_calls
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
from tui.formatting import cut_end, cut_middle, width
from tui.screens.chat_words import Bill, end_words, error_spans
from tui.widgets.markdown_wrap import Span
from tui.widgets.transcript_answers import MarkdownBlock, Thinking, ToolCard
from tui.widgets.transcript_blocks import Block, Prompt, TextBlock

if TYPE_CHECKING:
    from services.models import ModelView
    from store.conversations import MessageRow
    from tui.screens.chat_state import ChatState
    from tui.widgets.transcript import Transcript

_EDGE: Span = ("", "")


def label(ref: str | None, turn: int) -> TextBlock:
    """The line that says which model speaks."""
    slug, _, model = (ref or "").partition("/")
    return TextBlock(
        [(one_line(model or "model", 80), "model"), (f"  {one_line(slug, 60)}", "dim")],
        first=_EDGE,
        rest=_EDGE,
        gap=True,
        turn=turn,
    )


def blocks_of(rows: Sequence[MessageRow], streaming: int | None = None) -> list[Block]:
    """The blocks of a stored conversation; the turn at position `streaming` is left to the run that fills it."""
    blocks: list[Block] = []
    for row in rows:
        if row.role == "user":
            blocks.append(Prompt(row.text, turn=row.position))
        elif row.role == "assistant" and row.position != streaming:
            blocks += _answer(row)
    return blocks


def _answer(row: MessageRow) -> list[Block]:
    turn = row.position
    blocks: list[Block] = [label(row.model_ref, turn)]
    if row.thinking:
        blocks.append(Thinking(row.thinking, turn=turn))
    if row.text:
        blocks.append(MarkdownBlock(row.text, turn=turn))
    blocks += [ToolCard(call.name, call.arguments, turn=turn) for call in stored_calls(row)]
    if end := end_words(row.state, row.finish_reason, partial=bool(row.text)):
        blocks.append(TextBlock(end, gap=True, turn=turn))
    if row.run_id is not None:
        blocks.append(TextBlock([(Bill.of_row(row).words, "cost")], turn=turn))
    return blocks


class LiveTurn:
    """The answer that is arriving: takes the run's events, draws them in the transcript."""

    def __init__(self, transcript: Transcript, ref: str, turn: int) -> None:
        self._transcript = transcript
        self._turn = turn
        self._event: TextBlock | None = None
        self._thinking: Thinking | None = None
        self._text: MarkdownBlock | None = None
        self._cards: dict[int, ToolCard] = {}
        self._retried = False
        self.result: RunResult | None = None
        transcript.add(label(ref, turn))
        self._say([("⋯ waiting for the first token", "event")])
        transcript.streaming(True)

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
                self._transcript.add(TextBlock([(f"ⓘ {note}", "event")], turn=self._turn))
            case RunRetry(attempt, delay, error):
                self._retried = True
                words = f"↻ {error.title}: {error.message} Attempt {attempt} in {max(1, round(delay))} s"
                self._say([(words, "warn"), ("   esc stops", "hint")])
            case RunWaiting(reason, seconds):
                self._say([(f"⏳ {reason}: {math.ceil(seconds)} s", "event"), ("   esc stops", "hint")])
            case RunFinished(result):
                self._finish(result)

    def refused(self, error: SwitchroomError) -> None:
        """The run never began."""
        self._quiet()
        self._close()
        self._transcript.add(TextBlock(error_spans(error), turn=self._turn))

    def stop_drawing(self) -> None:
        """Another conversation takes the transcript."""
        self._close()

    def _answer(self, text: str) -> None:
        if self._text is None:
            self._quiet()
            self._text = MarkdownBlock(live=True, turn=self._turn, gap=self._thinking is not None)
            self._transcript.add(self._text)
        self._text.add(text)
        self._transcript.changed(self._text)

    def _think(self, text: str) -> None:
        if self._thinking is None:
            self._quiet()
            self._thinking = Thinking(turn=self._turn)
            self._transcript.add(self._thinking)
        self._thinking.add(text)
        self._transcript.changed(self._thinking)

    def _call(self, event: RunToolCall) -> None:
        card = self._cards.get(event.index)
        if card is None:
            self._quiet()
            card = self._cards[event.index] = ToolCard(event.name or "", turn=self._turn, live=True)
            self._transcript.add(card)
        elif event.name:
            card.name = event.name
        card.add(event.arguments)
        self._transcript.changed(card)

    def _say(self, spans: list[Span]) -> None:
        """One line of what is going on, in the place of the last one."""
        if self._event is None:
            self._event = TextBlock(spans, turn=self._turn)
            self._transcript.add(self._event)
        else:
            self._event.replace(spans)
            self._transcript.replaced(self._event)

    def _quiet(self) -> None:
        """Content is here: the line of what is going on goes, unless a retry made it worth keeping."""
        event, self._event = self._event, None
        if event is not None:
            if self._retried:
                event.replace([("↻ answered after a retry", "event")])
                self._transcript.replaced(event)
            else:
                self._transcript.drop(event)
            self._retried = False

    def _close(self) -> None:
        for block in (self._text, *self._cards.values()):
            if block is not None:
                block.close()
        self._transcript.streaming(False)

    def _finish(self, result: RunResult) -> None:
        self.result = result
        self._retried = False
        self._quiet()
        self._close()
        blocks: list[Block] = []
        if result.error is not None:
            blocks.append(TextBlock(error_spans(result.error), gap=bool(result.text), turn=self._turn))
        elif end := end_words(result.state, result.finish_reason, partial=bool(result.text)):
            blocks.append(TextBlock(end, gap=True, turn=self._turn))
        blocks.append(TextBlock([(Bill.of_result(result).words, "cost")], turn=self._turn))
        self._transcript.add(*blocks)
        self._transcript.rebuild()


def head_line(state: ChatState, cells: int) -> Content:
    """The line above the conversation: with whom, with which parameters, about what."""
    cells = max(20, cells)
    name = cut_middle(state.view.ref if state.view is not None else "no model", max(12, cells // 2))
    params = state.params.words
    title = one_line(state.row.title, 80) if state.row is not None and state.row.title else "new conversation"
    room = cells - width(name) - 4 - (width(params) + 2 if params else 0)
    if room < 8:
        params, room = "", cells - width(name) - 4
    title = cut_end(title, max(0, room))
    used = width(name) + 2 + (width(params) + 2 if params else 0) + width(title) + 1
    return Content.assemble(
        (name, "bold $primary"),
        (" ▾", "$key"),
        (f"  {params}" if params else "", "$dim"),
        (" " * max(1, cells - used + 1), ""),
        (title, "$dim"),
    )


_KEYS = (
    ("enter", "sends", "ctrl+j or \\ enter: a new line"),
    ("ctrl+t", "another model", "with prices, and what it changes per run"),
    ("ctrl+g", "conversations", "search, open, rename, delete"),
    ("F4", "parameters", "system prompt, temperature, max tokens"),
    ("esc", "stops an answer, else leaves the prompt", "then digits go to the modes, y copies"),
)


def welcome(view: ModelView | None, ready: bool) -> list[Block]:
    """What stands in an empty conversation: the keys that matter, or the way to a first model."""
    if not ready:
        return [TextBlock([("Opening …", "dim")], gap=True)]
    if view is None:
        return [
            TextBlock([("No model yet.", "title")], gap=True),
            TextBlock([("Add a provider first: ", "said"), ("esc", "key"), (", then ", "said"), ("2", "key"), (" and ", "said"), ("a", "key"), (".", "said")]),
            TextBlock([("A local server needs no key. Without any, switchroom --demo shows how it works.", "hint")]),
        ]  # fmt: skip
    name = one_line(view.info.name or view.info.id, 80)
    rows = [[(key.ljust(8), "key"), (what, "said"), (f"  {more}", "hint")] for key, what, more in _KEYS]
    head = [TextBlock([("Talk to ", "said"), (name, "model")], gap=True), TextBlock([("", "")])]
    return [*head, *(TextBlock(row) for row in rows)]
