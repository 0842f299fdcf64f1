"""What a month will come to: what is spent, and the daily pace of the last weeks for what is left of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.clock import DAY_MS

Z80 = 1.2816
"""Standard deviations around the middle that hold four fifths of the cases."""
ENOUGH_DAYS = 3
"""Whole days needed before their spread is believed."""


@dataclass(frozen=True, slots=True)
class Projection:
    """USD at the end of the month, with a band that should hold it four times out of five."""

    month: Decimal
    low: Decimal
    high: Decimal
    pace: Decimal
    """USD a day that this reckons with: the mean of the whole days known, or of the month so far."""


def project(spent: int, days: Sequence[int], *, elapsed_ms: int, left_ms: int) -> Projection | None:
    """Nano-dollars: `spent` this month, `days` whole past days, oldest first (days before the first use don't count).

    None when nothing was ever spent: there is no pace.
    """
    used = list(days)
    while used and used[0] == 0:
        used.pop(0)
    if not used and not spent:
        return None
    left = left_ms / DAY_MS
    if len(used) >= ENOUGH_DAYS:
        pace = sum(used) / len(used)
        spread = math.sqrt(sum((day - pace) ** 2 for day in used) / (len(used) - 1))
        # The pace itself is only known from these days, so its own error grows with the days left.
        error = Z80 * spread * math.sqrt(left + left**2 / len(used))
    else:
        pace = spent / max(elapsed_ms / DAY_MS, 1.0) if spent else sum(used) / len(used)
        error = pace * left
    middle = spent + pace * left
    return Projection(_usd(middle), _usd(max(spent, middle - error)), _usd(middle + error), _usd(pace))


def _usd(nanos: float) -> Decimal:
    return (Decimal(round(nanos)) / 1_000_000_000).quantize(Decimal("0.000000001"))
