"""News of the catalog in the Overview: it stands until its page was opened, and enter leads there."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from overview_stage import Answers
from tui_stage import opened, until

from services.feed import NewsChanged
from services.overview import NEWS
from services.paths import Paths
from tui.app import SwitchroomApp
from tui.messages import AlertLine
from tui.screens.catalog_changes import CatalogChanges
from tui.screens.overview import OverviewScreen
from tui.widgets.table import VirtualTable

TOLD = [
    {"kind": "doubted", "ref": "openai-prod/b", "field": "price.output", "old": "2", "new": "0", "uses": []},
    {"kind": "dearer", "ref": "openai-prod/a", "field": "price.input", "old": "2.5", "new": "3", "uses": ["default for new chats"]},
    {"kind": "ending", "ref": "openai-prod/c", "field": "shutdown_date", "old": "", "new": "2026-12-01", "uses": ["1 conversation"]},
]  # fmt: skip


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, paths: Paths) -> Iterator[SwitchroomApp]:
    answers = Answers()
    answers.rises = ()
    answers.install(monkeypatch)
    yield SwitchroomApp(paths)
    monkeypatch.undo()
    time.tzset()


async def test_news_stands_in_the_overview_until_its_page_was_opened(stage: SwitchroomApp) -> None:
    async with stage.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        screen = stage.screen
        assert isinstance(screen, OverviewScreen)
        table: VirtualTable[AlertLine] = screen.query_one("#alerts", VirtualTable)

        def line() -> AlertLine | None:
            return next((row for row in table.rows if row.key == "catalog"), None)

        services = stage.services
        async with services.db.transaction() as tx:
            await services.state.set(tx, NEWS, TOLD)
        services.feed.publish(NewsChanged())
        await until(pilot, "in the catalog's news")
        shown = line()
        assert shown is not None
        assert shown.text == (
            "! openai-prod/a in $2.50 → $3.00 (+20 %) per 1M tokens, and 2 more models in the catalog's news"
        )
        table.focus()
        while table.cursor_row is not shown:
            await pilot.press("down")
        await pilot.press("enter")
        await until(pilot, "Where newer facts come from")
        assert [type(page) for page in stage.screen_stack[-1:]] == [CatalogChanges]
        await pilot.press("escape")
        await until(pilot, "Cost per hour")
        await until(pilot, "in the catalog's news", gone=True)
        assert line() is None
