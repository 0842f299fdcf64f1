"""The keys with which models are asked what they can do, as raw bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pty_stage import ESC, go, key, program, walk

ASKED = "Ask anthropic/claude-sonnet-5-5 what it can do"
STEPS = (
    go("3", "Models ·", "claude-haiku-4-5", on="claude-haiku-4-5"),
    go("/chat-prod\r", on="chat-prod"),
    key("models.probe", "p", "Ask azure-eu/chat-prod what it can do", "left out"),
    key("probe.unpriced", "a", "asked all the same"),
    go(ESC, gone="what it can do"),
    go(ESC, "claude-sonnet-5-5"),
    go("/sonnet\r", on="claude-sonnet-5-5"),
    go("p", ASKED, "4 questions to 1 model: $"),
    key("probe.say", "u", "you say so", on="tools"),
    go("u", "✕ you say so"),
    go("u", gone="you say so"),
    key("probe.ask", "enter", "Models › what they can do", "asking"),
    go("", "Done: 4 yes"),
    key("probed.open", "enter", "Models › anthropic/claude-sonnet-5-5", "asked 20"),
    key("model.probe", "p", ASKED),
    go(ESC, gone=ASKED),
    go(ESC, "Done: 4 yes"),
    key("probed.again", "p", ASKED),
    go("\r", "asking"),
    go(ESC, "Stopped:"),
    key("probed.leave", "escape", "Models ·", gone="Stopped:"),
)


def test_the_keys_of_asking_models(copied_home: Callable[[], Path]) -> None:
    with program("probe", copied_home()) as terminal:
        terminal.until("Overview ·")
        walk(terminal, STEPS)
