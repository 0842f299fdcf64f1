"""Money between its three forms: Decimal USD in code, whole nano-dollars in SQL, nine decimals in JSON."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

EXACT = Context(prec=60)
"""Enough digits for any token count times any rate, whatever the thread's own context is."""
_NANO = Decimal("1E-9")


def to_nanos(amount: Decimal) -> int:
    """USD to whole nano-dollars, half to even."""
    return int(EXACT.scaleb(amount, Decimal(9)).to_integral_value(ROUND_HALF_EVEN, EXACT))


def from_nanos(nanos: int) -> Decimal:
    return EXACT.scaleb(Decimal(nanos), Decimal(-9))


def usd_string(amount: Decimal | None) -> str | None:
    """`0.000080000`: nine decimals, no exponent; None stays None."""
    return None if amount is None else f"{amount.quantize(_NANO, ROUND_HALF_EVEN, EXACT):f}"
