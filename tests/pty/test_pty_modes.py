"""The keys of Overview, Models and Sync, and of what they open, as raw bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pty_stage import ESC, go, key, program, walk

PICKED = ":00–"
"""Between the hours of the bar that is picked."""

OVERVIEW = (
    go("", "Overview ·", "Recent runs", "azure-eu", on="azure-eu"),
    key("overview.next", "tab", "Recent runs", on="invalid key  azure-eu"),
    key("overview.previous", "shift+tab", "Recent runs", on="azure-eu: invalid key"),
    go(b"\t\t", "Cost per hour"),
    key("chart.left", "left", PICKED),
    key("chart.unpick", "escape", gone=PICKED),
    key("chart.left", "h", PICKED),
    go(ESC, gone=PICKED),
    key("chart.right", "l", PICKED),
    go(ESC, gone=PICKED),
    key("chart.right", "right", PICKED),
    go(ESC, gone=PICKED),
    go(b"\x1b[Z\x1b[Z", on="azure-eu: invalid key"),
    key("overview.open", "enter", "Providers › azure-eu"),
)

MODELS = (
    go("3", "Models ·", "claude-haiku-4-5", on="claude-haiku-4-5"),
    key("models.filter", "slash", "words to look for"),
    go("prov", "prov"),
    key("filter.complete", "tab", "provider:"),
    go("openai-prod\r", gone="claude-haiku-4-5", on="gpt-"),
    key("models.clear", "escape", "claude-haiku-4-5"),
    key("models.order", "o", "▼"),
    key("table.reverse", "I", "▲"),
    go("g/haiku\r", on="claude-haiku-4-5"),
    key("models.toggle", "x", on="off"),
    go("x", on="on"),
    key("models.estimate", "E", "What would a prompt cost"),
    go(ESC, gone="What would a prompt cost"),
    key("models.sync", "s", "anthropic synced"),
    key("models.default", "d", "default"),
    key("screen.export", "X", "to which file?"),
    go(ESC, gone="to which file?"),
    key("table.mark_all", "asterisk", "✓"),
    go(ESC, gone="✓"),
    go("/haiku\r", on="claude-haiku-4-5"),
    key("models.chat", "c", "Chat ·", "Ask something"),
    go(ESC, "i prompt"),
    go("3", "Models ·"),
    key("models.open", "enter", "Models › anthropic/claude-haiku-4-5", "x switches it off"),
    key("model.toggle", "x", "x switches it on"),
    go("x", "x switches it off"),
    key("model.estimate", "E", "What would a prompt cost"),
    go(ESC, gone="What would a prompt cost"),
    key("model.default", "d", "default"),
    key("model.sync", "s", "anthropic synced"),
    key("model.chat", "c", "Chat ·", "Ask something"),
    go(ESC, "i prompt"),
    go("3", "Models ›"),
    key("model.chat", "enter", "Chat ·", "Ask something"),
    go(ESC, "i prompt"),
    go("3", "Models ›"),
    key("model.back", "escape", "88 models", gone="Models ›"),
    go(":anthropic/claude-haiku", "its page"),
    key("palette.page", "tab", "Models › anthropic/claude-haiku-4-5", gone="Do what?"),
    go(ESC, "88 models", gone="Models ›"),
    go(ESC, gone="/ haiku"),
    go(" ", "1 marked"),
    go(" ", "2 marked", "enter compare"),
    go("\r", "2 models side by side"),
    key("compare.differences", "d", "all rows"),
    key("compare.back", "escape", "2 marked", gone="side by side"),
)

SYNC = (
    go("4", "Sync ·", on="anthropic"),
    key("sync.sync", "s", "anthropic synced"),
    key("sync.order", "o", "▼"),
    key("sync.filter", "slash", "words to look for"),
    go("anthr\r", gone="homelab"),
    key("sync.clear", "escape", "homelab", on="anthropic"),
    key("sync.schedule", "i", "synced by itself when?"),
    go(ESC, gone="synced by itself when?"),
    key("sync.open", "enter", "Sync › anthropic", on="● ok"),
    key("synced.all", "c", gone="hidden (c)"),
    go("c", "hidden (c)"),
    key("synced.other", "tab", on="claude-haiku-4-5"),
    key("synced.open", "enter", "Models › anthropic/claude-haiku-4-5"),
    go(ESC, "Sync › anthropic"),
    key("synced.order", "o", "▲"),
    key("synced.filter", "slash", "words to look for"),
    go("haiku\r", "/ haiku", on="claude-haiku-4-5"),
    go(ESC, gone="/ haiku"),
    key("synced.schedule", "i", "synced by itself when?"),
    go(ESC, gone="synced by itself when?"),
    key("synced.sync", "s", "anthropic synced"),
    key("synced.back", "escape", gone="Sync ›"),
    key("sync.all", "S", "/67"),
)

STEPS = (*OVERVIEW, *MODELS, *SYNC)


def test_the_keys_of_overview(copied_home: Callable[[], Path]) -> None:
    with program("overview", copied_home()) as terminal:
        walk(terminal, OVERVIEW)


def test_the_keys_of_models(copied_home: Callable[[], Path]) -> None:
    with program("models", copied_home()) as terminal:
        terminal.until("Overview ·")
        walk(terminal, MODELS)


def test_the_keys_of_sync(copied_home: Callable[[], Path]) -> None:
    with program("sync", copied_home()) as terminal:
        terminal.until("Overview ·")
        walk(terminal, SYNC)
