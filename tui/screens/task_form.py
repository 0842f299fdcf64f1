"""The form of a task: it closes once what is written can be sent, and says what is wrong with it before."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from textual import events
from textual.app import ComposeResult
from textual.widgets import Static

from catalog.errors import SwitchroomError, UsageError
from tui.modals.form import Field, Form
from tui.widgets.line import Line
from tui.widgets.prompt import PromptBox

if TYPE_CHECKING:
    from services.run_events import RunRequest

Kind = Literal["translate", "transcribe"]
_WRITTEN = "Line, TextBox"


class TextBox(PromptBox):
    """Several lines, pasted or typed; a colon is only a colon here."""

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        return key == "colon" or super().check_consume_key(key, character)

    async def _on_key(self, event: events.Key) -> None:
        if event.character == ":":
            event.stop()
            event.prevent_default()
            self.put(":")
        else:
            await super()._on_key(event)


class TaskForm(Form):
    """Ends in the values, with the run made of them in `request`; or None."""

    CSS_PATH = Path(__file__).with_name("task.tcss")

    def __init__(self, kind: Kind, title: str, fields: Sequence[Field]) -> None:
        super().__init__(title, fields, keep=kind)
        self.key_words |= {"prompt.send": kind, "prompt.leave": "back"}
        self._kind: Kind = kind
        self.request: RunRequest | None = None

    def compose_body(self) -> ComposeResult:
        for part in super().compose_body():
            if self._kind == "translate" and "problem" in part.classes:
                yield Static("text", markup=False, classes="label above")
                box = TextBox()
                box.placeholder = "what is to be translated: several lines, typed or pasted"
                yield box
            yield part

    def action_line(self, by: int) -> None:
        if by > 0:
            self.focus_next(_WRITTEN)
        else:
            self.focus_previous(_WRITTEN)
        if isinstance(line := self.focused, Line):
            line.select_all()

    def action_read(self, pages: int) -> None:
        """A page of the text up or down."""
        for box in self.query(TextBox):
            box.action_cursor_page_down() if pages > 0 else box.action_cursor_page_up()

    def on_prompt_box_sent(self, event: PromptBox.Sent) -> None:
        event.stop()
        self.action_keep()

    def on_prompt_box_pasted(self, event: PromptBox.Pasted) -> None:
        """What looks like the path of an image is a text like any other."""
        event.stop()
        self.query_one(TextBox).put(event.text)

    def action_keep(self) -> None:
        values = {line.name or "": line.value.strip() for line in self.query(Line)}
        for box in self.query(TextBox):
            values["text"] = box.text.strip("\n")
        self.run_worker(self._keep(values), exclusive=True)

    async def _keep(self, values: Mapping[str, str]) -> None:
        try:
            self.request = await asyncio.to_thread(_request, self._kind, values)
        except SwitchroomError as error:
            words = f"{error.message} {error.hint or ''}"
            for where in ("source", "target"):  # the command line's way to say it
                words = words.replace(f"--{where}-lang ", "")
            self.query_one(".problem", Static).update(words.strip())
        else:
            self.dismiss(values)


def _request(kind: Kind, values: Mapping[str, str]) -> RunRequest:
    from services.tasks import transcription, translation

    if kind == "transcribe":
        if not values["file"]:
            raise UsageError("There is no recording.", hint="Name a sound file.")
        return transcription(values["model"], Path(values["file"]), caller="tui")
    return translation(values["model"], values["text"], values["source"], values["target"], caller="tui")
