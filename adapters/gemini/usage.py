"""Gemini's `usageMetadata` in our buckets (WIRE sections 4 and 13)."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.counts import count
from catalog.usage import Usage


def read_usage(body: object, *, ended: bool = False) -> Usage:
    """The usage of one report. Thoughts are part of the output, prompts of the vendor's own tools part of the input.

    `ended`: the answer is over, so an output that is not counted is what the total leaves.
    """
    if not isinstance(body, Mapping):
        return Usage()
    prompt, tools = count(body, "promptTokenCount"), count(body, "toolUsePromptTokenCount")
    written, thought = count(body, "candidatesTokenCount"), count(body, "thoughtsTokenCount")
    read = None if prompt is None else prompt + (tools or 0)
    out = None if written is None and thought is None else (written or 0) + (thought or 0)
    total = count(body, "totalTokenCount")
    if out is None and ended and total is not None and read is not None and total >= read:
        out = total - read
    heard = _sound(body.get("promptTokensDetails"))
    return Usage(
        input=read,
        output=out,
        cache_read=count(body, "cachedContentTokenCount"),
        reasoning=thought,
        audio_input=None if heard is None else max(heard - (_sound(body.get("cacheTokensDetails")) or 0), 0),
    )


def _sound(details: object) -> int | None:
    """Tokens of sound among the kinds that are listed; None where none is."""
    for kind in details if isinstance(details, list) else ():
        if isinstance(kind, Mapping) and kind.get("modality") == "AUDIO":
            return count(kind, "tokenCount")
    return None
