"""What is done with a conversation that is shown: searched, copied, exported; and what the keys are called meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Input, Static

from catalog.plaintext import one_line
from services.chat_history import to_send_on, unanswered
from tui.screens import chat_actions as actions
from tui.screens.chat_again import ChatAgain
from tui.widgets.transcript import Transcript
from tui.widgets.transcript_answers import Thinking

if TYPE_CHECKING:
    from tui.exporting import Exported


class ChatReading(ChatAgain):
    """The part of the chat screen that acts on what is read."""

    def __init__(self) -> None:
        super().__init__()
        self._search_from = 0
        """The row at the top when the search began."""
        self.key_words: dict[str, str] = {}
        """Binding id → what the line of keys calls it now."""

    # -- keys ------------------------------------------------------------------------------------

    def _leaving(self) -> tuple[str, Callable[[], object]] | None:
        """What esc does now, in words and deed."""
        search = self.query_one("#chat-search")
        transcript, run = self.transcript, self.run
        if self.searching:
            return "close search", self._close_search
        if transcript.marking is not None:
            return "unmark", self.clear_selection
        if transcript.picked is not None:
            return "unpick", transcript.unpick
        if run is not None:
            return "stop", self.interrupt
        if search.has_class("-open"):
            return "close search", self._close_search
        if self.state.editing is not None:
            return "keep as it was", self._stop_editing
        if self.prompt.has_focus:
            return "read answers", lambda: self.set_focus(transcript)
        return None

    def action_leave(self) -> None:
        if (leaving := self._leaving()) is not None:
            leaving[1]()
            self.show_keys()

    def _stop_editing(self) -> None:
        self.state.editing = None
        self.state.changed()
        self.prompt.clear()
        self.attach((), instead=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.framed:
            return True
        if (
            action in ("prompt", "retry", "edit", "go_on", "answer_calls")
            and self.transcript.marking is not None
        ):
            return False
        if action in ("retry", "edit", "go_on") and self.run is not None:
            return False
        if action == "leave":
            return self._leaving() is not None
        if action == "answer_calls":
            return self.run is None and bool(unanswered(self.state.messages))
        if action in ("found", "search", "retry", "edit", "thinking"):
            return bool(self.state.messages)
        if action == "go_on":
            last = self.state.messages[-1] if self.state.messages else None
            if to_send_on(self.state.messages) is not None:
                return True
            return last is not None and last.role == "assistant" and bool(last.text)
        return super().check_action(action, parameters)

    def show_keys(self) -> None:
        """Call the keys by what they do now."""
        if not self.framed:
            return
        transcript = self.transcript
        copied = "copy"
        if transcript.text_selection is not None:
            copied = "copy marked"
        elif transcript.picked is not None:
            copied = "copy code" if transcript.picked.code is not None else "copy answer"
        leaving = self._leaving()
        left = leaving[0] if leaving is not None else ""
        self.key_words = {
            "chat.prompt": "go there" if self.searching else "prompt",
            "chat.mark": "mark" if transcript.marking is None else "unmark",
            "chat.copy": copied,
            "chat.leave": left,
            "prompt.leave": left,
        }
        self.refresh_bindings()

    def on_transcript_changed(self) -> None:
        self._show_count()
        self.show_keys()

    def action_read(self, halves: int) -> None:
        self.transcript.action_half(halves)

    async def action_copy(self) -> None:
        await actions.copy(self)

    def exported(self) -> Exported | None:
        from tui.screens.chat_export import exported

        row, messages = self.state.row, self.state.messages
        return exported(row, messages) if row is not None and messages else None

    def action_thinking(self) -> None:
        if not self.transcript.toggle_thinking():
            self.app.tell("There is no reasoning to unfold.", tone="dim")

    def on_transcript_clicked(self, event: Transcript.Clicked) -> None:
        if isinstance(event.block, Thinking):
            event.block.toggle()
            self.transcript.replaced(event.block)

    # -- search ----------------------------------------------------------------------------------

    def action_search(self) -> None:
        self.transcript.lay_out_all()
        self._search_from = round(self.transcript.scroll_y)
        self.query_one("#chat-search").add_class("-open")
        self.set_focus(self.query_one("#chat-find"))  # at once: the next key is part of the text

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.transcript.find(event.value, self._search_from)

    @property
    def searching(self) -> bool:
        """True while the text to look for is typed."""
        return self.query_one("#chat-find").has_focus

    def accept_search(self) -> None:
        """The text is typed: read on where it was found."""
        if not self.transcript.finder.active:
            self._close_search()
            return
        self.set_focus(self.transcript)
        if not self.transcript.finder.places:
            self._tell_not_found()

    def action_found(self, step: int) -> None:
        if not self.transcript.finder.active:
            self.action_search()
        elif not self.transcript.find_next(step):
            self._tell_not_found()

    def _tell_not_found(self) -> None:
        word = one_line(self.transcript.finder.word, 40)
        self.app.tell(
            f"“{word}” is not in this conversation.",
            hint="{/:chat.search} looks for something else",
            tone="dim",
        )

    def _show_count(self) -> None:
        finder = self.transcript.finder
        words = "n next  N previous"
        if finder.active:
            place = f"{(finder.current or 0) + 1} of " if finder.current is not None else ""
            words = f"{place}{len(finder.places)}  {words}" if finder.places else "nothing found"
        self.query_one("#chat-count", Static).update(Content(words if finder.active else ""))

    def _close_search(self) -> None:
        field = self.query_one("#chat-find", Input)
        self.query_one("#chat-search").remove_class("-open")
        field.value = ""
        self.transcript.find("", 0)
        self.set_focus(self.transcript)
