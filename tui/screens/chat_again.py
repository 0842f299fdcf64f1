"""Asking once more: the last prompt again or edited, the rest of a cut answer, the results of tool calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from catalog.plaintext import harmless
from services.chat import CONTINUE
from services.chat_history import to_send_on, unanswered
from tui.screens.chat_attach import ChatAttach
from tui.screens.chat_tools import answer_calls

if TYPE_CHECKING:
    from services.tool_loop import ToolAnswer
    from store.conversations import MessageRow
    from tui.screens.chat_state import ChatState


class ChatAgain(ChatAttach):
    """The part of the chat screen that goes on from what was asked."""

    def action_retry(self) -> None:
        """The last prompt again: its answer is replaced once the new one is complete."""
        asked = self.last_asked()
        if asked is None:
            self.app.tell(
                "There is nothing to ask again yet.", hint="{i:chat.prompt} goes to the prompt", tone="dim"
            )
        elif self.may_send():
            self.sure(lambda: self._from(asked + 1))

    def _from(self, position: int) -> None:
        """Send what stands before a position; what stands from there on gives way to the answer."""
        self.state.editing = position
        self._start(None)

    def action_edit(self) -> None:
        asked = self.last_asked()
        if asked is None:
            self.app.tell(
                "There is no prompt to edit yet.", hint="{i:chat.prompt} goes to the prompt", tone="dim"
            )
        elif self.may_send():
            self.state.editing = asked
            self.state.changed()
            row = next(row for row in self.state.messages if row.position == asked)
            text = row.text
            if row.images:
                self.app.do(self._take_images(self.state, row))
            self.prompt.text = harmless(text)
            self.prompt.move_cursor(self.prompt.document.end)
            self.set_focus(self.prompt)
            self.show_estimate()

    async def _take_images(self, state: ChatState, row: MessageRow) -> None:
        """The images of an edited prompt go with it again."""
        images = await self.app.services.conversations.images([row])
        if state is self.state and state.editing == row.position and row.id is not None:
            self.attach(images.get(row.id, ()))

    def action_go_on(self) -> None:
        last = self.state.messages[-1] if self.state.messages else None
        results = to_send_on(self.state.messages)
        if results is not None:  # they were not sent, refused, or the answer to them never came
            if self.may_send():
                self.sure(lambda: self._from(results))
        elif last is None or last.role != "assistant" or not last.text:
            self.app.tell(
                "There is no answer to continue.",
                hint="{r:chat.retry} asks the last prompt again",
                tone="dim",
            )
        elif self.may_send():
            self.sure(lambda: self._start(CONTINUE))

    def action_answer_calls(self) -> None:
        calls = unanswered(self.state.messages)
        if not calls:
            self.app.tell("No tool call waits for a result.", tone="dim")
        elif self.may_send():
            self.app.do(answer_calls(self, calls))

    async def send_results(self, answers: Sequence[ToolAnswer]) -> None:
        """Store what the tools answered and let the model go on."""
        state = self.state
        assert state.row is not None
        rows = await self.app.services.chat.answer_calls(state.row.id, answers)
        if self.state is not state:
            return
        state.messages += rows
        self.show_turns()
        self.sure(lambda: self._start(None))
