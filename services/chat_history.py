"""What of a stored conversation is sent again, and what of it waits for an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from adapters.events import Keepsake, Message, ToolCall
from store.conversations import MessageRow

if TYPE_CHECKING:
    from services.attachments import Attached


def stored_calls(row: MessageRow) -> tuple[ToolCall, ...]:
    """The tool calls of a stored turn."""
    calls = json.loads(row.tool_calls_json) if row.tool_calls_json else []
    return tuple(ToolCall(call["id"], call["name"], call["arguments"]) for call in calls)


def stored_keepsake(row: MessageRow) -> Keepsake | None:
    """What the vendor of a stored answer wants back with it. Only of a whole answer: half a one is not what it signed."""
    if row.keepsake_json is None or row.state != "complete":
        return None
    return Keepsake(**json.loads(row.keepsake_json))


def unanswered(rows: Sequence[MessageRow]) -> tuple[ToolCall, ...]:
    """The tool calls of the last answer that have no result yet."""
    given = set()
    for row in reversed(rows):
        if row.role == "tool":
            given.add(row.tool_call_id)
        elif row.role == "assistant":
            return tuple(call for call in stored_calls(row) if call.id not in given)
        else:
            break
    return ()


def is_empty(row: MessageRow) -> bool:
    """True for an answer that holds nothing: its run failed, was stopped, or ended with the program."""
    return row.role == "assistant" and not row.text.strip() and not row.tool_calls_json


def to_send_on(rows: Sequence[MessageRow]) -> int | None:
    """The position behind results of tools that all are there and got no answer; None: nothing waits to be sent on."""
    kept = list(rows)
    while kept and is_empty(kept[-1]):
        kept.pop()
    if not kept or kept[-1].role != "tool" or unanswered(kept):
        return None
    return kept[-1].position + 1


def history(
    rows: Sequence[MessageRow],
    prompt: str | None = None,
    *,
    images: Mapping[int, Sequence[Attached]] | None = None,
    attached: Sequence[Attached] = (),
) -> tuple[Message, ...]:
    """The messages to send: empty answers are left out, prompts in a row joined, of several answers to one prompt the last.

    `images` are those of the stored prompts, by message; `attached` go with the new one.

    Tool calls go back with their results; those not all answered are left out, since every vendor refuses a call
    without its result. Reasoning goes along for the vendors that want it back; the others' adapters leave it out.
    """
    out: list[Message] = []
    for index, row in enumerate(rows):
        if row.role == "user" and row.text.strip():
            _ask(out, row.text, (images or {}).get(row.id or 0, ()))
        elif row.role == "assistant":
            calls = stored_calls(row)
            results = _results(rows[index + 1 :])
            answered = calls if calls and all(call.id in results for call in calls) else ()
            if not row.text.strip() and not answered:
                continue
            if out and out[-1].role == "assistant":
                out.pop()
            kept = stored_keepsake(row) if answered == calls else None
            out.append(
                Message("assistant", row.text, tool_calls=answered, thinking=row.thinking, keepsake=kept)
            )
            out += [
                Message(
                    "tool",
                    results[call.id].text,
                    tool_call_id=call.id,
                    is_error=results[call.id].state == "failed",
                )
                for call in answered
            ]
    if prompt is not None:
        _ask(out, prompt, attached)
    return tuple(out)


def _ask(out: list[Message], text: str, attached: Sequence[Attached]) -> None:
    images = tuple(one.image for one in attached)
    if out and out[-1].role == "user":
        before = out.pop()
        text, images = f"{before.text}\n\n{text}", (*before.images, *images)
    out.append(Message("user", text, images=images))


def _results(rows: Sequence[MessageRow]) -> dict[str, MessageRow]:
    """The tool results that stand directly below an answer, by the call they belong to."""
    return {
        row.tool_call_id: row
        for row in takewhile(lambda row: row.role == "tool", rows)
        if row.tool_call_id is not None
    }
