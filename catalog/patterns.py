"""What a model can do, guessed from its name: the last resort, always marked as a guess by whoever shows it."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from importlib.resources import files

_ROUTES = re.compile(r":(?:free|batch|beta|extended|nitro|floor|online|thinking|exacto)$")
_PLACES = re.compile(
    r"^(?:us|eu|apac|jp|au|global)\.|^(?:anthropic|meta|amazon|mistral|cohere|ai21|deepseek|qwen|openai|google)\."
)
_POINT = re.compile(r"(?<=\d)[_p](?=\d)")


def guessed_capabilities(model_id: str) -> tuple[str, ...]:
    """Names out of CAPABILITIES that the id suggests; empty where it suggests nothing."""
    return _guess(normalised(model_id))


def is_chat(model_id: str) -> bool:
    """False for ids that look like embeddings, speech, pictures, moderation and the like."""
    return not _table()["not_chat"].search(normalised(model_id))


def normalised(model_id: str) -> str:
    """The id as the patterns want it: no vendor path, route, region or vendor prefix; `3p5` and `3_5` are `3.5`."""
    name = model_id.lower().rsplit("/", 1)[-1]
    name = _ROUTES.sub("", name)
    name = _PLACES.sub("", _PLACES.sub("", name))
    return _POINT.sub(".", name)


@lru_cache(maxsize=8192)
def _guess(name: str) -> tuple[str, ...]:
    table = _table()
    if table["not_chat"].search(name):
        return ("embeddings",) if "embed" in name else ()
    kinds = (("tools", "tools"), ("vision", "vision"), ("reasoning", "reason"))
    return tuple(
        capability
        for capability, kind in kinds
        if table[f"{kind}_allow"].search(name) and not table[f"{kind}_deny"].search(name)
    )


@lru_cache(maxsize=1)
def _table() -> dict[str, re.Pattern[str]]:
    """One regular expression per list; 50,000 names are guessed in about a second."""
    raw: dict[str, list[str]] = json.loads(files("catalog").joinpath("data/patterns.json").read_text("utf-8"))
    return {
        name: re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) for name, patterns in raw.items()
    }
