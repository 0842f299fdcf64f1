"""How one entry of a model list is looked into: by dotted paths, bounded, and never trusted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from catalog.plaintext import one_line

Entry = Mapping[str, object]


def at(entry: Entry, path: str) -> object:
    """What is at `a.b.c`; None where nothing is."""
    head, _, rest = path.partition(".")
    value: object = entry.get(head)
    while rest and value is not None:
        head, _, rest = rest.partition(".")
        value = value.get(head) if isinstance(value, dict) else None
    return value


def mentions(entry: Entry, names: tuple[str, ...]) -> bool:
    """Whether any of these paths can lead anywhere: most servers say little, and 5,000 models must read fast."""
    return not entry.keys().isdisjoint(_heads(names))


@cache
def _heads(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name.partition(".")[0] for name in names)


def first(entry: Entry, names: tuple[str, ...]) -> object:
    """The first of these paths that leads to anything."""
    if not mentions(entry, names):
        return None
    return next((value for name in names if (value := at(entry, name)) is not None), None)


def text(value: object, limit: int = 200) -> str | None:
    """One harmless line; None for anything but a text with something in it."""
    return one_line(value, limit) or None if isinstance(value, str) else None


def number(entry: Entry, names: tuple[str, ...], most: int = 10**10) -> int | None:
    """The first whole number above zero; texts of digits count."""
    if not mentions(entry, names):
        return None
    for name in names:
        value = at(entry, name)
        if isinstance(value, str) and value.isdecimal() and len(value) < 20:
            value = int(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < most:
            return int(value)
    return None
