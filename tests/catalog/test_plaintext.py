"""Text from a wire on a terminal: what could steer it is shown, and what people write stays as it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.plaintext import harmless, one_line


@pytest.mark.parametrize(
    ("wire", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x1b]52;c;cm0gLXJm\x07", "␛]52;c;cm0gLXJm␇"),
        ("\x9b2J", "\ufffd2J"),  # the one-byte form of ESC [
        ("over\rwritten", "over␍written"),
        ("one\r\ntwo\tthree\n", "one\ntwo\tthree\n"),
        ("del\x7f", "del␡"),
        ("user\u202egnp.exe", "usergnp.exe"),  # right-to-left override
        ("tag\U000e0041ged", "tagged"),
        ("half \ud83d of it", "half \ufffd of it"),
        ("żółć 日本語 👩\u200d💻 [red]x[/red]", "żółć 日本語 👩\u200d💻 [red]x[/red]"),
    ],
)
def test_what_is_shown(wire: str, shown: str) -> None:
    assert harmless(wire) == shown


@given(st.text(st.characters(codec=None)))
def test_nothing_that_steers_gets_through(wire: str) -> None:
    shown = harmless(wire)
    assert re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown) is None
    shown.encode()  # no half of a pair
    assert harmless(shown) == shown
    assert "\n" not in one_line(wire)
    assert len(one_line(wire, 20)) <= 20
