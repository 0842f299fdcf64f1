"""Numbers of a wire, taken only where they are what they claim to be: token counts and amounts of money."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

_EMPTY: Mapping[object, object] = {}


def count(body: Mapping[object, object], *names: str) -> int | None:
    """The first of these fields that is a whole number, zero or more."""
    for name in names:
        value = body.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**12:
            return value
    return None


def mapping(body: Mapping[object, object], *names: str) -> Mapping[object, object]:
    """The first of these fields that is an object; an empty one where none is."""
    for name in names:
        value = body.get(name)
        if isinstance(value, Mapping):
            return value
    return _EMPTY


def first(*counts: int | None) -> int | None:
    """The first count that was stated."""
    return next((one for one in counts if one is not None), None)


def money(value: object) -> Decimal | None:
    """A finite amount that is not negative, from a number or its text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < 10**15 else None


def plain(amount: Decimal) -> Decimal:
    """The same amount without zeros behind the point: `2.5`, not `2.5000000` or `1E+1`."""
    short = amount.normalize()
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short
