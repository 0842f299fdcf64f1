"""What a look around remembers between sessions: what was added once, and what was offered."""

from __future__ import annotations

from dataclasses import dataclass, replace

KEY = "discovery"
"""Where it is remembered what was added once (store.state)."""
KEPT = 1000
"""Ids that are remembered of each kind."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered between sessions."""

    looked: bool
    """A look around was over once."""
    seen: tuple[str, ...]
    """What was added once, by its id."""
    told: tuple[str, ...]
    """What was offered once."""

    @classmethod
    def read(cls, kept: object) -> Memory:
        """As it is stored; None, and what is no such thing, is nothing yet."""
        return cls(kept is not None, _ids(kept, "seen"), _ids(kept, "told"))

    def with_id(self, name: str) -> Memory:
        return self if name in self.seen else replace(self, seen=(*self.seen, name)[-KEPT:])

    def document(self) -> dict[str, object]:
        return {"seen": list(self.seen), "told": list(self.told)}


def _ids(kept: object, name: str) -> tuple[str, ...]:
    found = kept.get(name) if isinstance(kept, dict) else None
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()
