"""The figures of an account in words, the same for both faces: each with its unit, limits of a rate on one line a model."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.abilities import Figure

MOST_RATES = 12
"""Models whose rate limits are listed; the rest is counted."""


def figure_lines(figures: Sequence[Figure]) -> list[tuple[str, str]]:
    """(name, value) of every figure; unknown is a dash."""
    lines = [(one.name, words(one)) for one in figures if one.kind != "rate"]
    rates: dict[str, list[str]] = {}
    for one in figures:
        if one.kind == "rate":
            rates.setdefault(one.name, []).append(words(one))
    shown = list(rates.items())[:MOST_RATES]
    lines += [(f"rate of {name}", ", ".join(limits)) for name, limits in shown]
    if len(rates) > MOST_RATES:
        lines.append(("rates", f"and those of {len(rates) - MOST_RATES} more models"))
    return lines


def words(one: Figure) -> str:
    """`$12.50 a month`, `110.00 CNY`, `500 requests/min`, `no limit`."""
    if one.value is None:
        return one.text or "—"
    value = amount(one.value, one.unit)
    per = {"": "", "month": " a month", "day": " a day", "week": " a week"}.get(one.per, f" per {one.per}")
    return f"{value}{per}, {one.text}" if one.text else f"{value}{per}"


def amount(value: Decimal, unit: str) -> str:
    """A value with its unit. A currency is never taken for another."""
    if "/" in unit:
        return f"{value.normalize():,f} {unit}"
    exact = value.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if exact != value and abs(value) < 1:
        exact = value.quantize(Decimal("0.000001"), ROUND_HALF_UP).normalize()
        exact = exact if exact else value.normalize()
    sign, text = ("-" if value < 0 else ""), f"{abs(exact):,f}"
    return f"{sign}${text}" if unit == "USD" else f"{sign}{text} {unit}".strip()
