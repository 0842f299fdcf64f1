"""A stream of JSON objects, usually one array: bytes in, whole objects out, wherever the pieces were cut."""

from __future__ import annotations

import re

from adapters.sse import LIMIT, Frame, FrameTooLargeError

_OUTSIDE = re.compile(rb'[{}"]')
_INSIDE = re.compile(rb'["\\]')


class JSONArrayDecoder:
    """Gives each `{…}` that stands in an array, or alone, as one unnamed frame; what stands between them is passed over."""

    __slots__ = ("_depth", "_escaped", "_held", "_limit", "_quoted", "_size", "starts")

    def __init__(self, limit: int = LIMIT) -> None:
        self.starts = b"["
        self._limit = limit
        self._held: list[bytes] = []
        """Pieces of the object that has not ended."""
        self._size = 0
        self._depth = 0
        """Open braces; 0 between objects."""
        self._quoted = False
        """Inside a string, where braces mean nothing."""
        self._escaped = False
        """The last piece ended in a backslash of a string."""

    @property
    def open(self) -> bool:
        """An object has begun and not ended."""
        return self._depth > 0

    def plausible(self, start: bytes) -> bool:
        """True when this may be the beginning of such an array."""
        return start[:1] == b"["

    def feed(self, piece: bytes) -> list[Frame]:
        """The objects that this piece completes."""
        frames: list[Frame] = []
        at = begun = 0
        if self._escaped and piece:
            self._escaped = False
            at = 1
        while found := (_INSIDE if self._quoted else _OUTSIDE).search(piece, at):
            at = found.end()
            mark = piece[at - 1]
            if mark == 34:  # "
                self._quoted = not self._quoted
            elif mark == 92:  # \
                self._escaped = at == len(piece)
                at += 1
            elif mark == 123:  # {
                if not self._depth:
                    begun = at - 1
                self._depth += 1
            elif self._depth:  # }
                self._depth -= 1
                if not self._depth:
                    frames.append(("", b"".join((*self._held, piece[begun:at]))))
                    self._held.clear()
                    self._size = 0
        if self._depth:
            self._held.append(piece[begun:])
            self._size += len(piece) - begun
            if self._size > self._limit:
                raise FrameTooLargeError
        return frames

    def end(self) -> list[Frame]:
        """Nothing: half an object says nothing."""
        self._held.clear()
        return []
