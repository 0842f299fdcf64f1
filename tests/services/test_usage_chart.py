"""What the usage chart says, bucket by bucket, in the user's own hours and days."""

from __future__ import annotations

import time
from decimal import Decimal
from itertools import pairwise

import pytest
from test_usage import at, spend

from services import clock
from services.container import Services
from services.usage_chart import bucket_bounds

MINUTE, HOUR = clock.MINUTE_MS, clock.HOUR_MS


@pytest.fixture(params=["UTC", "Europe/Warsaw", "Asia/Kathmandu"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [
        ("2026-11-01T09:00", "2026-11-01T10:00", 12),
        ("2026-11-01T00:00", "2026-11-02T00:00", 24),
        ("2026-11-01T00:00", "2026-11-08T00:00", 28),
        ("2026-11-01T00:00", "2026-12-01T00:00", 30),
        ("2026-09-01T00:00", "2026-11-30T00:00", 90),
        ("2026-01-01T00:00", "2027-01-01T00:00", 53),
        ("2020-01-01T00:00", "2027-01-01T00:00", 84),
    ],
)
def test_a_range_has_a_handful_of_buckets(zone: str, first: str, last: str, count: int) -> None:
    bounds = bucket_bounds(at(first), at(last))
    assert (bounds[0], bounds[-1], len(bounds) - 1) == (at(first), at(last), count)


def test_days_on_which_clocks_change_are_one_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Warsaw")
    time.tzset()
    try:
        bounds = bucket_bounds(at("2026-10-20"), at("2026-11-10"))
        assert {(b - a) // HOUR for a, b in pairwise(bounds)} == {24, 25}
        hours = bucket_bounds(at("2026-10-25"), at("2026-10-26"))
        assert len(hours) - 1 == 25
    finally:
        monkeypatch.undo()
        time.tzset()


async def test_cost_by_provider_and_hour(services: Services, zone: str) -> None:
    await spend(services, at("2026-11-01T10:59"), 1)
    await spend(services, at("2026-11-01T11:00"), 2)
    await spend(services, at("2026-11-01T11:30"), 0.5, provider="other")
    chart = await services.usage.chart(at("2026-11-01T09:00"), at("2026-11-02T09:00"))
    assert chart.keys == ("mine", "other")
    assert chart.totals == (Decimal(3), Decimal("0.5"))
    assert chart.values[0][:4] == (0.0, 1.0, 2.0, 0.0)
    assert chart.values[1][:4] == (0.0, 0.0, 0.5, 0.0)
    assert chart.starts[1] == at("2026-11-01T10:00")
    assert chart.end == at("2026-11-02T09:00")


async def test_an_hour_is_told_in_steps_of_five_minutes(services: Services) -> None:
    await spend(services, at("2026-11-01T10:04"), 1)
    await spend(services, at("2026-11-01T10:05"), 2)
    chart = await services.usage.chart(at("2026-11-01T10:00"), at("2026-11-01T11:00"), measure="cost")
    assert chart.values == ((1.0, 2.0, *[0.0] * 10),)


@pytest.mark.parametrize("span", ["2026-11-01T11:00", "2026-11-03T10:00"])
async def test_unknown_cost_is_no_zero(services: Services, span: str) -> None:
    when = at("2026-11-01T10:00")
    await spend(services, when, None, provider="dark")
    await spend(services, when, None, provider="own", grade="own")
    await spend(services, when, 0, provider="free")
    chart = await services.usage.chart(when, at(span))
    told = {
        key: (line[0], total) for key, line, total in zip(chart.keys, chart.values, chart.totals, strict=True)
    }
    assert told == {"dark": (None, None), "own": (0.0, None), "free": (0.0, Decimal(0))}


async def test_what_is_not_among_the_largest_is_one_line(services: Services) -> None:
    when = at("2026-11-01T10:00")
    for number in range(10):
        await spend(services, when + number, 10 - number, model=f"m{number}")
    chart = await services.usage.chart(when, when + 5 * HOUR, group="model")
    assert chart.keys == (*(f"mine/m{number}" for number in range(7)), "*")
    assert chart.totals[-1] == Decimal(6)
    assert chart.values[-1][0] == pytest.approx(6.0)


@pytest.mark.parametrize("hours", [1, 24])
async def test_other_measures(services: Services, hours: int) -> None:
    when = at("2026-11-01T10:00")
    await spend(services, when, 1, ttft_ms=400)
    await spend(services, when + 1, 1, outcome="failed", ttft_ms=None)
    until = when + hours * HOUR

    async def first(measure: str) -> tuple[float | None, object]:
        chart = await services.usage.chart(when, until, measure=measure)  # type: ignore[arg-type]
        return chart.values[0][0], chart.totals[0]

    assert await first("tokens") == (30.0, 30)
    assert await first("runs") == (2.0, 2)
    assert await first("errors") == (1.0, 1)
    ms, total = await first("ttft")
    assert isinstance(total, int)
    assert ms == total
    assert 330 <= total <= 480


async def test_labels_and_callers(services: Services) -> None:
    when = at("2026-11-01T10:00")
    await spend(services, when, 1, caller="tui", labels_json='{"team":"red","env":"dev"}')
    await spend(services, when + 1, 2, caller="cli")
    callers = await services.usage.chart(when, when + 24 * HOUR, group="caller")
    assert dict(zip(callers.keys, callers.totals, strict=True)) == {"cli": Decimal(2), "tui": Decimal(1)}
    labels = await services.usage.chart(when, when + 24 * HOUR, group="label")
    assert dict(zip(labels.keys, labels.totals, strict=True)) == {
        "": Decimal(2),
        "env=dev": Decimal(1),
        "team=red": Decimal(1),
    }


async def test_a_store_without_runs(services: Services) -> None:
    chart = await services.usage.chart(at("2026-11-01"), at("2026-11-02"))
    assert (chart.keys, len(chart.starts)) == ((), 24)
