"""The way past the JSON parser for the usual chunk: the same bytes as the last one around another word."""

from __future__ import annotations

_GIVE_UP = 16
"""Chunks in a row that did not fit before learning stops: some vendors date every chunk."""
_KEY, _CONTENT = b'"content"', b'"content":"'
_PADDING = b'"obfuscation":"'
"""Behind it OpenAI and Azure write something random, so that the length of a chunk does not tell that of a word."""


class Template:
    """What surrounds the text in a chunk that the parser has read.

    A chunk with the same head and tail, and nothing between them that could end or escape a JSON string, is the
    same document with another text; there is nothing else it could be. Where chunks are padded, the tail begins
    behind the padding, and what stands between text and padding must be the same too.
    """

    __slots__ = ("_head", "_least", "_middle", "_misses", "_start", "_stop", "_tail")

    def __init__(self) -> None:
        self._head = self._tail = b"\0"
        self._middle = b""
        """From the end of the text to the beginning of the padding; empty: there is none."""
        self._start, self._stop, self._least = 1, -1, 2
        self._misses = 0

    def text(self, data: bytes) -> str | None:
        """The text of a chunk that fits; None when the parser has to look."""
        if data.startswith(self._head) and data.endswith(self._tail) and len(data) > self._least:
            between = self._before_padding(data) if self._middle else data[self._start : self._stop]
            if between is not None and b'"' not in between and b"\\" not in between:
                try:
                    text = between.decode()
                except UnicodeDecodeError:
                    return None
                if text.isprintable():
                    self._misses = 0
                    return text
        return None

    def _before_padding(self, data: bytes) -> bytes | None:
        end = data.find(b'"', self._start)
        padding = end + len(self._middle)
        if data.startswith(self._middle, end) and data.find(b'"', padding) == len(data) + self._stop:
            return None if data.find(b"\\", padding, self._stop) >= 0 else data[self._start : end]
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
            self._head, self._tail, self._middle = data[:start], data[start + len(raw) :], b""
            before, key, padded = self._tail.partition(_PADDING)
            padding, quote, behind = padded.partition(b'"')
            if quote and b"\\" not in padding and _PADDING not in behind:
                self._middle, self._tail = before + key, quote + behind
            self._start, self._stop = start, -len(self._tail)
            self._least = len(self._head) + len(self._middle) + len(self._tail)
