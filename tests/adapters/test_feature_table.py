"""The page about providers says what the contract tests prove, and nothing else."""

from __future__ import annotations

import feature_table

from adapters.loader import dialects


def test_the_page_is_current() -> None:
    assert feature_table.PAGE.read_text("utf-8") == feature_table.page(), (
        "run: python tests/adapters/feature_table.py"
    )


def test_every_dialect_that_can_be_spoken_joined_the_contract() -> None:
    joined = set(feature_table.dialects()) - {"responses"}
    assert joined == set(dialects())
