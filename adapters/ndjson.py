"""Newline-delimited JSON: bytes in, one frame a line. Knows no JSON; a line ends at a line feed and at nothing else."""

from __future__ import annotations

from adapters.sse import LIMIT, Frame, FrameTooLargeError

_BLANK = b" \t\r"
_BOM = b"\xef\xbb\xbf"


class NDJSONDecoder:
    """Feed it pieces cut anywhere; it gives the lines that are complete. Blank lines are left out."""

    __slots__ = ("_fresh", "_limit", "_partial", "_size", "starts")

    def __init__(self, limit: int = LIMIT) -> None:
        self.starts = b"{"
        self._limit = limit
        self._partial: list[bytes] = []
        """Pieces of the line that has not ended."""
        self._size = 0
        self._fresh = True
        """No line was given out yet: the first may begin with a byte order mark."""

    def plausible(self, start: bytes) -> bool:
        """True when this may be the beginning of a line."""
        return start.startswith(b"{")

    def feed(self, piece: bytes) -> list[Frame]:
        """The lines that this piece completes."""
        end = piece.find(b"\n")
        if end < 0:
            if piece:
                self._hold(piece)
            return []
        if end == len(piece) - 1 and not self._partial and not self._fresh:  # the usual piece: one whole line
            line = piece[:end].strip(_BLANK)
            return [("", line)] if line else []
        lines = piece.split(b"\n")
        if self._partial:
            lines[0] = b"".join(self._partial) + lines[0]
            self._partial.clear()
        rest = lines.pop()
        self._size = 0
        frames = [frame for line in lines for frame in self._line(line)]
        if rest:
            self._hold(rest)
        return frames

    def end(self) -> list[Frame]:
        """A last line without its line feed: perhaps whole, perhaps half of one."""
        line = b"".join(self._partial)
        self._partial.clear()
        self._size = 0
        return self._line(line)

    def _hold(self, piece: bytes) -> None:
        self._partial.append(piece)
        self._size += len(piece)
        if self._size > self._limit:
            raise FrameTooLargeError

    def _line(self, line: bytes) -> list[Frame]:
        if len(line) > self._limit:
            raise FrameTooLargeError
        if self._fresh:
            line = line.removeprefix(_BOM)
        line = line.strip(_BLANK)
        if not line:
            return []
        self._fresh = False
        return [("", line)]
