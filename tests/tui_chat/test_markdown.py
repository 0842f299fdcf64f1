"""Streamed Markdown ends in the same rows wherever it was cut, and the rows say what the model meant."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.widgets import markdown_inline
from tui.widgets.markdown_blocks import LONG, MarkdownRows
from tui.widgets.markdown_wrap import Line

DOCUMENT = '''# Title with `code`

Intro **bold** and *it* ~~no~~ [link](https://x.y/z) https://example.com/a_b_c. Zażółć gęślą jaźń, 日本語のテキストです。とても長い文章なので。
New line with `a **b` c**.

- one
- two
  - nested **a**
    more lazy
lazy
- [x] done

1. first
   ```python
   def f(x):
       """doc
       more"""
       return x + 1
   ```
2. second

> quote **b**
> - item
>
> ```
> in quote
> ```
after

| a | 日本 | c |
|---|:---:|--:|
| 1 | 👨‍👩‍👧 | 3 |
| longer cell here | `x|y` | 12345 |

Setext
======
text
## Next \\
***
[red]markup[/red] \x1b[31mred \x1b]52;c;aGk=\x07 \u202eabc
    not code
a | b
-|-
1 | 2

    indented
    code
~~~
open fence\r
never closed
'''


def rows(text: str, width: int = 60) -> list[Line]:
    document = MarkdownRows(width)
    document.feed(text)
    document.close()
    return document.rows


def plain(text: str, width: int = 60) -> list[str]:
    return [row.text for row in rows(text, width)]


@pytest.mark.parametrize("width", [12, 40, 97])
def test_every_cut_position_ends_in_the_same_rows(width: int) -> None:
    whole = rows(DOCUMENT, width)
    for cut in range(len(DOCUMENT)):
        document = MarkdownRows(width)
        document.feed(DOCUMENT[:cut])
        document.tail()
        document.feed(DOCUMENT[cut:])
        document.close()
        assert document.rows == whole, cut


PIECES = st.sampled_from(
    ["**", "*", "_", "~~", "`", "``", "```", "\n", "\n\n", "- ", "1. ", "  ", "    ", "> ", "| ", " | ", "|-|-|", "# ", "[a](", "https://x.y", ")",
     "]", "[", "<", "\\", "word", "日本語", "é", "\u0301", "👍🏽", "\r\n", "\r", "\t", "---", "===", " ", "!", "&amp;", "long text of several words "]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(["- ", "1. ", "1. ", "**"], [9], 8)
@example(["> "] * 6 + ["```", "\n", "> " * 6, "日本語"], [9], 8)
@example(["| word" * 9, "|\n", "|-" * 9, "|\n", "| 日本語" * 9, "|"], [9], 20)
@given(st.lists(PIECES, max_size=60), st.lists(st.integers(1, 9), min_size=1, max_size=8), st.integers(8, 50))
def test_any_document_in_any_pieces_ends_in_the_same_rows(
    parts: list[str], sizes: list[int], width: int
) -> None:
    text = "".join(parts)
    whole = rows(text, width)
    document = MarkdownRows(width)
    at = number = 0
    while at < len(text):
        size = sizes[number % len(sizes)]
        document.feed(text[at : at + size])
        frozen = list(document.rows)
        document.tail()
        assert document.rows == frozen
        at, number = at + size, number + 1
    document.close()
    assert document.rows == whole
    assert document.rows[: len(frozen)] == frozen if text else True
    assert all(row.width <= width for row in whole)


@settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.lists(st.sampled_from(["word ", "**bold** ", "*em ", "`code` ", "` ", "[l](u) ", "[ ", "_x_ ", "日本", "** ", "http://a.b "]), min_size=900, max_size=1400))  # fmt: skip
def test_a_long_paragraph_is_frozen_without_changing_it(parts: list[str]) -> None:
    text = "".join(parts)
    whole = markdown_inline.spans(text.strip())
    words = "".join(t for t, _ in whole)
    document = MarkdownRows(70)
    for at in range(0, len(text), 97):
        document.feed(text[at : at + 97])
    document.close()
    once = rows(text, 70)
    assert document.rows == once
    assert "".join("".join(row.text for row in once).split()) == "".join(words.split())


def test_what_the_rows_say() -> None:
    assert plain("**a** _b_ [site](https://evil.example/x)") == ["a b site (https://evil.example/x)"]
    assert plain("- a\n  - b\n- [x] c\n3. d") == ["• a", "  ◦ b", "☑ c", "3. d"]
    assert plain("```py\nx = 1\n```\nafter") == ["│ py", "│ x = 1", "", "after"]
    assert plain("2 * 3 * 4 and snake_case_name") == ["2 * 3 * 4 and snake_case_name"]


def test_short_lines_keep_their_breaks_and_long_ones_flow() -> None:
    assert plain("Roses are red\nViolets are blue") == ["Roses are red", "Violets are blue"]
    long = "this line of the source was wrapped by hand at some sixty characters"
    assert plain(f"{long}\nor so.", 200) == [f"{long} or so."]
    assert plain(f"{long}  \nhere it ends.", 200) == [long, "here it ends."]


def test_dangerous_text_is_shown_as_harmless_text() -> None:
    shown = "\n".join(
        plain("[red]x[/red] \x1b[31mred\x1b]52;c;aGk=\x07 \u202eabc `\x1b[0m`\n```\n\x1b[2J\n```")
    )
    assert "[red]x[/red]" in shown
    assert "␛[31mred␛]52;c;aGk=␇ abc ␛[0m" in shown
    assert not {"\x1b", "\u202e", "\x07"} & set(shown)


def test_table_columns_line_up_with_wide_characters_and_emoji() -> None:
    table = plain("| name | n |\n|---|--:|\n| 日本語 | 1 |\n| 👨‍👩‍👧 x | 22 |\n| e\u0301a | 333 |")
    assert [cell_len(row) for row in table] == [cell_len(table[0])] * len(table)
    assert len({cell_len(row[: row.index("│" if "│" in row else "┼")]) for row in table}) == 1


def test_emoji_that_terminals_measure_differently_are_taken_apart() -> None:
    england = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
    assert plain(f"🇵🇱 and 👩‍👧 and 👍🏽 and {england} and ❤\ufe0f") == ["PL and 👩👧 and 👍 and 🏴 and ❤"]


def test_a_table_too_wide_is_wrapped_inside_its_columns() -> None:
    table = plain("| a | b |\n|-|-|\n| " + "word " * 30 + "| " + "other " * 30 + "|", 50)
    assert all(cell_len(row) <= 50 for row in table)
    assert sum("word" in row and "other" in row for row in table) > 5


def test_a_table_with_too_many_columns_becomes_a_list_of_names_and_values() -> None:
    head = "| name | in | out | context | vision |\n|-|-|-|-|-|\n"
    shown = plain(
        head + "| gpt-large | $2.50 | $10.00 | 128 000 tokens | yes |\n| small | 1 | 2 | 3 | no |", 24
    )
    assert shown[:5] == [
        "─ name: gpt-large",
        "  in: $2.50",
        "  out: $10.00",
        "  context: 128 000",
        "  tokens",
    ]
    assert shown[6:8] == ["─ name: small", "  in: 1"]


def test_wide_characters_wrap_at_the_edge_and_keep_closing_marks() -> None:
    shown = plain("日本語" * 20 + "。", 21)
    assert all(cell_len(row) <= 21 for row in shown)
    assert not any(row.startswith("。") for row in shown)


def test_an_unfinished_end_does_not_flicker() -> None:
    document = MarkdownRows(60)
    document.feed("Some **bold te")
    assert [row.text for row in document.tail()] == ["Some bold te"]
    document = MarkdownRows(60)
    document.feed("a\n--")
    assert [row.text for row in document.tail()] == ["a"]
    document = MarkdownRows(60)
    document.feed("| a | b |\n|--")
    assert document.tail() == []
    document.close()
    assert [row.text for row in document.rows] == ["| a | b |", "|--"]


WRITTEN = "if a:\n\tb = '" + "y" * 50 + "'\n \t# 👍🏽 👩\u200d👧\n"
"""Code with tabs, and with signs that are shown in another way than they are written."""


@pytest.mark.parametrize("before", ["", "> ", "- ", "1. - "])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_code_blocks_can_be_copied_as_written(before: str, size: int) -> None:
    marks = before if ">" in before else " " * len(before)
    text = f"{before}x\n" + "".join(f"{marks}{line}\n" for line in f"```python\n{WRITTEN}```".split("\n"))
    document = MarkdownRows(20)
    for at in range(0, len(text), size):
        document.feed(text[at : at + size])
        document.tail()
    document.close()
    assert [(code.language, code.text) for code in document.codes] == [("python", WRITTEN)]
    assert all(row.width <= 20 and "\t" not in row.text for row in document.rows)


def test_code_that_is_indented_or_longer_than_a_line_keeps_its_tabs_too() -> None:
    long = "\ta\t" + "z" * 5000
    document = MarkdownRows(40)
    document.feed(
        f"x\n\n\tif:\n\t\tb\tc\n    \td\n\nx\n- x\n\t```make\n\tall:\n\t\tcc\n\t```\n\n~~~\n{long}\n~~~\n"
    )
    document.close()
    assert [code.text for code in document.codes] == ["if:\n\tb\tc\n\td\n", "all:\n\tcc\n", f"{long}\n"]
    assert not any("\t" in row.text for row in document.rows)


@pytest.mark.parametrize(
    "unit", ["word **bold** and `code` then ", "- item **x**\n", "code line = 1\n", "xyz(1, 2); ", "> quote it\n", "| a | b |\n", "*", "[", "`a "]
)  # fmt: skip
def test_the_cost_of_a_step_does_not_grow_with_the_document(unit: str) -> None:
    head = (
        "```python\n"
        if unit.startswith(("code", "xyz"))
        else "| x | y |\n|-|-|\n"
        if unit.startswith("|")
        else ""
    )

    def step(size: int) -> float:
        document = MarkdownRows(100)
        document.feed(head + unit * (size // len(unit)))
        best = 9.0
        for _ in range(5):
            begin = time.perf_counter()
            document.feed(unit)
            document.tail()
            best = min(best, time.perf_counter() - begin)
        return best

    assert step(64_000) < 4 * step(8_000) + 0.002


def test_a_line_longer_than_any_heading_is_running_text() -> None:
    text = "# " + "word " * LONG
    assert rows(text, 80) == rows(text, 80)
    document = MarkdownRows(80)
    for at in range(0, len(text), 13):
        document.feed(text[at : at + 13])
    document.close()
    assert document.rows == rows(text, 80)
