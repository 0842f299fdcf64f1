"""What vendors say was billed: whole buckets are replaced, unknown stays unknown, and a year of it is read at once."""

from __future__ import annotations

import time

from store.db import Database
from store.vendor_usage import API, DAY_MS, AccountRow, VendorRow, VendorUsage

DAY = 20_000 * DAY_MS


def used(day: int, model: str = "gpt-x", **figures: int) -> VendorRow:
    start = DAY + day * DAY_MS
    return VendorRow("openai", start, "usage", model, "", API, start + DAY_MS, fetched_at=1, **figures)


def cost(day: int, item: str, nanos: int | None, source: str = API) -> VendorRow:
    start = DAY + day * DAY_MS
    return VendorRow(
        "openai", start, "cost", "", item, source, start + DAY_MS, cost_nanos=nanos, fetched_at=1
    )


async def test_a_bucket_that_is_corrected_shrinks_or_vanishes_when_its_range_is_read_again(
    db: Database,
) -> None:
    held = VendorUsage(db)
    span = (DAY, DAY + 3 * DAY_MS)
    async with db.transaction() as tx:
        rows = [used(0, input=100), used(1, input=200), used(1, "gone", input=7), used(2, input=300)]
        assert await held.replace(tx, "openai", API, "usage", span, rows) == 4
        await held.replace(tx, "openai", API, "cost", span, [cost(1, "x, input", 5_000)])
        file = [cost(1, "x, input", 9_000, "bill.csv"), cost(2, "x, input", 7_000, "bill.csv")]
        assert await held.replace(tx, "openai", "bill.csv", "cost", span, file) == 1, (
            "day 1 is told by the vendor"
        )
    async with db.transaction() as tx:  # only the last two days, and the vendor took some of it back
        again = (DAY + DAY_MS, DAY + 3 * DAY_MS)
        rows = [used(0, input=999), used(1, input=150)]
        assert await held.replace(tx, "openai", API, "usage", again, rows) == 1, "day 0 is outside the span"
    days = await held.totals(DAY, DAY + 3 * DAY_MS, "day", kind="usage")
    assert [(day.key, day.input) for day in days] == [("2024-10-04", 100), ("2024-10-05", 150)]
    by_source = await held.totals(DAY, DAY + 3 * DAY_MS, "source", kind="cost")
    assert [(one.key, one.cost_nanos) for one in by_source] == [(API, 5_000), ("bill.csv", 7_000)]
    async with db.transaction() as tx:
        await held.forget_source(tx, "openai", "bill.csv")
    assert [one.source for one in await held.coverage("openai")] == [API, API]


async def test_nothing_that_was_billed_is_held_twice(db: Database) -> None:
    held = VendorUsage(db)
    span = (DAY, DAY + 2 * DAY_MS)
    async with db.transaction() as tx:
        await held.replace(
            tx, "openai", "a.csv", "cost", span, [cost(0, "x", 1, "a.csv"), cost(1, "x", 2, "a.csv")]
        )
        second = [cost(1, "x", 3, "b.csv")]
        await held.replace(tx, "openai", "b.csv", "cost", (DAY + DAY_MS, DAY + 2 * DAY_MS), second)
    assert [(d.start_at, d.cost_nanos) for d in await held.days(*span)] == [(DAY, 1), (DAY + DAY_MS, 3)]
    async with db.transaction() as tx:  # the vendor itself: nothing on the first day, 4 on the second
        await held.replace(tx, "openai", API, "cost", span, [cost(1, "x", 4)])
    assert [(d.start_at, d.key, d.cost_nanos) for d in await held.days(*span, "provider")] == [
        (DAY + DAY_MS, "openai", 4)
    ]


async def test_what_no_bucket_states_is_unknown_and_never_zero(db: Database) -> None:
    held = VendorUsage(db)
    async with db.transaction() as tx:
        await held.replace(tx, "openai", API, "usage", (DAY, DAY + DAY_MS), [used(0, input=5)])
        await held.replace(tx, "openai", API, "cost", (DAY, DAY + DAY_MS), [cost(0, "x", None)])
    [whole] = await held.totals(DAY, DAY + DAY_MS)
    assert (whole.input, whole.output, whole.cost_nanos, whole.requests) == (5, None, None, None)
    assert await held.totals(DAY + DAY_MS, DAY + 2 * DAY_MS) == []


async def test_an_account_is_forgotten_while_what_was_billed_stays(db: Database) -> None:
    held = VendorUsage(db)
    async with db.transaction() as tx:
        await held.replace(tx, "openai", API, "cost", (DAY, DAY + DAY_MS), [cost(0, "x", 1)])
        await held.put_account(tx, AccountRow("openai", 1, report_at=1, report_json="{}"))
        await held.put_account(
            tx, AccountRow("openai", 2, report_at=1, report_json="{}", error_code="network")
        )
    assert (await held.accounts())["openai"].error_code == "network"
    async with db.transaction() as tx:
        await held.forget_account(tx, "openai")
    assert await held.account("openai") is None
    assert len(await held.rows("openai", DAY, DAY + DAY_MS)) == 1


async def test_a_year_of_two_providers_is_summed_in_milliseconds(db: Database) -> None:
    held = VendorUsage(db)
    span = (DAY, DAY + 365 * DAY_MS)
    async with db.transaction() as tx:
        for provider in ("openai", "anthropic"):
            for kind in ("usage", "cost"):
                rows = [
                    VendorRow(provider, DAY + day * DAY_MS, kind, f"model-{n}", "", API, DAY, input=n)
                    for day in range(365)
                    for n in range(8)
                ]
                await held.replace(tx, provider, API, kind, span, rows)
    best = 1e9
    for _ in range(5):
        began = time.perf_counter()
        models = await held.totals(*span, "model", provider="openai", kind="usage")
        days = await held.totals(span[1] - 30 * DAY_MS, span[1], "day")
        best = min(best, time.perf_counter() - began)
    assert len(models) == 8
    assert len(days) == 30
    assert best < 0.025, f"{best * 1000:.1f} ms"
