"""The one table, driven by keys: cursor, marks, filter and order survive a refresh; only what is seen is computed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style
from textual.app import App, ComposeResult

from tui.formatting import ASCII
from tui.themes import DARK
from tui.widgets.columns import Column, lay_out
from tui.widgets.table import VirtualTable
from tui.widgets.table_paint import header_line, row_line


@dataclass(frozen=True)
class Row:
    key: str
    number: int
    name: str = ""


computed: list[str] = []


def _name(row: Row) -> str:
    computed.append(row.key)
    return row.name or f"name {row.key}"


COLUMNS: tuple[Column[Row], ...] = (
    Column("name", "name", _name, width=10, flex=1),
    Column("number", "number", lambda row: (str(row.number), "ok"), width=8, align="right", priority=1, sort=lambda row: row.number, down=True),
    Column("note", "note", lambda row: "", width=6, priority=2, optional=True),
)  # fmt: skip


class Stage(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = "dark"
        self.table: VirtualTable[Row] = VirtualTable(
            COLUMNS,
            key=lambda row: row.key,
            search=lambda row: f"{row.key} {row.name}",
            empty="Nothing yet. a adds.",
        )

    def compose(self) -> ComposeResult:
        yield self.table


def rows(count: int) -> list[Row]:
    return [Row(f"k{number:05}", number) for number in range(count)]


def lines(app: Stage) -> list[str]:
    return [app.table.render_line(y).text for y in range(app.table.size.height)]


async def test_keys_move_the_cursor_and_the_view_follows() -> None:
    app = Stage()
    async with app.run_test(size=(60, 11)) as pilot:
        app.table.set_rows(rows(100))
        await pilot.press("j", "j", "k", "down")
        assert app.table.cursor_key == "k00002"
        await pilot.press("G")
        assert app.table.cursor_key == "k00099"
        assert "▌" in lines(app)[-1]
        await pilot.press("g", "ctrl+d")
        assert app.table.cursor_key == "k00005"
        await pilot.press("pagedown", "end", "home", "ctrl+d", "ctrl+u")
        assert app.table.cursor_key == "k00000"


async def test_a_refresh_moves_neither_cursor_nor_scroll_nor_marks() -> None:
    app = Stage()
    async with app.run_test(size=(60, 11)) as pilot:
        app.table.set_rows(rows(100))
        await pilot.press("G", "k", "space")
        key, top = app.table.cursor_key, app.table.scroll_offset.y
        app.table.set_rows([Row("new", 7), *rows(100)])
        await pilot.pause()
        assert app.table.cursor_key == key
        assert app.table.marked == {"k00098"}
        assert abs(app.table.scroll_offset.y - top) <= 1
        app.table.set_rows(rows(50))
        await pilot.pause()
        assert app.table.marked == frozenset()
        assert app.table.cursor_key == "k00049"


async def test_rows_that_come_or_go_above_leave_the_line_that_is_read_where_it_is() -> None:
    app = Stage()
    async with app.run_test(size=(60, 11)) as pilot:
        app.table.set_rows(rows(100))
        await pilot.press(*["j"] * 40, "k", "k")
        await pilot.pause()
        before = lines(app)
        app.table.set_rows([*(Row(f"a{n}", 7) for n in range(5)), *rows(100)])
        await pilot.pause()
        assert lines(app) == before
        app.table.set_rows(rows(100)[20:])
        await pilot.pause()
        assert lines(app) == before
        await pilot.press("g")
        await pilot.pause()
        app.table.set_rows(rows(100))
        await pilot.pause()
        assert app.table.cursor_key == "k00020", "the cursor goes with its row"


async def test_one_row_is_replaced_in_place() -> None:
    app = Stage()
    async with app.run_test(size=(60, 11)) as pilot:
        app.table.set_rows(rows(5))
        await pilot.press("j")
        assert app.table.update_row(replace(rows(5)[3], name="changed"))
        assert not app.table.update_row(Row("absent", 1))
        await pilot.pause()
        assert "changed" in "\n".join(lines(app))
        assert app.table.cursor_key == "k00001"


async def test_the_filter_wants_every_word_and_keeps_the_cursor_where_it_can() -> None:
    app = Stage()
    async with app.run_test(size=(60, 11)) as pilot:
        app.table.set_rows([Row("alpha", 1, "Big Cat"), Row("beta", 2, "big dog"), Row("gamma", 3, "cat")])
        await pilot.press("G")
        app.table.set_filter("cat")
        assert [row.key for row in app.table.shown] == ["alpha", "gamma"]
        assert app.table.cursor_key == "gamma"
        app.table.set_filter("CAT big")
        assert [row.key for row in app.table.shown] == ["alpha"]
        app.table.set_filter("zebra")
        await pilot.pause()
        assert "Nothing matches" in lines(app)[1]
        app.table.set_filter("")
        assert app.table.shown_count == 3


async def test_marks_are_what_actions_take() -> None:
    app = Stage()
    async with app.run_test(size=(60, 11)) as pilot:
        app.table.set_rows(rows(5))
        assert [row.key for row in app.table.targets()] == ["k00000"]
        await pilot.press("space", "space", "j")
        assert [row.key for row in app.table.targets()] == ["k00000", "k00001"]
        assert "✓" in lines(app)[1]


async def test_order_follows_a_column_and_can_be_given_back() -> None:
    app = Stage()
    async with app.run_test(size=(60, 11)):
        app.table.set_rows([Row("a", 2), Row("b", 3), Row("c", 1)])
        app.table.sort_by("number", descending=True)
        assert [row.key for row in app.table.shown] == ["b", "a", "c"]
        assert "number▼" in lines(app)[0]
        app.table.sort_by(None)
        assert [row.key for row in app.table.shown] == ["a", "b", "c"]


async def test_the_order_goes_round_and_begins_at_the_top() -> None:
    app = Stage()
    async with app.run_test(size=(60, 11)) as pilot:
        app.table.set_rows(rows(100))
        await pilot.press("j", "j")
        app.table.next_order()
        assert app.table.order_words == "number ▼"
        assert app.table.cursor_key == "k00099"
        await pilot.press("I")
        assert "number▲" in lines(app)[0]
        assert app.table.cursor_key == "k00000"
        app.table.next_order()
        assert app.table.sorted_by is None
        await pilot.press("I")
        assert app.table.sorted_by is None


async def test_a_click_on_a_title_orders_and_another_turns_round() -> None:
    app = Stage()
    async with app.run_test(size=(60, 11)) as pilot:
        app.table.set_rows(rows(5))
        title = lines(app)[0].index("number")
        await pilot.click(app.table, offset=(title + 1, 0))
        assert app.table.sorted_by == ("number", True)
        await pilot.click(app.table, offset=(title + 1, 0))
        assert app.table.sorted_by == ("number", False)
        await pilot.click(app.table, offset=(3, 0))
        assert app.table.sorted_by == ("number", False)


async def test_all_that_are_shown_are_marked_and_unmarked() -> None:
    app = Stage()
    async with app.run_test(size=(60, 11)) as pilot:
        app.table.set_rows(rows(20))
        app.table.set_filter("k0001")
        await pilot.press("asterisk")
        assert len(app.table.marked) == 10
        app.table.set_filter("")
        assert len(app.table.targets()) == 10
        await pilot.press("asterisk")
        assert len(app.table.marked) == 20
        await pilot.press("asterisk")
        assert app.table.marked == frozenset()


def test_the_arrow_stands_where_the_title_fills_its_column() -> None:
    columns: tuple[Column[Row], ...] = (
        Column("a", "tokens in", lambda _row: "1", width=9, sort=lambda row: row.key),
        Column("b", "at most", lambda _row: "1", width=7, align="right", sort=lambda row: row.key),
    )
    layout = lay_out(columns, rows(1), 40)
    styles = dict.fromkeys(("header", "base"), Style())
    assert header_line(layout, ("a", True), styles).text.startswith("  tokens in▼ at most ")
    assert header_line(layout, ("b", False), styles).text.startswith("  tokens in at most▲ ")
    assert header_line(layout, ("b", False), styles).cell_length == 40


async def test_only_rows_on_the_screen_are_computed() -> None:
    app = Stage()
    async with app.run_test(size=(60, 11)) as pilot:
        computed.clear()
        app.table.set_rows(rows(50_000))
        await pilot.press("G")
        await pilot.pause()
        assert len(set(computed)) < 50


async def test_an_empty_table_says_which_key_fills_it() -> None:
    app = Stage()
    async with app.run_test(size=(60, 11)) as pilot:
        await pilot.pause()
        assert "Nothing yet. a adds." in lines(app)[1]


async def test_a_click_moves_and_a_double_click_opens() -> None:
    app = Stage()
    opened: list[str | None] = []
    app.table.post_message, post = (  # type: ignore[method-assign]
        lambda message: (
            opened.append(message.key) if type(message) is VirtualTable.Opened else None,
            post(message),
        )[1],
        app.table.post_message,
    )
    async with app.run_test(size=(60, 11)) as pilot:
        app.table.set_rows(rows(5))
        await pilot.click(app.table, offset=(4, 3))
        assert app.table.cursor_key == "k00002"
        await pilot.click(app.table, offset=(4, 4), times=2)
        await pilot.pause()
        assert opened == ["k00003"]


@pytest.mark.parametrize(
    ("cells", "kept"), [(60, ["name", "number"]), (22, ["name", "number"]), (15, ["name"])]
)
def test_columns_are_dropped_from_the_low_end_of_their_priorities(cells: int, kept: list[str]) -> None:
    layout = lay_out(COLUMNS, rows(3), cells)
    assert [column.key for column, _ in layout.columns] == kept
    total = layout.gutter + sum(size for _, size in layout.columns) + 2 * (len(layout.columns) - 1)
    assert total <= max(cells, 12)


async def test_wide_characters_keep_the_columns_straight() -> None:
    app = Stage()
    async with app.run_test(size=(40, 6)) as pilot:
        app.table.set_rows([Row("a", 1, "日本語の名前がとても長いです本当に"), Row("b", 2, "e\u0301🙂x")])
        await pilot.pause()
        assert {app.table.render_line(y).cell_length for y in range(3)} == {40}


STYLES = dict.fromkeys(
    ("base", "header", "cursor", "blurred", "marked", "empty", "ok", "warn", "bad", "dim", "accent", "strong"), Style()
)  # fmt: skip


@given(st.text(max_size=40), st.integers(1, 90), st.booleans(), st.sampled_from(["end", "middle"]))
def test_any_text_leaves_every_column_where_it_is(text: str, cells: int, marked: bool, cut: str) -> None:
    columns: tuple[Column[Row], ...] = (
        Column("name", "name", lambda row: row.name, width=6, max_width=20, least=6, cut=cut),  # type: ignore[arg-type]
        Column("more", "more", lambda row: (row.name, "dim"), width=6, flex=1, priority=2),
        Column("end", "end", lambda _row: "END", width=3, align="right", priority=1),
    )
    row = Row("k", 1, text)
    layout = lay_out(columns, [row, Row("l", 2, "plain")], cells)
    strip = row_line(layout, row, STYLES, cursor="cursor", marked=marked)
    plain = row_line(layout, Row("l", 2, "plain"), STYLES)
    assert strip.cell_length == cells == plain.cell_length
    assert cell_len(strip.text) == cells
    if "END" in plain.text:
        assert cell_len(strip.text[: strip.text.rindex("END")]) == plain.text.rindex("END")
    ascii_text = strip.text.translate(ASCII)
    assert cell_len(ascii_text) == cells


def test_a_column_gives_up_cells_before_another_is_dropped() -> None:
    columns: tuple[Column[Row], ...] = (
        Column("name", "name", lambda row: row.name, width=8, max_width=40, least=12, cut="middle"),
        Column("number", "number", lambda row: str(row.number), width=8, priority=1),
    )
    wide = [Row("a", 1, "x" * 40)]
    assert [size for _, size in lay_out(columns, wide, 60).columns] == [40, 8]
    assert [size for _, size in lay_out(columns, wide, 40).columns] == [28, 8]
    assert [size for _, size in lay_out(columns, wide, 20).columns] == [18]
