"""The transcript: finished rows stay, the end is followed only from the end, a place survives a resize, text can be marked."""

from __future__ import annotations

from typing import Any

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import Selection

from tui.themes import DARK
from tui.widgets import transcript_flow
from tui.widgets.transcript import Transcript
from tui.widgets.transcript_answers import MarkdownBlock, Thinking, ToolCard
from tui.widgets.transcript_blocks import Block, CostLine, Prompt, TextBlock
from tui.widgets.transcript_flow import STEP

WORDS = "Every paragraph of this answer is long enough to be wrapped at any width that is tested here. "
LONG = "\n\n".join(f"**{number}** {WORDS * 3}" for number in range(40))


class Alone(App[None]):
    """A transcript and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = "dark"

    def compose(self) -> ComposeResult:
        yield Transcript()


def transcript(pilot: Pilot[Any]) -> Transcript:
    return pilot.app.query_one(Transcript)


def screen_rows(widget: Transcript) -> list[str]:
    return [widget.render_line(y).text for y in range(widget.scrollable_content_region.height)]


async def test_a_live_answer_ends_in_the_same_rows_as_a_stored_one() -> None:
    async with Alone().run_test(size=(80, 24)) as pilot:
        live = MarkdownBlock(live=True)
        transcript(pilot).add(live)
        for at in range(0, len(LONG), 11):
            live.add(LONG[at : at + 11])
            transcript(pilot).changed(live)
            if at % 275 == 0:
                transcript(pilot).flush()
        live.close()
        stored = MarkdownBlock(LONG)
        stored.lay_out(live.width)
        assert live.frozen == stored.frozen
        assert live.tail == []


async def test_frozen_rows_are_never_rendered_again() -> None:
    async with Alone().run_test(size=(80, 24)) as pilot:
        live = MarkdownBlock(live=True)
        transcript(pilot).add(live)
        live.add(LONG)
        transcript(pilot).changed(live)
        transcript(pilot).flush()
        before = list(live.frozen)
        live.add(" and more\n\nand a new paragraph")
        transcript(pilot).changed(live)
        transcript(pilot).flush()
        assert all(old is new for old, new in zip(before, live.frozen, strict=False))


async def test_the_end_is_followed_only_from_the_end() -> None:
    async with Alone().run_test(size=(60, 12)) as pilot:
        widget = transcript(pilot)
        live = MarkdownBlock(LONG, live=True)
        widget.add(live)
        await pilot.pause()
        assert round(widget.scroll_y) == widget.max_scroll_y
        widget.focus()
        await pilot.press("k", "k")
        await pilot.pause()
        place = round(widget.scroll_y)
        live.add("\n\n" + WORDS * 20)
        widget.changed(live)
        widget.flush()
        await pilot.pause()
        assert round(widget.scroll_y) == place
        await pilot.press("G")
        live.add("\n\n" + WORDS * 20)
        widget.changed(live)
        widget.flush()
        await pilot.pause()
        assert round(widget.scroll_y) == widget.max_scroll_y


@pytest.mark.parametrize("low", [False, True])
async def test_a_growing_answer_scrolls_in_steps_and_ends_without_room_below(low: bool) -> None:
    async with Alone().run_test(size=(60, 21)) as pilot:
        widget = transcript(pilot)
        widget.low_bandwidth = low
        live = MarkdownBlock(live=True)
        widget.add(live)
        widget.streaming(True)
        places = set()
        for _ in range(60):
            live.add("a line\n\n")
            widget.changed(live)
            widget.flush()
            places.add(round(widget.scroll_y))
        steps = {b - a for a, b in zip(sorted(places), sorted(places)[1:], strict=False)}
        assert min(steps) >= (10 if low else STEP)
        live.close()
        widget.streaming(False)
        widget.replaced(live)
        await pilot.pause()
        assert screen_rows(widget)[-1].strip() == "a line"


async def test_a_resize_keeps_the_place() -> None:
    async with Alone().run_test(size=(100, 20)) as pilot:
        widget = transcript(pilot)
        widget.add(Prompt("question"), MarkdownBlock(LONG))
        widget.focus()
        await pilot.pause()
        target = next(y for y in range(widget.virtual_size.height) if "20 Every" in widget.line(y).text)
        widget.scroll_to(y=target, animate=False)
        await pilot.pause()
        assert screen_rows(widget)[0].strip().startswith("20 Every")
        for size in ((47, 20), (100, 11), (61, 30)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert screen_rows(widget)[0].strip().startswith("20 Every"), size


async def test_many_rows_are_wrapped_once_the_size_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapped: list[int] = []
    rewrap = Transcript._rewrap

    def counted(self: Transcript, width: int) -> None:
        wrapped.append(width)
        rewrap(self, width)

    monkeypatch.setattr(Transcript, "_rewrap", counted)
    async with Alone().run_test(size=(100, 20)) as pilot:
        widget = transcript(pilot)
        widget.add(MarkdownBlock("\n\n".join([LONG] * 10)))
        target = next(y for y in range(500, widget.row_count) if "20 Every" in widget.line(y).text)
        widget.scroll_to(y=target, animate=False, immediate=True)
        wrapped.clear()
        for columns in range(99, 60, -3):
            await pilot.resize_terminal(columns, 20)
        for _ in range(200):
            if wrapped:
                break
            await pilot.pause(0.01)
        assert len(wrapped) <= 2
        assert wrapped[-1] == widget.scrollable_content_region.width
        assert screen_rows(widget)[0].strip().startswith("20 Every")


async def test_wide_characters_fill_the_row_exactly() -> None:
    async with Alone().run_test(size=(41, 20)) as pilot:
        widget = transcript(pilot)
        widget.add(
            MarkdownBlock("日本語のとても長い文章です。" * 6 + "\n\n| a | 日本 |\n|-|-|\n| 👍🏽 | e\u0301x |")
        )
        await pilot.pause()
        assert {cell_len(row) for row in screen_rows(widget)} == {widget.size.width}


async def test_marked_text_is_copied_without_bars_and_soft_breaks() -> None:
    async with Alone().run_test(size=(40, 20)) as pilot:
        widget = transcript(pilot)
        widget.add(Prompt("hello"), MarkdownBlock(WORDS + "\n\n```\ncode here\n```"))
        await pilot.pause()
        marked = widget.get_selection(Selection(Offset(0, 0), Offset(60, widget.virtual_size.height)))
        assert marked is not None
        assert marked[0].strip() == f"hello\n{WORDS.strip()}\n\ncode here"


async def test_the_mouse_marks_text_in_scrolled_rows() -> None:
    async with Alone().run_test(size=(60, 12)) as pilot:
        widget = transcript(pilot)
        widget.add(MarkdownBlock(LONG))
        await pilot.pause()
        row = screen_rows(widget)[3]
        await pilot.mouse_down(widget, offset=(2, 3))
        await pilot.hover(widget, offset=(12, 3))
        await pilot.mouse_up(widget, offset=(12, 3))
        await pilot.pause()
        assert pilot.app.screen.get_selected_text() == row[2:13]


async def test_folded_reasoning_unfolds() -> None:
    async with Alone().run_test(size=(60, 12)) as pilot:
        widget = transcript(pilot)
        thinking = Thinking()
        widget.add(thinking, TextBlock([("after", "said")]))
        thinking.add("so be it \x1b[31m")
        widget.changed(thinking)
        widget.flush()
        assert "▸ thinking · 14 characters" in screen_rows(widget)[0]
        assert widget.toggle_thinking()
        assert screen_rows(widget)[1].strip() == "┊ so be it ␛[31m"
        assert screen_rows(widget)[2].strip() == "after"


async def test_a_tool_call_assembles() -> None:
    async with Alone().run_test(size=(60, 12)) as pilot:
        widget = transcript(pilot)
        card = ToolCard("get_weather", live=True)
        widget.add(card)
        for piece in ('{"ci', 'ty": "Kra', 'ków"}'):
            card.add(piece)
            widget.changed(card)
            widget.flush()
        shown = [row.strip() for row in screen_rows(widget)]
        assert shown[1:3] == ["⚒ tool call get_weather", '│ {"city": "Kraków"}']


def many(count: int = 300) -> list[Block]:
    """A conversation of so many turns, no two alike."""
    return [
        block
        for turn in range(count)
        for block in (
            Prompt(f"question {turn}", turn=turn),
            MarkdownBlock(f"answer {turn}: {WORDS}\n\n```python\n{turn}\n```", turn=turn),
        )
    ]


def all_rows(widget: Transcript) -> list[str]:
    return [widget.line(y).text for y in range(widget.row_count)]


async def laid_out(widget: Transcript, pilot: Pilot[Any]) -> None:
    for _ in range(400):
        if not widget._unlaid:
            return
        await pilot.pause(0.01)
    raise AssertionError("it was never laid out")


async def test_a_long_conversation_is_laid_out_from_its_end_and_what_is_on_the_screen_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transcript_flow, "TURN", 0.001)
    async with Alone().run_test(size=(80, 24)) as pilot:
        widget = transcript(pilot)
        whole = many()
        for block in whole:
            block.lay_out(widget.text_width)
        widget.show(many())
        assert 0 < len([block for block in widget.blocks if block.width]) < 40
        end = screen_rows(widget)
        assert any("answer 299" in row for row in end)
        turns = 0
        while widget._unlaid and turns < 5:  # follows the end
            await pilot.pause(0.02)
            assert screen_rows(widget) == end
            turns += 1
        assert widget._unlaid
        widget.scroll_to(y=7, animate=False, immediate=True)
        place = screen_rows(widget)
        while widget._unlaid:  # reads further up
            await pilot.pause(0.02)
            assert screen_rows(widget) == place
        assert all_rows(widget) == [block.row(n).text for block in whole for n in range(block.height)]
        assert widget.virtual_size.height == widget.row_count
        await pilot.pause(0.1)
        assert widget._filling is None


@pytest.mark.parametrize("key", ["g", "v", "left_square_bracket", "find", "all"])
async def test_whoever_needs_every_row_of_a_long_conversation_gets_them_at_once(key: str) -> None:
    async with Alone().run_test(size=(80, 24)) as pilot:
        widget = transcript(pilot)
        widget.focus()
        await pilot.pause()
        widget.show(many())
        assert widget._unlaid
        end = screen_rows(widget)
        if key == "find":
            widget.find("question 17", 0)
            assert len(widget.finder.places) == 11
            assert any("question 17" in row for row in screen_rows(widget))
        elif key == "all":
            found = widget.get_selection(Selection(None, None))
            assert found is not None
            assert found[0].count("question ") == 300
        elif key == "g":
            widget.action_top()
            assert "question 0" in screen_rows(widget)[1]
        elif key == "v":
            widget.action_mark()
            assert screen_rows(widget) == end
        else:
            widget.action_pick(-1)
            assert widget.picked is not None
            assert widget.picked.text == "299\n"
        assert not widget._unlaid


async def test_what_is_marked_stays_marked_while_a_long_conversation_is_laid_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transcript_flow, "TURN", 0)  # a block a turn
    async with Alone().run_test(size=(80, 24)) as pilot:
        widget = transcript(pilot)
        widget.show(many())
        await pilot.pause()
        y = round(widget.scroll_y) + 3
        marked = Selection(Offset(0, y), Offset(9, y + 2))
        text = widget.get_selection(marked)
        widget.screen.selections = {widget: marked}
        unlaid = widget._unlaid
        await pilot.pause(0.1)
        assert widget._unlaid == unlaid > 0
        assert widget.get_selection(marked) == text
        widget.screen.clear_selection()
        monkeypatch.setattr(transcript_flow, "TURN", 1)
        await laid_out(widget, pilot)


async def test_another_width_while_a_long_conversation_is_laid_out_ends_in_the_rows_of_that_width(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transcript_flow, "TURN", 0)  # a block a turn
    async with Alone().run_test(size=(80, 24)) as pilot:
        widget = transcript(pilot)
        widget.show(many())
        live = MarkdownBlock("under way", live=True)
        widget.add(live)
        widget.lay_out_all()
        await pilot.resize_terminal(60, 20)
        for _ in range(200):
            if widget.text_width < 60:
                break
            await pilot.pause(0.01)
        assert {block.width for block in widget.blocks} == {0, widget.text_width}
        monkeypatch.setattr(transcript_flow, "TURN", 1)
        live.add(" and on")
        widget.changed(live)
        await pilot.pause()
        await laid_out(widget, pilot)
        whole = [*many(), MarkdownBlock("under way and on")]
        for block in whole:
            block.lay_out(widget.text_width)
        widget.flush()
        assert all_rows(widget) == [block.row(n).text for block in whole for n in range(block.height)]


def test_more_figures_stand_under_an_answer_only_where_the_row_has_room() -> None:
    line = CostLine("812 → 340 tok", "server: 42 tok/s")
    for width, words in ((34, "812 → 340 tok · server: 42 tok/s"), (33, "812 → 340 tok")):
        line.lay_out(width)
        assert line.source == words
        assert line.height == 1
