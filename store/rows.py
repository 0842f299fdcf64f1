"""How a frozen row becomes SQL parameters and back: column names are field names, in field order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any


def columns(row_type: type) -> tuple[str, ...]:
    """The column names of a row type."""
    return tuple(field.name for field in fields(row_type))


def marks(count: int) -> str:
    """So many question marks."""
    return ", ".join("?" * count)


def values(row: Any, names: tuple[str, ...]) -> tuple[Any, ...]:
    """The row's parameters; mappings and tuples become JSON."""
    return tuple(_to_sql(getattr(row, name)) for name in names)


def _to_sql(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (dict, tuple, list)):
        return dump(value)
    return value


def dump(value: Any) -> str:
    """JSON as the store writes it: compact, keys sorted, so that equal values are equal text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def load_map(text: str) -> dict[str, str]:
    """A JSON object of strings."""
    loaded: Mapping[str, str] = json.loads(text)
    return dict(loaded)


def flag(value: int | None) -> bool | None:
    """A three-valued truth: NULL stays None."""
    return None if value is None else bool(value)
