"""What discovery looks for: the fingerprints of local servers, and environment variables that name nobody for sure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to a server and what its own answer would hold. Nothing named: any 2xx answer will do."""

    get: str
    """A path from the root of the server."""
    json_has: tuple[str, ...] = ()
    """Names that the answer, a JSON object, must all have."""
    json_value: tuple[tuple[str, str], ...] = ()
    """Places in the JSON (`data[0].owned_by`) and the text that must be there."""
    body_has: str | None = None
    """Text that must be in the answer."""

    @property
    def proves(self) -> bool:
        """False where any server could answer so: such a probe confirms a port, it names nobody."""
        return bool(self.json_has or self.json_value or self.body_has)


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server that people run on their own machines."""

    server: str
    port: int
    """The usual one. A hint only: the probes decide."""
    probes: tuple[Probe, ...]
    """Any one that fits names the server. Empty: nothing tells it from others of its dialect."""
    list_path: str
    """Where it lists its models."""
    detail: str | None = None
    """Where it says more about them, perhaps with a method before the path."""
    vendor: str | None = None
    """The bundled vendor that stands for it, if there is one."""


@dataclass(frozen=True, slots=True)
class AmbiguousVariable:
    """A variable that several vendors or programs use."""

    variable: str
    may_be: tuple[str, ...]
    """What it may be for, in words, most usual first."""


@lru_cache(maxsize=1)
def local_servers() -> tuple[LocalServer, ...]:
    """In the order in which they should be tried."""
    return tuple(
        LocalServer(
            server=raw["server"],
            port=raw["port"],
            probes=tuple(_probe(probe) for probe in raw["probes"]),
            list_path=raw["list"],
            detail=raw.get("detail"),
            vendor=raw.get("vendor"),
        )
        for raw in detection_data()["local_servers"]
    )


@lru_cache(maxsize=1)
def ambiguous_variables() -> dict[str, AmbiguousVariable]:
    """By the variable's name."""
    return {
        raw["variable"]: AmbiguousVariable(raw["variable"], tuple(raw["may_be"]))
        for raw in detection_data()["ambiguous_variables"]
    }


@lru_cache(maxsize=1)
def key_prefixes() -> tuple[str, ...]:
    """Beginnings of keys in the order to compare them, longest kind first: the bare `sk-` of many vendors is last."""
    return tuple(detection_data()["key_prefixes"])


@lru_cache(maxsize=1)
def detection_data() -> dict[str, Any]:
    """The file that all of detection shares."""
    from importlib.resources import files  # as slow to import as all the rest of this module

    found: dict[str, Any] = json.loads(files("catalog").joinpath("data/detection.json").read_text("utf-8"))
    return found


def _probe(raw: dict[str, Any]) -> Probe:
    return Probe(
        get=raw["get"],
        json_has=tuple(raw.get("json_has", ())),
        json_value=tuple(raw.get("json_value", {}).items()),
        body_has=raw.get("body_has"),
    )
