"""Limits in words: the alert of the Overview, and the one sentence about where a limit is heading."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from overview_stage import limit
from tui_stage import NOW

from services.usage_limits import LimitStanding
from tui.screens.limit_words import heading
from tui.screens.overview_lines import alert_lines


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (limit("global", "monthly", "5", "5", resets_at=NOW + 9 * 86_400_000), "✕ Monthly limit reached, $5.00 of $5.00: no paid runs until Nov 29"),
        (limit("global", "daily", "5", "5.02"), "✕ Daily limit reached, $5.02 of $5.00: no paid runs until midnight"),
        (limit("provider:a", "monthly", "10", "9", NOW + 1_800_000), "! a at 90% of its monthly limit, $9.00 of $10.00, out today at $2.00 a day on average"),
        (limit("provider:a", "daily", "10", "9", NOW + 1_800_000), "! a at 90% of its daily limit, $9.00 of $10.00, out at 22:30 at today's rate"),
        (limit("global", "monthly", "10", "9"), "! At 90% of the monthly limit, $9.00 of $10.00"),
        (limit("global", "monthly", "10", "6", NOW + 3 * 86_400_000), "! At 60% of the monthly limit, $6.00 of $10.00, out on Nov 23 at $2.00 a day on average"),
        (limit("global", "monthly", "10", "6"), None),
    ],
)  # fmt: skip
def test_a_limit_in_words(standing: LimitStanding, words: str | None) -> None:
    found = alert_lines([], [standing], [], [], NOW)
    assert [line.text for line in found] == ([words] if words else [])


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (limit("global", "daily", "5", "2", NOW + 3_600_000), "out at 23:00 at today's rate"),
        (limit("global", "daily", "5", "2"), "lasts at today's rate"),
        (limit("global", "daily", "5", "0", pace="0"), "lasts"),
        (limit("global", "monthly", "5", "2", NOW + 86_400_000), "out tomorrow at $2.00 a day on average"),
        (limit("global", "monthly", "5", "2", pace="0.04"), "lasts at $0.04 a day on average"),
        (limit("global", "daily", "5", "5"), "spent until midnight"),
    ],
)
def test_where_a_limit_is_heading(standing: LimitStanding, words: str) -> None:
    assert heading(standing, NOW) == words
