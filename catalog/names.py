"""How names are written and ordered: with numbers in them, or with a part that everybody has another of."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"(\d+)")


def example(template: str) -> str:
    """`https://{resource}.…` → `https://RESOURCE.…`: an address of which each customer has another one."""
    return re.sub(r"\{(\w+)\}", lambda part: part[1].upper(), template)


def natural(name: str) -> tuple[tuple[bool, int, str], ...]:
    """A key that orders numbers by what they say: `p2` before `p19`."""
    parts = (part for part in _DIGITS.split(name) if part)
    return tuple((not part[0].isdecimal(), int(part) if part[0].isdecimal() else 0, part) for part in parts)
