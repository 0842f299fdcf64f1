"""A large JSON document, read part by part: reading it whole would hold every other thread up for as long as it takes."""

from __future__ import annotations

import json
from typing import Any

_DEPTH = 3
"""Containers within containers that are walked here; what lies deeper is read in one go."""
_SPACE = " \t\n\r"
_DECODER = json.JSONDecoder(parse_float=str)


def load(text: str) -> Any:
    """What `json.loads` makes of it, with fractions as text, so that amounts stay exact. Raises ValueError, RecursionError."""
    found, at = _value(text, _skip(text, 0), _DEPTH)
    if (at := _skip(text, at)) != len(text):
        raise json.JSONDecodeError("Extra data", text, at)
    return found


def _value(text: str, at: int, depth: int) -> tuple[Any, int]:
    match text[at : at + 1] if depth else "":
        case "{":
            return _object(text, at + 1, depth - 1)
        case "[":
            return _list(text, at + 1, depth - 1)
        case _:
            return _DECODER.raw_decode(text, at)


def _object(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    at = _skip(text, at)
    if text[at : at + 1] == "}":
        return found, at + 1
    while True:
        _expect(text, at, '"')
        name, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        _expect(text, at, ":")
        found[name], at = _value(text, _skip(text, at + 1), depth)
        at = _skip(text, at)
        if text[at : at + 1] == "}":
            return found, at + 1
        _expect(text, at, ",")
        at = _skip(text, at + 1)


def _list(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    at = _skip(text, at)
    if text[at : at + 1] == "]":
        return found, at + 1
    while True:
        item, at = _value(text, at, depth)
        found.append(item)
        at = _skip(text, at)
        if text[at : at + 1] == "]":
            return found, at + 1
        _expect(text, at, ",")
        at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _expect(text: str, at: int, mark: str) -> None:
    if text[at : at + 1] != mark:
        raise json.JSONDecodeError(f"Expecting {mark!r}", text, at)
