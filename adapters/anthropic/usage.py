"""This vendor's usage into our buckets: what it counts apart, the caches, belongs to the input (WIRE section 13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from adapters.counts import count, first, mapping
from catalog.usage import Usage


class Counted:
    """The usage of one answer: later reports overwrite earlier ones field by field; `before` is added to it."""

    def __init__(self, before: Usage) -> None:
        self._before = before
        self._said: dict[object, object] = {}

    def read(self, report: object) -> Usage | None:
        """The usage so far; None where this report says nothing."""
        if not isinstance(report, Mapping):
            return None
        self._said |= {name: value for name, value in report.items() if value is not None}
        now = _usage(self._said)
        return None if now == Usage() else added(self._before, now)


def _usage(said: Mapping[object, object]) -> Usage:
    fresh = count(said, "input_tokens")
    read = count(said, "cache_read_input_tokens")
    split = mapping(said, "cache_creation")
    hour = count(split, "ephemeral_1h_input_tokens")
    parts = [part for part in (count(split, "ephemeral_5m_input_tokens"), hour) if part is not None]
    written = first(count(said, "cache_creation_input_tokens"), sum(parts) if parts else None)
    return Usage(
        input=None if fresh is None else fresh + (read or 0) + (written or 0),
        output=count(said, "output_tokens"),
        cache_read=read,
        cache_write=written,
        cache_write_1h=hour,
        reasoning=count(mapping(said, "output_tokens_details"), "thinking_tokens"),
    )


def added(one: Usage, other: Usage) -> Usage:
    """Both together; a bucket is unknown only where neither names it."""
    sums = {}
    for field in fields(Usage):
        a, b = getattr(one, field.name), getattr(other, field.name)
        sums[field.name] = b if a is None else a if b is None else a + b
    return replace(other, **sums)
