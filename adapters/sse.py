"""Server-sent events: bytes in, frames out. Knows no JSON and trusts no cut (WIRE section 15)."""

from __future__ import annotations

Frame = tuple[str, bytes]
"""(event name, data): the name is empty for the usual unnamed event; several data lines are joined by newlines."""

LIMIT = 8 * 1024 * 1024
"""Bytes one frame may have."""

_WORDS = (b":", b"data", b"event", b"id", b"retry")
_BOM = b"\xef\xbb\xbf"


class FrameTooLargeError(ValueError):
    """A frame grew past the limit without ending."""


class SSEDecoder:
    """Feed it pieces cut anywhere; it gives the frames that are complete. Lines end at LF, CR or CRLF only."""

    __slots__ = (
        "_cr",
        "_data",
        "_fresh",
        "_held",
        "_limit",
        "_name",
        "_partial",
        "_size",
        "_start",
        "starts",
    )

    def __init__(self, limit: int = LIMIT) -> None:
        self.starts = b""
        self._limit = limit
        self._partial: list[bytes] = []
        """Pieces of the line that has not ended."""
        self._data: list[bytes] = []
        self._name = ""
        self._held = 0
        """Bytes of the finished data lines, with a little for each line."""
        self._size = 0
        self._cr = False
        """The last piece ended in CR: a LF that follows belongs to it."""
        self._start: bytes | None = b""
        """What came so far while it may still be a byte order mark; None afterwards."""
        self._fresh = False
        """Nothing is pending, so a piece that is one whole frame can be taken as it is."""

    def plausible(self, start: bytes) -> bool:
        """True when this may be the beginning of an event."""
        return any(start.startswith(word[: len(start)]) for word in _WORDS)

    def feed(self, piece: bytes) -> list[Frame]:
        """The frames that this piece completes."""
        end = len(piece) - 2
        if (
            self._fresh
            and piece.find(b"\n") == end
            and piece[end + 1] == 10
            and piece[:6] == b"data: "
            and b"\r" not in piece
        ):
            return [("", piece[6:end])]
        if self._fresh and piece[:7] == b"event: ":
            line = piece.find(b"\n") + 1
            if (
                piece[line : line + 6] == b"data: "
                and piece.find(b"\n", line) == end
                and piece[end + 1] == 10
                and b"\r" not in piece
            ):
                return [(piece[7 : line - 1].decode("utf-8", "replace"), piece[line + 6 : end])]
        return self._feed(piece)

    def end(self) -> list[Frame]:
        """What an end without a blank line leaves: perhaps a whole frame, perhaps half of one."""
        frames: list[Frame] = []
        if self._start:
            self._partial.append(self._start)
            self._start = None
        self._line(b"".join(self._partial), frames)
        self._partial.clear()
        self._line(b"", frames)
        return frames

    def _feed(self, piece: bytes) -> list[Frame]:
        if self._start is not None:
            piece = self._start + piece
            if len(piece) < 3 and _BOM.startswith(piece):
                self._start = piece
                return []
            self._start = None
            piece = piece.removeprefix(_BOM)
        if self._cr and piece:
            self._cr = False
            if piece[0] == 10:
                piece = piece[1:]
        if b"\r" in piece:
            self._cr = piece[-1] == 13
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if not piece:
            return []
        frames: list[Frame] = []
        if b"\n" in piece:
            lines = piece.split(b"\n")
            if self._partial:
                lines[0] = b"".join(self._partial) + lines[0]
                self._partial.clear()
            rest = lines.pop()
            for line in lines:
                self._line(line, frames)
            if rest:
                self._partial.append(rest)
            self._size = len(rest) + self._held
        else:
            self._partial.append(piece)
            self._size += len(piece)
        if self._size > self._limit:
            raise FrameTooLargeError
        self._fresh = not (self._partial or self._data or self._name or self._cr)
        return frames

    def _line(self, line: bytes, frames: list[Frame]) -> None:
        if not line:
            if self._data:
                frames.append((self._name, self._data[0] if len(self._data) == 1 else b"\n".join(self._data)))
                self._data.clear()
                self._held = 0
            self._name = ""
            return
        field, _, value = line.partition(b":")
        if value[:1] == b" ":
            value = value[1:]
        if field == b"data":
            self._data.append(value)
            self._held += len(value) + 8
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
        elif field == b"error":  # older llama.cpp writes `error: {…}` for an error
            self._name = "error"
            self._data.append(value)
            self._held += len(value) + 8
