"""The keys of Sync's catalog page, as raw bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pty_stage import ESC, go, key, program, walk

STEPS = (
    go("4", "Sync ·", on="anthropic"),
    key("sync.catalog", "c", "Sync › catalog", "What changed in 30 days", "cheaper"),
    key("catalog.all", "c", "deepseek/deepseek-v4-pro"),
    key("catalog.all", "c", gone="deepseek/deepseek-v4-pro"),
    key("catalog.filter", "slash", "words to look for"),
    go("mistral-large\r", gone="cheaper"),
    key("catalog.back", "escape", "cheaper"),
    key("catalog.order", "o", "▼"),
    key("catalog.other", "tab", "Where newer facts come from"),
    go("\t", "Where newer facts come from"),
    key("catalog.ask", "s", "No source is switched on"),
    key("catalog.open", "enter", "Models › "),
    go(ESC, gone="Models › "),
    key("catalog.back", "escape", gone="Sync › catalog"),
)


def test_the_keys_of_the_catalog_page(copied_home: Callable[[], Path]) -> None:
    with program("catalog", copied_home()) as terminal:
        terminal.until("Overview ·")
        walk(terminal, STEPS)
