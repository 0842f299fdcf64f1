"""JSON and JSON lines as flat entries, read value by value: a thread that reads a large file lets others have their turn."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation

from catalog.errors import UsageError

_DEEPEST = 6
"""Lists within lists that are followed: a page, its buckets, their results."""
_PIECEWISE = 4
"""Levels that are read value by value; what lies deeper is small."""
_LISTS = ("data", "results", "rows", "usage_data")
BREATH, BREATH_LINES = 0.0002, 128
"""Seconds of rest after so many entries: without them a thread that reads gives others a turn once in many."""
_SPACE = re.compile(r"[ \t\r\n]*")
_Above = Mapping[str, object]


def plain_name(name: object) -> str:
    """A column's or field's name in lower case, with `_` for everything else."""
    return re.sub(r"[^a-z0-9]+", "_", str(name).strip().lower()).strip("_")


def entries(text: str) -> Iterator[tuple[int, _Above]]:
    """The entries of all documents in a text, numbered. Raises UsageError for what is no JSON."""
    yield from enumerate(_documents(text), 1)


def _documents(text: str) -> Iterator[_Above]:
    """Entries of one document after the other; a long list is never held whole."""
    reader, place = _Reader(text), _skip(text, 0)
    try:
        while place < len(text):
            if text[place] == "[":
                for part in reader.parts(place, 0):
                    yield from _flat(part)
            elif text[place] == "{":
                yield from _page(reader, place)
            else:
                _, reader.end = reader.value(place, 0)
            place = _skip(text, reader.end)
    except (ValueError, IndexError, InvalidOperation, RecursionError):
        line = text.count("\n", 0, reader.end) + 1
        raise UsageError(f"Line {line} of the file is no JSON.") from None


def _page(reader: _Reader, place: int) -> Iterator[_Above]:
    """A page's entries while it is read: what it says before its list holds for all of them."""
    said: dict[str, object] = {}
    listed = False
    for name, at in reader.members(place):
        if name in _LISTS and reader.opens(at) == "[":
            listed = True
            above = dict(_fields(said))
            for part in reader.parts(at, 1):
                yield from _flat(part, above, 1)
        else:
            said[name], reader.end = reader.value(at, 1)
    if not listed:
        yield from _flat(said)


class _Reader:
    """Values out of a text, the outer levels piece by piece."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._decode = json.JSONDecoder(parse_float=Decimal).raw_decode
        self._names: dict[str, str] = {}
        """Each field's name is kept once."""
        self.end = 0
        """How far has been read."""
        self._read = 0

    def _breathe(self) -> None:
        self._read += 1
        if not self._read % BREATH_LINES:
            time.sleep(BREATH)

    def value(self, place: int, depth: int) -> tuple[object, int]:
        self.end = place
        opens = self._text[place]
        if depth < _PIECEWISE and opens == "{":
            found: dict[str, object] = {}
            for name, at in self.members(place):
                found[name], self.end = self.value(at, depth + 1)
            return found, self.end
        if depth < _PIECEWISE and opens == "[":
            return list(self.parts(place, depth)), self.end
        return self._decode(self._text, place)

    def parts(self, place: int, depth: int) -> Iterator[object]:
        """What a list holds; `end` is behind it then."""
        text = self._text
        place = _skip(text, place + 1)
        if text[place] == "]":
            self.end = place + 1
            return
        while True:
            value, place = self.value(place, depth + 1)
            self._breathe()
            yield value
            place = _skip(text, place)
            if text[place] == "]":
                self.end = place + 1
                return
            place = _skip(text, _past(text, place, ","))

    def members(self, place: int) -> Iterator[tuple[str, int]]:
        """The names in an object and where their values begin; whoever asks reads each value before the next."""
        text = self._text
        place = _skip(text, place + 1)
        if text[place] == "}":
            self.end = place + 1
            return
        while True:
            name, place = self._decode(text, place)
            if not isinstance(name, str):
                raise ValueError("a name is a text")  # noqa: TRY004  a file is wrong, not a caller
            yield self._names.setdefault(name, name), _skip(text, _past(text, _skip(text, place), ":"))
            place = _skip(text, self.end)
            if text[place] == "}":
                self.end = place + 1
                return
            place = _skip(text, _past(text, place, ","))

    def opens(self, place: int) -> str:
        return self._text[place]


def _past(text: str, place: int, sign: str) -> int:
    if text[place] != sign:
        raise ValueError(f"a {sign} is missing")
    return place + 1


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return place if match is None else match.end()


def _flat(value: object, above: _Above | None = None, depth: int = 0) -> Iterator[_Above]:
    """Pages, buckets and results as single entries; what is said of a bucket holds for its results."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for one in value:
            yield from _flat(one, above, depth + 1)
    elif isinstance(value, dict):
        inner = next((value[name] for name in _LISTS if isinstance(value.get(name), list)), None)
        plain: dict[str, object] = {**(above or {}), **dict(_fields(value))}
        if inner is None:
            yield plain
        else:
            yield from _flat(inner, plain, depth + 1)


def _fields(value: _Above, before: str = "", depth: int = 0) -> Iterable[tuple[str, object]]:
    for name, one in value.items():
        if isinstance(one, dict):
            if depth < _DEEPEST:
                within = "" if name in ("cache_creation", "usage") else f"{plain_name(name)}_"
                yield from _fields(one, within, depth + 1)
        elif not isinstance(one, list):
            yield f"{before}{plain_name(name)}", one
