"""Which vendor's account API an address has, and which key opens it. Nothing is contacted or imported for this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from catalog.detect import is_loopback, is_private

OPTION = "account"
"""The option of a provider that names the vendor where the address does not tell (a gateway in front of it)."""


@dataclass(frozen=True, slots=True)
class Way:
    """How one vendor's account is read."""

    vendor: str
    """The module of this package."""
    name: str
    """For people."""
    keyed: bool
    """The usual key states something: a balance, a limit."""
    admin: str = ""
    """What kind of second key there is, in words; empty: none."""
    admin_url: str = ""
    """Where a person gets one."""
    env: str = ""
    """The variable that usually holds it."""
    usage: bool = False
    """Usage and costs by day are stated, to the second key."""
    pause_s: int = 10
    """The vendor wants so many seconds between two looks."""
    note: str = ""
    """What one should know of the figures."""


_WAYS = {
    way.vendor: way
    for way in (
        Way(
            "openai", "OpenAI", keyed=False, admin="an admin key (sk-admin-…)", env="OPENAI_ADMIN_KEY", usage=True,
            admin_url="https://platform.openai.com/settings/organization/admin-keys",
            note="OpenAI cuts its days at midnight UTC and corrects them for some days.",
        ),
        Way(
            "anthropic", "Anthropic", keyed=False, admin="an admin key (sk-ant-admin01-…)", env="ANTHROPIC_ADMIN_KEY", usage=True,
            admin_url="https://console.anthropic.com/settings/admin-keys", pause_s=60,
            note="Anthropic is about 5 minutes behind, states no balance, and leaves out the Priority Tier.",
        ),
        Way(
            "openrouter", "OpenRouter", keyed=True, admin="a management key", usage=True,
            admin_url="https://openrouter.ai/settings/management-keys",
            note="OpenRouter states the last 30 whole days, cut at midnight UTC; today follows tomorrow.",
        ),
        Way("deepseek", "DeepSeek", keyed=True, note="DeepSeek states its balance only, in each currency apart."),
        Way("huggingface", "Hugging Face", keyed=True, note="Hugging Face states who the token is and when its period ends, no amounts."),
        Way("litellm", "LiteLLM", keyed=True, note="LiteLLM states what this key spent by its own price list."),
    )
}  # fmt: skip
_PLAYED = (_WAYS["openai"], _WAYS["anthropic"])
"""Whose accounts the demo plays."""
_HOSTS = {
    "api.openai.com": "openai", "api.anthropic.com": "anthropic", "openrouter.ai": "openrouter",
    "api.deepseek.com": "deepseek", "huggingface.co": "huggingface",
}  # fmt: skip
_WHY = {
    "xai": "xAI states its costs on another host and to another kind of key; a key never goes to another host than its provider's.",
    "azure": "Azure states costs in its Cost Management, under another sign-in.",
    "gemini": "Gemini states no usage or costs to an API key; Google Cloud's billing pages have them.",
    "groq": "Groq states no usage or costs to an API key; its console has them.",
    "mistral": "Mistral states no usage or costs to an API key; its console has them.",
}


def way_of(
    catalog_id: str | None, dialect: str, endpoint: str, options: Mapping[str, str] | None = None
) -> Way | None:
    """The way to the account behind an address; None: there is none. An option goes before the vendor, that before the host."""
    if (said := (options or {}).get(OPTION)) is not None:
        return _WAYS.get(said)
    if dialect == "fake":
        played = _WAYS.get(catalog_id or "")
        return replace(played, vendor="fake", keyed=True, admin="", pause_s=0) if played in _PLAYED else None
    if catalog_id is not None:
        return _WAYS.get(catalog_id)
    host = urlsplit(endpoint).hostname or ""
    return next(
        (_WAYS[vendor] for known, vendor in _HOSTS.items() if host == known or host.endswith(f".{known}")),
        None,
    )


def why_none(catalog_id: str | None, dialect: str, endpoint: str) -> str:
    """Why there is nothing to read, in one sentence."""
    if dialect == "fake":
        return "The demo plays no account of this vendor."
    known = _WHY.get(catalog_id or "") or _WHY.get(dialect)
    if known is not None:
        return known
    host = urlsplit(endpoint).hostname or ""
    if is_loopback(host) or is_private(host):
        return "A server of your own bills nobody."
    return "No account API is known that this key could open; the vendor's website has the figures."
