"""The keys of the recommended models as raw bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pty_stage import ESC, go, key, program, walk

STEPS = (
    go("3", "Models ·", "claude-haiku-4-5", on="claude-haiku-4-5"),
    key("models.recommend", "R", "Recommend a model", "USD for a run"),
    go("\t0.05\r", "chat, at most $0.05 a run", "models fit", on="fits, 1"),
    go("j", on="fits, 2"),
    key("recommend.filter", "slash", "words to look for"),
    go("haiku\r", gone="row-00/many", on="claude-haiku-4-5"),
    key("recommend.open", "enter", "Models › ", "claude-haiku-4-5", gone="Why "),
    go(ESC, "Why "),
    key("recommend.back", "escape", "row-00/many"),
    key("recommend.again", "R", "Recommend a model"),
    go(ESC, gone="USD for a run"),
    key("recommend.chat", "c", "Chat ·", "Ask something"),
)


def test_the_keys_of_the_recommended_models(copied_home: Callable[[], Path]) -> None:
    with program("recommend", copied_home()) as terminal:
        terminal.until("Overview ·")
        walk(terminal, STEPS)
