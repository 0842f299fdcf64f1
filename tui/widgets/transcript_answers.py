"""The blocks of an answer that grow while they are read: Markdown, tool calls, reasoning."""

from __future__ import annotations

import json

from catalog.plaintext import harmless
from tui.formatting import cut_middle
from tui.widgets.markdown_blocks import MarkdownRows
from tui.widgets.markdown_leaves import CodeText
from tui.widgets.markdown_wrap import Line, Wrapper, even_width
from tui.widgets.transcript_blocks import INDENT, Block, plain

_EMPTY: list[Line] = []
LONGEST_JSON = 20_000
"""Characters of arguments that are still laid out line by line."""


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
        self._document.feed(self._text())
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

    def _text(self) -> str:
        return "".join(self._pieces)

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

    def close(self) -> None:
        """The arguments are complete: shown line by line where they are JSON."""
        if self._live:
            self._live = False
            if self.width:
                self.lay_out(self.width)

    def _text(self) -> str:
        text = super()._text()
        if self._live or len(text) > LONGEST_JSON:
            return text
        try:
            return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        except ValueError:
            return text

    def _begin(self, width: int) -> MarkdownRows:
        document = MarkdownRows(width)
        name = " ".join(even_width(harmless(self._name)).split()) or "…"
        document.feed("`" * 16 + "json\n")
        name = cut_middle(name, max(4, width - 12))
        document.rows[:] = [Line((("⚒ ", "tool"), ("tool call ", "dim"), (name, "tool")))]
        return document

    @property
    def source(self) -> str:
        return f"{self._name}({super().source})"

    @property
    def codes(self) -> list[CodeText]:
        return [CodeText(0, len(self.frozen) + len(self.tail), "json", super().source)]


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
            self._wrapper.feed([(plain("".join(self._pieces)), "thinking")])
        self._show()

    def flush(self) -> None:
        if not self._new or not self.width:
            return
        if self._wrapper is not None:
            self._wrapper.feed([(plain("".join(self._new)), "thinking")])
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


def _indented(line: Line) -> Line:
    return Line((INDENT, *line.spans), line.fill, line.joins, line.pad + len(INDENT[0]))
