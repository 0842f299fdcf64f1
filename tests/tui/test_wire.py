"""What the terminal shows after frames sent as differences is what it would show after whole frames, for far fewer bytes."""

from __future__ import annotations

import random

import pyte
import pytest
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region, Size
from textual.strip import Strip

from tui.wire import Wire

WIDE, HIGH = 30, 6
STYLES = [
    Style.parse(words)
    for words in ("white on #101010", "bold red on #101010", "white on blue", "underline white on blue", "reverse white on blue",
                  "bold dim white on #101010", "dim green on default", "italic strike red", "bold underline default on blue")
]  # fmt: skip
WORDS = ["a", "word", "  ", "          ", "Zażółć", "日本", "🙂", "e\u0301", "│", "…"]


def console() -> Console:
    return Console(color_system="truecolor", force_terminal=True)


def row(chance: random.Random, cells: int = WIDE) -> Strip:
    segments, used = [], 0
    while used < cells:
        segment = Segment(chance.choice(WORDS), chance.choice(STYLES))
        segments.append(segment)
        used += segment.cell_length
    return Strip(segments).crop(0, cells)


def frame(rows: list[Strip]) -> LayoutUpdate:
    return LayoutUpdate([[strip] for strip in rows], Region(0, 0, WIDE, HIGH))


class Terminal:
    """A terminal that remembers what it was sent."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(WIDE, HIGH)
        self.screen.reset_mode(pyte.modes.DECAWM)
        self._stream = pyte.Stream(self.screen)

    def take(self, sequence: str) -> None:
        self._stream.feed(sequence)

    def shown(self) -> list[list[tuple[object, ...]]]:
        found = []
        for y in range(HIGH):
            cells: list[tuple[object, ...]] = []
            for x in range(WIDE):
                cell = self.screen.buffer[y][x]
                ink = (
                    ()
                    if cell.data == " " and not cell.underscore and not cell.reverse
                    else (cell.fg, cell.bold, cell.italics, cell.strikethrough)
                )
                cells.append((cell.data, cell.bg, cell.underscore, cell.reverse, *ink))
            found.append(cells)
        return found


def test_frames_and_parts_of_frames_end_in_the_picture_that_whole_frames_give() -> None:
    chance = random.Random(7)
    wire, out = Wire(), console()
    lean, whole = Terminal(), Terminal()
    rows = [row(chance) for _ in range(HIGH)]
    for step in range(300):
        for y in chance.sample(range(HIGH), chance.randint(0, 3)):
            rows[y] = row(chance)
        if step % 3 == 2:  # some rows only, in two pieces each
            y, cut = chance.randrange(HIGH), chance.randrange(1, WIDE - 1)
            left, right = row(chance, cut), row(chance, WIDE - cut)
            rows[y] = Strip.join([left, right])
            update: LayoutUpdate | ChopsUpdate = ChopsUpdate(
                [{0: rows[line]} if line != y else {0: left, cut: right} for line in range(HIGH)],
                [(line, 0, WIDE) for line in range(HIGH)],
                [[WIDE] if line != y else [cut, WIDE] for line in range(HIGH)],
            )
        else:
            update = frame(rows)
        lean.take(wire.lean(update).render_segments(out))
        whole.take(frame(rows).render_segments(out).replace("\n", ""))
        assert lean.shown() == whole.shown(), step


def test_an_unchanged_frame_costs_nothing_and_a_changed_word_only_itself() -> None:
    wire, out = Wire(), console()
    rows = [Strip([Segment("x" * WIDE, STYLES[0])]) for _ in range(HIGH)]
    first = wire.lean(frame(rows)).render_segments(out)
    assert len(first) > WIDE * HIGH
    assert wire.lean(frame(rows)).render_segments(out) == ""
    rows[2] = Strip([Segment("x" * 10 + "new" + "x" * (WIDE - 13), STYLES[0])])
    changed = wire.lean(frame(rows)).render_segments(out)
    assert changed.startswith("\x1b[3;11H")
    assert "new" in changed
    assert "x" not in changed


def test_a_space_in_another_colour_is_the_same_cell() -> None:
    wire = Wire()
    dim = Style.parse("#777777 on #101010")
    wire.changes([(0, 0, [Strip([Segment(" " * WIDE, STYLES[0])])])], None, ColorSystem.TRUECOLOR)
    again = [(0, 0, [Strip([Segment(" " * WIDE, dim)])])]
    assert wire.changes(again, None, ColorSystem.TRUECOLOR) == ""
    line = [(0, 0, [Strip([Segment(" " * WIDE, STYLES[3])])])]
    assert "\x1b[4;" in wire.changes(line, None, ColorSystem.TRUECOLOR)


def test_what_something_else_wrote_over_is_sent_again_whole() -> None:
    wire, out = Wire(), console()
    rows = [Strip([Segment("x" * WIDE, STYLES[0])]) for _ in range(HIGH)]
    first = wire.lean(frame(rows)).render_segments(out)
    wire.forget()
    assert wire.lean(frame(rows)).render_segments(out) == first
    wire.resized(Size(WIDE, HIGH))
    assert wire.lean(frame(rows)).render_segments(out) == ""
    wire.resized(Size(WIDE + 1, HIGH))
    assert wire.lean(frame(rows)).render_segments(out) == first


def test_a_neighbour_in_another_colour_costs_that_colour_only() -> None:
    wire = Wire()
    pair = Strip(
        [Segment("a", Style.parse("#d5dbe5 on #11151c")), Segment("b", Style.parse("#76839a on #11151c"))]
    )
    sent = wire.changes([(0, 0, [pair])], None, ColorSystem.TRUECOLOR)
    assert sent == "\x1b[1;1H\x1b[38;2;213;219;229;48;2;17;21;28ma\x1b[38;2;118;131;154mb\x1b[0m"


def test_an_attribute_ends_without_the_colours() -> None:
    wire = Wire()
    pair = Strip(
        [Segment("a", Style.parse("bold white on blue")), Segment("b", Style.parse("white on blue"))]
    )
    assert "\x1b[22mb" in wire.changes([(0, 0, [pair])], None, ColorSystem.STANDARD)


EDGES = (0, 5, 12, 13, 21, WIDE)
"""Where the pieces of a row begin and end, as widgets side by side do."""


class Picture:
    """What the whole screen should show, in pieces."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.pieces = [[self._piece(place) for place in range(len(EDGES) - 1)] for _ in range(HIGH)]

    def _piece(self, place: int) -> Strip:
        cells = EDGES[place + 1] - EDGES[place]
        if self.chance.random() < 0.2:
            link = STYLES[0] + Style(link="https://example.org/", meta={"@click": "app.help"})
            return Strip([Segment("link".ljust(cells), link)]).crop(0, cells)
        return row(self.chance, cells)

    def frame(self) -> LayoutUpdate:
        return LayoutUpdate([list(pieces) for pieces in self.pieces], Region(0, 0, WIDE, HIGH))

    def window(self, *, style_only: bool = False) -> ChopsUpdate:
        """Some pieces of neighbouring rows are others now: a window, a message, a table that scrolls, a cursor."""
        top, left = self.chance.randrange(HIGH), self.chance.randrange(len(EDGES) - 1)
        bottom = self.chance.randint(top + 1, HIGH)
        right = self.chance.randint(left + 1, len(EDGES) - 1)
        style = self.chance.choice(STYLES)
        chops: list[dict[int, Strip | None]] = [dict.fromkeys(EDGES[:-1]) for _ in range(HIGH)]
        for y in range(top, bottom):
            for place in range(left, right):
                old = self.pieces[y][place]
                new = old.apply_style(style) if style_only else self._piece(place)
                self.pieces[y][place] = chops[y][EDGES[place]] = new
        spans = [(y, EDGES[left], EDGES[right]) for y in range(top, bottom)]
        return ChopsUpdate(chops, spans, [list(EDGES[1:]) for _ in range(HIGH)])

    def scrolled(self) -> LayoutUpdate:
        self.pieces = [*self.pieces[1:], self.pieces[0]]
        return self.frame()


