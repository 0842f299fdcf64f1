"""The prompt: several lines, enter sends, and a colon in the empty prompt opens the palette."""

from __future__ import annotations

import re
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from catalog.plaintext import harmless

_IMAGE = re.compile(r"[/\\]\S.*\.(?:png|jpe?g|gif|webp)['\"]?\s*$", re.IGNORECASE)
"""A paste that ends like this may name an image; whoever shows the prompt looks whether it does."""
_LONGEST = 4096


class PromptBox(TextArea):
    """A text area that grows with what is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "send", id="prompt.send", tooltip="Send the prompt; after a \\ a new line"),
        Binding("escape", "screen.leave", "leave", id="prompt.leave", tooltip="Stop the answer, else leave the prompt for the answers"),
        Binding("ctrl+j", "newline", "newline", id="prompt.newline", tooltip="A new line in the prompt"),
        Binding("pageup", "screen.read(-2)", "page up", show=False, id="prompt.page_up", tooltip="Read a page further up while writing"),
        Binding("pagedown", "screen.read(2)", "page down", show=False, id="prompt.page_down", tooltip="Read a page further down while writing"),
    ]  # fmt: skip

    class Sent(Message):
        """The user sends the text."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Pasted(Message):
        """A text was pasted that may be the path of an image."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(soft_wrap=True, show_line_numbers=False, highlight_cursor_line=False, id="prompt")
        self.cursor_blink = False

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Textual knows no character for the key of `/`: without this the footer offers a search while one types.

        The colon is typed only behind other text: in the empty prompt it opens the palette.
        """
        if key == "colon":
            return bool(self.text)
        return key == "slash" or super().check_consume_key(key, character)

    async def _on_key(self, event: events.Key) -> None:
        bound = self.screen.active_bindings.get(event.key)
        if bound is not None and bound.node is self:
            # Here and not as a priority binding: keys that arrive together must act in their order.
            event.stop()
            event.prevent_default()
            await self.app.run_action(bound.binding.action, self)
        elif event.character == ":" and not self.text:
            event.stop()
            event.prevent_default()
            await self.app.run_action("palette")

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        text = event.text.replace("\r\n", "\n").replace(
            "\r", "\n"
        )  # terminals send enter for each line's end
        if _IMAGE.search(text) and len(text) <= _LONGEST:
            self.post_message(self.Pasted(text))
        else:
            self.put(text)

    def put(self, text: str) -> None:
        """Put a text where the cursor is, in the place of what is selected."""
        if result := self._replace_via_keyboard(harmless(text), *self.selection):
            self.move_cursor(result.end_location)

    def action_newline(self) -> None:
        self.insert("\n")

    def action_send(self) -> None:
        row, column = self.cursor_location
        if column and self.document.get_line(row)[column - 1] == "\\":
            self.action_delete_left()
            self.insert("\n")
            return
        if self.text.strip():
            self.post_message(self.Sent(self.text.strip("\n")))
