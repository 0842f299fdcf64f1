"""What a model can do, ability by ability: yes, no or unknown, who says so, and when it was asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from catalog.types import ModelInfo

PROBED: tuple[str, ...] = ("tools", "vision", "json", "reasoning")
"""What asking a model can show."""
SHOWN: tuple[str, ...] = ("tools", "vision", "reasoning", "json", "audio")
"""What is told of a model that chats, in the order of the letters T V R J A."""
NAMES: Mapping[str, str] = MappingProxyType({"json": "JSON"})
"""How an ability is written for people, where that is not its name."""

_LATEST = 253_402_300_800_000
"""The end of the year 9999: no calendar goes further."""
_WEIGHTS = ("fingerprint", "created", "owned_by")


@dataclass(frozen=True, slots=True)
class Asked:
    """What asking the model showed of one ability, or what the user says of it."""

    can: bool
    at: int
    """UTC ms."""
    by: Literal["probe", "user"] = "probe"
    weights: tuple[tuple[str, str], ...] = ()
    """What the server said of the weights then: another model under the same name differs here."""
    stale: bool = False
    """True where the model has become another one since: it decides nothing any more."""

    def as_json(self) -> dict[str, object]:
        """As it is stored."""
        out: dict[str, object] = {"can": self.can, "at": self.at}
        if self.by == "user":
            out["by"] = "user"
        if self.weights:
            out["weights"] = dict(self.weights)
        return out


NOTHING: Mapping[str, Asked] = MappingProxyType({})


@lru_cache(maxsize=4096)
def read_asked(text: str | None, weights: tuple[tuple[str, str], ...] = ()) -> Mapping[str, Asked]:
    """Ability → what is stored of it; what cannot be read is left out. `weights`: as the server says now."""
    if text is None:
        return NOTHING
    from catalog.types import CAPABILITIES

    try:
        stored = json.loads(text)
    except (ValueError, RecursionError):
        return NOTHING
    if not isinstance(stored, dict):
        return NOTHING
    now = dict(weights)
    found: dict[str, Asked] = {}
    for name, entry in stored.items():
        if name not in CAPABILITIES or not isinstance(entry, dict) or not isinstance(entry.get("can"), bool):
            continue
        at, then = entry.get("at"), entry.get("weights")
        then = {key: str(value) for key, value in then.items()} if isinstance(then, dict) else {}
        by: Literal["probe", "user"] = "user" if entry.get("by") == "user" else "probe"
        other = any(key in now and now[key] != value for key, value in then.items())
        found[name] = Asked(
            entry["can"],
            at if isinstance(at, int) and 0 <= at < _LATEST else 0,
            by,
            tuple(sorted(then.items())),
            stale=other and by == "probe",
        )
    return MappingProxyType(found)


def write_asked(asked: Mapping[str, Asked]) -> str | None:
    """The same as text; None for nothing."""
    if not asked:
        return None
    return json.dumps({name: entry.as_json() for name, entry in asked.items()}, sort_keys=True)


def weights_of(**stated: object) -> tuple[tuple[str, str], ...]:
    """`fingerprint`, `created`, `owned_by` as far as the server states them."""
    return tuple((name, str(stated[name])) for name in _WEIGHTS if stated.get(name) is not None)


@dataclass(frozen=True, slots=True)
class Ability:
    """One ability of one model, as it is shown."""

    name: str
    can: bool | None
    """None: nobody says."""
    source: str
    """`user`, `probe`, `live`, `refreshed`, `catalog…`, `pattern` (guessed); empty: nobody says."""
    at: int | None = None
    """UTC ms at which the model was asked; None: it was not."""
    outdated: bool | None = None
    """What asking showed of the model that had this name before; None: no such answer."""

    @property
    def guessed(self) -> bool:
        """True when only the model's name speaks for it."""
        return self.source == "pattern"

    @property
    def title(self) -> str:
        """`tools`, `JSON` …"""
        return NAMES.get(self.name, self.name)

    @property
    def mark(self) -> str:
        """`✓` yes, `✕` no, `?` guessed, `·` not listed, `—` unknown."""
        if self.can is None:
            return "—"
        if self.guessed:
            return "?"
        return "✓" if self.can else "✕" if self.source in ("probe", "user") else "·"


def ability(info: ModelInfo, name: str, asked: Mapping[str, Asked] = NOTHING) -> Ability:
    """One ability out of a merged model and what asking it showed."""
    entry = asked.get(name)
    outdated = entry.can if entry is not None and entry.stale else None
    source = info.sources.get(f"capabilities.{name}") or info.sources.get("capabilities", "")
    at = entry.at if entry is not None and source == "probe" and not entry.stale else None
    if info.capabilities is None or not source:
        return Ability(name, None, "", None, outdated)
    able = name in info.capabilities
    if not able and source == "pattern":
        return Ability(name, None, "", None, outdated)  # a name that does not suggest it says nothing
    return Ability(name, able, source, at, outdated)


def abilities(info: ModelInfo, asked: Mapping[str, Asked] = NOTHING) -> tuple[Ability, ...]:
    """All that is told of a model that chats."""
    return tuple(ability(info, name, asked) for name in SHOWN)


def day(ms: int) -> str:
    """The UTC day of an answer, `2026-11-21`."""
    return datetime.fromtimestamp(ms / 1000, UTC).date().isoformat()


def source_words(found: Ability) -> str:
    """Who says so, in words: `asked 2026-11-21`, `guessed from the name`, `live list`."""
    if found.can is None:
        words = "unknown"
    elif found.source == "probe":
        words = f"asked {day(found.at)}" if found.at else "asked"
    elif found.source == "pattern":
        words = "guessed from the name"
    elif found.source == "user":
        words = "you say so"
    else:
        layer, _, whose = found.source.partition(":")
        words = {"live": "live list", "refreshed": "refreshed catalog"}.get(layer, layer)
        words = f"{words} ({whose})" if whose else words
        words = words if found.can else f"not in the {words}"
    if found.outdated is not None:
        words += f"; {'✓' if found.outdated else '✕'} when asked, before the model changed"
    return words
