"""How a Gemini answer is cut into chunks: server-sent events, one JSON array, or an error written bare between events."""

from __future__ import annotations

from adapters.json_array import JSONArrayDecoder
from adapters.sse import Frame, SSEDecoder

_BLANK = b"\xef\xbb\xbf \t\r\n"


class _Events(SSEDecoder):
    """Server-sent events among which a document may stand without `data:`, over as many lines as it likes."""

    __slots__ = ("_bare",)

    def __init__(self) -> None:
        super().__init__()
        self._bare: JSONArrayDecoder | None = None
        """The document that has begun; None between documents."""

    def feed(self, piece: bytes) -> list[Frame]:
        end = len(piece) - 4
        if (  # one whole event, as Google ends them
            self._fresh
            and self._bare is None
            and piece.find(b"\r") == end
            and piece.find(b"\n") == end + 1
            and piece.endswith(b"\r\n\r\n")
            and piece[:6] == b"data: "
        ):
            return [("", piece[6:end])]
        return super().feed(piece)

    def _line(self, line: bytes, frames: list[Frame]) -> None:
        if self._bare is None:
            if line[:1] not in (b"{", b"["):
                super()._line(line, frames)
                return
            super()._line(b"", frames)  # an event before it has ended, with or without its blank line
            self._bare = JSONArrayDecoder(self._limit)
        if not line:  # a new event begins; what was bare and not whole stays half
            self._bare = None
            return
        frames += self._bare.feed(line + b"\n")
        if not self._bare.open and line.rstrip()[-1:] in (b"}", b"]"):
            self._bare = None


class GeminiDecoder:
    """Implements adapters.http_stream.Decoder: the first byte says which of the forms a body has."""

    def __init__(self) -> None:
        self.starts = b"["
        self._inner: SSEDecoder | JSONArrayDecoder | None = None

    def plausible(self, start: bytes) -> bool:
        """True when this may be the beginning of an answer in one of the forms."""
        return (self._inner or _Events()).plausible(start)

    def feed(self, piece: bytes) -> list[Frame]:
        """The chunks that this piece completes."""
        if self._inner is None:
            piece = piece.lstrip(_BLANK)
            if not piece:
                return []
            self._inner = JSONArrayDecoder() if piece[:1] in (b"[", b"{") else _Events()
        return self._inner.feed(piece)

    def end(self) -> list[Frame]:
        """What an end without a blank line leaves."""
        return [] if self._inner is None else self._inner.end()
