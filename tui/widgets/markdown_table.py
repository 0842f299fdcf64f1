"""How a Markdown table is laid out: columns as wide as their cells, narrowed until the table fits, aligned by cells and not characters."""

from __future__ import annotations

import re

from rich.cells import cell_len

from tui.widgets.markdown_inline import spans as inline_spans
from tui.widgets.markdown_wrap import Line, Span, Wrapper

SETTLE = 40
"""Rows after which the column widths stay as they are, so that a long table's finished rows can be frozen."""

_DELIMITER = re.compile(r"^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_GAP = " │ "

Cell = list[Span]


def cells(line: str) -> list[str]:
    """The cells of a table row; `\\|` and pipes inside code stay in their cell."""
    text = line.strip()
    text = text.removeprefix("|")
    out: list[str] = []
    start = at = 0
    while at < len(text):
        character = text[at]
        if character == "\\":
            at += 1
        elif character == "`":
            close = text.find("`", at + 1)
            at = close if close > 0 else at
        elif character == "|":
            out.append(text[start:at])
            start = at + 1
        at += 1
    if text[start:].strip():
        out.append(text[start:])
    return [cell.strip().replace("\\|", "|") for cell in out]


def is_delimiter(line: str, header: str) -> bool:
    """True for the row of dashes under a header with as many cells."""
    return (
        "|" in header
        and "-" in line
        and _DELIMITER.match(line) is not None
        and len(cells(line)) == len(cells(header))
    )


class Table:
    """Rows come in; lines come out once the column widths have settled."""

    kind = "table"

    def __init__(
        self, width: int, first: tuple[Span, ...], rest: tuple[Span, ...], header: str, delimiter: str
    ) -> None:
        self._width, self._first, self._rest = width, first, rest
        self._aligns = [(c.startswith(":"), c.endswith(":")) for c in cells(delimiter)]
        self._rows: list[list[Cell]] = []
        self._widths: list[int] | None = None
        self._given = 0
        self._head = True
        self.add(header)

    def clone(self) -> Table:
        twin = object.__new__(Table)
        twin._width, twin._first, twin._rest, twin._aligns = (
            self._width,
            self._first,
            self._rest,
            self._aligns,
        )
        twin._rows, twin._widths, twin._given, twin._head = (
            list(self._rows),
            self._widths,
            self._given,
            self._head,
        )
        return twin

    def add(self, line: str) -> None:
        """One more row; cells beyond the header's are left out, missing ones are empty."""
        style = "strong" if not self._rows and self._head else ""
        row = [inline_spans(cell, style) for cell in cells(line)[: len(self._aligns)]]
        row += [[("", "")] for _ in range(len(self._aligns) - len(row))]
        self._rows.append(row)
        if self._widths is None and len(self._rows) >= SETTLE:
            self._widths = self._measure()

    def take(self) -> list[Line]:
        return self._lines(self._widths) if self._widths is not None else []

    def end(self) -> list[Line]:
        return self._lines(self._widths or self._measure())

    def _measure(self) -> list[int]:
        room = self._width - sum(cell_len(text) for text, _ in self._rest)
        count = len(self._aligns)
        room -= len(_GAP) * (count - 1)
        natural = [
            max(1, *(cell_len("".join(t for t, _ in row[column])) for row in self._rows))
            for column in range(count)
        ]
        widths = list(natural)
        excess = sum(widths) - max(room, count)
        while excess > 0:
            widest = max(widths)
            wide = [column for column, size in enumerate(widths) if size == widest]
            below = max([size for size in widths if size < widest], default=1)
            step = min(max(1, widest - below), max(1, -(-excess // len(wide))))
            for column in wide:
                cut = min(step, excess, widths[column] - 1)
                widths[column] -= cut
                excess -= cut
            if widest == 1:
                break
        return widths

    def _lines(self, widths: list[int]) -> list[Line]:
        out: list[Line] = []
        rows, self._rows = self._rows, []
        for row in rows:
            out.extend(self._row(row, widths))
            if self._head:
                self._head = False
                rule: list[Span] = [("─┼─".join("─" * size for size in widths), "rule")]
                out.append(self._line(rule))
        return out

    def _row(self, row: list[Cell], widths: list[int]) -> list[Line]:
        columns: list[list[Line]] = []
        for cell, size in zip(row, widths, strict=True):
            wrapper = Wrapper(size)
            wrapper.feed(cell)
            wrapper.finish()
            columns.append(wrapper.lines)
        out: list[Line] = []
        for number in range(max(len(lines) for lines in columns)):
            spans: list[Span] = []
            for column, (lines, size) in enumerate(zip(columns, widths, strict=True)):
                if column:
                    spans.append((_GAP, "rule"))
                content = lines[number].spans if number < len(lines) else ()
                spans.extend(_aligned(content, size, *self._aligns[column]))
            out.append(self._line(spans))
        return out

    def _line(self, spans: list[Span]) -> Line:
        prefix = self._first
        self._first = self._rest
        return Line(
            prefix + tuple(span for span in spans if span[0]), "", None, sum(len(text) for text, _ in prefix)
        )


def _aligned(content: tuple[Span, ...], size: int, left: bool, right: bool) -> list[Span]:
    space = size - sum(cell_len(text) for text, _ in content)
    before = space if right and not left else space // 2 if left and right else 0
    return [(" " * before, ""), *content, (" " * (space - before), "")]
