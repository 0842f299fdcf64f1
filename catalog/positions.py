"""On which line of a JSON text a value stands, so that an error can point at it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def line_of(text: str, where: Sequence[str | int]) -> int:
    """The line (1 is the first) of the value at a path such as `("models", 3, "id")` in valid JSON.

    Where the path ends early, for a missing field say, the line of the innermost value that is there.
    """
    position = _skip(text, 0)
    for step in where:
        found = _member(text, position, step)
        if found is None:
            break
        position = found
    return text.count("\n", 0, position) + 1


def _member(text: str, position: int, step: str | int) -> int | None:
    """Where a member of the object or array at `position` begins; None when it has no such member."""
    opening = text[position : position + 1]
    if opening not in ("{", "[") or (opening == "{") != isinstance(step, str):
        return None
    position, index = _skip(text, position + 1), 0
    while position < len(text) and text[position] not in "}]":
        key: str | int = index
        if opening == "{":
            key, position = _DECODER.raw_decode(text, position)
            position = _skip(text, _skip(text, position) + 1)
        if key == step:
            return position
        position = _skip(text, _DECODER.raw_decode(text, position)[1])
        if text[position : position + 1] == ",":
            position = _skip(text, position + 1)
        index += 1
    return None


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position
