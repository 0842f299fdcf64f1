"""The chart's drawing, for any data and size: every line as wide as the widget, heights that tell the values, gaps for the unknown."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.formatting import ASCII, width
from tui.widgets import chart_ink, chart_legend
from tui.widgets.chart_data import ChartData, Series, merged
from tui.widgets.chart_draw import BLANK, EIGHTHS, bar, slots
from tui.widgets.chart_layout import lay_out
from tui.widgets.chart_scale import scale
from tui.widgets.chart_time import span_words, time_line
from tui.widgets.spark import spark

HOUR = 3_600_000
MIDNIGHT = 1_763_596_800_000
"""2025-11-20 00:00 UTC, a Thursday."""

amounts = st.one_of(
    st.none(),
    st.floats(0, 1e9),
    st.floats(0, 1),
    st.sampled_from([0.0, float("nan"), float("inf"), float("-inf"), -1.0, 1e15, 1e-9]),
)
labels = st.text(max_size=40).map(lambda text: "".join(c for c in text if c.isprintable()))


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@st.composite
def charts(draw: st.DrawFn) -> ChartData:
    count = draw(st.integers(0, 130))
    step = draw(st.sampled_from([300_000, HOUR, 24 * HOUR, 7 * 24 * HOUR]))
    number = draw(st.integers(0, 8))
    series = tuple(
        Series(f"key-{n}", draw(labels), tuple(draw(st.lists(amounts, min_size=count, max_size=count))), draw(labels))
        for n in range(number)
    )  # fmt: skip
    starts = tuple(MIDNIGHT + place * step for place in range(count))
    end = MIDNIGHT + count * step - draw(st.integers(0, step - 1)) if count else MIDNIGHT
    return ChartData(
        starts, end, series,
        draw(st.sampled_from(["usd", "tokens", "runs", "ms", "percent"])),
        draw(st.sampled_from(["bars", "lines"])),
        draw(st.one_of(st.none(), st.floats(0, 1e9))),
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(charts(), st.integers(1, 140), st.integers(1, 30), st.sampled_from(["colour", "pattern", "ascii"]))
def test_any_data_fits_any_size(data: ChartData, cells: int, height: int, look: chart_ink.Look) -> None:
    if data.empty:
        return
    inks = chart_ink.inks((series.key for series in data.series), {})
    picture = lay_out(data, inks, cells, height, look)
    if picture is None:
        return
    assert picture.rows + 2 + picture.legend_rows == height
    assert {len(name) for name in picture.names} == {picture.left}
    assert width(picture.times) == cells
    inner = cells - picture.left
    assert picture.slots[-1].right <= inner
    if data.kind == "bars":  # no bar stands on another
        assert len({slot.bar for slot in picture.slots}) == len(picture.slots)
    for x, wide, column in picture.columns:
        assert x >= 0
        assert x + wide <= inner
        assert len(column) == picture.rows
        assert all(width(cell.text) == 1 for cell in column)
    for item in picture.legend:
        assert sum(width(text) for text, _ in item) <= cells
    for place in range(0, len(data.starts), picture.merge):
        items = chart_legend.picked(data, picture.shown, picture.inks, look, place, picture.merge)
        for line in chart_legend.flow(items, cells, picture.legend_rows or 1):
            assert sum(width(text) for text, _ in line) <= cells


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(0, 100)), min_size=1, max_size=8), st.integers(2, 30))
def test_a_stack_is_as_high_as_its_sum(values: list[float | None], rows: int) -> None:
    sum_ = sum(value or 0 for value in values)
    top = max(sum_, 1.0) * 1.3
    inks = tuple(range(len(values)))
    for look in ("colour", "pattern", "ascii"):
        cells = bar(tuple(values), inks, top, rows, look)
        filled = [cell for cell in cells if cell != BLANK]
        height = 8 * len(filled)
        if filled and filled[0].text in EIGHTHS[1:8] and filled[0].back < 0:
            height += EIGHTHS.index(filled[0].text) - 8
        wanted = sum_ / top * rows * 8
        assert abs(height - wanted) <= (8 if look == "ascii" else 0.5) or (0 < wanted < 1 and height == 1)
        assert cells[: len(cells) - len(filled)] == (BLANK,) * (
            len(cells) - len(filled)
        )  # no hole in a stack


def test_parts_of_a_stack_share_it_by_their_values() -> None:
    cells = bar((4.0, 2.0, 2.0), (0, 1, 2), 8.0, 8, "colour")
    assert [cell.front for cell in cells] == [2, 2, 1, 1, 0, 0, 0, 0]
    fills = [cell.text for cell in bar((4.0, 2.0, 2.0), (0, 1, 2), 8.0, 8, "pattern")]
    assert len(set(fills)) == 3  # told apart without any colour


def test_the_unknown_is_a_gap_and_zero_is_not() -> None:
    series = Series("a", "a", (1.0, None, 0.0, 2.0))
    data = ChartData(tuple(MIDNIGHT + n * HOUR for n in range(4)), MIDNIGHT + 4 * HOUR, (series,), "usd")
    picture = lay_out(data, {"a": 0}, 60, 12, "colour")
    assert picture is not None
    assert picture.known == (True, False, True, True)
    assert set(picture.columns[1].cells) == {BLANK}
    words = chart_legend.picked(data, data, (0,), "colour", 1, 1)
    assert words[1][-1][0] == " —"


def test_what_is_little_beside_the_rest_is_still_seen() -> None:
    cells = bar((0.001,), (0,), 1000.0, 10, "colour")
    assert [cell.text for cell in cells if cell != BLANK] == ["▁"]


@pytest.mark.parametrize(
    ("most", "unit", "ticks"),
    [
        (1.3, "usd", ["$0", "$0.50", "$1.00", "$1.50"]),
        (41.2, "usd", ["$0", "$20", "$40", "$60"]),
        (0.0004, "usd", ["$0", "$0.0025", "$0.0050", "$0.0075", "$0.0100"]),
        (31_000, "tokens", ["0", "10k", "20k", "30k", "40k"]),
        (3, "runs", ["0", "1", "2", "3"]),
        (1800, "ms", ["0", "500ms", "1.0s", "1.5s", "2.0s"]),
        (0.034, "percent", ["0%", "1%", "2%", "3%", "4%"]),
    ],
)
def test_ticks_are_round(most: float, unit: str, ticks: list[str]) -> None:
    assert [words for _, words in scale(most, unit, 12).ticks] == ticks  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 1e12), st.sampled_from(["usd", "tokens", "runs", "ms", "percent"]), st.integers(1, 40))
def test_there_are_three_to_five_ticks_and_the_highest_is_reached(most: float, unit: str, rows: int) -> None:
    found = scale(most, unit, rows)  # type: ignore[arg-type]
    assert 3 <= len(found.ticks) <= 5
    assert found.top >= most * (1 - 1e-6)
    assert len({words for _, words in found.ticks}) == len(found.ticks)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 120), st.sampled_from([300_000, 900_000, HOUR, 24 * HOUR, 30 * 24 * HOUR]),
    st.integers(0, 400), st.integers(12, 160),
)  # fmt: skip
def test_times_never_touch(count: int, step: int, shift: int, cells: int) -> None:
    starts = tuple(MIDNIGHT + shift * HOUR + n * step for n in range(count))
    middles = tuple(slot.bar + slot.width // 2 for slot in slots(count, cells))
    line = time_line(starts, starts[-1] + step, middles, cells)
    assert len(line) == cells
    for words in line.split("  "):
        assert len(words.split()) <= 2, line  # one name a place: `14:00`, `Thu 20`, `Nov 3`


def test_times_of_a_day_and_of_a_month() -> None:
    hours = tuple(MIDNIGHT - 6 * HOUR + n * HOUR for n in range(24))
    line = time_line(hours, hours[-1] + HOUR, tuple(3 * n + 1 for n in range(24)), 72)
    assert line.split("  ")[0].strip() == "18:00"
    assert "Thu 20" in line
    days = tuple(MIDNIGHT + n * 24 * HOUR for n in range(30))
    weeks = time_line(days, days[-1] + 24 * HOUR, tuple(2 * n for n in range(30)), 60)
    assert "Nov 24" in weeks  # weeks begin on Mondays
    assert "Dec 1" in weeks


@pytest.mark.parametrize(
    ("start", "hours", "words"),
    [
        (14, 1, "Thu Nov 20 14:00–15:00"),
        (23, 1, "Thu Nov 20 23:00–00:00"),
        (0, 24, "Thu Nov 20"),
        (0, 48, "Nov 20–21"),
        (0, 24 * 14, "Nov 20–Dec 3"),
        (14, 0.4, "Thu Nov 20 14:00–14:24"),
    ],
)
def test_a_bucket_in_words(start: int, hours: float, words: str) -> None:
    begin = MIDNIGHT + start * HOUR
    assert span_words(begin, begin + int(hours * HOUR)) == words


def test_more_buckets_than_cells_become_fewer_bars() -> None:
    series = Series("a", "a", tuple(1.0 for _ in range(90)))
    data = ChartData(
        tuple(MIDNIGHT + n * 24 * HOUR for n in range(90)), MIDNIGHT + 90 * 24 * HOUR, (series,), "usd"
    )
    picture = lay_out(data, {"a": 0}, 60, 12, "colour")
    assert picture is not None
    assert picture.merge == 2
    assert picture.shown.series[0].values == (2.0,) * 45
    assert data.bounds(2, 2) == (data.starts[2], data.starts[4])
    assert merged(data, 4).series[0].values[-1] == 2.0  # the last has only two days


@pytest.mark.parametrize("count", range(60, 260))
def test_no_bar_is_lost_where_merging_makes_the_axis_wider(count: int) -> None:
    series = Series("a", "a", tuple(4.0 for _ in range(count)))
    data = ChartData(
        tuple(MIDNIGHT + n * HOUR for n in range(count)), MIDNIGHT + count * HOUR, (series,), "usd"
    )
    picture = lay_out(data, {"a": 0}, 60, 12, "colour")
    assert picture is not None
    assert len(picture.slots) == -(-count // picture.merge)
    assert len({slot.bar for slot in picture.slots}) == len(picture.slots)


@pytest.mark.parametrize("kind", ["bars", "lines"])
@pytest.mark.parametrize(
    "values", [(1.0,), (5.0,) * 10_000, (1e15, 1e-9), (1e-9,), (3.0, -2.0, float("nan"))]
)
def test_any_number_of_any_values_is_drawn(values: tuple[float, ...], kind: Literal["bars", "lines"]) -> None:
    series = Series("a", "a", values)
    count = len(values)
    data = ChartData(
        tuple(MIDNIGHT + n * HOUR for n in range(count)), MIDNIGHT + count * HOUR, (series,), "usd", kind
    )
    picture = lay_out(data, {"a": 0}, 80, 12, "colour")
    assert picture is not None
    assert any(cell != BLANK for column in picture.columns for cell in column.cells)


def test_what_is_below_zero_makes_no_stack_lower() -> None:
    series = (Series("a", "a", (4.0, 1.0)), Series("b", "b", (-3.0, 1.0)))
    data = ChartData((MIDNIGHT, MIDNIGHT + HOUR), MIDNIGHT + 2 * HOUR, series, "usd")
    picture = lay_out(data, {"a": 0, "b": 1}, 60, 12, "colour")
    assert picture is not None
    assert next(name.split()[0] for name in picture.names if "┤" in name) == "$4"
    high, low = (sum(cell != BLANK for cell in column.cells) for column in picture.columns)
    assert (high, low) == (picture.rows, (picture.rows + 1) // 2)


def test_days_on_which_clocks_change_are_named_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    midnight = 1_761_429_600_000  # 2025-10-26 00:00 in Berlin: a day of 25 hours
    hours = tuple(midnight + n * HOUR for n in range(25))
    line = time_line(hours, hours[-1] + HOUR, tuple(4 * n + 1 for n in range(25)), 100)
    names = line.split()
    assert names[:2] == ["Sun", "26"]
    assert names[2:] == sorted(set(names[2:])), "no hour is named twice"
    assert span_words(midnight, midnight + 25 * HOUR) == "Sun Oct 26"
    days = (midnight - 24 * HOUR, midnight, midnight + 25 * HOUR)
    assert time_line(days, days[-1] + 24 * HOUR, (5, 25, 45), 60).split() == [
        "Sat",
        "25",
        "Sun",
        "26",
        "Mon",
        "27",
    ]


def test_a_key_keeps_its_ink_when_the_order_changes() -> None:
    first = chart_ink.inks(["a", "b", "*"], {})
    assert first["*"] == chart_ink.OTHER
    again = chart_ink.inks(["c", "b", "a"], first)
    assert (again["a"], again["b"]) == (first["a"], first["b"])
    assert again["c"] not in (again["a"], again["b"])


def test_every_glyph_has_its_ascii() -> None:
    glyphs = (
        "".join(chart_ink.FILLS["pattern"]) + EIGHTHS + "│┤└─╌▲—–" + "".join(map(chr, range(0x2801, 0x2900)))
    )
    assert glyphs.translate(ASCII).isascii()
    assert len(set(chart_ink.FILLS["ascii"])) == chart_ink.MOST


@settings(max_examples=100, deadline=None)
@given(st.lists(amounts, max_size=50), st.integers(0, 30))
def test_a_sparkline_takes_its_cells(values: list[float | None], cells: int) -> None:
    assert len(spark(values, cells)) == cells


def test_a_sparkline_shows_the_newest_and_leaves_the_unknown_out() -> None:
    assert spark([9, 0, 1, None, 2, 4], 5) == "▁▃ ▅█"
    assert spark([1], 3) == "  █"
