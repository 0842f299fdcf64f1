"""What goes to the terminal: only the cells that differ from what it already shows.

Textual sends every row whole whenever a window opens, a message appears or a mode changes, and each stretch of text
with its full colours. Over SSH that is tens of kilobytes for a question of three lines. Here the terminal's cells are
remembered; a frame is compared with them, and only the difference is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from rich.segment import Segment
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from tui.formatting import width

if TYPE_CHECKING:
    from rich.console import Console
    from rich.style import Style
    from textual.geometry import Size

Pen = tuple[str, str]
"""The sequences that switch a style on and off again."""
Cell = tuple[Pen, str]
Piece = tuple[int, int, Iterable[Iterable[Segment]]]
"""Row, first column, and what stands from there on."""

_PLAIN: Pen = ("", "")
_UNKNOWN: Cell = (_PLAIN, "")
"""Equal to no cell that is ever written, save the continuation of a wide one."""
_REST: Cell = (_PLAIN, "\0")
"""A cell that the text of a cell to its left reaches into."""
_GAP = 8
"""So many equal cells are cheaper to write again than to jump over."""
_MARK = "\ue000"
_PLAIN_SGR = re.compile(r"\x1b\[([0-9;]*)m")
_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "7": "27", "9": "29"}
"""What ends an attribute; bold and dim end together."""


class Wire:
    """The cells the terminal shows, as far as they are known, and the way from them to the next frame."""

    def __init__(self) -> None:
        self._rows: list[list[Cell]] = []
        self._size = (0, 0)
        self._pens: dict[Style, Pen] = {}
        self._changes: dict[tuple[Pen, Pen], str] = {}
        """From one pen to another, in as few bytes as it takes."""
        self._blanks: dict[Pen, Pen] = {}
        """What a space looks like in each pen that leaves a space blank."""
        self._blank_of: dict[Style, Pen] = {}

    def forget(self) -> None:
        """Something else may have written to the terminal: the next frame is sent whole."""
        self._rows, self._size = [], (0, 0)

    def resized(self, size: Size) -> None:
        """A terminal moves what it shows when its size changes."""
        if self._size not in ((0, 0), (size.width, size.height)):
            self.forget()

    def lean(self, update: CompositorUpdate) -> CompositorUpdate:
        """The same update, rendered as the difference to what is shown. Other kinds of update pass unchanged."""
        if isinstance(update, LayoutUpdate):
            region = update.region
            if (region.x, region.y) == (0, 0):
                return _Changes(self, update, (region.width, region.height))
        elif isinstance(update, ChopsUpdate):
            return _Changes(self, update, None)
        self.forget()
        return update

    def changes(self, pieces: Iterable[Piece], size: tuple[int, int] | None, colours: ColorSystem) -> str:
        """The sequences that bring the terminal to these pieces; they are taken as shown from now on."""
        if size is not None and size != self._size:
            if self._size != (0, 0):
                self._rows = []
            self._size = size
        if len(self._pens) > 4096:
            self._pens.clear()
            self._blanks.clear()
            self._changes.clear()
            self._blank_of.clear()
        out: list[str] = []
        pen = _PLAIN
        for y, x, strips in pieces:
            new = [cell for strip in strips for cell in self._cells(strip, colours)]
            old = self._known(y, x, len(new))
            if old == new:
                continue
            self._put(y, x, new)
            for start, end in _spans(old, new):
                out.append(f"\x1b[{y + 1};{x + start + 1}H")
                for wanted, text in new[start:end]:
                    if text == "\0":
                        continue
                    if wanted is not pen and wanted != (self._blanks.get(pen, pen) if text == " " else pen):
                        change = self._changes.get((pen, wanted))
                        out.append(self._change(pen, wanted) if change is None else change)
                        pen = wanted
                    out.append(text)
        out.append(pen[1])
        return "".join(out)

    def _change(self, pen: Pen, wanted: Pen) -> str:
        made = self._changes[pen, wanted] = _between(pen, wanted)
        return made

    def _known(self, y: int, x: int, cells: int) -> list[Cell]:
        while len(self._rows) <= y:
            self._rows.append([])
        row = self._rows[y]
        if len(row) < x + cells:
            row += [_UNKNOWN] * (x + cells - len(row))
        return row[x : x + cells]

    def _put(self, y: int, x: int, new: list[Cell]) -> None:
        row, end = self._rows[y], x + len(new)
        row[x:end] = new
        # A wide character that lost a half is no longer what the terminal shows.
        while end < len(row) and row[end] is _REST:
            row[end] = _UNKNOWN
            end += 1
        if x and (row[x - 1] is _REST or len(row[x - 1][1]) != 1):
            row[x - 1] = _UNKNOWN

    def _cells(self, strip: Iterable[Segment], colours: ColorSystem) -> Iterator[Cell]:
        for text, style, control in strip:
            if control or not text:
                continue
            pen = _PLAIN if style is None else self._pen(style, colours)
            if text.isascii() or _single(text):
                blank = pen if style is None or " " not in text else self._blank(style, pen, colours)
                for character in text:
                    yield (blank if character == " " else pen), character
            else:  # wide and combining characters stay together, whatever the terminal makes of them
                if cells := width(text):  # else nothing that could be put into a cell
                    yield pen, text
                    yield from [_REST] * (cells - 1)

    def _blank(self, style: Style, pen: Pen, colours: ColorSystem) -> Pen:
        """A space shows only its background, so one written in any colour is the same cell."""
        blank = self._blank_of.get(style)
        if blank is not None:
            return blank
        blank = pen
        if not (
            style.link
            or style.underline
            or style.underline2
            or style.reverse
            or style.strike
            or style.overline
        ):
            blank = self._blanks[pen] = self._pen(style.background_style, colours)
        self._blank_of[style] = blank
        return blank

    def _pen(self, style: Style, colours: ColorSystem) -> Pen:
        pen = self._pens.get(style)
        if pen is None:
            before, _, after = Strip.render_style(style, _MARK, colours).partition(_MARK)
            pen = self._pens[style] = (before, after)
        return pen


@lru_cache(maxsize=4096)
def _single(text: str) -> bool:
    """True when each character takes one cell."""
    return all(get_character_cell_size(character) == 1 for character in text)


def _between(pen: Pen, wanted: Pen) -> str:
    """The shortest sequence from one pen to another: most neighbours differ in one colour only."""
    whole = pen[1] + wanted[0]
    before, after = _codes(pen), _codes(wanted)
    if before is None or after is None:
        return whole
    parts: list[str] = []
    kept = {code: words for code, words in before.items() if code in after or code in ("38", "48")}
    for code in before:
        if code not in after:
            off = {"38": "39", "48": "49"}.get(code) or _OFF.get(code)
            if off is None:
                return whole
            parts.append(off)
            kept.pop(code, None)
            if off == "22":
                kept.pop("1", None)
                kept.pop("2", None)
    parts += [words for code, words in after.items() if kept.get(code) != words]
    lean = f"\x1b[{';'.join(parts)}m" if parts else ""
    return lean if len(lean) < len(whole) else whole


def _codes(pen: Pen) -> dict[str, str] | None:
    """The pen's codes by what they set: `38` and `48` for the colours, an attribute by itself. None: more than codes."""
    if pen == _PLAIN:
        return {}
    match = _PLAIN_SGR.fullmatch(pen[0])
    if match is None or pen[1] != "\x1b[0m":
        return None
    found: dict[str, str] = {}
    codes = iter(match.group(1).split(";"))
    for code in codes:
        if code in ("38", "48"):
            kind = next(codes, "")
            rest = [next(codes, "") for _ in range(3 if kind == "2" else 1)]
            found[code] = ";".join([code, kind, *rest])
        elif code.isdigit() and (30 <= int(code) <= 39 or 90 <= int(code) <= 97):
            found["38"] = code
        elif code.isdigit() and (40 <= int(code) <= 49 or 100 <= int(code) <= 107):
            found["48"] = code
        else:
            found[code] = code
    return found


