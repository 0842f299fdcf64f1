"""Every key of docs/keymap.md is pressed as raw bytes by one of the walks."""

from __future__ import annotations

import test_pty_chat
import test_pty_everywhere
import test_pty_figures
import test_pty_modes
import test_pty_providers
from pty_stage import documented

WALKED = (
    *test_pty_everywhere.WALK,
    *test_pty_everywhere.TABLE,
    *test_pty_everywhere.TINY,
    *test_pty_everywhere.EMPTY,
    *test_pty_providers.STEPS,
    *test_pty_modes.STEPS,
    *test_pty_figures.STEPS,
    *test_pty_chat.STEPS,
)

NOT_WALKED = frozenset(
    {
        # need an answer with tool calls, or one that was cut, at just that moment: tests/tui_chat has them
        "chat.answer_calls", "chat.continue",
        # what they bring is another stretch in colour: tests/tui_chat reads the selection itself
        "chat.other_end", "transcript.left", "transcript.right", "transcript.word_back", "transcript.word_on",
        "provider.longer", "provider.shorter",
        "run.chat",  # there only where a run belongs to a conversation
    }
)  # fmt: skip
"""Binding ids that no walk presses."""


def test_every_documented_key_is_pressed_as_a_terminal_sends_it() -> None:
    walked = {step.covers for step in WALKED if step.covers}
    missing = {pair for pair in documented() - walked if pair[0] not in NOT_WALKED}
    assert not missing, f"give these a step in tests/pty: {sorted(missing)}"


def test_no_walk_presses_a_key_that_is_gone() -> None:
    gone = {step.covers for step in WALKED if step.covers} - documented()
    assert not gone, f"no longer bound: {sorted(gone)}"


def test_what_is_excused_is_not_walked() -> None:
    walked = {step.covers[0] for step in WALKED if step.covers}
    assert not NOT_WALKED & walked
