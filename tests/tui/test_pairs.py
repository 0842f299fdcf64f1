"""A page of names and values at any width: a long value goes on under its beginning."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from tui.widgets.pairs import Pair, PairPage, Pairs

LONG = "Rate limited: too many requests this minute, so the next ones wait a little."
PAIRS: tuple[Pair, ...] = (
    ("state", "◐ limited", "warn"),
    ("", LONG, "dim"),
    ("endpoint", "https://" + "a" * 90, ""),
    ("名前", "日本語" * 20, ""),
    ("unknown", "", ""),
)


class Stage(App[None]):
    def compose(self) -> ComposeResult:
        yield Pairs()


def _lines(app: Stage) -> list[str]:
    found = app.query_one(PairPage)
    return ["".join(segment.text for segment in found.render_line(y)) for y in range(found.size.height)]


@pytest.mark.parametrize("columns", [28, 60, 200])
async def test_long_values_hang_under_their_beginning(columns: int) -> None:
    app = Stage()
    async with app.run_test(size=(120, 40)) as pilot:
        app.query_one(Pairs).show(PAIRS)
        await pilot.resize_terminal(columns, 40)
        await pilot.pause()
        lines = _lines(app)
        names = {"state", "endpoint", "名前", "unknown"}
        assert lines[0].startswith("state     ◐ limited")
        for line in lines:
            first = line.split(" ")[0]
            assert first in names or line.startswith(" " * 10), f"{line!r} stands under the names"
        text = " ".join(line[10:].strip() for line in lines)
        assert LONG in text, "no word is lost"
        assert "".join(text.split()).count("a" * 90) == 1
        assert sum(line.count("日") for line in lines) == 20
        assert lines[-1].rstrip() == "unknown   —"
        assert (len(lines) == len(PAIRS)) == (columns == 200), "at its full height, and no higher"
