"""Mistral: reasoning goes back as a part of a listed content, and ids of calls have nine letters and digits."""

from __future__ import annotations

import hashlib
import re

from adapters.events import ChatRequest
from adapters.openai.vendors import Vendor

_THINKS = re.compile(r"magistral", re.IGNORECASE)
_ID = re.compile(r"[A-Za-z0-9]{9}")


def amend(sent: dict[str, object], request: ChatRequest) -> None:
    messages = sent.get("messages")
    if not isinstance(messages, list):
        return
    if request.system:
        messages = messages[1:]
    for message, turn in zip(messages, request.messages, strict=True):
        if turn.role == "assistant" and turn.thinking and _THINKS.search(request.model):
            thought = {"type": "thinking", "thinking": [{"type": "text", "text": turn.thinking}]}
            said = [{"type": "text", "text": turn.text}] if turn.text else []
            message["content"] = [thought, *said]
        for call in message.get("tool_calls", ()):
            call["id"] = _short(call["id"])
        if "tool_call_id" in message:
            message["tool_call_id"] = _short(message["tool_call_id"])


def _short(call_id: str) -> str:
    """The id in the form that is taken; the same for a call and its result, whoever made it."""
    return call_id if _ID.fullmatch(call_id) else hashlib.sha256(call_id.encode()).hexdigest()[:9]


VENDOR = Vendor(amend)
