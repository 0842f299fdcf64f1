"""What of a stored conversation is sent again."""

from __future__ import annotations

from adapters.events import Message
from services.chat import history
from store.conversations import MessageRow


def turn(role: str, text: str, thinking: str | None = None) -> MessageRow:
    return MessageRow(None, "c", 0, role, text, thinking=thinking)


def test_reasoning_goes_along_for_the_vendors_that_want_it_back() -> None:
    rows = [turn("user", "2+2?"), turn("assistant", "4", "Two and two …"), turn("user", "Sure?")]
    assert history(rows)[1] == Message("assistant", "4", thinking="Two and two …")


def test_neighbours_of_one_person_are_joined_and_empty_answers_left_out() -> None:
    rows = [
        turn("user", "One"),
        turn("assistant", "  ", "hm"),
        turn("user", "Two"),
        turn("assistant", "Half", "a"),
        turn("assistant", "an answer"),
    ]
    assert history(rows, "Three") == (
        Message("user", "One\n\nTwo"),
        Message("assistant", "Half\n\nan answer", thinking="a"),
        Message("user", "Three"),
    )
