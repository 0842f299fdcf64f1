"""What a chart shows, as one frozen value, and how buckets that are too many for its cells become fewer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

Unit = Literal["usd", "tokens", "runs", "ms", "percent"]

SUMMED: frozenset[Unit] = frozenset({"usd", "tokens", "runs"})
"""Units of which several make a sum; of the others a mean is taken."""


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of the chart."""

    key: str
    """What it is of: a provider's slug, a model's ref, a grade. `other` and `*` are drawn in grey."""
    label: str
    values: tuple[float | None, ...]
    """One per bucket, in the chart's unit (USD, tokens, runs, milliseconds, share from 0 to 1); None: nothing is known."""
    total: str = ""
    """For the legend, in words: `$41.20`. Empty: no total makes sense."""


@dataclass(frozen=True, slots=True)
class ChartData:
    """All that a chart shows; an equal value paints nothing."""

    starts: tuple[int, ...]
    """UTC ms of the beginning of each bucket, ascending."""
    end: int
    """UTC ms of the end of the last bucket, which may be shorter than the others: it has only begun."""
    series: tuple[Series, ...]
    """Stacked from the bottom in this order, at most eight."""
    unit: Unit
    kind: Literal["bars", "lines"] = "bars"
    limit: float | None = None
    """A line across, such as a daily limit; None: none."""

    @property
    def empty(self) -> bool:
        """True when there is nothing to draw: no bucket, nothing known, or nothing used."""
        known = [value for series in self.series for value in series.values if usable(value)]
        return not self.starts or not known or (self.unit in SUMMED and not any(known))

    def bounds(self, place: int, count: int = 1) -> tuple[int, int]:
        """UTC ms of the beginning and end of `count` buckets from `place` on."""
        after = place + count
        return self.starts[place], self.starts[after] if after < len(self.starts) else self.end


def usable(value: float | None) -> bool:
    """True for a value that can be drawn."""
    return value is not None and math.isfinite(value)


def together(values: Sequence[float | None], unit: Unit) -> float | None:
    """Several buckets as one: the sum of what is known, or its mean; None when nothing is."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return None
    return sum(known) if unit in SUMMED else sum(known) / len(known)


def merged(data: ChartData, size: int) -> ChartData:
    """The same with each `size` neighbouring buckets as one; the last may hold fewer."""
    if size <= 1:
        return data
    places = range(0, len(data.starts), size)
    series = tuple(
        replace(one, values=tuple(together(one.values[at : at + size], data.unit) for at in places))
        for one in data.series
    )
    return replace(data, starts=data.starts[::size], series=series)
