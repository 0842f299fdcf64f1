"""Asking once more: the last prompt again or edited, the rest of a cut answer, the results of tool calls."""

from __future__ import annotations

from catalog.plaintext import harmless
from services.chat import CONTINUE, unanswered
from tui.screens import chat_actions as actions
from tui.screens.chat_runs import ChatRuns


class ChatAgain(ChatRuns):
    """The part of the chat screen that goes on from what was asked."""

    def action_retry(self) -> None:
        """The last prompt again: its answer is replaced once the new one is complete."""
        asked = self.last_asked()
        if asked is None:
            self.app.tell(
                "There is nothing to ask again yet.", hint="{i:chat.prompt} goes to the prompt", tone="dim"
            )
        elif self.may_send():
            self.state.editing = asked + 1
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
            text = next(row.text for row in self.state.messages if row.position == asked)
            self.prompt.text = harmless(text)
            self.prompt.move_cursor(self.prompt.document.end)
            self.set_focus(self.prompt)
            self.show_estimate()

    def action_go_on(self) -> None:
        last = self.state.messages[-1] if self.state.messages else None
        if last is None or last.role != "assistant" or not last.text:
            self.app.tell(
                "There is no answer to continue.",
                hint="{r:chat.retry} asks the last prompt again",
                tone="dim",
            )
        elif self.may_send():
            self._start(CONTINUE)

    def action_answer_calls(self) -> None:
        calls = unanswered(self.state.messages)
        if not calls:
            self.app.tell("No tool call waits for a result.", tone="dim")
        elif self.may_send():
            self.app.do(actions.answer_calls(self, calls))

    async def send_results(self, results: dict[str, str]) -> None:
        """Store what the tools answered and let the model go on."""
        state = self.state
        assert state.row is not None
        rows = await self.app.services.chat.answer_calls(state.row.id, results)
        if self.state is not state:
            return
        state.messages += rows
        self.show_turns()
        self._start(None)
