"""Which sources of newer facts are in use, and where each is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.settings_model import Settings

NAMES = {
    "genai": "genai-prices",
    "catwalk": "Catwalk",
    "modelsdev": "models.dev",
    "openrouter": "OpenRouter",
}
"""The sources as people know them."""


def addresses(settings: Settings) -> dict[str, str]:
    """Source → its address; a source without one is left out, and what it once said is not used."""
    catalog = settings.catalog
    found = {
        "genai": catalog.genai,
        "catwalk": catalog.catwalk,
        "modelsdev": catalog.modelsdev,
        "openrouter": catalog.openrouter,
    }
    return {source: _whole(source, url) for source, url in found.items() if url}


def _whole(source: str, url: str) -> str:
    """Catwalk is named by its service; its list lies at one path."""
    if source == "catwalk" and not url.rstrip("/").endswith("/providers"):
        return f"{url.rstrip('/')}/v2/providers"
    return url
