"""The chart on the screen: what is picked and opened, what stays picked, and that only what changed is painted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from tui.look import AsciiFilter
from tui.themes import THEMES
from tui.widgets.chart import Chart, ChartData, Series

HOUR = 3_600_000
START = 1_763_596_800_000
"""2025-11-20 00:00 UTC."""


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def data(**changes: Any) -> ChartData:
    """Three providers over 24 hours; at 05:00 nothing is known."""

    def values(factor: float, shift: int) -> tuple[float | None, ...]:
        return tuple(None if n == 5 else factor * (1 + (n * 7 + shift) % 11) for n in range(24))

    series = (
        Series("openai-prod", "openai-prod", values(0.05, 0), "$7.20"),
        Series("anthropic", "anthropic", values(0.03, 3), "$4.10"),
        Series("*", "all others", values(0.01, 5), "$1.30"),
    )
    whole = ChartData(tuple(START + n * HOUR for n in range(24)), START + 24 * HOUR, series, "usd")
    return replace(whole, **changes)


class Stage(App[None]):
    """Nothing but a chart."""

    def __init__(self, shown: ChartData, theme: str = "dark", *, plain: bool = False) -> None:
        super().__init__()
        for one in THEMES:
            self.register_theme(one)
        self.theme = theme
        self.shown = shown
        self.heard: list[tuple[str, int | None]] = []
        if plain:
            self._filters.append(AsciiFilter())

    def compose(self) -> ComposeResult:
        yield Chart()

    def on_mount(self) -> None:
        self.chart.show(self.shown)
        self.chart.focus()

    @property
    def chart(self) -> Chart:
        return self.query_one(Chart)

    def on_chart_picked(self, event: Chart.Picked) -> None:
        self.heard.append(("picked", event.place))

    def on_chart_opened(self, event: Chart.Opened) -> None:
        self.heard.append(("opened", event.place))

    def text(self) -> str:
        lines = self.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)


async def test_h_and_l_pick_bars_and_the_line_below_says_what_they_are() -> None:
    app = Stage(data())
    async with app.run_test(size=(100, 20)) as pilot:
        await pilot.press("h")
        await pilot.pause()
        assert "Thu Nov 20 23:00–00:00  $0.750" in app.text()
        await pilot.press("h", "h")
        await pilot.pause()
        assert "Thu Nov 20 21:00–22:00" in app.text()
        assert app.chart.picked_bounds == (START + 21 * HOUR, START + 22 * HOUR)
        assert "▲" in app.text()
        await pilot.press("l", "escape")
        await pilot.pause()
        assert app.chart.picked is None
        assert "openai-prod $7.20" in app.text()
    assert app.heard == [("picked", 23), ("picked", 22), ("picked", 21), ("picked", 22), ("picked", None)]


async def test_what_is_not_known_is_said_so() -> None:
    app = Stage(data())
    async with app.run_test(size=(100, 20)) as pilot:
        app.chart.pick(5)
        await pilot.pause()
        assert "Thu Nov 20 05:00–06:00  —" in app.text()
        assert "$0" not in app.text().splitlines()[-1].replace("$0 ", "")


async def test_a_click_picks_and_a_second_one_opens() -> None:
    app = Stage(data())
    async with app.run_test(size=(100, 20)) as pilot:
        await pilot.pause()
        picture = app.chart._picture
        assert picture is not None
        x = picture.left + picture.slots[10].bar
        await pilot.click(Chart, offset=(x, 5), times=2)
        await pilot.pause()
        await pilot.click(Chart, offset=(1, 5))
    assert app.heard == [("picked", 10), ("opened", 10)]


async def test_the_picked_hour_stays_picked_when_a_new_hour_begins() -> None:
    app = Stage(data())
    async with app.run_test(size=(100, 20)) as pilot:
        app.chart.pick(10)
        old = app.shown
        later = replace(
            old,
            starts=tuple(start + HOUR for start in old.starts),
            end=old.end + HOUR,
            series=tuple(replace(one, values=(*one.values[1:], 0.1)) for one in old.series),
        )
        app.chart.show(later)
        await pilot.pause()
        assert app.chart.picked == 9
        assert "Thu Nov 20 10:00–11:00" in app.text()


async def test_the_picked_bar_is_told_whole_when_its_buckets_move(monkeypatch: pytest.MonkeyPatch) -> None:
    series = (Series("a", "a", tuple(float(n) for n in range(120)), "$1"),)
    whole = ChartData(tuple(START + n * HOUR for n in range(120)), START + 120 * HOUR, series, "usd")
    app = Stage(whole)
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.pause()
        app.chart.pick(20)
        assert app.chart.picked_bounds == (START + 20 * HOUR, START + 22 * HOUR), "two hours make a bar"
        later = replace(whole, starts=tuple(start + HOUR for start in whole.starts), end=whole.end + HOUR)
        app.chart.show(later)
        await pilot.pause()
        bounds = app.chart.picked_bounds
        assert bounds == (START + 19 * HOUR, START + 21 * HOUR), "the bar that now holds it"
        assert "Thu Nov 20 19:00–21:00" in app.text()


async def test_a_growing_bar_paints_only_its_own_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Stage(data())
    async with app.run_test(size=(100, 20)) as pilot:
        await pilot.pause()
        chart, picture = app.chart, app.chart._picture
        assert picture is not None
        asked: list[Region] = []
        monkeypatch.setattr(chart, "refresh", lambda *regions, **_more: asked.extend(regions))
        first = app.shown.series[0]
        grown = replace(first, values=(*first.values[:-1], 0.3), total="$7.30")
        chart.show(replace(app.shown, series=(grown, *app.shown.series[1:])))
        column = picture.columns[-1]
        assert asked
        for region in asked:
            in_bar = region.x == picture.left + column.x and region.width == column.width
            assert in_bar or region.y >= picture.rows + 2  # or the legend
        asked.clear()
        chart.show(replace(app.shown, series=(grown, *app.shown.series[1:])))
        assert not asked  # equal: nothing is painted


@pytest.mark.parametrize(
    "nothing",
    [
        data(series=()),
        data(starts=(), series=(Series("a", "a", ()),)),
        data(series=(Series("a", "a", (0.0,) * 24),)),
    ],
    ids=["no series", "no buckets", "only zeroes"],
)
async def test_nothing_to_draw_is_a_sentence(nothing: ChartData) -> None:
    app = Stage(nothing)
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.press("h")
        await pilot.pause()
        assert "Nothing was used in this time." in app.text()
        assert app.chart.picked is None


async def test_bars_become_lines_of_the_same_buckets_and_bars_again() -> None:
    app = Stage(data())
    async with app.run_test(size=(100, 20)) as pilot:
        chart = app.query_one(Chart)
        for kind in ("lines", "bars", "lines"):
            chart.show(data(kind=kind))
            await pilot.pause()
            shown = [chart.render_line(row).text for row in range(chart.size.height)]
            assert any("openai-prod $7.20" in row for row in shown)


async def test_it_follows_the_size_of_the_terminal() -> None:
    app = Stage(data())
    async with app.run_test(size=(100, 20)) as pilot:
        app.chart.pick(12)
        for size in [(60, 12), (20, 5), (8, 2), (1, 1), (120, 30)]:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert all(strip.cell_length == size[0] for strip in app.screen._compositor.render_strips())
        assert "Thu Nov 20 12:00–13:00" in app.text()


Compare = Callable[..., bool]


async def _picked(pilot: Pilot[Any]) -> None:
    await pilot.press("h", "h", "h")
    await pilot.pause()


@pytest.mark.parametrize("theme", ["dark", "light", "ansi"])
def test_bars(snap_compare: Compare, theme: str) -> None:
    assert snap_compare(Stage(data(limit=0.9), theme), terminal_size=(100, 20), run_before=_picked)


def test_bars_at_80_columns(snap_compare: Compare) -> None:
    assert snap_compare(Stage(data()), terminal_size=(80, 12))


def test_bars_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(Stage(data()), terminal_size=(100, 20), run_before=_picked)


def test_bars_in_ascii(snap_compare: Compare) -> None:
    assert snap_compare(Stage(data(limit=0.9), plain=True), terminal_size=(100, 20), run_before=_picked)


@pytest.mark.parametrize("theme", ["dark", "ansi"])
def test_lines(snap_compare: Compare, theme: str) -> None:
    assert snap_compare(Stage(data(kind="lines"), theme), terminal_size=(100, 20), run_before=_picked)
