"""What a conversation consists of on the screen: each block knows its rows at one width and keeps its source for copying."""

from __future__ import annotations

from catalog.plaintext import harmless
from tui.widgets.markdown_blocks import CodeText, MarkdownRows
from tui.widgets.markdown_wrap import Line, Span, Wrapper, even_width

INDENT: Span = ("  ", "")
_EMPTY: list[Line] = []


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
        """Rows, the empty one above included."""
        return self.gap + len(self.frozen) + len(self.tail)

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


class Prompt(TextBlock):
    """The user's turn, as typed, with a bar on every row."""

    def __init__(self, text: str, *, turn: int | None = None) -> None:
        bar = ("▌ ", "you")
        super().__init__([(text, "said")], first=bar, rest=bar, gap=True, turn=turn)


class MarkdownBlock(Block):
    """An answer: Markdown that grows. Only what is still open is rendered again."""

    def __init__(
        self, text: str = "", *, gap: bool = False, turn: int | None = None, live: bool = False
    ) -> None:
        super().__init__(gap=gap, turn=turn)
        self._pieces: list[str] = [text] if text else []
        self._new: list[str] = []
        self._live = live
        self._document: MarkdownRows | None = None
        self._taken = 0

    def add(self, text: str) -> None:
        """More of the text; shown by the next `flush`."""
        self._pieces.append(text)
        self._new.append(text)

    def close(self) -> None:
        """The text is complete."""
        if self._live:
            self.flush()
            self._live = False
            if self._document is not None:
                self._document.close()
                self._take()
                self.tail = _EMPTY

    def lay_out(self, width: int) -> None:
        self.width = width
        self._new.clear()
        if not width:
            return
        self._document = self._begin(width - len(INDENT[0]))
        self._taken = 0
        self.frozen = []
        self._document.feed("".join(self._pieces))
        if not self._live:
            self._document.close()
        self._take()
        self.tail = [_indented(line) for line in self._document.tail()] if self._live else _EMPTY

    def flush(self) -> None:
        if self._document is None or not self._new:
            return
        text = "".join(self._new)
        self._new.clear()
        self._document.feed(text)
        self._take()
        self.tail = [_indented(line) for line in self._document.tail()]

    def _begin(self, width: int) -> MarkdownRows:
        return MarkdownRows(width)

    def _take(self) -> None:
        assert self._document is not None
        rows = self._document.rows
        self.frozen.extend([_indented(line) for line in rows[self._taken :]])
        self._taken = len(rows)

    @property
    def source(self) -> str:
        return harmless("".join(self._pieces))

    @property
    def codes(self) -> list[CodeText]:
        return self._document.codes if self._document is not None else []


class ToolCard(MarkdownBlock):
    """A tool call; its arguments assemble as they arrive."""

    def __init__(
        self, name: str = "", arguments: str = "", *, turn: int | None = None, live: bool = False
    ) -> None:
        super().__init__(arguments, gap=True, turn=turn, live=live)
        self._name = name

    @property
    def name(self) -> str:
        """The function called."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = name
        if self.width:
            self.lay_out(self.width)

    def _begin(self, width: int) -> MarkdownRows:
        document = MarkdownRows(width)
        name = " ".join(even_width(harmless(self._name)).split()) or "…"
        document.feed("`" * 16 + "json\n")
        document.rows[:] = [
            Line((("⚒ ", "tool"), ("tool call ", "dim"), (name[: max(4, width - 14)], "tool")))
        ]
        return document

    @property
    def source(self) -> str:
        return f"{self._name}({super().source})"

    @property
    def codes(self) -> list[CodeText]:
        return [CodeText(0, "json", super().source)]


class Thinking(Block):
    """Reasoning text: one line until it is unfolded."""

    def __init__(self, text: str = "", *, turn: int | None = None) -> None:
        super().__init__(turn=turn)
        self._pieces = [text] if text else []
        self._new: list[str] = []
        self._size = len(text)
        self._wrapper: Wrapper | None = None
        self.folded = True

    def add(self, text: str) -> None:
        """More reasoning; shown by the next `flush`."""
        self._pieces.append(text)
        self._new.append(text)
        self._size += len(text)

    def toggle(self) -> None:
        """Fold or unfold."""
        self.folded = not self.folded
        self.lay_out(self.width)

    def lay_out(self, width: int) -> None:
        self.width = width
        self._new.clear()
        self.frozen = []
        self._wrapper = None
        if not width:
            return
        if not self.folded:
            bar = (INDENT, ("┊ ", "rule"))
            self._wrapper = Wrapper(width, bar)
            self._wrapper.feed([(_plain("".join(self._pieces)), "thinking")])
        self._show()

    def flush(self) -> None:
        if not self._new or not self.width:
            return
        if self._wrapper is not None:
            self._wrapper.feed([(_plain("".join(self._new)), "thinking")])
        self._new.clear()
        self._show()

    def _show(self) -> None:
        mark, way = ("▸", "t unfolds") if self.folded else ("▾", "t folds")
        head = Line(
            (INDENT, (f"{mark} thinking · {self._size:,} characters · {way}".replace(",", " "), "dim")), pad=2
        )
        if self._wrapper is None:
            self.tail = [head]
            return
        twin = self._wrapper.clone()
        twin.finish()
        if not self.frozen:
            self.frozen = [head]
        self.frozen[0] = head
        self.frozen.extend(self._wrapper.take())
        self.tail = twin.lines

    @property
    def source(self) -> str:
        return harmless("".join(self._pieces))


def _plain(text: str) -> str:
    return even_width(harmless(text))


def _safe(spans: list[Span]) -> list[Span]:
    return [(_plain(text), style) for text, style in spans]


def _indented(line: Line) -> Line:
    return Line((INDENT, *line.spans), line.fill, line.joins, line.pad + len(INDENT[0]))
