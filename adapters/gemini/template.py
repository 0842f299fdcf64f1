"""The way past the JSON parser for the usual chunk: the same bytes around another word, and other digits behind it."""

from __future__ import annotations

import re

_GIVE_UP = 16
"""Chunks in a row that did not fit before learning stops."""
_TEXT = re.compile(rb'"text"\s*:\s*"')
_DIGITS = b"0123456789"


class Template:
    """What surrounds the text in a chunk that the parser has read.

    Every chunk counts anew, so digits behind the text are not compared: nothing but numbers can differ there.
    """

    __slots__ = ("_head", "_misses", "_start", "_tail")

    def __init__(self) -> None:
        self._head, self._tail, self._start = b"\0", b"", 1
        self._misses = 0

    def text(self, data: bytes) -> str | None:
        """The text of a chunk that fits; None when the parser has to look."""
        if not data.startswith(self._head):
            return None
        end = data.find(b'"', self._start)
        between = data[self._start : end]
        if not between or b"\\" in between or data[end:].translate(None, _DIGITS) != self._tail:
            return None
        try:
            text = between.decode()
        except UnicodeDecodeError:
            return None
        if not text.isprintable():
            return None
        self._misses = 0
        return text

    def learn(self, data: bytes, text: str) -> None:
        """Remember a parsed chunk whose text is `text`."""
        if self._misses > _GIVE_UP:
            return
        self._misses += 1
        found = _TEXT.search(data)
        if found is None or data.count(b'"text"') != 1:
            return
        start, raw = found.end(), text.encode()
        end = start + len(raw)
        if data[start : end + 1] == raw + b'"' and text.isprintable() and b"\\" not in raw:
            self._head, self._tail, self._start = data[:start], data[end:].translate(None, _DIGITS), start
