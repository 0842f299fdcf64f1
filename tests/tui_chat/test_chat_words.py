"""What the chat says one can do about an error: keys, and no command that stands beside them."""

from __future__ import annotations

import pytest

from adapters.entra_refusals import needed, over
from adapters.errors import InvalidCredentialsError, ModelUnavailableError, RateLimitedError
from catalog.errors import MissingKeyError, SwitchroomError
from tui.screens.chat_words import hint

NAME_YOURS = "Base models are none. Name yours: switchroom providers edit eu --option deployment=NAME"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (over("eu", "revoked"), "esc, 2 goes to Providers: K signs in"),
        (needed("eu.2"), "esc, 2 goes to Providers: K signs in"),
        (MissingKeyError("gone", hint="Enter it again: switchroom keys set w --key-stdin"), "esc, 2 goes to Providers: K sets the key"),
        (InvalidCredentialsError("no", hint="Enter a new key for w."), "Enter a new key for w.  esc, 2 goes to Providers: K sets the key"),
        (ModelUnavailableError("no", hint=NAME_YOURS), "Base models are none.  ctrl+t picks another model, r retries (esc first)"),
        (RateLimitedError("slow", hint="Try again at 12:05."), "Try again at 12:05.  ctrl+t picks another model, r retries (esc first)"),
    ],
)  # fmt: skip
def test_an_error_names_keys_and_no_commands(error: SwitchroomError, words: str) -> None:
    assert hint(error) == words
