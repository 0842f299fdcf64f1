"""What OpenRouter is sent besides a chat: who may answer it, and the reasoning that goes back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress

from adapters.events import ChatRequest

DIALECT = "openrouter"
_LISTS = {
    "provider_order": "order",
    "provider_only": "only",
    "provider_ignore": "ignore",
    "quantizations": "quantizations",
}
_WORDS = {"provider_sort": "sort", "data_collection": "data_collection"}
_FLAGS = {
    "allow_fallbacks": "allow_fallbacks",
    "require_parameters": "require_parameters",
    "zero_retention": "zdr",
}


def routing(options: Mapping[str, str]) -> dict[str, object]:
    """`models` and `provider` of the body, as the options say; empty where they say nothing."""
    provider: dict[str, object] = {
        theirs: options[ours].split(",") for ours, theirs in _LISTS.items() if options.get(ours)
    }
    provider |= {theirs: options[ours] for ours, theirs in _WORDS.items() if options.get(ours)}
    provider |= {theirs: options[ours] == "yes" for ours, theirs in _FLAGS.items() if options.get(ours)}
    out: dict[str, object] = {}
    if options.get("models"):
        out["models"] = options["models"].split(",")
    if provider:
        out["provider"] = provider
    return out


def kept_details(sent: dict[str, object], request: ChatRequest) -> None:
    """Put `reasoning_details` of earlier answers of this model back where they were, unchanged."""
    messages = sent.get("messages")
    if not isinstance(messages, list):
        return
    for message, turn in zip(
        messages[len(messages) - len(request.messages) :], request.messages, strict=True
    ):
        kept = turn.keepsake
        if (
            turn.role == "assistant"
            and kept is not None
            and (kept.dialect, kept.model) == (DIALECT, request.model)
        ):
            with suppress(ValueError):  # a store that was written by hand
                message["reasoning_details"] = json.loads(kept.content)
