"""A conversation as this vendor wants it: user and assistant in turn, tool results first, kept blocks unchanged."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from adapters.data_urls import base64_of
from adapters.events import Keepsake, Message, ToolCall

DIALECT = "anthropic"
Block = dict[str, object]
_NO_ID = re.compile(r"[^a-zA-Z0-9_-]")
_RESULT = "tool_result"
_NOTHING = "There is no result."


def turns(messages: Sequence[Message], model: str) -> tuple[list[dict[str, object]], list[str]]:
    """(the turns, the system texts that stood among them).

    Turns of one role are joined, empty ones left out; every call gets a result in the very next turn.
    """
    joined: list[tuple[str, list[Block]]] = []
    system: list[str] = []
    for message in messages:
        if message.role == "system":
            system += [message.text] if message.text.strip() else []
            continue
        role = "assistant" if message.role == "assistant" else "user"
        blocks = _blocks(message, model)
        if not blocks:
            continue
        if joined and joined[-1][0] == role:
            joined[-1][1].extend(blocks)
        else:
            joined.append((role, blocks))
    joined = _answered(joined)
    if joined and joined[0][0] == "assistant":  # refused by the vendor
        joined.insert(0, ("user", [_text("(The conversation begins with your words.)")]))
    if joined and joined[-1][0] == "assistant":
        _trim(joined[-1][1])
    return [{"role": role, "content": _short(blocks)} for role, blocks in joined], system


def kept_blocks(keepsake: Keepsake | None, model: str) -> list[Block] | None:
    """The blocks of a keepsake of this dialect and model; None for all others and for what cannot be read."""
    if keepsake is None or keepsake.dialect != DIALECT or keepsake.model != model:
        return None
    try:
        content = json.loads(keepsake.content)["content"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(content, list) or not all(isinstance(b, dict) and b.get("type") for b in content):
        return None
    return content or None


def thinks(block: Mapping[str, object]) -> bool:
    """Whether a block is reasoning."""
    return block.get("type") in ("thinking", "redacted_thinking")


def _blocks(message: Message, model: str) -> list[Block]:
    if message.role == "tool":
        failed = {"is_error": True} if message.is_error else {}
        call = _id(message.tool_call_id or "call")
        shown = _images(message)
        content: object = (
            [*([_text(message.text)] if message.text.strip() else []), *shown] if shown else message.text
        )
        return [{"type": _RESULT, "tool_use_id": call, "content": content, **failed}]
    if message.role == "assistant":
        kept = kept_blocks(message.keepsake, model)
        if kept is not None and _same(kept, message):
            # an empty text is refused even where the vendor itself wrote it
            return [b for b in kept if b.get("type") != "text" or str(b.get("text", "")).strip()]
    text = [_text(message.text)] if message.text.strip() else []
    return [*_images(message), *text, *(_call(call) for call in message.tool_calls)]


def _images(message: Message) -> list[Block]:
    return [
        {
            "type": "image",
            "source": {
                "type": "base64",
                "media_type": image.media_type,
                "data": base64_of(image),
            },
        }
        for image in message.images
    ]


def _same(kept: Sequence[Block], message: Message) -> bool:
    """Whether the keepsake still says what the message says: a text may have been edited or masked meanwhile."""
    said = "".join(str(b.get("text", "")) for b in kept if b.get("type") == "text")
    calls = [b.get("id") for b in kept if b.get("type") == "tool_use"]
    return said.strip() == message.text.strip() and calls == [call.id for call in message.tool_calls]


def _answered(joined: Sequence[tuple[str, list[Block]]]) -> list[tuple[str, list[Block]]]:
    """Results go before the text of their turn; a call without one, or a result without a call, would be refused."""
    out: list[tuple[str, list[Block]]] = []
    open_calls: list[object] = []
    for role, blocks in joined:
        if role == "assistant":
            if open_calls:
                out.append(("user", [_no_result(call) for call in open_calls]))
            open_calls = [b.get("id") for b in blocks if b.get("type") == "tool_use"]
            out.append((role, blocks))
            continue
        results = [b for b in blocks if b.get("type") == _RESULT and b.get("tool_use_id") in open_calls]
        given = [b.get("tool_use_id") for b in results]
        results += [_no_result(call) for call in open_calls if call not in given]
        taken = {id(b) for b in results}
        rest = [
            one
            for b in blocks
            if id(b) not in taken
            for one in (_loose(b["content"]) if b.get("type") == _RESULT else [b])
        ]
        out.append((role, [*results, *rest]))
        open_calls = []
    return out


def _loose(content: object) -> list[Block]:
    """What a result said whose call is not there."""
    return content if isinstance(content, list) else [_text(str(content).strip() or _NOTHING)]


def _no_result(call: object) -> Block:
    return {"type": _RESULT, "tool_use_id": call, "content": _NOTHING, "is_error": True}


def _call(call: ToolCall) -> Block:
    try:
        given = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        given = {"arguments": call.arguments}  # the vendor takes objects only
    given = given if isinstance(given, dict) else {"arguments": given}
    return {"type": "tool_use", "id": _id(call.id), "name": call.name, "input": given}


def _id(call_id: str) -> str:
    """An id of another vendor as this one takes it."""
    return _NO_ID.sub("_", call_id) or "call"


def _text(text: str) -> Block:
    return {"type": "text", "text": text}


def _trim(blocks: list[Block]) -> None:
    """The beginning of an answer, which may not end in white space."""
    last = blocks[-1]
    if last.get("type") == "text":
        blocks[-1] = {**last, "text": str(last["text"]).rstrip()}


def _short(blocks: list[Block]) -> object:
    """A lone text as a text: every server of this dialect takes it."""
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        return blocks[0]["text"]
    return blocks
