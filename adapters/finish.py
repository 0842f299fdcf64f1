"""Vendors' words for why an answer ended → ours (WIRE section 12), one table for every dialect."""

from __future__ import annotations

from adapters.events import FinishReason

_WORDS: dict[FinishReason, str] = {
    "stop": "stop end_turn stop_sequence eos eos_token complete completed",
    "length": "length max_tokens model_length model_context_window_exceeded continuation max_output_tokens",
    "tool_calls": "tool_calls function_call tool_use tool_call",
    "content_filter": "content_filter refusal safety recitation blocklist prohibited_content spii language "
    "model_armor image_safety image_prohibited_content image_recitation",
}
FINISH: dict[str, FinishReason] = {word: reason for reason, words in _WORDS.items() for word in words.split()}
"""The vendor's word in lower case → ours."""
_FAILED = frozenset(
    ("error", "other", "malformed_function_call", "unexpected_tool_call", "too_many_tool_calls",
     "missing_thought_signature", "malformed_response", "no_image", "unload", "unknown")
)  # fmt: skip


def finish_reason(raw: str | None, *, tools: bool) -> FinishReason:
    """Our word; a call of a tool counts where the vendor just says that it stopped. `error` for a word nobody knows."""
    reason = FINISH.get((raw or "stop").lower(), "error")
    return "tool_calls" if reason == "stop" and tools else reason


def failed(raw: str | None) -> bool:
    """True for the words that say the answer failed."""
    return (raw or "").lower() in _FAILED
