"""What a conversation consists of on the screen: each block knows its rows at one width and keeps its source for copying."""

from __future__ import annotations

from rich.cells import cell_len

from catalog.plaintext import harmless
from tui.formatting import cut_end, cut_middle
from tui.widgets.markdown_leaves import CodeText
from tui.widgets.markdown_wrap import Line, Span, Wrapper, even_width

INDENT: Span = ("  ", "")


class Block:
    """A piece of the transcript. `frozen` rows never change at this width; `tail` rows may."""

    def __init__(self, *, gap: bool = False, turn: int | None = None) -> None:
        self.gap = gap
        """An empty row stands above it."""
        self.turn = turn
        """The position in the conversation of the message it shows; None for events."""
        self.width = 0
        self.frozen: list[Line] = []
        self.tail: list[Line] = []

    @property
    def height(self) -> int:
        """Rows, the empty one above included; 0 while it is not laid out."""
        return self.gap + len(self.frozen) + len(self.tail) if self.width else 0

    @property
    def settled(self) -> int:
        """Rows from the top that what is still to come cannot change."""
        return self.gap + len(self.frozen)

    def row(self, number: int) -> Line:
        """Row `number` of the block."""
        number -= self.gap
        if number < 0:
            return Line(())
        size = len(self.frozen)
        return self.frozen[number] if number < size else self.tail[number - size]

    def lay_out(self, width: int) -> None:
        """Render everything again for a width."""
        raise NotImplementedError

    def flush(self) -> None:
        """Render what was added since the last time."""

    @property
    def source(self) -> str:
        """The text for copying, harmless, as it was written."""
        return ""

    @property
    def codes(self) -> list[CodeText]:
        """The code blocks in it."""
        return []


class TextBlock(Block):
    """Plain text in one style: a user's turn, an event, an error, the cost line. It can be replaced."""

    def __init__(
        self,
        spans: list[Span],
        *,
        first: Span = INDENT,
        rest: Span = INDENT,
        gap: bool = False,
        turn: int | None = None,
    ) -> None:
        super().__init__(gap=gap, turn=turn)
        self._first, self._rest = first, rest
        self._spans = _safe(spans)

    def replace(self, spans: list[Span]) -> None:
        """Show something else in its place."""
        self._spans = _safe(spans)
        self.lay_out(self.width)

    def lay_out(self, width: int) -> None:
        self.width = width
        if width:
            wrapper = Wrapper(width, (self._first,), (self._rest,))
            wrapper.feed(self._spans)
            wrapper.finish()
            self.frozen = wrapper.lines

    @property
    def source(self) -> str:
        return "".join(text for text, _ in self._spans)


class CostLine(TextBlock):
    """The figures under an answer, with more behind them where that fits on the row."""

    def __init__(self, words: str, more: str, *, turn: int | None = None) -> None:
        self._short: list[Span] = [(words, "cost")]
        self._long: list[Span] = [(f"{words} · {more}" if more else words, "cost")]
        super().__init__(self._long, turn=turn)

    def lay_out(self, width: int) -> None:
        fits = cell_len(self._long[0][0]) <= width - len(self._first[0])
        self._spans = _safe(self._long if fits else self._short)
        super().lay_out(width)


class Note(TextBlock):
    """What happened, on one row: where it is too long the first span gives way, at its end or (`middle`) in its middle."""

    def __init__(
        self,
        spans: list[Span],
        *,
        edge: Span = INDENT,
        gap: bool = False,
        middle: bool = False,
        turn: int | None = None,
    ) -> None:
        super().__init__(spans, first=edge, rest=edge, gap=gap, turn=turn)
        self._middle = middle

    def lay_out(self, width: int) -> None:
        self.width = width
        if not width:
            return
        spans = [(text.replace("\n", " "), style) for text, style in self._spans]
        room = width - len(self._first[0])
        least = min(room, max(12, room // 2))
        text, style = spans[0]
        cells = max(least, room - sum(cell_len(other) for other, _ in spans[1:]))
        spans[0] = (cut_middle(text, cells) if self._middle else cut_end(text, cells), style)
        shown: list[Span] = [self._first]
        for text, style in spans:
            text = cut_end(text, room)
            shown.append((text, style))
            room -= cell_len(text)
            if room <= 0:
                break
        self.frozen = [Line(tuple(span for span in shown if span[0]), "", None, len(self._first[0]))]


class Prompt(TextBlock):
    """The user's turn, as typed, with a bar on every row; `said` stands before it where nobody sees the bar."""

    def __init__(self, text: str, *, turn: int | None = None, said: str = "") -> None:
        bar = ("▌ ", "you")
        super().__init__([(said, "dim"), (text, "said")], first=bar, rest=bar, gap=True, turn=turn)


def plain(text: str) -> str:
    """Text as it is shown: harmless, and of a width every terminal agrees on."""
    return even_width(harmless(text))


def _safe(spans: list[Span]) -> list[Span]:
    return [(plain(text), style) for text, style in spans]
