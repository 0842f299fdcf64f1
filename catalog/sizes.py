"""Bytes as people write them."""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def size_words(count: float | None) -> str:
    """`4.7 GB`, in thousands as model libraries and `ollama list` state them; `—` for unknown."""
    if count is None:
        return "—"
    value, unit = float(count), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit and value < 99.95 else f"{value:.0f} {_UNITS[unit]}"
