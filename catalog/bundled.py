"""The vendors that ship with the program, read from `data/` on first use, one vendor at a time."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

from catalog.types import CatalogProvider, ProviderSpec


def provider_ids() -> tuple[str, ...]:
    """The ids of all bundled vendors, in the order of the data (best known first)."""
    return tuple(_index())


@lru_cache(maxsize=1)
def facts_date() -> str:
    """The day on which the facts were collected, ISO."""
    return str(json.loads(_read("index.json"))["facts"])


@lru_cache(maxsize=128)
def spec(provider_id: str) -> ProviderSpec | None:
    """A vendor without its models (reads the small index only); None when the id is not bundled."""
    raw = _index().get(provider_id)
    return None if raw is None else ProviderSpec.model_validate(raw)


@lru_cache(maxsize=64)
def provider(provider_id: str) -> CatalogProvider | None:
    """A vendor with its models; None when the id is not bundled."""
    if provider_id not in _index():
        return None
    raw = json.loads(_read(f"{provider_id}.json"))
    for model in raw["models"]:
        unnamed = dict.fromkeys(model.keys() - {"id", "sources"}, "catalog")
        model["sources"] = unnamed | expanded(model.get("sources", {}))
    return CatalogProvider.model_validate(raw)


def expanded(sources: dict[str, list[str]]) -> dict[str, str]:
    """`{"genai": ["price"]}` as kept in the files → `{"price": "catalog:genai"}`."""
    return {field: f"catalog:{source}" for source, fields in sources.items() for field in fields}


@lru_cache(maxsize=1)
def _index() -> dict[str, dict[str, Any]]:
    return {raw["id"]: raw for raw in json.loads(_read("index.json"))["providers"]}


def _read(name: str) -> str:
    return files("catalog").joinpath("data", name).read_text("utf-8")
