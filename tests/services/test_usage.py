"""What the usage report says of runs whose cost is known, estimated, unknown or nobody's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from catalog.errors import UsageError
from services import clock
from services.container import Services
from services.drafts import ProviderDraft
from services.projection import project
from store.ledger import AttemptRow, Ledger

NANO = 1_000_000_000


@pytest.fixture(params=["UTC", "Europe/Warsaw", "America/St_Johns"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def at(text: str) -> int:
    return clock.to_ms(datetime.fromisoformat(text))


async def spend(services: Services, when: int, usd: float | None, **more: Any) -> None:
    grade = more.pop("grade", "computed" if usd is not None else "unknown")
    row = AttemptRow(
        **{
            "id": None,
            "run_id": f"r{when}{usd}{more}",
            "number": 1,
            "final": True,
            "at": when,
            "provider": "mine",
            "model": "alpha",
            "outcome": "complete",
            "input": 10,
            "output": 5,
            "grade": grade,
            "cost_nanos": None if usd is None else round(usd * NANO),
            **more,
        }
    )
    async with services.db.transaction() as tx:
        await Ledger(services.db).insert(tx, row)


async def test_days_are_the_users_own(services: Services, zone: str) -> None:
    await spend(services, at("2026-11-01T00:00:01"), 1)
    await spend(services, at("2026-11-01T23:59:59"), 2)
    await spend(services, at("2026-11-02T00:00:00"), 4)
    report = await services.usage.report("day", at("2026-11-01"), at("2026-11-03"))
    assert [(row.key, row.cost, row.runs) for row in report.rows] == [
        ("2026-11-01", Decimal(3), 2),
        ("2026-11-02", Decimal(4), 1),
    ]
    assert (report.total.cost, report.total.input, report.total.measured_share) == (Decimal(7), 30, 1.0)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_on_which_the_clocks_change(day: str, hours: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Warsaw")
    time.tzset()
    try:
        start, end = clock.day_bounds(at(f"{day}T12:00"))
        assert (end - start) / clock.HOUR_MS == hours
        assert clock.local_date(start) == clock.local_date(end - 1) != clock.local_date(end)
        assert clock.month_bounds(at("2026-12-31T23:59"))[1] == at("2027-01-01T00:00")
    finally:
        monkeypatch.undo()
        time.tzset()


async def test_hours_begin_with_the_users_clock(services: Services, zone: str) -> None:
    await spend(services, at("2026-11-01T10:59"), 1)
    await spend(services, at("2026-11-01T11:00"), 2)
    report = await services.usage.report("hour", at("2026-11-01T09:00"), at("2026-11-01T12:00"))
    assert [(row.start_ms, row.cost) for row in report.rows] == [
        (at("2026-11-01T10:00"), Decimal(1)),
        (at("2026-11-01T11:00"), Decimal(2)),
    ]
    assert report.rows[0].key.endswith("Z")


async def test_unknown_is_never_zero(services: Services) -> None:
    when = at("2026-11-01T10:00")
    await spend(services, when, None, provider="dark")
    await spend(services, when, None, provider="own", grade="own")
    await spend(services, when, 3, provider="mixed")
    await spend(services, when, None, provider="mixed")
    await spend(services, when, 1, provider="guessed", grade="estimated")
    await spend(services, when, 0, provider="free")
    report = await services.usage.report("provider", when - 1000, when + 1000)
    lines = {row.key: (row.cost, row.measured_share) for row in report.rows}
    assert lines == {
        "dark": (None, 0.0),
        "own": (None, 1.0),
        "mixed": (Decimal(3), 0.5),
        "guessed": (Decimal(1), 0.0),
        "free": (Decimal(0), 1.0),
    }
    assert report.total.cost == Decimal(4)
    assert 0 < report.total.measured_share < 1
    grades = {
        row.key: row.cost for row in (await services.usage.report("grade", when - 1000, when + 1000)).rows
    }
    assert (grades["unknown"], grades["own"], grades["estimated"]) == (None, None, Decimal(1))


async def test_all_unknown_has_no_total(services: Services) -> None:
    await spend(services, clock.now_ms(), None)
    report = await services.usage.report("model", clock.now_ms() - clock.DAY_MS)
    assert [row.key for row in report.rows] == ["mine/alpha"]
    assert (report.total.cost, report.total.measured_share, report.projection) == (None, 0.0, None)
    assert await services.usage.month() is None


async def test_an_empty_store(services: Services) -> None:
    report = await services.usage.report("provider", clock.now_ms() - clock.DAY_MS)
    assert (report.rows, report.total.runs, report.total.cost, report.projection) == ((), 0, Decimal(0), None)
    assert await services.usage.today() == Decimal(0)


async def test_errors_are_failed_runs(services: Services) -> None:
    when = clock.now_ms()
    await spend(services, when, 1)
    await spend(services, when, 1, outcome="failed", error_code="network")
    report = await services.usage.report("outcome", when - 1000)
    assert {row.key: (row.runs, row.errors) for row in report.rows} == {"complete": (1, 0), "failed": (1, 1)}


async def test_an_outcome_without_any_price_costs_nobody_knows_what_not_nothing(services: Services) -> None:
    when = clock.now_ms()
    await spend(services, when, 1)
    await spend(services, when, None, provider="own", grade="own", outcome="cancelled")
    await spend(services, when, None, outcome="failed")
    await spend(services, when, 2, outcome="interrupted")
    await spend(services, when, None, outcome="interrupted")
    report = await services.usage.report("outcome", when - 1000)
    assert [(row.key, row.runs, row.cost) for row in report.rows] == [
        ("interrupted", 2, Decimal(2)),
        ("complete", 1, Decimal(1)),
        ("cancelled", 1, None),
        ("failed", 1, None),
    ]


async def test_today_and_this_month(services: Services) -> None:
    now = clock.now_ms()
    await spend(services, now, 2)
    await spend(services, clock.month_bounds(now)[0] - 1, 50)
    assert await services.usage.today() == Decimal(2)
    assert await services.usage.month() == Decimal(2)


@pytest.mark.parametrize(
    ("grades", "spent"),
    [
        (["own", "own"], None),
        (["unknown"], None),
        (["own", "unknown", "computed"], None),  # the computed one failed before it began, and cost nothing
        (["computed"], Decimal(0)),
        ([], None),
    ],
)
async def test_a_provider_without_prices_has_no_spend_of_zero(
    services: Services, grades: list[str], spent: Decimal | None
) -> None:
    await services.registry.add(ProviderDraft(slug="mine", url="http://127.0.0.1:1"), None, test=False)
    for grade in grades:
        await spend(services, clock.now_ms(), 0 if grade == "computed" else None, grade=grade)
    assert (await services.registry.get("mine")).spend_month == spent
    everything = Decimal(0) if not grades else spent
    assert (await services.usage.today(), await services.usage.month()) == (everything, everything)


async def test_what_cannot_be_asked(services: Services) -> None:
    with pytest.raises(UsageError):
        await services.usage.report("colour", 0)
    with pytest.raises(UsageError):
        await services.usage.report("day", 10, 5)


def test_a_steady_month_is_projected_with_a_narrow_band() -> None:
    days = [0, 0, *[NANO] * 14]
    found = project(14 * NANO, days, elapsed_ms=14 * clock.DAY_MS, left_ms=16 * clock.DAY_MS)
    assert found is not None
    assert (found.month, found.low, found.high) == (Decimal(30), Decimal(30), Decimal(30))


def test_an_uneven_month_has_a_band_and_never_less_than_was_spent() -> None:
    days = [0, 9 * NANO] * 7
    found = project(63 * NANO, days, elapsed_ms=14 * clock.DAY_MS, left_ms=16 * clock.DAY_MS)
    assert found is not None
    assert Decimal(63) <= found.low < found.month < found.high


def test_the_first_day_is_projected_with_a_wide_band() -> None:
    found = project(2 * NANO, [], elapsed_ms=clock.HOUR_MS, left_ms=29 * clock.DAY_MS)
    assert found is not None
    assert (found.low, found.month, found.high) == (Decimal(2), Decimal(60), Decimal(118))
    assert project(0, [0, 0], elapsed_ms=1, left_ms=1) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30d", -30 * clock.DAY_MS), ("24h", -24 * clock.HOUR_MS), ("15m", -15 * clock.MINUTE_MS)],
)
def test_spans_back_from_now(text: str, expected: int) -> None:
    assert clock.parse_when(text, 10**12) == 10**12 + expected


def test_moments(zone: str) -> None:
    assert clock.parse_when("2026-11-01") == at("2026-11-01T00:00")
    assert clock.parse_when("2026-11") == at("2026-11-01T00:00")
    assert clock.parse_when("2026-11-01T08:00Z") == 1_793_520_000_000
    assert clock.parse_when("today", at("2026-11-05T12:00")) == at("2026-11-05T00:00")
    assert clock.parse_when("yesterday", at("2026-11-05T12:00")) == at("2026-11-04T00:00")
    for wrong in ("", "soon", "2026-13-01", "99999999d"):
        with pytest.raises(UsageError):
            clock.parse_when(wrong)
