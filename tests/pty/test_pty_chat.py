"""The keys of the Chat mode, as raw bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pty_stage import ESC, go, key, program, walk

PROMPT = (
    go("6", "Chat ·", "Ask something"),
    go(b"\x14", "Which model?"),
    go("gpt-6-luna", on="gpt-6-luna"),
    go("\r", "openai-prod/gpt-6-luna ▾", gone="Which model?"),
    go("first", "first"),
    key("prompt.newline", "ctrl+j", "second", gone="firstsecond", then="second"),
    go(b"\x15\x7f\x15", "Ask something"),
    key("prompt.leave", "escape", "i prompt"),
    key("chat.prompt", "i", "typed", then="typed"),
    go(b"\x15", "Ask something"),
    go(ESC, "i prompt"),
    key("chat.prompt", "enter", "typed", then="typed"),
    go(b"\x15", "Ask something"),
    key("chat.other", "tab", "i prompt"),
    go(b"\t", gone="i prompt"),
    key("chat.models", "ctrl+t", "Which model?"),
    key("picker.leave", "ctrl+t", gone="Which model?"),
    key("chat.params", "f4", "Parameters of this conversation"),
    go(ESC, gone="Parameters of this conversation"),
    key("chat.editor", "ctrl+o", "from the editor"),
    go(b"\x15", "Ask something"),
    go("compare in a table", "compare in a table"),
    key("prompt.send", "enter", "tok/s · ", "best at"),
    go("", "est.", gone="esc stop"),
    go(ESC, "r retry"),
    key("chat.edit", "e", "editing:"),
    key("chat.leave", "escape", gone="editing:"),
    go(ESC, "r retry"),
    key("chat.copy", "y", copied=r"Both do the job; [\s\S]*large one\.\s*"),
    go("1", "Overview ·", "Recent runs", "162  <$0.0001", gone="Chat ·"),
    go("\t\t\tg", on="162  <$0.0001"),
    go("\r", "Overview › run", "compare in a table"),
    key("run.chat", "enter", "Chat ·", "best at", gone="Overview ›"),
    key("chat.new", "ctrl+n", "new conversation"),
    key("chat.conversations", "ctrl+g", "type what was said"),
    key("conversations.rename", "f2", "Another title"),
    go(ESC, gone="Another title"),
    key("conversations.delete", "f8", "will be gone"),
    go("n", gone="will be gone"),
    key("conversations.delete", "delete", "will be gone"),
    go("n", gone="will be gone"),
    go("compare", "compare"),
    go("\r", "tok/s · ", gone="type what was said"),
    go(ESC, "r retry"),
    key("chat.search", "slash", "search the conversation"),
    go("small\r", "1 of 3"),
    key("chat.next", "n", "2 of 3"),
    key("chat.previous", "N", "1 of 3"),
)

TOP, BOTTOM = "Write a Python function", "only what it marks"
FIRST = "Write a Python function for the cost of one request."
J, K, DOWN, UP = "j", "k", "\x1b[B", "\x1b[A"

ANSWERS = (
    go("6", "Chat ·", "Ask something"),
    go(b"\x07", "type what was said"),
    go("request costs", on="What a request costs"),
    go("\r", BOTTOM, gone="type what was said"),
    key("prompt.page_up", "pageup", TOP, gone=BOTTOM),
    key("prompt.page_down", "pagedown", BOTTOM, gone=TOP),
    go(ESC, "y copy"),
    key("transcript.top", "g", TOP, gone=BOTTOM),
    key("transcript.down", "j", gone=TOP, then=J),
    key("transcript.up", "k", TOP, then=K),
    key("transcript.down", "down", gone=TOP, then=DOWN),
    key("transcript.up", "up", TOP, then=UP),
    key("transcript.bottom", "G", BOTTOM, gone=TOP),
    key("transcript.top", "home", TOP, gone=BOTTOM),
    key("transcript.bottom", "end", BOTTOM, gone=TOP),
    key("transcript.half_up", "ctrl+u", gone=BOTTOM),
    key("transcript.half_down", "ctrl+d", BOTTOM),
    key("transcript.page_up", "pageup", TOP),
    key("transcript.page_down", "pagedown", BOTTOM),
    key("chat.pick_before", "left_square_bracket", "esc unpick"),
    go(ESC, gone="esc unpick"),
    key("chat.pick_next", "right_square_bracket", "esc unpick"),
    go(ESC, gone="esc unpick"),
    go("g", TOP, gone=BOTTOM),
    key("chat.mark", "v", then="y", copied=FIRST),
    go("v", "esc unmark"),
    key("transcript.left", "h", then="y", copied=FIRST.removesuffix(".")),
    go("v", "esc unmark"),
    key("transcript.left", "left", then="y", copied=FIRST.removesuffix(".")),
    go("vhhh", "esc unmark"),
    key("transcript.right", "l", then="y", copied=FIRST.removesuffix("t.")),
    go("vhhh", "esc unmark"),
    key("transcript.right", "right", then="y", copied=FIRST.removesuffix("t.")),
    go("v", "esc unmark"),
    key("transcript.word_back", "b", then="y", copied=FIRST.removesuffix("request.")),
    go("vbb", "esc unmark"),
    key("transcript.word_on", "w", then="y", copied=FIRST.removesuffix("request.")),
    go("v", "esc unmark"),
    key("chat.other_end", "o", then="ly", copied=FIRST.removeprefix("W")),
    go("G", BOTTOM),
    key("chat.thinking", "t", gone="t unfolds"),
    key("chat.retry", "r", "esc stop"),
)

AGAIN = (
    go("6", "Chat ·", "Ask something"),
    go(b"\x07", "type what was said"),
    go("waits for a tool", on="Waits for a tool"),
    go("\r", "What is the weather", gone="type what was said"),
    go(ESC, "a answer tools", gone="enter send"),
    key("chat.answer_calls", "a", "Results of the tool calls", "get_weather"),
    go("4 degrees", "4 degrees"),
    go("\r", "4 degrees", "Take a coat", gone="Results of the tool calls"),
    go("", gone=("esc stop", "answer tools")),
    go(b"\x07", "type what was said"),
    go("was cut off", on="Was cut off"),
    go("\r", "A control room is where many", gone="type what was said"),
    go(ESC, "r retry", gone="enter send"),
    key("chat.continue", "full_stop", "Continue exactly"),
    go("", "Three habits help", gone="esc stop"),
)

STEPS = (*PROMPT, *ANSWERS, *AGAIN)


def test_the_keys_of_the_prompt(copied_home: Callable[[], Path], tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "from the editor" > "$1"\n')
    editor.chmod(0o700)
    with program("chat", copied_home(), EDITOR=str(editor)) as terminal:
        terminal.until("Overview ·")
        walk(terminal, PROMPT)


def test_the_keys_of_the_answers(copied_home: Callable[[], Path]) -> None:
    with program("answers", copied_home(), TMUX="") as terminal:  # so OSC 52 alone must bring what is copied
        terminal.until("Overview ·")
        walk(terminal, ANSWERS)


def test_the_keys_that_go_on_from_an_answer(copied_home: Callable[[], Path]) -> None:
    with program("again", copied_home()) as terminal:
        terminal.until("Overview ·")
        walk(terminal, AGAIN)
