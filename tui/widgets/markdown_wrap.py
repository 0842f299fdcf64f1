"""How styled text is broken into terminal rows: by words, by wide characters, or hard for code; a row once full never changes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from rich.cells import cell_len

Span = tuple[str, str]
"""Text without newlines and the name of its style (words joined by a space, `""` for plain)."""


class Line(NamedTuple):
    """One row of a transcript."""

    spans: tuple[Span, ...]
    fill: str = ""
    """The style of the cells right of the text; `""` is the background."""
    joins: str | None = None
    """What joins the row to the one above it, which was full, in copied text: a space or nothing. None: a newline."""
    pad: int = 0
    """How many leading characters are decoration (bars, bullets' indents) that copied text leaves out."""

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.spans)

    @property
    def width(self) -> int:
        return cell_len(self.text)


_EMOJI_GLUE = re.compile(
    "[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]|(?<=[\u2190-\u2bff\U0001f000-\U0001faff])\u200d"
)
_FLAGS = {0x1F1E6 + number: chr(ord("A") + number) for number in range(26)}
_WIDE = "\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\U0001f300-\U0001faff\U00020000-\U0003fffd"
_CLOSING = "、。，．：；！？）」』】〉》〕］｝ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
_WORD = re.compile(f"\n| +|(?:[{_WIDE}][{_CLOSING}]*)|[^ \n{_WIDE}]+")


def even_width(text: str) -> str:
    """Text whose width every terminal agrees on: joiners, variation selectors and skin tones of emoji are left out, tabs are spaces.

    Terminals measure `👩‍👧` as two, four or six cells; apart, each person is two cells everywhere. A flag becomes its
    two letters: its halves are one or two cells each.
    """
    if text.isascii():
        return text.replace("\t", "    ") if "\t" in text else text
    return _EMOJI_GLUE.sub("", text).translate(_FLAGS).replace("\t", "    ")


def chop(text: str, width: int) -> tuple[str, str]:
    """Cut `text` after at most `width` cells (at least one character), never before a combining character."""
    if text.isascii():
        cut = max(1, width)
        return text[:cut], text[cut:]
    used = 0
    for index, character in enumerate(text):
        size = cell_len(character)
        if size and used + size > width and index:
            return text[:index], text[index:]
        used += size
    return text, ""


class Wrapper:
    """Takes spans as they come and puts full rows into `lines`; `finish` gives the last one."""

    __slots__ = (
        "_first",
        "_flowing",
        "_glue",
        "_hard",
        "_last",
        "_rest",
        "_row",
        "_started",
        "_used",
        "_word",
        "_word_width",
        "fill",
        "lines",
        "width",
    )

    def __init__(
        self,
        width: int,
        first: tuple[Span, ...] = (),
        rest: tuple[Span, ...] | None = None,
        *,
        hard: bool = False,
        fill: str = "",
    ) -> None:
        self._first = first
        self._rest = first if rest is None else rest
        self.width = max(1, width - sum(cell_len(text) for text, _ in self._rest))
        self.fill = fill
        self.lines: list[Line] = []
        self._hard = hard
        self._row: list[Span] = []
        self._used = 0
        self._word: list[Span] = []
        self._word_width = 0
        self._last = ""
        """The last character of the word in hand; empty between words."""
        self._flowing = False
        """The word in hand is longer than a row and is being filled in hard."""
        self._glue = ""
        """What stood between the last row and this one."""
        self._started = 0
        """0: no row yet; 1: the row in hand begins after a newline; 2: it goes on from a full row."""

    def clone(self) -> Wrapper:
        """A copy to go on with provisionally; it starts with no finished lines."""
        twin = object.__new__(Wrapper)
        twin._first, twin._rest, twin.width, twin.fill, twin._hard = (
            self._first,
            self._rest,
            self.width,
            self.fill,
            self._hard,
        )
        twin._row, twin._used, twin._word, twin._word_width = (
            list(self._row),
            self._used,
            list(self._word),
            self._word_width,
        )
        twin._last, twin._flowing, twin._glue = self._last, self._flowing, self._glue
        twin._started, twin.lines = self._started, []
        return twin

    def take(self) -> list[Line]:
        """The rows finished since the last call."""
        lines, self.lines = self.lines, []
        return lines

    def feed(self, spans: Iterable[Span]) -> None:
        """Go on with text; a newline in it ends the row."""
        if self._hard:
            for text, style in spans:
                for number, piece in enumerate(text.split("\n")):
                    if number:
                        self._end_row(1)
                    self._fill_hard(piece, style)
            return
        for text, style in spans:
            for piece in _WORD.findall(text):
                if piece == "\n":
                    self._put_word()
                    self._end_row(1)
                elif piece[0] == " ":
                    self._put_word()
                    self._put_space(piece, style)
                else:
                    self._add(piece, style)

    def finish(self) -> None:
        """End the text: the row in hand goes to `lines` (an empty text is one empty row)."""
        self._put_word()
        self._end_row(1)

    def _add(self, piece: str, style: str) -> None:
        width = cell_len(piece)
        breaks = self._last >= "\u2e80" or width > len(piece)
        if breaks and self._last and piece[0] not in _CLOSING:
            self._put_word()
        self._last = piece[-1]
        if self._flowing:
            self._fill_hard(piece, style)
            return
        self._word.append((piece, style))
        self._word_width += width
        if self._word_width > self.width:
            word = self._word
            self._word, self._word_width = [], 0
            if self._used:
                self._end_row(2)
            for text, name in word:
                self._fill_hard(text, name)
            self._flowing = True

    def _put_space(self, piece: str, style: str) -> None:
        if self._used and self._used < self.width:
            piece = piece[: self.width - self._used]
            self._row.append((piece, style))
            self._used += len(piece)
        elif not self._used and self._started != 2:
            piece = piece[: max(0, self.width - 8)]
            self._row.append((piece, style))
            self._used += len(piece)

    def _put_word(self) -> None:
        self._last = ""
        self._flowing = False
        if not self._word:
            return
        if self._used + self._word_width > self.width and self._used:
            self._end_row(2)
        self._row.extend(self._word)
        self._used += self._word_width
        self._word = []
        self._word_width = 0

    def _fill_hard(self, text: str, style: str) -> None:
        while text:
            piece, text = text[:512], text[512:]
            while piece:
                width = cell_len(piece)
                if self._used + width <= self.width:
                    self._row.append((piece, style))
                    self._used += width
                    break
                room = self.width - self._used
                head, tail = chop(piece, room)
                if self._used and cell_len(head) > room:
                    self._end_row(2)
                    continue
                self._row.append((head, style))
                self._end_row(2)
                piece = tail

    def _end_row(self, next_started: int) -> None:
        prefix = self._first
        self._first = self._rest
        row = self._row
        glue = self._glue if self._started == 2 else None
        self._glue = " " if row and row[-1][0][-1:] == " " and not self._hard else ""
        if row and not self._hard:
            text, style = row[-1]
            if text[-1:] == " ":
                row[-1] = (text.rstrip(" "), style)
        self.lines.append(Line(prefix + _merged(row), self.fill, glue, sum(len(text) for text, _ in prefix)))
        self._row = []
        self._used = 0
        self._started = next_started


def _merged(row: list[Span]) -> tuple[Span, ...]:
    """Neighbours of one style made one span."""
    out: list[Span] = []
    texts: list[str] = []
    current: str | None = None
    for text, style in row:
        if style == current:
            texts.append(text)
        else:
            if current is not None and texts:
                out.append(("".join(texts), current))
            texts, current = [text], style
    if current is not None:
        out.append(("".join(texts), current))
    return tuple(span for span in out if span[0])
