"""DeepSeek: in thinking mode every turn of the assistant has its reasoning with it (WIRE section 9)."""

from __future__ import annotations

from adapters.events import ChatRequest
from adapters.openai.vendors import Vendor

_FIELD = "reasoning_content"


def amend(sent: dict[str, object], _request: ChatRequest) -> None:
    """Where one turn was thought about, a turn by another model says that it has no reasoning: a gap is refused."""
    messages = sent.get("messages")
    turns = [m for m in messages if m.get("role") == "assistant"] if isinstance(messages, list) else []
    if any(_FIELD in turn for turn in turns):
        for turn in turns:
            turn.setdefault(_FIELD, "")


VENDOR = Vendor(amend)
