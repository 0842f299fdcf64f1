"""Rows hold what was written, whatever the width; and a text is found in rows that grow as in rows that stand."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tui.widgets.markdown_wrap import Line, Wrapper, even_width
from tui.widgets.transcript_answers import MarkdownBlock
from tui.widgets.transcript_marking import Marking
from tui.widgets.transcript_search import Finder

LETTERS = [
    *"ab é.,-_()",
    "日",
    "本",
    "。",
    "\u0301",
    "👍",
    "🏽",
    "\u200d",
    "👩",
    "한",
    "\n",
    "ก",
    "ำ",
    "x" * 9,
]
TEXT = st.lists(st.sampled_from(LETTERS), max_size=120).map("".join)


def joined(lines: list[Line]) -> str:
    """The text of rows, put together as it is copied."""
    return "".join(
        ("" if not number else "\n" if line.joins is None else line.joins) + line.text[line.pad :]
        for number, line in enumerate(lines)
    )


@settings(max_examples=300, deadline=None)
@given(TEXT, st.integers(2, 40), st.booleans())
def test_wrapped_rows_fit_and_hold_the_text(text: str, width: int, hard: bool) -> None:
    text = even_width(text)
    wrapper = Wrapper(width, hard=hard)
    wrapper.feed([(text, "")])
    wrapper.finish()
    assert all(line.width <= width for line in wrapper.lines)
    if hard:
        assert joined(wrapper.lines) == text
    else:
        assert "".join(joined(wrapper.lines).split()) == "".join(text.split())


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["cost ", "of ", "a ", "run ", "\n\n", "**bold** ", "日本", "| a | b |\n|-|-|\n"]), max_size=80), st.integers(9, 40))  # fmt: skip
def test_what_grows_is_searched_like_what_stands(parts: list[str], width: int) -> None:
    block = MarkdownBlock(live=True)
    block.lay_out(width)
    growing = Finder(block.row)
    growing.find("cost of", block.height)
    for part in parts:
        block.add(part)
        settled = block.settled
        block.flush()
        growing.rescan(settled, block.height)
    whole = Finder(block.row)
    whole.find("COST  OF", block.height)
    assert growing.places == whole.places
    assert all(growing.marks(y) == whole.marks(y) for y in range(block.height))


def test_a_place_over_the_edge_of_a_row_is_one_place() -> None:
    block = MarkdownBlock("the cost of a run is known before it is sent")
    block.lay_out(14)
    finder = Finder(block.row)
    finder.find("cost of a run is", block.height)
    (place,) = finder.places
    texts = [block.row(y).text[low:high] for y, low, high in place]
    assert len(texts) == 2
    assert re.sub(r"\s+", " ", " ".join(texts)) == "cost of a run is"


@given(
    st.lists(st.sampled_from(["down", "up", "far down", "far up", "other", "h", "l", "w", "b"]), max_size=40)
)
def test_a_mark_never_leaves_the_text(moves: list[str]) -> None:
    rows = [Line((("▌ ", "bar"), ("word " * number, "")), "", None, 2) for number in range(8)]
    marking = Marking(3, 3)
    steps = {"down": 1, "up": -1, "far down": 5, "far up": -5}
    for move in moves:
        if move in steps:
            marking.move_to(max(0, min(7, marking.row + steps[move])))
        elif move == "other":
            marking.other_end()
        else:
            marking.sideways(1 if move in "lw" else -1, move in "wb", rows.__getitem__)
        selection = marking.selection(rows.__getitem__)
        assert selection.start is not None
        assert selection.end is not None
        assert marking.first <= marking.last
        assert (selection.start.y, selection.start.x) <= (selection.end.y, selection.end.x)
        assert selection.end.x <= len(rows[marking.last].text)
