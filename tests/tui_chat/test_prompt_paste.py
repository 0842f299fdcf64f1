"""Text that is pasted into the prompt keeps its lines, whatever a terminal sends for their ends."""

from __future__ import annotations

import pytest
from chat_stage import Stage, enter_chat
from textual import events


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
async def test_pasted_lines_stay_lines(stage: Stage, end: str) -> None:
    async with stage.app.run_test() as pilot:
        await enter_chat(stage, pilot)
        stage.app.post_message(events.Paste(end.join(["alpha one", "", "gamma \x1b[31mthree"])))
        await pilot.pause()
        assert stage.chat.prompt.text == "alpha one\n\ngamma ␛[31mthree"
