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
NARROWEST = 5
"""Cells a column needs to be read. Where the columns have less, each row is a list of names and values instead."""

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
        self._head = True
        self._names: list[str] = []
        self.add(header)
        self._names = ["".join(text for text, _ in cell) for cell in self._rows[0]]

    def clone(self) -> Table:
        twin = object.__new__(Table)
        twin._width, twin._first, twin._rest, twin._aligns = (
            self._width,
            self._first,
            self._rest,
            self._aligns,
        )
        twin._rows, twin._widths, twin._head = list(self._rows), self._widths, self._head
        twin._names = self._names
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
        return self._lines(self._measure() if self._widths is None else self._widths)

    def _measure(self) -> list[int]:
        """The width of each column; none at all where they do not fit beside each other."""
        room = self._width - sum(cell_len(text) for text, _ in self._rest)
        count = len(self._aligns)
        room -= len(_GAP) * (count - 1)
        natural = [
            max(1, *(cell_len("".join(t for t, _ in row[column])) for row in self._rows))
            for column in range(count)
        ]
        if room < min(sum(natural), count * NARROWEST):
            return []
        widths = list(natural)
        excess = sum(widths) - room
        while excess > 0:
            widest = max(widths)
            wide = [column for column, size in enumerate(widths) if size == widest]
            below = max([size for size in widths if size < widest], default=1)
            step = min(max(1, widest - below), max(1, -(-excess // len(wide))))
            for column in wide:
                cut = min(step, excess)
                widths[column] -= cut
                excess -= cut
        return widths

    def _lines(self, widths: list[int]) -> list[Line]:
        out: list[Line] = []
        rows, self._rows = self._rows, []
        for row in rows:
            if not widths:
                if not self._head or len(rows) == 1:
                    out.extend(self._listed(row))
                self._head = False
                continue
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

    def _listed(self, row: list[Cell]) -> list[Line]:
        """A row as a list: each cell with the name of its column."""
        out: list[Line] = []
        for number, (name, cell) in enumerate(zip(self._names, row, strict=True)):
            first: Span = ("─ " if number == 0 else "  ", "rule")
            wrapper = Wrapper(self._width, (*self._first, first), (*self._rest, ("  ", "")))
            wrapper.feed([(f"{name}: ", "dim"), *cell] if name and not self._head else cell)
            wrapper.finish()
            out += wrapper.lines
            self._first = self._rest
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
