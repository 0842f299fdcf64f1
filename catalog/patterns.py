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
_HEARS = re.compile(r"whisper|transcri(?:be|pt)|(?:^|[-_])(?:asr|stt)(?:[-_]|$)|parakeet")
_NOT_CHAT_EITHER = (r"parakeet", r"(?:^|[-_])(?:orpheus|kokoro)(?:[-_]|$)", r"safeguard")
"""Speech and moderation models that the facts' patterns do not know."""
_POINT = re.compile(r"(?<=\d)[_p](?=\d)")


def guessed_capabilities(model_id: str) -> tuple[str, ...]:
    """Names out of CAPABILITIES that the id suggests; empty where it suggests nothing."""
    return _guess(_stripped(model_id))


def is_chat(model_id: str) -> bool:
    """False for ids that look like embeddings, speech, pictures, moderation and the like."""
    return not _table()["not_chat"].search(normalised(model_id))


def hears(model_id: str) -> bool:
    """True for ids that look like models that turn speech into text."""
    return _HEARS.search(_stripped(model_id)) is not None


def normalised(model_id: str) -> str:
    """The id as the patterns want it: no vendor path, route, region or vendor prefix; `3p5` and `3_5` are `3.5`."""
    return _POINT.sub(".", _stripped(model_id))


def _stripped(model_id: str) -> str:
    name = _ROUTES.sub("", model_id.lower().rsplit("/", 1)[-1])
    return _PLACES.sub("", _PLACES.sub("", name))


@lru_cache(maxsize=8192)
def _guess(name: str) -> tuple[str, ...]:
    """Some patterns are written for `3p1`, most for `3.1`: either spelling may match."""
    names = {name, _POINT.sub(".", name)}
    if _any("not_chat", names):
        return ("embeddings",) if "embed" in name else ()
    kinds = (("tools", "tools"), ("vision", "vision"), ("reasoning", "reason"))
    return tuple(
        capability
        for capability, kind in kinds
        if _any(f"{kind}_allow", names) and not _any(f"{kind}_deny", names)
    )


def _any(table: str, names: set[str]) -> bool:
    return any(_table()[table].search(name) for name in names)


@lru_cache(maxsize=1)
def _table() -> dict[str, re.Pattern[str]]:
    """One regular expression per list; 50,000 names are guessed in about a second."""
    raw: dict[str, list[str]] = json.loads(files("catalog").joinpath("data/patterns.json").read_text("utf-8"))
    raw["not_chat"] += _NOT_CHAT_EITHER
    return {
        name: re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) for name, patterns in raw.items()
    }
