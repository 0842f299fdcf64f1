"""The fixed log-spaced buckets of the roll-ups' histograms, and the percentiles that come out of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

BUCKETS = 40
"""How many counters a histogram has."""
EDGES: tuple[int, ...] = tuple(round(20 * 1.3**i) for i in range(BUCKETS - 1))
"""Upper edges in milliseconds, exclusive: 20 ms, 26 ms, … 7 minutes. The last bucket has none."""

_BOUNDS = (0, *EDGES, EDGES[-1] * 1.3)


def bucket(ms: int) -> int:
    """The bucket of a duration."""
    return bisect_right(EDGES, ms)


def mean(counts: Sequence[int]) -> float | None:
    """The mean duration in ms of what was counted, each taken for the middle of its bucket; None: nothing was."""
    total = sum(counts)
    if not total:
        return None
    return (
        sum(count * (low + high) / 2 for count, low, high in zip(counts, _BOUNDS, _BOUNDS[1:], strict=False))
        / total
    )


def percentiles(counts: Sequence[int], shares: Sequence[float]) -> tuple[int | None, ...]:
    """For each share (0–1) the duration in ms below which so much of what was counted lies.

    None when nothing was counted. Interpolated inside the bucket, so within a factor of 1.3 of the truth at worst.
    """
    running = list(accumulate(counts))
    total = running[-1]
    if not total:
        return (None,) * len(shares)
    found = []
    for share in shares:
        rank = share * total
        index = bisect_left(running, rank)
        low, high, count = _BOUNDS[index], _BOUNDS[index + 1], counts[index]
        found.append(round(low + (high - low) * (rank - running[index] + count) / count))
    return tuple(found)
