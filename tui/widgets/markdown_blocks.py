"""Streaming Markdown to rows: lines are read once, finished rows are frozen, and only the open end is rendered again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from catalog.plaintext import harmless
from tui.widgets.markdown_boxes import Box, matched, narrowed, opened, unboxed
from tui.widgets.markdown_leaves import Code, CodeText, Heading, Leaf, Paragraph, Rule
from tui.widgets.markdown_starts import FENCE, HEADING, ROW, RULE, SETEXT, UNDECIDED, ends_paragraph
from tui.widgets.markdown_table import Table, is_delimiter
from tui.widgets.markdown_wrap import Line, Span, even_width

LONG = 2000
"""A source line not ended after so many characters is running text (or code), never a heading or a table row."""

_APART = ("heading", "code", "table", "rule")
"""Blocks that stand apart from what is above and below them, with or without an empty line in the source."""

_Maker = Callable[[tuple[Span, ...], tuple[Span, ...]], Leaf]


class MarkdownRows:
    """One document at one width. `rows` are frozen; `tail()` is the open end as it looks now."""

    def __init__(self, width: int) -> None:
        self.width = max(8, width)
        self.rows: list[Line] = []
        self.codes: list[CodeText] = []
        self._boxes: list[Box] = []
        self._leaf: Leaf | None = None
        self._leaf_row = 0
        self._fence: tuple[str, int] | None = None
        self._gap = self._gapped = False
        self._prefix: tuple[tuple[Span, ...], tuple[Span, ...]] = ((), ())
        self._last_kind = ""
        self._partial = ""
        self._written = ""
        """The line in hand with its tabs and all: what is copied of code."""
        self._mid = False
        self._count = 0

    def feed(self, text: str) -> None:
        """Go on with the document; `text` may be cut anywhere."""
        buffer = self._partial + text
        held = ""
        if buffer.endswith("\r"):
            buffer, held = buffer[:-1], "\r"
        start = 0
        while (end := buffer.find("\n", start)) >= 0:
            self._complete(harmless(buffer[start:end].removesuffix("\r")))
            start = end + 1
        rest = buffer[start:]
        if rest and (self._mid or len(rest) > LONG):
            clean = harmless(rest)
            if self._mid or len(clean) > LONG:
                self._long(clean, ended=False)
                rest = ""
        self._partial = rest + held

    def close(self) -> None:
        """The document is complete: everything becomes frozen rows."""
        if self._partial:
            partial, self._partial = self._partial, ""
            self._complete(harmless(partial.removesuffix("\r")))
        self._end_leaf()
        self._boxes.clear()

    def tail(self) -> list[Line]:
        """The rows after the frozen ones, were the document to end here. What is still ambiguous is held back."""
        partial = harmless(self._partial.removesuffix("\r"))
        if self._fence is not None:
            closing = partial.strip()[:1] == self._fence[0] and not partial.strip(" \t`~")
            partial = "" if closing else partial
        elif UNDECIDED.match(even_width(partial)):
            partial = ""
        return self._clone().end_with(partial)

    def end_with(self, partial: str) -> list[Line]:
        if partial:
            self._complete(partial)
        if isinstance(self._leaf, Paragraph):
            self._leaf.provisional = True
            if (self._leaf.one_line or "").startswith("|"):  # the header of a table, most likely
                self._leaf = None
        self._end_leaf()
        return self.rows

    def _clone(self) -> MarkdownRows:
        twin = object.__new__(MarkdownRows)
        twin.width, twin.rows, twin.codes = self.width, [], []
        twin._boxes = [replace(box) for box in self._boxes]
        twin._leaf = self._leaf.clone() if self._leaf is not None else None
        twin._leaf_row, twin._fence, twin._gap, twin._last_kind = 0, self._fence, self._gap, self._last_kind
        twin._gapped, twin._prefix = self._gapped, self._prefix
        twin._partial, twin._written, twin._mid = "", "", self._mid
        twin._count = self._count + len(self.rows)
        return twin

    # reading lines

    def _complete(self, line: str) -> None:
        if len(line) > LONG or self._mid:
            self._long(line, ended=True)
        else:
            self._line(line)
            self._settle()

    def _long(self, text: str, *, ended: bool) -> None:
        """A line of more than LONG characters: its beginning decides what it is, the rest is added as it comes."""
        if not self._mid:
            head, text = text[:LONG], text[LONG:]
            if self._fence is not None and isinstance(self._leaf, Code) and not self._fence_broken(head):
                self._leaf.add_piece(unboxed(self._boxes, head))
            else:
                self._line(head, running=True)
            self._mid = True
        leaf = self._leaf
        while text and isinstance(leaf, Code | Paragraph):
            piece, text = text[:LONG], text[LONG:]
            if isinstance(leaf, Code):
                leaf.add_piece(piece)
            else:
                leaf.add_raw(even_width(piece))
                self._settle()
        if ended:
            if isinstance(leaf, Code):
                leaf.add_line("")
            self._mid = False
        self._settle()

    def _settle(self) -> None:
        if self._leaf is not None:
            self.rows.extend(self._leaf.take())

    def _line(self, line: str, *, running: bool = False) -> None:
        if self._fence is not None and self._in_fence(line):
            return
        self._written, line = line, even_width(line)
        rest, depth = matched(self._boxes, line)
        if not rest.strip():
            self._blank(depth)
            return
        if depth < len(self._boxes):
            if self._lazy(rest):
                self._add_text(rest, running)
                return
            self._pop(depth)
        if not (isinstance(self._leaf, Paragraph) and not self._starts_block(rest)):
            rest = self._open_boxes(rest)
        self._content(rest, running)

    def _blank(self, depth: int) -> None:
        quotes = [number for number, box in enumerate(self._boxes) if box.quote and number >= depth]
        self._end_leaf()
        if quotes:
            self._pop(quotes[0])
        self._gap = True

    def _in_fence(self, line: str) -> bool:
        """A line inside the open fence; False when the quote around it has ended, and with it the fence."""
        if self._fence_broken(line):
            self._end_leaf()
            return False
        mark, size = self._fence or ("`", 3)
        rest = unboxed(self._boxes, even_width(line))
        stripped = rest.strip()
        if len(stripped) >= size and not stripped.strip(mark) and len(rest) - len(rest.lstrip()) < 4:
            self._end_leaf()
        elif isinstance(self._leaf, Code):
            self._leaf.add_line(unboxed(self._boxes, line))
        return True

    def _fence_broken(self, line: str) -> bool:
        quoted = any(box.quote for box in self._boxes)
        return quoted and matched(self._boxes, even_width(line))[1] < len(self._boxes)

    def _starts_block(self, rest: str) -> bool:
        return ends_paragraph(rest, in_list=any(not box.quote for box in self._boxes))

    def _lazy(self, rest: str) -> bool:
        return isinstance(self._leaf, Paragraph) and not self._starts_block(rest) and not SETEXT.match(rest)

    def _open_boxes(self, rest: str) -> str:
        """Open what the line begins; returns the rest of the line."""
        while not RULE.match(rest) and (found := opened(self._boxes, rest)) is not None:
            self._end_leaf()
            box, rest = found
            self._boxes.append(box)
            if not rest.strip():
                break
        return rest

    # leaves

    def _content(self, rest: str, running: bool) -> None:
        if isinstance(self._leaf, Table):
            if "|" in rest and not running:
                self._leaf.add(rest)
                return
            self._end_leaf()
        if not rest.strip():
            return
        if not running and self._block(rest):
            return
        self._add_text(rest, running)

    def _block(self, rest: str) -> bool:
        """Begin what this line begins; False when it is text."""
        paragraph = self._leaf if isinstance(self._leaf, Paragraph) else None
        header = paragraph.one_line if paragraph is not None else None
        if paragraph is not None and header is not None:
            if is_delimiter(rest, header):
                self._leaf = None
                self._begin(
                    "table", lambda first, more: Table(self.width, first, more, header, rest), repeat=True
                )
                return True
            if match := SETEXT.match(rest):
                self._leaf = None
                level = 1 if match[1][0] == "=" else 2
                self._begin(
                    "heading",
                    lambda first, more: Heading(self.width, first, more, level, header),
                    repeat=True,
                )
                self._end_leaf()
                return True
        if match := FENCE.match(rest):
            info, mark = match["info"].strip(), match["fence"]
            self._begin("code", lambda first, more: Code(self.width, first, more, info[:40]))
            self._fence = (mark[0], len(mark))
        elif match := HEADING.match(rest):
            level, text = len(match[1]), match[2] or ""
            self._begin("heading", lambda first, more: Heading(self.width, first, more, level, text))
            self._end_leaf()
        elif RULE.match(rest):
            self._begin("rule", lambda first, more: Rule(self.width, first, more))
            self._end_leaf()
        elif rest.startswith("    ") and paragraph is None and self._fence is None:
            if not isinstance(self._leaf, Code):
                self._begin("code", lambda first, more: Code(self.width, first, more, ""))
            if isinstance(self._leaf, Code):
                written = unboxed(self._boxes, self._written)
                exact = even_width(written) == rest and written.startswith(("\t", "    "))
                self._leaf.add_line(written[1 if written[0] == "\t" else 4 :] if exact else rest[4:])
        else:
            return False
        return True

    def _add_text(self, rest: str, running: bool = False) -> None:
        if isinstance(self._leaf, Paragraph):
            if ROW.match(rest):
                self._end_leaf()
            else:
                self._leaf.add_line(rest, running)
                return
        self._begin("paragraph", lambda first, more: Paragraph(self.width, first, more, self._style()))
        if isinstance(self._leaf, Paragraph):
            self._leaf.add_line(rest, running)

    def _style(self) -> str:
        return "quote" if any(box.quote for box in self._boxes) else ""

    def _begin(self, kind: str, make: _Maker, *, repeat: bool = False) -> None:
        """Open a leaf. `repeat`: it takes the place of a paragraph that has shown nothing yet."""
        if repeat:
            first, more = self._prefix
            if kind in _APART and not self._gapped:
                self._blank_row()
            self._leaf = make(first, more)
            return
        self._end_leaf()
        self._gapped = self._gap or kind in _APART or self._last_kind in _APART
        if self._gapped:
            self._blank_row()
        self._gap = False
        fresh = [not box.quote and not box.shown for box in self._boxes]
        self._prefix = narrowed(
            [
                (box.marker, "bullet") if new else box.rest
                for box, new in zip(self._boxes, fresh, strict=True)
            ],
            [box.rest for box in self._boxes],
            self.width,
        )
        for box in self._boxes:
            box.shown = True
        self._leaf_row = self._count + len(self.rows)
        self._leaf = make(*self._prefix)

    def _blank_row(self) -> None:
        if not self._count + len(self.rows):
            return
        shown = [box.rest for box in self._boxes if box.shown]
        prefix = list(narrowed(shown, shown, self.width)[1])
        while prefix and not prefix[-1][0].strip():
            prefix.pop()
        self.rows.append(Line(tuple(prefix), "", None, sum(len(text) for text, _ in prefix)))

    def _end_leaf(self) -> None:
        leaf, self._leaf = self._leaf, None
        self._fence = None
        if leaf is None:
            return
        self.rows.extend(leaf.end())
        if isinstance(leaf, Code):
            self.codes.append(
                CodeText(self._leaf_row, self._count + len(self.rows), leaf.language, leaf.text)
            )
        self._last_kind = leaf.kind

    def _pop(self, keep: int) -> None:
        self._end_leaf()
        del self._boxes[keep:]
