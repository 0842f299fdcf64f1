"""Token buckets, in the one convention that everything above the wire uses.

`input` includes `cache_read`, `cache_write` and `audio_input`; `output` includes `reasoning`; `cache_write` includes
`cache_write_1h`. A bucket is None when the vendor did not say: None is unknown, never zero.
(DESIGN section 3; the vendors' own conventions are translated by each dialect.)
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Literal

Grade = Literal["reported", "computed", "estimated", "unknown", "own"]
"""How a cost is known (DESIGN section 1). `unknown` and `own` carry no money."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one attempt used. Counts are tokens."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    """The part of `cache_write` kept for an hour, which some vendors price apart."""
    reasoning: int | None = None
    audio_input: int | None = None
    """Sound in the prompt, which some vendors price apart. Not of what came out of a cache."""
    reported_cost: Decimal | None = None
    """USD, where the vendor states the cost of the call itself; None where it does not."""

    def updated(self, later: Usage) -> Usage:
        """This usage with every bucket the later report names taken from it (reports are cumulative)."""
        changes = {f.name: v for f in fields(later) if (v := getattr(later, f.name)) is not None}
        return replace(self, **changes) if changes else self

    @property
    def known(self) -> bool:
        """True when both sides of the exchange are counted."""
        return self.input is not None and self.output is not None
