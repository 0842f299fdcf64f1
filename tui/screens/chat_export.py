"""How a conversation leaves the program: Markdown to read, or a row a message for programs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING

from catalog.money import from_nanos
from catalog.plaintext import harmless, one_line
from catalog.redact import redact
from services.chat_history import stored_calls
from tui.exporting import Exported
from tui.formatting import clock
from tui.screens.chat_turns import image_facts
from tui.screens.chat_words import Bill

if TYPE_CHECKING:
    from store.conversations import ConversationRow, MessageRow

FIELDS = (
    "role", "at_ms", "model", "text", "thinking", "tool_calls", "tool_call_id", "state", "finish_reason",
    "input_tokens", "output_tokens", "cost_usd", "grade", "ttft_ms", "run_id",
    "images",
)  # fmt: skip


def exported(row: ConversationRow, messages: Sequence[MessageRow]) -> Exported:
    """What `X` writes of a conversation."""

    def page(file: IO[str]) -> None:
        for part in markdown(row, messages):
            file.write(redact(part))

    name = re.sub(r"[^a-z0-9]+", "-", one_line(row.title, 40).lower()).strip("-") or "conversation"
    return Exported(name, FIELDS, [_fields(message) for message in messages], (".md", page), "message")


def _fields(row: MessageRow) -> dict[str, object]:
    values = (
        row.role, row.at, row.model_ref, row.text, row.thinking, row.tool_calls_json, row.tool_call_id, row.state,
        row.finish_reason, row.input, row.output, None if row.cost_nanos is None else from_nanos(row.cost_nanos),
        row.grade, row.ttft_ms, row.run_id, ", ".join(one_line(image.name, 120) for image in row.images) or None,
    )  # fmt: skip
    return dict(zip(FIELDS, values, strict=True))


def markdown(row: ConversationRow, messages: Sequence[MessageRow]) -> Iterator[str]:
    """The conversation as a page, piece by piece."""
    yield f"# {one_line(row.title, 200) or 'Conversation'}\n\n{clock(row.created_at)}\n"
    if row.system:
        yield f"\n## System prompt\n\n{harmless(row.system)}\n"
    for message in messages:
        text = harmless(message.text)
        if message.role == "user":
            yield f"\n## You\n\n{text}\n"
            for image in message.images:
                facts = image_facts(image.media_type, image.size)
                yield f"\n*Image: {one_line(image.name, 120)} ({facts})*\n"
        elif message.role == "tool":
            what = "Tool error" if message.state == "failed" else "Tool result"
            how = " (mocked)" if message.finish_reason == "mocked" else ""
            yield f"\n## {what}{how}\n\n{_fenced(text)}"
        else:
            yield f"\n## {one_line(message.model_ref or 'Answer', 200)}\n\n"
            if message.thinking:
                yield f"<details><summary>Thinking</summary>\n\n{harmless(message.thinking)}\n\n</details>\n\n"
            yield f"{text}\n" if text else ""
            for call in stored_calls(message):
                yield f"\nTool call `{one_line(call.name, 80)}`\n\n{_fenced(harmless(call.arguments), 'json')}"
            ended = "" if message.state == "complete" else f"{message.state} · "
            yield f"\n*{ended}{Bill.of_row(message).words}*\n" if message.run_id else ""


def _fenced(text: str, language: str = "") -> str:
    """A code block around any text: its fence is longer than those inside."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}\n"
