"""OpenAI-shaped usage into our buckets, wherever a vendor puts it (WIRE sections 9 and 13)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from adapters.counts import count, first, mapping, money
from catalog.usage import Usage


def read_usage(body: object, *, hidden_reasoning: bool = False) -> Usage | None:
    """The usage of one report, None when it reports nothing.

    Reasoning that a vendor counts outside `completion_tokens` (xAI; with `hidden_reasoning` Gemini, which does not
    even name it) is recognised by the total and added to the output.
    """
    if not isinstance(body, Mapping):
        return None
    given_in = count(body, "prompt_tokens", "input_tokens")
    given_out = count(body, "completion_tokens", "output_tokens")
    details_in = mapping(body, "prompt_tokens_details", "input_tokens_details")
    details_out = mapping(body, "completion_tokens_details", "output_tokens_details")
    reasoning = first(count(details_out, "reasoning_tokens"), count(body, "reasoning_tokens"))
    total = count(body, "total_tokens")
    if given_in is not None and given_out is not None and total is not None:
        outside = total - given_in - given_out
        if outside > 0 and (outside == reasoning or (reasoning is None and hidden_reasoning)):
            given_out += outside
            reasoning = outside
    usage = Usage(
        input=given_in,
        output=given_out,
        cache_read=first(
            count(details_in, "cached_tokens"), count(body, "prompt_cache_hit_tokens", "cached_tokens")
        ),
        cache_write=count(details_in, "cache_write_tokens"),
        reasoning=reasoning,
        audio_input=count(details_in, "audio_tokens"),
        reported_cost=_cost(body),
    )
    return None if usage == Usage() else usage


def _cost(body: Mapping[object, object]) -> Decimal | None:
    """USD, where the vendor states it: a number (OpenRouter), an object (Perplexity), or ticks (xAI)."""
    ticks = money(body.get("cost_in_usd_ticks"))
    if ticks is not None:
        return ticks / Decimal(10) ** 10
    stated = body.get("cost")
    if isinstance(stated, Mapping):
        return (
            money(stated.get("total_cost")) if str(stated.get("currency", "USD")).upper() == "USD" else None
        )
    cost = money(stated)
    if cost is not None and body.get("is_byok") is True:  # the user's own key upstream is billed there
        upstream = money(mapping(body, "cost_details").get("upstream_inference_cost"))
        cost = cost + upstream if upstream is not None else None
    return cost
