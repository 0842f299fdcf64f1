"""Fractions of an amount as money: to the nano-dollar, and adding up to the whole."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import TypeVar

Reason = TypeVar("Reason", bound=str)
_NANO = Decimal("0.000000001")


def exact_parts(found: Mapping[Reason, Fraction], total: Decimal) -> dict[Reason, Decimal]:
    """USD per reason; what rounding leaves over goes to the largest part, the first of equal ones."""
    parts = {
        reason: (Decimal(part.numerator) / Decimal(part.denominator)).quantize(_NANO, ROUND_HALF_EVEN)
        for reason, part in found.items()
    }
    largest = max(parts, key=lambda reason: abs(parts[reason]))
    parts[largest] += total - sum(parts.values(), Decimal(0))
    return parts
