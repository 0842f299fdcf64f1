"""A request's body as JSON: what JSON cannot hold is replaced, and images go in without being copied again and again."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from uuid import uuid4

from adapters.text import mend


class Plain(str):
    """A long ASCII text without anything that JSON escapes: base64, a data URL."""

    __slots__ = ()


def encoded(body: Mapping[str, object]) -> bytes:
    """A JSON body. What a prompt or a model's arguments may hold and JSON may not is replaced: half a surrogate pair
    by the replacement character, NaN and infinite numbers (`1e999`) by null.

    `Plain` texts are put in afterwards: written with the rest, an image of 5 MB would be copied five times, and
    at four bytes a letter where there is an emoji anywhere.
    """
    plain: list[Plain] = []
    mark = uuid4().hex

    def aside(value: object) -> object:
        if isinstance(value, Plain):
            plain.append(value)
            return mark
        return value

    kept = _each(body, aside)
    try:
        text = _text(kept)
    except ValueError:
        text = _text(_each(kept, _finite))
    written = mend(text).encode()
    if not plain:
        return written
    parts = written.split(mark.encode())
    pieces = [parts[0]]
    for part, value in zip(parts[1:], plain, strict=True):
        pieces += [value.encode("ascii"), part]
    return b"".join(pieces)


def _text(body: object) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _each(value: object, change: Callable[[object], object]) -> object:
    """The same with every value that is no object and no list changed, in the order in which it is written."""
    if isinstance(value, Mapping):
        return {key: _each(inner, change) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_each(inner, change) for inner in value]
    return change(value)
