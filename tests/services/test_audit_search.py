"""The audit log is asked in the words of the filter line and read a page at a time, from its end to its beginning."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from services.audit_search import Wanted, wanted
from services.clock import DAY_MS
from services.container import Services, open_services
from store.audit import AuditRow
from store.audit_search import STRETCH, AuditSearch, Term

NOW = 1_763_676_000_000


async def write(services: Services, count: int, action: str = "provider.test", subject: str = "mine") -> None:
    async with services.db.transaction() as tx:
        for number in range(count):
            await services.audit.record(tx, action, subject, detail={"number": number})


async def found(services: Services, text: str, limit: int = 200) -> list[AuditRow]:
    return [
        row async for page in services.audit.pages.back(wanted(text, NOW), limit=limit) for row in page.rows
    ]


def ids(rows: Sequence[AuditRow]) -> list[int]:
    return [row.id for row in rows]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("", Wanted()),
        ("action:budget", Wanted((Term("action", "budget"),))),
        ("ACTOR:anna fast", Wanted((Term("actor", "anna"), Term("", "fast")))),
        ("-action:run !slow", Wanted((Term("action", "run", True), Term("", "slow", True)))),
        ("since:2d", Wanted(since=NOW - 2 * DAY_MS)),
        ("since:ye result:", Wanted()),
        ("http://box", Wanted((Term("", "http://box"),))),
        ("- !", Wanted()),
    ],
)
def test_the_words_of_the_filter_line(text: str, asked: Wanted) -> None:
    assert wanted(text, NOW) == asked


async def test_each_part_is_found_in_its_column(services: Services) -> None:
    await services.budgets.set("global", "daily", Decimal(5), reason="pilot")
    await services.budgets.set("global", "daily", Decimal(8), reason="more people")
    await write(services, 3)
    assert ids(await found(services, "")) == [5, 4, 3, 2, 1]
    assert ids(await found(services, "action:budget")) == [2, 1]
    assert ids(await found(services, "action:set")) == [2, 1]
    assert ids(await found(services, "action:get")) == [], "a part of an action begins with it"
    assert ids(await found(services, "subject:GLOBAL limit_usd")) == [2, 1]
    assert ids(await found(services, "budget -limit_usd")) == []
    assert ids(await found(services, "more people")) == [2], "why a limit was changed is in the log"
    assert ids(await found(services, "-action:provider.test")) == [2, 1]
    assert ids(await found(services, "actor:cli result:ok subject:mine")) == [5, 4, 3]
    assert ids(await found(services, "since:1h")) == [5, 4, 3, 2, 1]
    assert await found(services, "100%") == [], "a percent sign is a percent sign"
    assert await found(services, "mine_") == []


async def test_the_reason_is_searched_too(services: Services) -> None:
    async with services.db.transaction() as tx:
        services.reason = "first set-up"
        await services.audit.record(tx, "provider.add", "mine")
        services.reason = None
        await services.audit.record(tx, "provider.add", "other")
    assert ids(await found(services, "set-up")) == [1]


async def test_a_page_is_all_that_is_read(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    await write(services, 1200)
    read: list[int] = []
    original = AuditSearch.between

    async def counted(self: AuditSearch, asked: Wanted, above: int, up_to: int, limit: int) -> list[AuditRow]:
        rows = await original(self, asked, above, up_to, limit)
        read.append(len(rows))
        return rows

    monkeypatch.setattr(AuditSearch, "between", counted)
    pages = [page async for page in services.audit.pages.back(Wanted(), limit=100)]
    assert read == [100]
    assert (ids(pages[0].rows)[0], pages[0].reached, pages[0].newest) == (1200, 1100, 1200)
    older = [
        page async for page in services.audit.pages.back(Wanted(), before=pages[0].reached + 1, limit=100)
    ]
    assert ids(older[0].rows) == list(range(1100, 1000, -1))
    assert read == [100, 100]


async def test_a_search_goes_back_in_steps_and_says_how_far(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.audit_search.STRETCH", 100)
    await write(services, 1, "budget.set")
    await write(services, 450)
    steps = [
        (page.reached, ids(page.rows)) async for page in services.audit.pages.back(wanted("budget", NOW))
    ]
    assert steps == [(351, []), (251, []), (151, []), (51, []), (0, [1])]
    assert STRETCH > 1000


async def test_what_came_since_is_read_oldest_first_when_it_is_much(services: Services) -> None:
    await write(services, 10)
    first = await services.audit.pages.newer(Wanted(), 0, limit=4)
    assert (ids(first.rows), first.newest) == ([4, 3, 2, 1], 4)
    rest = await services.audit.pages.newer(Wanted(), 8, limit=4)
    assert (ids(rest.rows), rest.newest) == ([10, 9], 10)
    none = await services.audit.pages.newer(Wanted(), 10)
    assert (none.rows, none.newest) == ([], 10)


async def test_another_process_is_seen(services: Services, home: Path) -> None:
    assert await services.audit.pages.newest_id() == 0
    async with open_services(actor="cli") as other:
        await write(other, 2)
    page = await services.audit.pages.newer(Wanted(), 0)
    assert ids(page.rows) == [2, 1]
    assert (await services.audit.pages.get(2)) == page.rows[0]
    assert await services.audit.pages.get(3) is None