def _spans(old: list[Cell], new: list[Cell]) -> Iterator[tuple[int, int]]:
    """First and past-the-last place of each stretch to write. Where a character may be wider or narrower than thought,
    the row is written whole, as a terminal that counts otherwise would keep what should be gone."""
    if _REST in new or _REST in old:
        yield 0, len(new)
        return
    size, at = len(new), 0
    while at < size:
        if old[at] == new[at]:
            at += 1
            continue
        last = probe = at
        while probe < size and probe - last <= _GAP:
            if old[probe] != new[probe]:
                last = probe
            probe += 1
        yield at, last + 1
        at = last + 1


class _Changes(CompositorUpdate):
    """An update that writes itself as a difference, at the moment it is really written."""

    def __init__(self, wire: Wire, update: LayoutUpdate | ChopsUpdate, size: tuple[int, int] | None) -> None:
        self._wire, self._update, self._size = wire, update, size

    def render_segments(self, console: Console) -> str:
        colours = console._color_system or ColorSystem.TRUECOLOR  # noqa: SLF001
        pieces = _rows(self._update) if isinstance(self._update, LayoutUpdate) else _chops(self._update)
        return self._wire.changes(pieces, self._size, colours)


def _rows(update: LayoutUpdate) -> Iterator[Piece]:
    for y, line in enumerate(update.strips):
        yield y, 0, line


def _chops(update: ChopsUpdate) -> Iterator[Piece]:
    for y, left, right in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x <= right and end > left:
                whole = strip if end <= right else strip.crop(0, right - x)
                yield (y, *_from(whole, x, left))


def _from(strip: Strip, x: int, left: int) -> tuple[int, tuple[Iterable[Segment]]]:
    """The strip from the segment on that reaches over a column, and where that begins: what lies before is as it was."""
    for place, segment in enumerate(strip):
        after = x + segment.cell_length
        if after > left:
            return x, (strip if place == 0 else list(strip)[place:],)
        x = after
    return x, ((),)
