"""What the demo's catalog learnt lately: a price that rises, a model that ends, one that is new."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from services.clock import DAY_MS, HOUR_MS, iso

if TYPE_CHECKING:
    from store.catalog_runs import CatalogRunRow


def catalog_runs(now: int) -> list[CatalogRunRow]:
    """Two answers of sources, oldest first."""
    from store.catalog_runs import CatalogRunRow

    ends = (iso(now + 12 * DAY_MS) or "")[:10]
    models = {
        "openai": _diff(
            added=["gpt-6-luna"],
            updated=[("gpt-6.1-sol", "price.cache_read", "0.05", "0.1")],
        ),
        "mistral": _diff(updated=[("pixtral-12b", "shutdown_date", None, ends)]),
    }
    prices = {
        "mistral": _diff(
            updated=[
                ("mistral-large-3", "price.input", "2", "2.4"),
                ("mistral-large-3", "price.output", "6", "7.2"),
            ]
        ),
        "groq": _diff(updated=[("llama-4.1-8b-instant", "price.output", "0.1", "0.08")]),
        "deepseek": _diff(added=["deepseek-v4-pro"]),
    }
    return [
        CatalogRunRow(None, "modelsdev", now - 3 * DAY_MS, 812, "ok", None, None, 28, 1204, 1, 2, 0, json.dumps(models)),
        CatalogRunRow(None, "genai", now - 5 * HOUR_MS, 431, "ok", None, None, 19, 1198, 1, 2, 0, json.dumps(prices)),
    ]  # fmt: skip


def _diff(
    added: list[str] | None = None, updated: list[tuple[str, str, str | None, str]] | None = None
) -> dict[str, object]:
    return {
        "added": added or [],
        "removed": [],
        "updated": [
            {"id": model, "field": field, "old": old, "new": new} for model, field, old, new in updated or []
        ],
    }
