"""Text from a wire or an older store steers nothing, wherever the chat shows it."""

from __future__ import annotations

import json
import re
from typing import Any

from chat_stage import Stage, enter_chat, until, window
from textual.pilot import Pilot

from catalog.errors import SwitchroomError
from services.run_events import RunText, RunThinking, RunToolCall
from store.conversations import MessageRow
from store.models import ModelRow, Models
from tui.modals.ask import Ask
from tui.modals.chat_list import ChatList
from tui.modals.confirm import Confirm
from tui.modals.form import Form
from tui.modals.model_picker import ModelPicker
from tui.screens.chat_live import LiveTurn

BAD = "\x1b[31mESC\x9b31mC1\u202eBIDI\u2066[red]markup[/red][@click=app.quit]x[/]\x07"
ANSWER = f"""# head {BAD}

```py {BAD}
code {BAD}
```

| a{BAD} | b |
|---|---|
| {BAD} | d |

[l{BAD}](http://x/{BAD}) <https://x/{BAD}> &#27;[31m &#x9b; &#8238; `{BAD}`

- {BAD}
> {BAD}
"""
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


async def look(stage: Stage, pilot: Pilot[Any], words: str = "[red]markup") -> None:
    """What is drawn holds these words, and nothing that a terminal would obey."""
    drawn = ""

    def seen() -> bool:
        nonlocal drawn
        strips = stage.app.screen._compositor.render_strips()
        drawn = "\n".join("".join(part.text for part in strip if not part.control) for strip in strips)
        return words in drawn

    await until(pilot, seen)
    assert not STEERING.findall(drawn)


async def furnish(stage: Stage) -> None:
    """A model of a dangerous name, and with it a conversation that is dangerous throughout."""
    assert stage.services is not None
    models = [ModelRow("acme", name, chat=True, first_seen=1, last_seen=1) for name in (f"m{BAD}", "big")]
    async with stage.services.db.transaction() as tx:
        await Models(stage.services.db).replace_live(tx, "acme", models)
    conversations = stage.services.conversations
    ref = f"acme/m{BAD}"
    row = await conversations.create(title=f"T {BAD}", model_ref=ref, system=BAD)
    call = {"id": BAD, "name": f"n{BAD}", "arguments": json.dumps({"a": BAD}) + BAD}
    await conversations.append_all(
        [
            MessageRow(None, row.id, -1, "user", f"me {BAD}"),
            MessageRow(
                None, row.id, -1, "assistant", ANSWER, BAD, json.dumps([call]), state="failed", model_ref=ref
            ),
        ]
    )
    await stage.chat.open_conversation(row)


async def test_dangerous_text_is_harmless_wherever_it_is_shown(stage: Stage) -> None:
    async with stage.app.run_test(size=(160, 60)) as pilot:
        await enter_chat(stage, pilot)
        await furnish(stage)
        await look(stage, pilot)
        await pilot.press("escape", "e")
        assert not STEERING.findall(stage.chat.prompt.text)
        await look(stage, pilot, "me ␛")
        await pilot.press("escape", "escape", "t", "g")
        await look(stage, pilot, "▾ thinking")
        await pilot.press("ctrl+g")
        await window(stage, pilot, ChatList)
        await look(stage, pilot)
        await pilot.press("f2")
        await window(stage, pilot, Ask)
        await look(stage, pilot, "T ␛")
        await pilot.press("escape", "f8")
        await window(stage, pilot, Confirm)
        await look(stage, pilot)
        await pilot.press("n", "escape", "ctrl+t")
        await window(stage, pilot, ModelPicker)
        await look(stage, pilot)
        await pilot.press("escape", "f4")
        await window(stage, pilot, Form)
        await look(stage, pilot)
        await pilot.press("escape", "a")
        await window(stage, pilot, Form)
        await look(stage, pilot)


async def test_dangerous_text_is_harmless_while_it_arrives(stage: Stage) -> None:
    async with stage.app.run_test(size=(160, 60)) as pilot:
        await enter_chat(stage, pilot)
        live = LiveTurn(stage.chat.transcript, f"acme/m{BAD}", 0)
        live.take(RunThinking(BAD))
        live.take(RunToolCall(0, "id", f"n{BAD}", BAD))
        for at in range(0, len(ANSWER), 5):
            live.take(RunText(ANSWER[at : at + 5]))
            stage.chat.transcript.flush()
        await look(stage, pilot)
        live.refused(SwitchroomError(f"said {BAD}", title=f"t {BAD}", hint=BAD))
        await look(stage, pilot, "said ␛")
