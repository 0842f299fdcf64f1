"""What the terminal shows after frames sent as differences is what it would show after whole frames, for far fewer bytes."""

from __future__ import annotations

import random

import pyte
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
