"""What the vendor billed beside what was counted here: the gap and its reasons, to the nano-dollar."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import UsageError
from catalog.types import Price
from services.billed import compare, matching
from services.billed_gap import REASONS, Side, Tokens, explain
from services.billed_source import BilledSource
from services.clock import day_bounds, month_bounds, own_day, parse_when, utc_day
from services.container import Services
from services.drafts import ProviderDraft
from services.usage_chart import usage_chart
from store.ledger import AttemptRow, Ledger
from store.vendor_usage import API, DAY_MS, VendorRow, VendorUsage

DAY = 20_700 * DAY_MS
"""A UTC midnight."""
PRICE = Price(input=Decimal("2.5"), output=Decimal(10), cache_read=Decimal("1.25"))
NANO = 1_000_000_000


async def ran(services: Services, model: str, usd: str | None, at: int = DAY + 1000, **figures: Any) -> None:
    row = AttemptRow(
        None, f"r{model}{usd}{at}{figures}", 1, True, at, "openai", model, "complete",
        grade="computed" if usd is not None else "unknown",
        cost_nanos=None if usd is None else int(Decimal(usd) * NANO), **figures,
    )  # fmt: skip
    async with services.db.transaction() as tx:
        await Ledger(services.db).insert(tx, row)


async def stated(services: Services, *rows: VendorRow) -> None:
    held = VendorUsage(services.db)
    async with services.db.transaction() as tx:
        for kind in ("usage", "cost"):
            of_kind = [row for row in rows if row.kind == kind]
            await held.replace(tx, "openai", API, kind, (DAY, DAY + 30 * DAY_MS), of_kind)  # type: ignore[arg-type]


def bucket(kind: str, model: str, day: int = 0, item: str = "", **figures: int) -> VendorRow:
    start = DAY + day * DAY_MS
    return VendorRow("openai", start, kind, model, item, API, start + DAY_MS, fetched_at=1, **figures)  # type: ignore[arg-type]


@pytest.fixture
async def openai(services: Services) -> Services:
    draft = ProviderDraft(slug="openai", type="openai", cost_mode="metered")
    await services.registry.add(draft, None, test=False)
    return services


async def test_traffic_that_came_another_way_and_a_dearer_price_are_told_apart(openai: Services) -> None:
    await ran(openai, "gpt-4o", "0.0035", input=1_000, output=100)
    dated = "gpt-4o-2024-08-06"
    await stated(
        openai,
        bucket("usage", dated, input=3_000, output=300, requests=3),
        bucket("cost", dated, cost_nanos=12_600_000),
    )
    found = await compare(openai, DAY, DAY + DAY_MS, "model")
    [line] = found.lines
    assert (line.key, line.here_runs, line.here_cost, line.billed_cost) == (
        "openai/gpt-4o", 1, Decimal("0.0035"), Decimal("0.0126"),
    )  # fmt: skip
    assert line.gap is not None
    assert line.gap.total == Decimal("0.0091")
    # twice as much came another way ($0.0070), and the whole was billed 20 % above the list ($0.0021)
    assert line.gap.parts["elsewhere"] == Decimal("0.0070")
    assert line.gap.parts["price"] == Decimal("0.0021")
    assert found.total.gap == line.gap


async def test_cached_tokens_counted_otherwise_are_a_reason_of_their_own(openai: Services) -> None:
    await ran(openai, "gpt-4o", "0.0025", input=1_000, output=0)
    await stated(
        openai,
        bucket("usage", "gpt-4o", input=1_000, output=0, cache_read=800),
        bucket("cost", "gpt-4o", cost_nanos=1_500_000),
    )
    [line] = (await compare(openai, DAY, DAY + DAY_MS, "provider")).lines
    assert line.gap is not None
    assert {name: part for name, part in line.gap.parts.items() if part} == {"classes": Decimal("-0.001")}


async def test_lines_that_are_no_tokens_and_models_only_used_elsewhere(openai: Services) -> None:
    await stated(
        openai,
        bucket("cost", "", item="web search", cost_nanos=50_000_000),
        bucket("usage", "gpt-4o", input=1_000, output=100),
        bucket("cost", "gpt-4o", cost_nanos=3_500_000),
    )
    [line] = (await compare(openai, DAY, DAY + DAY_MS, "provider")).lines
    assert line.gap is not None
    parts = {name: part for name, part in line.gap.parts.items() if part}
    assert parts == {"items": Decimal("0.05"), "elsewhere": Decimal("0.0035")}


async def test_a_bill_without_models_is_not_split(openai: Services) -> None:
    await ran(openai, "gpt-4o", "0.01", input=10, output=1)
    await stated(openai, bucket("cost", "", item="everything", cost_nanos=30_000_000))
    [line] = (await compare(openai, DAY, DAY + DAY_MS, "model")).lines
    assert line.key == "openai/*"
    assert line.gap is not None
    assert {name: part for name, part in line.gap.parts.items() if part} == {"unsplit": Decimal("0.02")}


async def test_only_days_the_vendor_told_are_compared(openai: Services) -> None:
    await ran(openai, "gpt-4o", "0.0025", input=1_000, output=0)
    await ran(openai, "gpt-4o", "5", at=DAY + 2 * DAY_MS, input=1, output=1)
    await stated(
        openai,
        bucket("usage", "gpt-4o", input=1_000, output=0),
        bucket("cost", "gpt-4o", cost_nanos=2_500_000),
    )
    found = await compare(openai, DAY - 5 * DAY_MS, DAY + 5 * DAY_MS, "provider")
    assert found.spans == {"openai": (DAY, DAY + DAY_MS)}
    assert found.total.gap is not None
    assert found.total.gap.total == 0


async def test_unknown_costs_here_are_said_and_never_zero(openai: Services) -> None:
    await ran(openai, "gpt-4o", None, input=1_000, output=0)
    await stated(
        openai,
        bucket("usage", "gpt-4o", input=1_000, output=0),
        bucket("cost", "gpt-4o", cost_nanos=2_500_000),
    )
    [line] = (await compare(openai, DAY, DAY + DAY_MS, "provider")).lines
    assert (line.here_cost, line.unknown) == (None, 1)
    assert line.gap is not None
    assert line.gap.parts["counted"] == Decimal("0.0025"), "known tokens, but no cost was counted for them"


async def test_a_provider_that_was_used_and_not_told_of_is_named(openai: Services) -> None:
    await ran(openai, "gpt-4o", "0.01", input=10, output=1)
    found = await compare(openai, DAY, DAY + DAY_MS, "provider")
    assert (found.lines, found.untold, found.total.gap) == ((), ("openai",), None)


async def test_the_chart_reads_what_was_billed(openai: Services) -> None:
    await stated(
        openai,
        bucket("cost", "gpt-4o", cost_nanos=1 * NANO),
        bucket("cost", "gpt-5", day=1, cost_nanos=3 * NANO),
        bucket("usage", "gpt-4o", input=70, output=7, requests=2),
    )
    source = BilledSource(openai.db)
    chart = await usage_chart(source, DAY, DAY + 7 * DAY_MS, group="model", measure="cost")
    assert chart.keys == ("openai/gpt-5", "openai/gpt-4o")
    assert [sum(value or 0 for value in line) for line in chart.values] == [3, 1]
    tokens = await usage_chart(source, DAY, DAY + 7 * DAY_MS, group=None, measure="tokens")
    assert tokens.totals == (77,)
    with pytest.raises(UsageError, match="label"):
        await source.totals(DAY, DAY + DAY_MS, "label")


@pytest.mark.parametrize(
    ("billed", "here", "expected"),
    [
        ("gpt-4o-2024-08-06", ["gpt-4o", "gpt-4o-mini"], "gpt-4o"),
        ("gpt-4o-mini-2024-07-18", ["gpt-4o", "gpt-4o-mini"], "gpt-4o-mini"),
        ("claude-haiku-4-5-20251001", ["claude-haiku-4-5"], "claude-haiku-4-5"),
        ("gpt-4o", ["gpt-4o-2024-08-06"], "gpt-4o-2024-08-06"),
        ("gpt-5", ["gpt-4o"], "gpt-5"),
    ],
)
def test_a_dated_edition_is_its_model(billed: str, here: list[str], expected: str) -> None:
    assert matching(billed, here) == expected


counts = st.integers(0, 10**9)
amounts = st.decimals(0, 10_000, places=9)


@given(counts, counts, counts, counts, counts, counts, amounts, amounts, st.booleans())
def test_the_parts_always_add_up(
    a: int, b: int, c: int, d: int, e: int, f: int, here: Decimal, billed: Decimal, priced: bool
) -> None:
    side = Side(
        "m",
        here=Tokens(a + c, b, c),
        here_cost=here,
        billed=Tokens(d + f, e, f),
        billed_cost=billed,
        price=PRICE if priced else None,
    )
    gap = explain([side, Side("", here_cost=Decimal(0), billed_cost=Decimal(1))])
    assert gap.total == billed - here + 1
    assert sum(gap.parts.values()) == gap.total
    assert set(gap.parts) == set(REASONS)


async def test_an_account_of_two_providers_is_billed_once(openai: Services) -> None:
    """Each was told the whole account's bill, since the same admin key opens both."""
    draft = ProviderDraft(slug="second", type="openai", cost_mode="metered")
    await openai.registry.add(draft, None, test=False)
    async with openai.db.transaction() as tx:
        await tx.execute("UPDATE providers SET admin_ref = 'vault:' || slug, admin_last4 = 'wxyz'", ())
    held = VendorUsage(openai.db)
    for slug, days in (("openai", 3), ("second", 2)):
        rows = [
            replace(bucket(kind, "gpt-4o", day, **figures), provider=slug)  # type: ignore[arg-type]
            for day in range(3 - days, 3)
            for kind, figures in (("usage", {"input": 1_000, "output": 100}), ("cost", {"cost_nanos": NANO}))
        ]
        async with openai.db.transaction() as tx:
            for kind in ("usage", "cost"):
                await held.replace(
                    tx,
                    slug,
                    API,
                    kind,
                    (DAY, DAY + 3 * DAY_MS),
                    [row for row in rows if row.kind == kind],  # type: ignore[arg-type]
                )
    await ran(openai, "gpt-4o", "0.5", input=500, output=50)
    other = AttemptRow(
        None, "r2", 1, True, DAY + 5, "second", "gpt-4o", "complete", grade="computed", cost_nanos=NANO
    )
    async with openai.db.transaction() as tx:
        await Ledger(openai.db).insert(tx, other)
    found = await compare(openai, DAY, DAY + 3 * DAY_MS, "provider")
    [line] = found.lines
    assert (line.key, line.also, line.here_runs) == ("openai", ("second",), 2)
    assert (line.here_cost, line.billed_cost) == (Decimal("1.5"), Decimal(3))
    assert found.untold == ()
    [total] = await BilledSource(openai.db).totals(DAY, DAY + 3 * DAY_MS, None)
    assert total.cost_nanos == 3 * NANO
    [alone] = await held.totals(DAY, DAY + 3 * DAY_MS, provider="second")
    assert alone.cost_nanos == 2 * NANO, "its own page says what its vendor said"
    async with openai.db.transaction() as tx:
        await tx.execute("UPDATE providers SET admin_last4 = slug", ())
    assert len((await compare(openai, DAY, DAY + 3 * DAY_MS, "provider")).lines) == 2


