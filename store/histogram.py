"""The fixed log-spaced buckets of the roll-ups' histograms, and the percentiles that come out of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

BUCKETS = 40
"""How many counters a histogram has."""
EDGES: tuple[int, ...] = tuple(round(20 * 1.3**i) for i in range(BUCKETS - 1))
"""Upper edges in milliseconds, exclusive: 20 ms, 26 ms, … 7 minutes. The last bucket has none."""


def bucket(ms: int) -> int:
    """The bucket of a duration."""
    return bisect_right(EDGES, ms)


def percentile(counts: Sequence[int], share: float) -> int | None:
    """The duration in ms below which `share` (0–1) of the counted ones lie; None when nothing was counted.

    Interpolated inside the bucket, so within a factor of 1.3 of the truth at worst.
    """
    total = sum(counts)
    if not total:
        return None
    rank = share * total
    seen = 0
    for index, count in enumerate(counts):
        if count and seen + count >= rank:
            low = EDGES[index - 1] if index else 0
            high = EDGES[index] if index < len(EDGES) else EDGES[-1] * 1.3
            return round(low + (high - low) * max(rank - seen, 0) / count)
        seen += count
    return None
