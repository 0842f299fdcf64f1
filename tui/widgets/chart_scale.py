"""The value axis: how high a chart reaches, and the few round ticks that say so."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tui.formatting import millis, tokens, whole
from tui.widgets.chart_data import Unit

_LEAST: dict[Unit, float] = {"usd": 0.01, "tokens": 10, "runs": 2, "ms": 100, "percent": 0.01}
"""How high an axis reaches at least."""
_QUARTERED: frozenset[Unit] = frozenset({"usd", "runs"})
"""Units in which 2.5, 25, 250 are round; the others are written too short for that."""
_WHOLE: frozenset[Unit] = frozenset({"tokens", "runs", "ms"})


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from 0 to `top`."""

    top: float
    ticks: tuple[tuple[float, str], ...]
    """(value, words), from 0 up, evenly spaced; the last is the top."""


def scale(most: float, unit: Unit, rows: int) -> Scale:
    """An axis for values up to `most` on so many rows."""
    most = max(most, _LEAST[unit])
    wanted = 4 if rows >= 10 else 3 if rows >= 6 or unit not in _QUARTERED else 2
    step = _step(most, unit, wanted)
    count = math.ceil(most / step - 1e-9)
    ticks = tuple((place * step, _words(place * step, step, unit)) for place in range(count + 1))
    return Scale(count * step, ticks)


def _step(most: float, unit: Unit, wanted: int) -> float:
    """The least round step that needs no more than the wanted intervals."""
    power = math.floor(math.log10(most / wanted))
    while True:
        for digits in (1, 2, 2.5, 5) if unit in _QUARTERED else (1, 2, 5):
            step = digits * 10.0**power
            if unit in _WHOLE and not float(step).is_integer():
                continue
            if most / step <= wanted + 1e-9:
                return step
        power += 1


def _words(value: float, step: float, unit: Unit) -> str:
    match unit:
        case "usd":
            return "$0" if value == 0 else f"${value:,.{_digits(step, 2)}f}"
        case "percent":
            return "0%" if value == 0 else f"{value * 100:.{_digits(step * 100, 1)}f}%"
        case "tokens":
            return tokens(round(value))
        case "runs":
            return whole(round(value))
        case "ms":
            return "0" if value == 0 else millis(round(value))


def _digits(step: float, least: int) -> int:
    """Places behind the point that tell multiples of the step apart; none, or at least so many."""
    needed = next((places for places in range(12) if math.isclose(round(step, places), step)), 12)
    return max(needed, least) if needed else 0
