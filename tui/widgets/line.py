"""One line of text to type into, whose keys act in the order in which they were pressed."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual import events
from textual.widgets import Input

from catalog.plaintext import harmless
from tui.keymap import key_label


class Line(Input):
    """Textual's Input inserts a character at once, but lets a bound key travel up to the app first. When several keys
    arrive together (a slow SSH line, tmux send-keys), `ab⌫c⏎` would then become `abc`, `⌫`, `⏎`. Here the
    line's own keys act on their turn; those of the window around it travel after the changes they belong to. Enter,
    up, down and the pages are left to that window, and nothing blinks.
    """

    DEFAULT_CSS = """
    Line { border: none; height: 1; padding: 0; background: $surface; }
    Line:focus { border: none; }
    Line:ansi { border: none; }
    """

    def __init__(self, *args: Any, keeps_lines: bool = False, **more: Any) -> None:
        """`keeps_lines`: a pasted text keeps its line ends, shown as a sign each; else its first line is taken."""
        super().__init__(*args, **more)
        self._keeps_lines = keeps_lines

    def on_mount(self) -> None:
        self.cursor_blink = False
        for key in ("enter", "up", "down", "pageup", "pagedown"):
            self._bindings.key_to_bindings.pop(key, None)

    @property
    def _value(self) -> Text:
        """What is shown of the text: it may come from elsewhere, and what could steer the terminal is seen instead."""
        shown = super()._value
        if not shown.plain.isprintable():
            shown = Text("".join(map(_seen, shown.plain)), no_wrap=True, overflow="ignore", end="")
        return shown

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Textual knows no character for the keys of `/`, `:`, `?` …: the footer would offer them while one types."""
        named = character is None and key not in ("up", "down", "left", "right") and len(key_label(key)) == 1
        return named or super().check_consume_key(key, character)

    def action_copy(self) -> None:
        """What is masked on the screen is not copied either."""
        if not self.password:
            super().action_copy()

    def action_cut(self) -> None:
        if self.password:
            self.delete_selection()
        else:
            super().action_cut()

    def _on_paste(self, event: events.Paste) -> None:
        if not self._keeps_lines:
            return  # Textual goes on to the handler of its Input
        event.stop()
        event.prevent_default()
        text = event.text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
        self.replace(text, *sorted(self.selection))

    async def _on_key(self, event: events.Key) -> None:
        await super()._on_key(event)
        if event.is_printable:
            return
        bound = self.screen.active_bindings.get(event.key)
        if bound is not None and bound.enabled and bound.node is self:
            event.stop()
            event.prevent_default()
            await self.app.run_action(bound.binding.action, bound.node)


def _seen(sign: str) -> str:
    """One sign for one, so that the cursor stands where it acts."""
    seen = harmless(sign) or "\ufffd"
    return {"\n": "↵", "\t": " "}.get(seen, seen)