@pytest.mark.parametrize("seed", range(40))
def test_windows_scrolling_styles_and_interruptions_end_in_the_picture_of_a_whole_frame(seed: int) -> None:
    chance = random.Random(seed)
    wire, out, picture = Wire(), console(), Picture(chance)
    lean = Terminal()
    lean.take(wire.lean(picture.frame()).render_segments(out))
    for step in range(40):
        match chance.randrange(8):
            case 0:
                updates: list[LayoutUpdate | ChopsUpdate] = [picture.scrolled()]
            case 1:
                updates = [picture.window(style_only=True)]
            case 2:  # another program had the terminal, or ctrl+l
                lean.take("\x1b[2J\x1b[3;4Hrubbish 日本")
                wire.forget()
                updates = [picture.frame()]
            case 3:  # the size changes while a frame is on its way; the terminal moves what it shows
                late = wire.lean(picture.window())
                wire.resized(Size(WIDE, HIGH + 1))
                lean.take("\x1b[2J" + late.render_segments(out))
                wire.resized(Size(WIDE, HIGH))
                wire.forget()
                updates = [picture.frame()]
            case _:
                updates = [picture.window() for _ in range(chance.randint(1, 3))]
        for update in updates:
            lean.take(wire.lean(update).render_segments(out))
        whole = Terminal()
        whole.take(picture.frame().render_segments(out).replace("\n", ""))
        assert lean.shown() == whole.shown(), step


def test_what_has_no_width_moves_nothing() -> None:
    wire, terminal = Wire(), Terminal()
    strip = Strip([Segment("e", STYLES[0]), Segment("\u0301", STYLES[1]), Segment("ab日c", STYLES[0])])
    terminal.take(wire.changes([(0, 0, [strip])], None, ColorSystem.TRUECOLOR))
    strip = Strip([Segment("e", STYLES[0]), Segment("\u0301", STYLES[1]), Segment("ax日c", STYLES[0])])
    terminal.take(wire.changes([(0, 0, [strip])], None, ColorSystem.TRUECOLOR))
    terminal.take(wire.changes([(0, 5, [Strip([Segment("d", STYLES[0])])])], None, ColorSystem.TRUECOLOR))
    assert terminal.screen.display[0].startswith("eax日d")
