"""The keys of Usage, Audit and Settings, and of what they open, as raw bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pty_stage import ESC, go, key, program, walk

USAGE = (
    go("5", "Usage ·", "Cost by provider", on="anthropic"),
    key("usage.longer", "greater_than_sign", "against the 7 days before"),
    key("usage.shorter", "less_than_sign", "against the 24 h before"),
    key("usage.group", "v", "Cost by model"),
    key("usage.measure", "m", "Tokens by model"),
    key("usage.source", "f", "Tokens billed by model"),
    go("f", "Here and billed by model"),
    go("f", "Tokens by model"),
    key("usage.numbers", "number_sign", gone="└"),
    go("#", "└"),
    key("usage.bar_before", "left", ":00–"),
    key("usage.clear", "escape", gone=":00–"),
    key("usage.bar_before", "h", ":00–"),
    go(ESC, gone=":00–"),
    key("usage.bar_after", "right", ":00–"),
    go(ESC, gone=":00–"),
    key("usage.bar_after", "l", ":00–"),
    go(ESC, gone=":00–"),
    key("usage.table", "j", on="▌"),
    key("usage.table", "down", moves=1),
    key("usage.order", "o", "▼"),
    key("usage.filter", "slash", "words to look for"),
    go(ESC, gone="words to look for"),
    key("usage.why", "w", "more", "its runs"),
    key("why.runs", "enter", "Usage › ", " runs"),
    go(ESC, gone="Usage › "),
    key("usage.limits", "b", "limit", "esc back"),
    go(ESC, gone="esc back"),
    key("usage.dates", "F", "esc back"),
    go(ESC, gone="esc back"),
    key("usage.open", "enter", "Usage ›"),
    key("usage_runs.open", "enter", " › run ", "asked"),
    key("run.copy", "y", copied=r"req_demo\w+"),
    key("run.back", "escape", gone=" › run "),
    key("usage_runs.order", "o", "▼"),
    key("usage_runs.filter", "slash", "words to look for"),
    go(ESC, gone="words to look for"),
    key("usage_runs.back", "escape", "Usage ·"),
)

AUDIT = (
    go("9", "Audit ·", "budget.set"),
    key("audit.filter", "slash", "words to look for"),
    go("mistral\r", gone="budget.set"),
    key("audit.clear", "escape", "budget.set"),
    key("audit.changes", "c", gone="scheduler@"),
    go(ESC, "scheduler@"),
    key("audit.verify", "v", "intact"),
    key("audit.export", "X", "Write the audit log to a file"),
    go(ESC, gone="Write the audit log to a file"),
    go("c", gone="scheduler@", on="budget.set"),  # whatever was synced this morning
    key("audit.open", "enter", "Audit › entry", "budget.set"),
    key("record.older", "right_square_bracket", "Audit › entry", gone="budget.set"),
    key("record.newer", "left_square_bracket", "Audit › entry", "budget.set"),
    key("record.back", "escape", "Audit ·", gone="Audit ›"),
)

SETTINGS = (
    go("0", "Settings ·", on="Look for providers"),
    key("settings.next_tab", "right_square_bracket", gone="Look for providers at start"),
    key("settings.previous_tab", "left_square_bracket", "Look for providers at start"),
    key("settings.filter", "slash", "words to look for"),
    go("attempts\r", on="Attempts for one run"),
    key("settings.change", "enter", "esc back", "3"),
    go("\x157\r", on="7"),
    key("settings.default", "u", on="default"),
    key("settings.clear", "escape", "Look for providers at start"),
    go("[", "app.help"),
    go("/unused\r", gone="app.help"),
    go(ESC, "app.help"),
    key("settings.no_key", "x", "no key"),
)

STEPS = (*USAGE, *AUDIT, *SETTINGS)


def test_the_keys_of_usage(copied_home: Callable[[], Path]) -> None:
    with program("usage", copied_home()) as terminal:
        terminal.until("Overview ·")
        walk(terminal, USAGE)


def test_the_keys_of_audit(copied_home: Callable[[], Path]) -> None:
    with program("audit", copied_home()) as terminal:
        terminal.until("Overview ·")
        walk(terminal, AUDIT)


def test_the_keys_of_settings(copied_home: Callable[[], Path]) -> None:
    with program("settings", copied_home()) as terminal:
        terminal.until("Overview ·")
        walk(terminal, SETTINGS)
