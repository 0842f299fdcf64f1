"""What vendors call the columns and fields of their bills, and which of those give a vendor away."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import Literal

Unit = Literal["usd", "cents"]
_NAMES = {
    "date": "date day usage_date usage_date_utc date_utc start_time_iso start_time starting_at created_at timestamp time bucket_start",
    "model": "model model_name model_id model_permaslug model_version",
    "requests": "requests num_requests num_model_requests request_count calls",
    "input": "input_tokens prompt_tokens tokens_prompt n_context_tokens_total context_tokens input",
    "plain": "uncached_input_tokens usage_input_tokens_no_cache input_tokens_no_cache",
    "cache_read": "cache_read_input_tokens input_cached_tokens cached_tokens usage_input_tokens_cache_read tokens_cached cache_read",
    "cache_write": "cache_creation_input_tokens cache_write_tokens cache_write usage_input_tokens_cache_write ephemeral_5m_input_tokens usage_input_tokens_cache_write_5m",
    "cache_write_1h": "ephemeral_1h_input_tokens usage_input_tokens_cache_write_1h",
    "output": "output_tokens completion_tokens tokens_completion n_generated_tokens_total usage_output_tokens output",
    "usd": "cost_usd amount_usd usd total_cost_usd cost_in_usd",
    "cents": "cost_cents amount_cents cents",
    "cost": "cost amount amount_value total_cost cost_total usage charge",
    "currency": "currency amount_currency",
    "item": "line_item item description cost_type",
}
"""Ours → the names of columns or fields that mean it (lower case, `_` for everything else)."""
FIELDS = {alias: name for name, aliases in _NAMES.items() for alias in aliases.split()}
"""The other way round."""
_GIVES_AWAY = {
    "anthropic": {
        "uncached_input_tokens", "usage_input_tokens_no_cache", "usage_input_tokens_cache_read", "usage_output_tokens",

    },
    "openai": {
        "n_context_tokens_total", "n_generated_tokens_total", "num_model_requests", "input_cached_tokens", "organization_id",
        "amount_value", "start_time_iso",
    },
    "openrouter": {"model_permaslug", "byok_usage_inference", "tokens_prompt", "tokens_completion", "generation_id"},
}  # fmt: skip
"""Vendor of the catalog → columns and fields that only its exports have."""
_IN_NAMES = {"claude": "anthropic", "chatgpt": "openai"}


def vendor_of(name: str, columns: AbstractSet[str]) -> str | None:
    """Whose export it is, by its columns, else by the file's name; None where nothing or several are said."""
    found = {vendor for vendor, telling in _GIVES_AWAY.items() if telling & columns}
    if not found:
        from catalog.bundled import provider_ids

        known = {**{vendor: vendor for vendor in provider_ids()}, **_IN_NAMES}
        found = {known[word] for word in re.split(r"[^a-z0-9]+", name.lower()) if word in known}
    return found.pop() if len(found) == 1 else None
