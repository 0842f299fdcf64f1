"""What compatible vendors need otherwise than the dialect's defaults, where an option says it all (WIRE section 9)."""

from __future__ import annotations

VENDOR_OPTIONS: dict[str, dict[str, str]] = {
    "deepseek": {"reasoning_field": "reasoning_content"},
    "mistral": {"seed_field": "random_seed", "required_word": "any", "stream_options": "no"},
    "cerebras": {"max_tokens_field": "max_completion_tokens"},
    "fireworks": {"extra_body": '{"context_length_exceeded_behavior":"error"}'},
}
"""Vendor of the catalog → options by name. The bundled files are built with them; a user's file may have its own."""

SLOW_STARTS = frozenset({"deepseek"})
"""Vendors whose requests may queue for minutes."""
