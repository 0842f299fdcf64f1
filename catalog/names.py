"""How names with numbers in them are ordered."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"(\d+)")


def natural(name: str) -> tuple[tuple[bool, int, str], ...]:
    """A key that orders numbers by what they say: `p2` before `p19`."""
    parts = (part for part in _DIGITS.split(name) if part)
    return tuple((not part[0].isdecimal(), int(part) if part[0].isdecimal() else 0, part) for part in parts)
