"""How a large page of a model list is read without stopping the screen: entry by entry, with turns in between."""

from __future__ import annotations

import asyncio
import json
import re

from adapters.errors import UnexpectedResponseError
from adapters.fetch import parse_json

SMALL = 128 * 1024
"""Bytes that are read at once: a millisecond or two."""
_TURN = 32 * 1024
"""Characters read between two turns of the event loop."""
_SPACE = re.compile(r"[ \t\r\n]*")
_decode = json.JSONDecoder().raw_decode


async def read_json(body: bytes, slug: str) -> object:
    """The document. Raises UnexpectedResponseError for what is not JSON."""
    if body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise UnexpectedResponseError(
            f"{slug} answers with a web page instead of a list of models.",
            hint="Check the provider's URL: it may lead to a sign-in page, or miss its /v1.",
            provider=slug,
            status=200,
        )
    if len(body) > SMALL:
        try:
            return await _piecewise(body.decode("utf-8", "replace").lstrip("\ufeff"))
        except (ValueError, IndexError, RecursionError):
            pass  # said by the usual reader, in its words
    return parse_json(body, slug)


async def _piecewise(text: str) -> object:
    place = _skip(text, 0)
    read = {"[": _array, "{": _object}.get(text[place])
    if read is None:
        raise ValueError("neither a list nor an object")
    value, place = await read(text, place)
    if _skip(text, place) != len(text):
        raise ValueError("something follows the document")
    return value


async def _object(text: str, place: int) -> tuple[object, int]:
    """An object whose values may be long lists."""
    found: dict[str, object] = {}
    place = _skip(text, place + 1)
    if text[place] == "}":
        return found, place + 1
    while True:
        name, place = _decode(text, place)
        if not isinstance(name, str):
            raise ValueError("a name is a text")  # noqa: TRY004  a wire is wrong, not a caller
        place = _skip(text, place)
        if text[place] != ":":
            raise ValueError("a name has a value")
        place = _skip(text, place + 1)
        found[name], place = await _array(text, place) if text[place] == "[" else _decode(text, place)
        place = _skip(text, place)
        if text[place] == "}":
            return found, place + 1
        place = _comma(text, place)


async def _array(text: str, place: int) -> tuple[object, int]:
    found: list[object] = []
    place = turn = _skip(text, place + 1)
    if text[place] == "]":
        return found, place + 1
    while True:
        value, place = _decode(text, place)
        found.append(value)
        place = _skip(text, place)
        if text[place] == "]":
            return found, place + 1
        place = _comma(text, place)
        if place - turn > _TURN:
            turn = place
            await asyncio.sleep(0)


def _comma(text: str, place: int) -> int:
    if text[place] != ",":
        raise ValueError("a comma is missing")
    return _skip(text, place + 1)


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return place if match is None else match.end()
