"""How stored turns become blocks of the transcript, and what stands above them and in an empty one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from catalog.plaintext import one_line
from services.chat_history import stored_calls, unanswered
from tui.formatting import cut_end, cut_middle, width
from tui.screens.chat_words import Bill, end_words, whole
from tui.widgets.markdown_wrap import Span
from tui.widgets.transcript_answers import MarkdownBlock, Thinking, ToolCard
from tui.widgets.transcript_blocks import Block, Note, Prompt, TextBlock

if TYPE_CHECKING:
    from services.models import ModelView
    from store.attachments import AttachmentRow
    from store.conversations import MessageRow
    from tui.screens.chat_state import ChatState

_EDGE: Span = ("", "")
LONGEST_RESULT = 8_000
"""Characters of a tool's result that are shown: one of 1 MB would be 50,000 lines."""


def label(ref: str | None, turn: int, *, reader: bool = False) -> Note:
    """The line that says which model speaks; a long name loses its middle. A screen reader says that it answers."""
    slug, _, model = (ref or "").partition("/")
    return Note(
        [(one_line(model or "model", 200), "model"), (f"  {one_line(slug, 40)}", "dim")],
        edge=("Answer: ", "dim") if reader else _EDGE,
        gap=True,
        middle=True,
        turn=turn,
    )


def blocks_of(
    rows: Sequence[MessageRow], streaming: int | None = None, *, reader: bool = False
) -> list[Block]:
    """The blocks of a stored conversation; the turn at position `streaming` is left to the run that fills it."""
    names: dict[str | None, str] = {}
    blocks: list[Block] = []
    for index, row in enumerate(rows):
        if row.role == "user":
            blocks.append(Prompt(row.text, turn=row.position, said="You: " if reader else ""))
            blocks += [image_line(image, row.position) for image in row.images]
        elif row.role == "tool":
            blocks.append(tool_result(names.get(row.tool_call_id, ""), row))
        elif row.role == "assistant" and row.position != streaming:
            names.update((call.id, call.name) for call in stored_calls(row))
            below_results = index > 0 and rows[index - 1].role == "tool"
            blocks += _answer(row, reader, goes_on=bool(row.text) or below_results)
    if unanswered(rows) and (streaming is None or rows[-1].position < streaming):
        blocks.append(waiting_calls(rows[-1].position))
    return blocks


def image_line(image: AttachmentRow, turn: int) -> Note:
    """An image that went with a prompt: `▪ cat.png  PNG  812 KB`."""
    name, facts = one_line(image.name, 120) or "image", image_facts(image.media_type, image.size)
    return Note([(f"▪ {name}", "said"), (f"  {facts}", "dim")], edge=("▌ ", "you"), middle=True, turn=turn)


def image_facts(media_type: str, size: int) -> str:
    """`PNG · 812 KB`."""
    kind = one_line(media_type, 40).rpartition("/")[2].upper()
    kilo = size / 1024
    return f"{kind} · {kilo / 1024:.1f} MB" if kilo >= 1000 else f"{kind} · {max(1, round(kilo))} KB"


def tool_result(name: str, row: MessageRow) -> TextBlock:
    """What a tool call was answered with, and by whom; of a long result its beginning."""
    failed = row.state == "failed"
    shown, left = row.text[:LONGEST_RESULT], max(0, len(row.text) - LONGEST_RESULT)
    what = "error from" if failed else "result of"
    how = "  mocked" if row.finish_reason == "mocked" else ""
    return TextBlock(
        [
            (f"{'✕ ' if failed else ''}{what} {one_line(name, 60)}", "error" if failed else "dim"),
            (f"{how}\n", "hint"),
            (shown, "said"),
            (f"\n… {whole(left)} characters more: sent, kept and exported whole" if left else "", "hint"),
        ],
        first=("▌ ", "tool"),
        rest=("▌ ", "tool"),
        gap=True,
        turn=row.position,
    )


def waiting_calls(turn: int, why: str | None = None) -> Note:
    """The way on after tool calls."""
    words = f"◐ {why}" if why else "⚒ the model waits for results"
    way = "   a sends the results on (esc first)" if why else "   a types them (esc first)"
    return Note([(words, "warn" if why else "event"), (way, "hint")], gap=True, turn=turn)


def _answer(row: MessageRow, reader: bool, *, goes_on: bool) -> list[Block]:
    turn = row.position
    blocks: list[Block] = [label(row.model_ref, turn, reader=reader)]
    if row.thinking:
        blocks.append(Thinking(row.thinking, turn=turn))
    if row.text:
        blocks.append(MarkdownBlock(row.text, turn=turn))
    blocks += [ToolCard(call.name, call.arguments, turn=turn) for call in stored_calls(row)]
    if end := end_words(row.state, row.finish_reason, partial=goes_on):
        blocks.append(TextBlock(end, gap=True, turn=turn))
    if row.run_id is not None:
        blocks.append(TextBlock([(Bill.of_row(row).words, "cost")], turn=turn))
    return blocks


def head_line(state: ChatState, cells: int) -> Content:
    """The line above the conversation: with whom, with which parameters, about what."""
    cells = max(20, cells)
    name = one_line(state.view.ref) if state.view is not None else "no model"
    name = cut_middle(name, max(12, cells // 2))
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
    ("F3", "tools", "functions the model may call"),
    ("F4", "parameters", "system prompt, temperature, max tokens"),
    ("F5", "images", "attach them, or paste the path of one"),
    ("esc", "stops an answer, else leaves the prompt", "then y copies, / searches"),
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
    return [*head, *(Note(row) for row in rows)]
