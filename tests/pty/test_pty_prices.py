"""The keys that say what a model costs, as raw bytes: in the table of models and on a model's page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pty_stage import ESC, go, key, program, walk

STEPS = (
    go("3", "Models ·", "claude-haiku-4-5", on="claude-haiku-4-5"),
    go("/haiku\r", "/ haiku", on="claude-haiku-4-5"),
    key("models.price", "e", "What anthropic/claude-haiku-4-5 costs", "mix:"),
    go("9", "→"),
    go(ESC, gone="What anthropic/claude-haiku-4-5 costs"),
    key("models.map", "m", "what does it cost?"),
    go("1", "is this one"),
    go(ESC, gone="is this one"),
    go("\r", "Models › anthropic/claude-haiku-4-5"),
    key("model.price", "e", "What anthropic/claude-haiku-4-5 costs", "mix:"),
    go("\r", "Change what "),
    go("y", "typed by you", gone="Change what "),
    go("e", "has a price of yours"),
    go("2", "Change what "),
    go("y", gone="typed by you"),
    key("model.map", "m", "what does it cost?"),
    go("3", "Change what "),
    go("y", "no price per token", gone="Change what "),
    go("m", "Now: own or flat."),
    go(ESC, gone="what does it cost?"),
)


def test_the_keys_of_prices(copied_home: Callable[[], Path]) -> None:
    with program("prices", copied_home()) as terminal:
        terminal.until("Overview ·")
        walk(terminal, STEPS)
