"""What is around a line of Markdown: quotes and list items, opened and closed by marks and indents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tui.widgets.markdown_wrap import Span

ITEM = re.compile(r"^(?P<lead> *)(?P<marker>[-*+]|\d{1,9}[.)])(?P<space> {1,4}(?=\S)| +(?=\S)|$)")
QUOTE = re.compile(r"^ {0,3}> ?")
_TASK = re.compile(r"^\[([ xX])\] ")
_BULLETS = "•◦▪"
TEXT_ROOM = 4
"""Cells that text has at least beside what is around it: a code block's bar and a wide character."""


@dataclass(slots=True)
class Box:
    """A quote or a list item that is open."""

    quote: bool
    lead: int = 0
    indent: int = 0
    marker: str = ""
    shown: bool = False

    @property
    def rest(self) -> Span:
        """What stands left of its rows, the first of a list item excepted."""
        return ("▌ ", "bar") if self.quote else (" " * len(self.marker), "")


def matched(boxes: Sequence[Box], line: str) -> tuple[str, int]:
    """The line without the marks and indents of the boxes it is still in, and how many those are."""
    rest = line
    for number, box in enumerate(boxes):
        if box.quote:
            match = QUOTE.match(rest)
            if match is None:
                return rest, number
            rest = rest[match.end() :]
        elif rest.strip():
            indent = len(rest) - len(rest.lstrip(" "))
            if indent >= box.indent:
                rest = rest[box.indent :]
            elif indent >= box.lead + 2 and ITEM.match(rest):
                rest = rest[indent:]
            else:
                return rest, number
    return rest, len(boxes)


def unboxed(boxes: Sequence[Box], line: str) -> str:
    """A line of code without the marks and indents of what is around it; too small an indent is forgiven."""
    for box in boxes:
        if box.quote:
            line = QUOTE.sub("", line, count=1)
        elif line.startswith("\t"):
            line = line[1:]
        else:
            line = line[min(box.indent, len(line) - len(line.lstrip(" "))) :]
    return line


def opened(boxes: Sequence[Box], rest: str) -> tuple[Box, str] | None:
    """The box that a line begins, and what is left of the line; None when it begins none."""
    if match := QUOTE.match(rest):
        return Box(quote=True), rest[match.end() :]
    match = ITEM.match(rest)
    if match is None or len(match["lead"]) > (8 if boxes else 3):
        return None
    space = len(match["space"])
    indent = len(match["lead"]) + len(match["marker"]) + (space if 1 <= space <= 4 else 1)
    marker = match["marker"]
    depth = sum(not box.quote for box in boxes)
    shown = f"{marker} " if marker[0].isdigit() else f"{_BULLETS[min(depth, 2)]} "
    rest = rest[match.end() :]
    if task := _TASK.match(rest):
        shown = "☐ " if task[1] == " " else "☑ "
        rest = rest[task.end() :]
    return Box(False, len(match["lead"]), indent, shown), rest


def narrowed(
    first: Sequence[Span], rest: Sequence[Span], width: int
) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """What stands left of the text of a leaf's first row and of its others, cut from the outside so that text has room."""
    spare = width - max(TEXT_ROOM, min(20, width // 2)) - sum(len(text) for text, _ in rest)
    first, rest = list(first), list(rest)
    while spare < 0 and rest:
        spare += len(rest[0][0])
        del first[0], rest[0]
    return tuple(first), tuple(rest)
