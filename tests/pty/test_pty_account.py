"""The keys of a provider's account, as raw bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pty_stage import go, key, program, walk

STEPS = (
    go("2", "Providers ·", "openai-prod"),
    go("/", "words to look for"),
    go("openai-p\r", on="openai-prod"),
    go("\r", "Providers › openai-prod", "Summary"),
    go("]]]]", "days are UTC", "by day"),
    key("provider.group", "v", "by model", "gpt-6.1-sol"),
    key("provider.account_read", "r", "read just now"),
)


def test_the_keys_of_an_account(copied_home: Callable[[], Path]) -> None:
    with program("account", copied_home()) as terminal:
        terminal.until("Overview ·")
        walk(terminal, STEPS)
