"""The leaf blocks of a Markdown document: each takes text as it comes, gives finished rows once, and can be cloned to show its unfinished end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tui.formatting import cut_end
from tui.widgets import markdown_inline
from tui.widgets.markdown_code import State, coloured
from tui.widgets.markdown_wrap import Line, Span, Wrapper, even_width

FREEZE = 2 * markdown_inline.REACH + 400
"""Characters an open paragraph may hold before its settled beginning is frozen."""


HAND_WRAPPED = 56
"""A line of at least so many characters that goes on in the next line was wrapped, not ended."""


@dataclass(frozen=True, slots=True)
class CodeText:
    """A code block's text as the model wrote it, for copying."""

    row: int
    """The row of the document on which it begins."""
    end: int
    """The row after its last."""
    language: str
    text: str


class Leaf(Protocol):
    """A block that holds text."""

    kind: str

    def clone(self) -> Leaf: ...

    def take(self) -> list[Line]:
        """Rows that cannot change any more, each given once."""

    def end(self) -> list[Line]:
        """The rest of the rows; the leaf is finished."""


class Paragraph:
    """Running text."""

    kind = "paragraph"

    def __init__(self, width: int, first: tuple[Span, ...], rest: tuple[Span, ...], style: str = "") -> None:
        self._wrapper = Wrapper(width, first, rest)
        self._style = style
        self.text = ""
        self._line_count = 0
        self._last_length = 0
        self.provisional = False
        self._tried = 0
        self._before = " "

    def clone(self) -> Paragraph:
        twin = object.__new__(Paragraph)
        twin._wrapper, twin._style, twin.text = self._wrapper.clone(), self._style, self.text
        twin.provisional, twin._tried = self.provisional, self._tried
        twin._line_count, twin._last_length = self._line_count, self._last_length
        twin._before = self._before
        return twin

    @property
    def one_line(self) -> str | None:
        """The text when it is one short line (a heading or table header may still come of it)."""
        return None if self._line_count != 1 or len(self.text) > 600 else self.text

    def add_line(self, line: str, running: bool = False) -> None:
        """One more line of the source; `running`: only its beginning.

        After a short line the line break is kept as the model wrote it (verses, addresses); a long one was
        wrapped by whoever wrote it, and goes on in the same row.
        """
        breaks = line.endswith(("  ", "\\")) and not running
        line = line.lstrip() if running else line.strip()
        if breaks and line.endswith("\\"):
            line = line[:-1]
        if self._line_count:
            wrapped = self._last_length >= HAND_WRAPPED
            wide = self.text[-1:] >= "\u2e80"
            self.text += ("" if wide else " ") if wrapped else "\n"
        self.text += line
        self._line_count += 1
        self._last_length = 0 if breaks else len(line)

    def add_raw(self, text: str) -> None:
        """More of the line in hand."""
        self.text += text

    def take(self) -> list[Line]:
        while len(self.text) > FREEZE and len(self.text) - self._tried > 200:
            cut = markdown_inline.settled(self.text[: 2 * FREEZE], self._before)
            if cut <= 0:
                self._tried = len(self.text)
                break
            self._wrapper.feed(markdown_inline.spans(self.text[:cut], self._style, before=self._before))
            self._before = self.text[cut - 1]
            self.text = self.text[cut:]
            self._tried = 0
        return self._wrapper.take()

    def end(self) -> list[Line]:
        text = self.text.rstrip("\n ")
        self._wrapper.feed(
            markdown_inline.spans(text, self._style, provisional=self.provisional, before=self._before)
        )
        self._wrapper.finish()
        return self._wrapper.take()


class Heading:
    """One line of a heading of level 1–6."""

    kind = "heading"

    def __init__(
        self, width: int, first: tuple[Span, ...], rest: tuple[Span, ...], level: int, text: str
    ) -> None:
        style = f"h{min(level, 4)}"
        wrapper = Wrapper(width, first, rest)
        wrapper.feed(markdown_inline.spans(text, style))
        wrapper.finish()
        self._lines = wrapper.lines

    def clone(self) -> Heading:
        return self

    def take(self) -> list[Line]:
        lines, self._lines = self._lines, []
        return lines

    def end(self) -> list[Line]:
        return self.take()


class Rule(Heading):
    """A thematic break."""

    kind = "rule"

    def __init__(self, width: int, first: tuple[Span, ...], rest: tuple[Span, ...]) -> None:
        room = max(1, width - sum(len(text) for text, _ in first))
        super().__init__(width, first, rest, 1, "")
        self._lines = [Line((*first, ("─" * min(room, 60), "rule")), "", None, sum(len(t) for t, _ in first))]


class Code:
    """A fenced or indented code block: each line is coloured and frozen as soon as it is complete."""

    kind = "code"

    def __init__(self, width: int, first: tuple[Span, ...], rest: tuple[Span, ...], language: str) -> None:
        bar: Span = ("│ ", "rule")
        self._wrapper = Wrapper(width, (*rest, bar), hard=True, fill="codeblock")
        self.language = language
        self._state: State = ()
        self._mid = False
        self._lines: list[Line] = []
        self._source: list[str] = []
        self._first: tuple[Span, ...] | None = (*first, bar)
        if language:
            self._lines.append(
                Line(
                    (*first, bar, (cut_end(language, self._wrapper.width), "codeblock comment")),
                    "codeblock",
                    None,
                    sum(len(t) for t, _ in first) + 2,
                )
            )
            self._first = None

    def clone(self) -> Code:
        twin = object.__new__(Code)
        twin._wrapper, twin.language, twin._state, twin._mid = (
            self._wrapper.clone(),
            self.language,
            self._state,
            self._mid,
        )
        twin._lines, twin._source, twin._first = [], [], self._first
        return twin

    def add_line(self, line: str) -> None:
        """A complete line, or the rest of one begun with `add_piece`."""
        if self._mid:
            self._wrapper.feed([(even_width(line), "codeblock")])
        else:
            spans, self._state = coloured(self.language, even_width(line), self._state)
            self._wrapper.feed(spans)
        self._source += [line, "\n"]
        self._mid = False
        self._wrapper.finish()

    def add_piece(self, text: str) -> None:
        """A part of a very long line: shown without colours, row by row."""
        self._source.append(text)
        self._mid = True
        self._wrapper.feed([(even_width(text), "codeblock")])

    @property
    def text(self) -> str:
        """The code as the model wrote it."""
        return "".join(self._source)

    def take(self) -> list[Line]:
        lines = self._lines + self._wrapper.take()
        self._lines = []
        if self._first is not None and lines:
            lines[0] = lines[0]._replace(spans=(*self._first, *lines[0].spans[len(self._first) :]))
            self._first = None
        return lines

    def end(self) -> list[Line]:
        if self._mid:
            self._wrapper.finish()
            self._mid = False
        return self.take()