@pytest.fixture(params=["UTC", "Europe/Warsaw", "America/Los_Angeles", "Pacific/Kiritimati"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


async def test_a_month_is_the_vendors_month_whatever_the_users_clock(openai: Services, zone: str) -> None:
    """An invoice of November holds no day of October, and no bar holds two days."""
    first = utc("2026-11-01")
    rows = [
        VendorRow(
            "openai",
            first + day * DAY_MS,
            "cost",
            "m",
            "",
            API,
            first + (day + 1) * DAY_MS,
            cost_nanos=1_000 + day,
        )
        for day in range(-2, 32)
    ]
    async with openai.db.transaction() as tx:
        span = (first - 2 * DAY_MS, first + 32 * DAY_MS)
        await VendorUsage(openai.db).replace(tx, "openai", API, "cost", span, rows)
    since, until = month_bounds(parse_when("2026-11-15"))
    source = BilledSource(openai.db)
    assert source.aligned([since, until]) == [first, first + 30 * DAY_MS]
    found = await compare(openai, since, until, None)
    assert found.total.billed_cost == Decimal(sum(1_000 + day for day in range(30))) / NANO
    week = day_bounds(parse_when("2026-11-14"))[0], day_bounds(parse_when("2026-11-20"))[1]
    chart = await usage_chart(source, *week, group="provider", measure="cost")
    assert chart.starts == tuple(first + day * DAY_MS for day in range(13, 20))
    assert [round(value * NANO) for value in chart.values[0] if value is not None] == list(
        range(1_013, 1_020)
    )
    assert [utc_day(own_day(start)) for start in chart.starts] == list(chart.starts)


def utc(day: str) -> int:
    return int(datetime.fromisoformat(f"{day}T00:00+00:00").timestamp()) * 1_000


def test_what_never_came_through_here_came_another_way_even_without_tokens_or_a_price() -> None:
    gap = explain([Side("m", billed=None, billed_cost=Decimal("1.5"))])
    assert {name: amount for name, amount in gap.parts.items() if amount} == {"elsewhere": Decimal("1.5")}
    used = explain([Side("m", here=Tokens(input=9), billed=None, billed_cost=Decimal("1.5"))])
    assert used.parts["unsplit"] == Decimal("1.5")
