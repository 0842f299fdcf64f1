"""Every key of docs/keymap.md is pressed as raw bytes by one of the walks."""

from __future__ import annotations

import test_pty_account
import test_pty_azure
import test_pty_catalog
import test_pty_chat
import test_pty_discovered
import test_pty_everywhere
import test_pty_figures
import test_pty_huggingface
import test_pty_market
import test_pty_modes
import test_pty_ollama
import test_pty_prices
import test_pty_probe
import test_pty_providers
import test_pty_recommend
import test_pty_tools
from pty_stage import documented

WALKED = (
    *test_pty_everywhere.WALK,
    *test_pty_everywhere.TABLE,
    *test_pty_everywhere.TINY,
    *test_pty_everywhere.EMPTY,
    *test_pty_providers.STEPS,
    *test_pty_account.STEPS,
    *test_pty_azure.STEPS,
    *test_pty_recommend.STEPS,
    *test_pty_prices.STEPS,
    *test_pty_probe.STEPS,
    *test_pty_modes.STEPS,
    *test_pty_figures.STEPS,
    *test_pty_market.STEPS,
    *test_pty_catalog.STEPS,
    *test_pty_chat.STEPS,
    *test_pty_discovered.STEPS,
    *test_pty_tools.STEPS,
    *test_pty_ollama.STEPS,
    *test_pty_huggingface.STEPS,
)


def test_every_documented_key_is_pressed_as_a_terminal_sends_it() -> None:
    walked = {step.covers for step in WALKED if step.covers}
    missing = documented() - walked
    assert not missing, f"give these a step in tests/pty: {sorted(missing)}"


def test_no_walk_presses_a_key_that_is_gone() -> None:
    gone = {step.covers for step in WALKED if step.covers} - documented()
    assert not gone, f"no longer bound: {sorted(gone)}"
