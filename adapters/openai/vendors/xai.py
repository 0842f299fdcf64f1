"""xAI: `GET /api-key` says how the key stands, where everything else answers a bad key with a plain refusal (WIRE section 9)."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.errors import InvalidCredentialsError, PermissionDeniedError
from adapters.openai.vendors import AboutKey, Vendor

_FLAGS = {
    "api_key_blocked": ("xAI has blocked the key of {slug}.", "Make a new key at console.x.ai."),
    "api_key_disabled": ("The key of {slug} is switched off.", "Switch it on at console.x.ai, or enter another."),
    "team_blocked": ("xAI has blocked the team of {slug}.", "Ask xAI's support, or use a key of another team."),
}  # fmt: skip


def read(slug: str, answer: Mapping[str, object]) -> str:
    """Raises for a key, or a team, that is blocked or switched off."""
    for flag, (words, hint) in _FLAGS.items():
        if answer.get(flag) is True:
            kind = PermissionDeniedError if flag == "team_blocked" else InvalidCredentialsError
            raise kind(words.format(slug=slug), hint=hint, provider=slug, status=200)
    return ""


VENDOR = Vendor(about_key=AboutKey("api-key", read))
