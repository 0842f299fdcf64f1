"""The way past the JSON parser for the usual chunk: the same bytes as the last one around another word."""

from __future__ import annotations

_GIVE_UP = 16
"""Chunks in a row that did not fit before learning stops: some vendors pad or date every chunk."""
_KEY, _CONTENT = b'"content"', b'"content":"'


class Template:
    """What surrounds the text in a chunk that the parser has read.

    A chunk with the same head and tail, and nothing between them that could end or escape a JSON string, is the
    same document with another text; there is nothing else it could be.
    """

    __slots__ = ("_head", "_least", "_misses", "_start", "_stop", "_tail")

    def __init__(self) -> None:
        self._head = self._tail = b"\0"
        self._start, self._stop, self._least = 1, -1, 2
        self._misses = 0

    def text(self, data: bytes) -> str | None:
        """The text of a chunk that fits; None when the parser has to look."""
        if data.startswith(self._head) and data.endswith(self._tail) and len(data) > self._least:
            between = data[self._start : self._stop]
            if b'"' not in between and b"\\" not in between:
                try:
                    text = between.decode()
                except UnicodeDecodeError:
                    return None
                if text.isprintable():
                    self._misses = 0
                    return text
        return None

    def learn(self, data: bytes, text: str) -> None:
        """Remember a parsed chunk whose text is `text`."""
        if self._misses > _GIVE_UP:
            return
        self._misses += 1
        at = data.find(_CONTENT)
        if at < 0 or data.count(_KEY) != 1:
            return
        start = at + len(_CONTENT)
        raw = text.encode()
        if (
            data[start : start + len(raw) + 1] == raw + b'"'
            and text.isprintable()
            and b"\\" not in raw
            and b'"' not in raw
        ):
            self._head, self._tail = data[:start], data[start + len(raw) :]
            self._start, self._stop = start, -len(self._tail)
            self._least = len(self._head) + len(self._tail)
