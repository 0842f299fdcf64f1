"""What numbers, times, states and widths look like."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui import formatting as f


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (None, "—"), (Decimal(0), "$0.00"), (Decimal("0.00008"), "<$0.0001"), (Decimal("0.0054"), "$0.0054"),
        (Decimal("0.4321"), "$0.432"), (Decimal("41.2"), "$41.20"), (Decimal("1234.567"), "$1,234.57"), (Decimal("-2"), "-$2.00"),
        (Decimal("0.9996"), "$1.00"), (Decimal("0.09996"), "$0.100"), (Decimal("0.9994"), "$0.999"),
    ],
)  # fmt: skip
def test_money_is_shown_as_people_write_it_and_unknown_is_never_zero(
    amount: Decimal | None, shown: str
) -> None:
    assert f.money(amount) == shown


def test_prices_tokens_times() -> None:
    assert [f.rate(Decimal(x)) for x in ("2.5", "0.075", "0", "1500")] == [
        "$2.50",
        "$0.075",
        "free",
        "$1,500.00",
    ]
    assert [f.tokens(x) for x in (None, 0, 812, 4096, 128_000, 1_047_576)] == [
        "—",
        "0",
        "812",
        "4.1k",
        "128k",
        "1.05M",
    ]
    assert [f.duration(x) for x in (None, 85, 410, 12_000, 200_000)] == [
        "—",
        "85 ms",
        "0.41 s",
        "12 s",
        "3 min",
    ]
    assert [f.age(x, 1_000_000_000) for x in (None, 999_999_000, 999_960_000, 999_000_000, 0)] == ["never", "now", "40s", "16m", "11d"]  # fmt: skip
    assert [f.percent(x) for x in (None, 0.0, 0.002, 0.0996, 0.5)] == ["—", "0%", "0.2%", "10%", "50%"]


@pytest.mark.parametrize(
    "name", ["ok", "limited", "invalid_key", "unreachable", "off", "untested", "offline", "held"]
)
def test_a_state_is_a_glyph_and_a_word(name: str) -> None:
    mark = f.state(name)
    assert len(mark.glyph) == 1
    assert not mark.glyph.isascii()
    assert mark.word == name.replace("_", " ")
    assert str(f.state("limited", "12s")) == "◐ limited 12s"


TEXT = st.text(alphabet=st.sampled_from("aZ 0-…日本語한🙂e\u0301żół"), max_size=60)


@given(TEXT, st.integers(1, 40))
def test_a_cell_is_exactly_as_wide_as_its_column(text: str, cells: int) -> None:
    assert f.width(f.fit(text, cells)) == cells
    assert f.width(f.fit(text, cells, "right")) == cells
    assert f.width(f.cut_end(text, cells)) <= cells
    assert f.width(f.cut_middle(text, cells)) <= cells


def test_control_characters_never_reach_a_cell() -> None:
    assert "\x1b" not in f.fit("a\x1b[31mb\nc", 20)
    assert "\n" not in f.fit("a\nb", 20)


def test_the_middle_is_cut_so_that_both_ends_stay() -> None:
    shown = f.cut_middle("https://api.example.com/v1/models", 15)
    assert shown.startswith("https")
    assert shown.endswith("models")
    assert "…" in shown


def test_every_glyph_has_an_ascii_stand_in_of_one_cell() -> None:
    glyphs = "".join(mark.glyph for mark in f._STATES.values()) + "…—·→▌•▇░“”"
    plain = glyphs.translate(f.ASCII)
    assert plain.isascii()
    assert len(plain) == len(glyphs)
