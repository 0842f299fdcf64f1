"""What a filter line finds: words, letters in order, facets with words and numbers, and what it says of mistakes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from tui_stage import type_text

from tui.themes import DARK
from tui.widgets.columns import Column
from tui.widgets.facets import Facet, completions, parse
from tui.widgets.filter_bar import FilterBar
from tui.widgets.line import Line
from tui.widgets.rows import RowSet
from tui.widgets.table import VirtualTable


@dataclass(frozen=True)
class Row:
    key: str
    price: float | None = None
    ctx: int | None = None
    caps: tuple[str, ...] = ()


FACETS: tuple[Facet[Row], ...] = (
    Facet("provider", words=lambda row: (row.key.partition("/")[0],)),
    Facet("cap", words=lambda row: row.caps),
    Facet("price", number=lambda row: row.price),
    Facet("ctx", number=lambda row: row.ctx),
)
ROWS = [
    Row("openai/gpt-4o", 2.5, 128_000, ("tools", "vision")),
    Row("openai/gpt-4-turbo", 10, 131_072, ("tools",)),
    Row("azure-eu/chat-prod", None, 8_192, ("tools", "Invalid Key")),
    Row("home/llama3:8b", 0, None, ()),
    Row("home/bge.m3", 0.05, 512, ("embeddings",)),
]


def found(text: str, rows: list[Row] | None = None) -> list[str]:
    table: RowSet[Row] = RowSet(lambda row: row.key, lambda row: row.key, FACETS)
    table.set(list(ROWS if rows is None else rows))
    table.set_filter(text)
    return [table.rows[index].key.partition("/")[2] for index in table.shown]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["gpt-4o", "gpt-4-turbo", "chat-prod", "llama3:8b", "bge.m3"]),
        ("provider:openai", ["gpt-4o", "gpt-4-turbo"]),
        ("PROVIDER:Open gpt", ["gpt-4o", "gpt-4-turbo"]),
        ("-provider:openai,home", ["chat-prod"]),
        ("!provider:home gpt", ["gpt-4o", "gpt-4-turbo"]),
        ("cap:vis", ["gpt-4o"]),
        ("cap=vis", []),
        ("cap=vision", ["gpt-4o"]),
        ("cap:invalid_key", ["chat-prod"]),
        ("price<1", ["llama3:8b", "bge.m3"]),
        ("price<=2.5 price>0", ["gpt-4o", "bge.m3"]),
        ("price>$2.4", ["gpt-4o", "gpt-4-turbo"]),
        ("price:0", ["llama3:8b"]),
        ("-price<1", ["gpt-4o", "gpt-4-turbo"]),
        ("ctx>100k", ["gpt-4o", "gpt-4-turbo"]),
        ("ctx:131k", ["gpt-4-turbo"]),
        ("ctx:128k", ["gpt-4o"]),
        ("ctx<.001M", ["bge.m3"]),
        ("ctx>0.1m price>5", ["gpt-4-turbo"]),
        ("!gpt !home", ["chat-prod"]),
        ("llama3:8b", ["llama3:8b"]),
        ("gpt4o", ["gpt-4o", "gpt-4-turbo"]),
        ("opai4t", ["gpt-4-turbo"]),
        ("4o", ["gpt-4o"]),
        ("price<", ["gpt-4o", "gpt-4-turbo", "chat-prod", "llama3:8b", "bge.m3"]),
        ("pri", ["gpt-4o", "gpt-4-turbo", "chat-prod", "llama3:8b", "bge.m3"]),
        ("pri ", []),
        ("gpt pri", ["gpt-4o", "gpt-4-turbo"]),
    ],
)
def test_what_is_typed_is_what_is_shown(text: str, names: list[str]) -> None:
    assert found(text) == names


def test_an_unknown_number_matches_neither_a_bound_nor_its_opposite() -> None:
    rows = [Row("a/unknown")]
    for text in ("price<1", "price>1", "price:0", "-price<1", "-price>1", "-price:0"):
        assert found(text, rows) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("provder:x", "did you mean provider: ?"),
        ("zzz<4", "there are provider, cap, price, ctx"),
        ("price<abc", "write price<1 or price>100k"),
        ("cap<3", "write cap:3"),
    ],
)
def test_what_cannot_be_meant_is_told(text: str, words: str) -> None:
    assert words in parse(text, FACETS).problem
    assert parse("cap:vision price<1 llama", FACETS).problem == ""


def test_what_can_be_typed_next() -> None:
    values = {0: ["openai", "azure-eu", "home"], 1: ["tools", "vision"]}.__getitem__
    assert completions("", FACETS, values) == ["provider:", "cap:", "price<", "ctx<"]
    assert completions("gpt -p", FACETS, values) == ["-provider:", "-price<"]
    assert completions("cap:", FACETS, values) == ["cap:tools", "cap:vision"]
    assert completions("cap:vision,t", FACETS, values) == ["cap:vision,tools"]
    assert completions("price<", FACETS, values) == []
    assert completions("nothing", FACETS, values) == []


WORDS = st.text(alphabet="abcx-/.4 日é🙂", min_size=0, max_size=8)


@given(st.lists(WORDS, max_size=12), WORDS, WORDS)
def test_a_word_finds_every_row_that_has_it_and_letters_only_where_no_row_has_it(
    names: list[str], word: str, then: str
) -> None:
    table: RowSet[tuple[int, str]] = RowSet(lambda row: str(row[0]), lambda row: row[1])
    rows = list(enumerate(names))
    table.set(rows)
    table.set_filter(f"{word} {then}")
    shown = [table.rows[index] for index in table.shown]
    left = rows
    for wanted in f"{word} {then}".split():
        plain = [row for row in left if wanted in row[1].casefold()]
        left = plain or [row for row in left if _in_order(wanted, row[1].casefold())]
    assert sorted(shown) == left


def _in_order(word: str, text: str) -> bool:
    for part in text.split():
        at = 0
        for letter in word:
            at = part.find(letter, at) + 1
            if not at:
                break
        else:
            return True
    return False


@given(st.lists(st.one_of(st.none(), st.integers(-5, 5)), max_size=20), st.booleans(), st.booleans())
def test_an_order_keeps_every_row_and_puts_the_unknown_last(
    numbers: list[int | None], descending: bool, filtered: bool
) -> None:
    table: RowSet[tuple[int, int | None]] = RowSet(lambda row: str(row[0]), lambda row: f"r{row[0]}")
    table.set(list(enumerate(numbers)))
    table.set_filter("r1" if filtered else "")
    before = sorted(table.shown)
    table.set_order(lambda row: row[1], descending=descending)
    shown = [table.rows[index][1] for index in table.shown]
    known = [number for number in shown if number is not None]
    assert sorted(table.shown) == before
    assert shown == [*sorted(known, reverse=descending), *[None] * (len(shown) - len(known))]


def test_one_changed_row_is_searched_and_ordered_anew() -> None:
    table: RowSet[Row] = RowSet(lambda row: row.key, lambda row: row.key + " ".join(row.caps), FACETS)
    table.set(list(ROWS))
    table.set_order(lambda row: row.price, descending=True)
    table.set_filter("price>1")
    table.update(replace(ROWS[2], price=5, caps=("brandnew",)))
    assert [table.rows[index].key for index in table.shown] == [ROWS[1].key, ROWS[2].key, ROWS[0].key]
    table.set_filter("brdnew cap:brand")
    assert [table.rows[index].key for index in table.shown] == [ROWS[2].key]


class Stage(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = "dark"
        columns: tuple[Column[Row], ...] = (Column("key", "key", lambda row: row.key, width=20, flex=1),)
        self.table: VirtualTable[Row] = VirtualTable(columns, key=lambda row: row.key, search=lambda row: row.key, facets=FACETS)  # fmt: skip

    def compose(self) -> ComposeResult:
        yield FilterBar(self.table)
        yield self.table


def _text(app: Stage) -> str:
    return "\n".join(
        "".join(s.text for s in line).rstrip() for line in app.screen._compositor.render_strips()
    )


async def test_the_bar_counts_completes_and_tells() -> None:
    app = Stage()
    async with app.run_test(size=(80, 14)) as pilot:
        app.table.set_rows([*ROWS, *(Row(f"many/{n}") for n in range(1340))])
        app.query_one(FilterBar).open()
        await pilot.pause()
        assert "provider:  cap:  price<  ctx<" in _text(app)
        await type_text(pilot, "cap:v")
        await pilot.pause()
        assert "1 of 1 345" in _text(app)
        await pilot.press("tab")
        await pilot.pause()
        assert app.query_one(Line).value == "cap:vision"
        assert app.table.filter == "cap:vision"
        app.query_one(Line).value = "prise<1"
        await pilot.pause()
        assert "There is no prise< here; did you mean price< ?" in _text(app)
        app.query_one(Line).value = "llama3:8"
        await pilot.pause()
        assert "There is no" not in _text(app)
        assert "1 of 1 345" in _text(app)
        await pilot.press("enter")
        await pilot.pause()
        app.table.set_rows(ROWS[:4])
        await pilot.press("space")
        await pilot.pause()
        assert "1 of 4  1 marked" in _text(app)
        assert "provider:  cap:" not in _text(app)


async def test_rows_that_come_while_the_filter_line_is_built_end_nothing() -> None:
    from tui.widgets.filter_bar import _Parts
    from tui.widgets.line import Line

    table: VirtualTable[str] = VirtualTable((), key=str)
    _Parts(Line()).tell(table, "word")  # raised NoMatches, which ended the program
