"""A conversation on the screen is searched, marked, picked, copied and written to a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chat_stage import Stage, ask, enter_chat, send, until, window
from textual.pilot import Pilot

from tui.modals.ask import Ask
from tui.widgets.footer import KeyLine


def keys(stage: Stage) -> str:
    """The line of keys."""
    return str(stage.chat.query_one(KeyLine).render())


def border(stage: Stage) -> str:
    return str(stage.chat.prompt.border_title)


def count(stage: Stage) -> str:
    return str(stage.chat.query_one("#chat-count").render())


async def shown_keys(stage: Stage, pilot: Pilot[Any], words: str) -> None:
    await until(pilot, lambda: words in keys(stage))


async def test_search_finds_counts_and_goes_round(stage: Stage) -> None:
    async with stage.app.run_test(size=(60, 20)) as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "a long one")
        await ask(stage, pilot, "hi")
        await pilot.press("escape", "slash", *"an answer")
        transcript = stage.chat.transcript
        await until(pilot, lambda: "of 30  n next" in count(stage))
        await pilot.press("enter")
        assert stage.app.focused is transcript
        assert not transcript.following
        places = transcript.finder.places
        assert len(places) == 30
        assert any(len(place) > 1 for place in places), "found over the edge of a wrapped row"
        before = transcript.finder.current
        await pilot.press("n", "n", "N")
        assert before is not None
        assert transcript.finder.current == (before + 1) % 30
        await pilot.press("G")
        assert transcript.following
        await pilot.press("escape")
        assert not transcript.finder.active
        assert not stage.chat.query_one("#chat-search").has_class("-open")


async def test_what_is_not_there_is_said(stage: Stage) -> None:
    async with stage.app.run_test(size=(80, 24)) as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "hi")
        await pilot.press("escape", "slash", *"zebra")
        await until(pilot, lambda: count(stage) == "nothing found")
        await pilot.press("enter")
        await until(pilot, lambda: any("zebra" in notice.message for notice in stage.app.notices))


async def test_an_answer_that_grows_is_searched_as_it_comes(stage: Stage) -> None:
    async with stage.app.run_test(size=(60, 20)) as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "hi")
        stage.hold(12)
        await send(stage, pilot, "a long one")
        await until(pilot, lambda: "An answer" in stage.shown())
        await pilot.press("tab", "slash", *"goes on", "enter")
        finder = stage.chat.transcript.finder
        few = len(finder.places)
        stage.hold_after = None
        stage.open_gate.set()
        await until(pilot, lambda: stage.chat.run is None)
        await until(pilot, lambda: len(finder.places) == 30)
        assert few < 30


async def test_code_blocks_and_answers_are_picked_one_after_the_other(stage: Stage) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "what does it cost?")
        await ask(stage, pilot, "hi")
        await pilot.press("escape")
        await shown_keys(stage, pilot, "[ ] pick")
        transcript = stage.chat.transcript
        await pilot.press("left_square_bracket")
        assert transcript.picked is not None
        assert transcript.picked.text == "Hello there."
        await shown_keys(stage, pilot, "y copy answer")
        await pilot.press("left_square_bracket")
        await shown_keys(stage, pilot, "y copy code")
        low, high = transcript.picked.rows
        start = transcript.start_of(transcript.picked.block) or 0
        assert [transcript.line(start + row).text.strip() for row in range(low, high)] == [
            "│ python",
            "│ def cost(tokens: int) -> float:",
            "│     return tokens * 2.5 / 1_000_000",
        ]
        assert transcript.render_line(start + low - round(transcript.scroll_y)).text.startswith("▌ │ python")
        await pilot.press("y")
        await until(pilot, lambda: stage.app.clipboard.startswith("def cost"))
        await pilot.press("left_square_bracket", "y")
        await until(pilot, lambda: stage.app.clipboard.startswith("# Costs"))
        await pilot.press("escape")
        assert transcript.picked is None


async def test_rows_are_marked_with_keys_and_copied(stage: Stage) -> None:
    async with stage.app.run_test(size=(60, 20)) as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "what does it cost?")
        await pilot.press("escape", "g", "v")
        await shown_keys(stage, pilot, "o other end")
        await pilot.press("j", "j", "j")
        assert stage.chat.get_selected_text() == "what does it cost?\n\nbig  acme\nCosts"
        await pilot.press("o", "j", "j", "o")
        assert stage.chat.get_selected_text() == "big  acme\nCosts"
        await pilot.press("k", "h", "h", "o", "w", "w", "y")
        await until(pilot, lambda: stage.app.clipboard == "ac")
        assert stage.chat.transcript.marking is None
        await shown_keys(stage, pilot, "[ ] pick")


async def test_marking_goes_on_while_the_answer_grows_and_stops_following(stage: Stage) -> None:
    async with stage.app.run_test(size=(60, 20)) as pilot:
        await enter_chat(stage, pilot)
        stage.hold(160)
        await send(stage, pilot, "a long one")
        await until(pilot, lambda: stage.chat.transcript.row_count > 12)
        transcript = stage.chat.transcript
        await pilot.press("tab", "g", "v", "j")
        await until(pilot, lambda: transcript.marking is not None and transcript.marking.last > 1)
        marked = stage.chat.get_selected_text()
        place = round(transcript.scroll_y)
        stage.hold_after = None
        stage.open_gate.set()
        await until(pilot, lambda: stage.chat.run is None)
        await pilot.pause()
        assert round(transcript.scroll_y) == place
        assert stage.chat.get_selected_text() == marked
        await pilot.press("escape")
        assert transcript.marking is None


async def test_a_reader_further_up_is_told_that_there_is_more_below(stage: Stage) -> None:
    async with stage.app.run_test(size=(70, 20)) as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "a long one")
        assert "more below" not in border(stage)
        await pilot.press("pageup")
        assert stage.app.focused is stage.chat.prompt
        await until(pilot, lambda: "↓ more below: esc, then G" in border(stage))
        await pilot.press("escape")
        await until(pilot, lambda: "↓ more below: G" in border(stage))
        await pilot.press("G")
        await until(pilot, lambda: "more below" not in border(stage))


async def test_the_conversation_is_written_to_a_file(stage: Stage, tmp_path: Path) -> None:
    async with stage.app.run_test(size=(120, 40)) as pilot:
        await enter_chat(stage, pilot)
        await ask(stage, pilot, "what does it cost?")
        for ending in (".md", ".jsonl"):
            await pilot.press("escape", "X")
            asked = await window(stage, pilot, Ask)
            line = asked.query_one("Line")
            assert line.value.endswith(".md")  # type: ignore[attr-defined]
            line.value = str(tmp_path / f"talk{ending}")  # type: ignore[attr-defined]
            await pilot.press("enter")
            await until(pilot, lambda: not stage.app.screen.is_modal)
            await until(pilot, (tmp_path / f"talk{ending}").exists)
        page = (tmp_path / "talk.md").read_text()
        assert page.startswith("# what does it cost?\n")
        assert "## You\n\nwhat does it cost?" in page
        assert "## acme/big\n\n# Costs" in page
        assert "```python\ndef cost" in page
        assert "computed*" in page
        rows = [json.loads(line) for line in (tmp_path / "talk.jsonl").read_text().splitlines()]
        assert [row["role"] for row in rows] == ["user", "assistant"]
        assert rows[1]["cost_usd"].startswith("0.0")


async def test_over_ssh_fewer_bytes_are_sent_unless_the_setting_says_otherwise(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 50000 10.0.0.2 22")
    async with stage.app.run_test(size=(80, 24)) as pilot:
        await enter_chat(stage, pilot)
        assert stage.chat.transcript.low_bandwidth
        assert stage.services is not None
        await stage.services.preferences.set("appearance.low_bandwidth", "off")
        await until(pilot, lambda: not stage.chat.transcript.low_bandwidth)
