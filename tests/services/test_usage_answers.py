"""Ranges, the table beside the period before, why the cost differs, when limits run out, the runs of a key."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import pytest
from test_usage import at, spend

from services import clock
from services.container import Services
from services.usage_limits import limit_standings
from services.usage_range import RANGES, custom_range, named_range
from services.usage_table import Used
from services.usage_why import why

HOUR, DAY = clock.HOUR_MS, clock.DAY_MS


@pytest.fixture
def warsaw(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Warsaw")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize(
    "now", ["2026-11-20T14:37:12", "2026-03-29T12:00", "2026-10-25T03:30", "2026-01-01T00:00"]
)
def test_a_range_is_compared_with_as_much_before(warsaw: None, name: str, now: str) -> None:
    span = named_range(name, at(now))
    assert span.before_since <= span.before_until <= span.since < span.until
    elapsed = min(span.until, span.now) - span.since
    assert abs((span.before_until - span.before_since) - elapsed) <= 3 * DAY, "months differ, days by an hour"


def test_this_month_is_compared_with_the_last_one_up_to_this_day(warsaw: None) -> None:
    span = named_range("month", at("2026-11-20T14:00"))
    assert (span.since, span.until) == (at("2026-11-01"), at("2026-12-01"))
    assert span.before_since == at("2026-10-01")
    assert span.before_until - span.before_since == at("2026-11-20T14:00") - at("2026-11-01")
    last = named_range("last_month", at("2026-11-20T14:00"))
    assert (last.since, last.until, last.before_since, last.before_until) == (
        at("2026-10-01"), at("2026-11-01"), at("2026-09-01"), at("2026-10-01"),
    )  # fmt: skip


def test_the_days_of_a_range_are_whole_and_local(warsaw: None) -> None:
    span = named_range("7d", at("2026-10-28T09:00"))
    assert (span.since, span.until) == (at("2026-10-22"), at("2026-10-29"))
    assert (span.before_since, span.before_until) == (at("2026-10-15"), at("2026-10-21T09:00"))
    week = custom_range(at("2026-10-20"), at("2026-10-27"), at("2026-11-20"))
    assert (week.before_since, week.before_until) == (at("2026-10-13"), at("2026-10-20"))


async def test_the_table_stands_beside_the_period_before(services: Services) -> None:
    now = at("2026-11-20T14:30")
    span = named_range("24h", now)
    await spend(services, now - HOUR, 3, ttft_ms=400)
    await spend(services, now - 2 * HOUR, 1, outcome="failed")
    await spend(services, now - 3 * HOUR, None, provider="dark")
    await spend(services, now - DAY - HOUR, 2)
    await spend(services, now - DAY + HOUR, 7, provider="later")  # in this range, not in the one before
    table = await services.usage.table(span)
    lines = {entry.key: entry for entry in table.entries}
    assert [entry.key for entry in table.entries] == ["later", "mine", "dark"]
    mine = lines["mine"]
    assert (mine.now.cost, mine.before.cost, mine.delta("cost")) == (Decimal(4), Decimal(2), Decimal(2))
    assert (mine.now.runs, mine.now.errors, mine.now.tokens, mine.now.tokens_per_run) == (2, 1, 30, 15)
    assert mine.now.per_run == Decimal(2)
    assert mine.now.ttft is not None
    assert lines["dark"].now.cost is None
    assert lines["dark"].delta("cost") is None
    assert table.share(mine, "cost") == pytest.approx(4 / 11)
    assert table.share(lines["dark"], "cost") is None
    assert (table.total.now.cost, table.total.now.runs, table.total.now.unknown) == (Decimal(11), 4, 1)


@pytest.mark.parametrize("group", ["provider", "model", "label", "caller", "grade", "outcome"])
@pytest.mark.parametrize("name", ["1h", "24h", "90d"])
async def test_every_group_adds_up(services: Services, group: str, name: str) -> None:
    now = at("2026-11-20T14:30")
    for number in range(6):
        await spend(
            services, now - number * 60_000, 1, model=f"m{number % 2}", caller=f"c{number % 3}",
            labels_json=f'{{"team":"t{number % 2}"}}', outcome="failed" if number == 5 else "complete",
        )  # fmt: skip
    table = await services.usage.table(named_range(name, now), group=group)
    assert sum(entry.now.runs for entry in table.entries) == table.total.now.runs == 6
    assert sum(entry.now.cost or 0 for entry in table.entries) == table.total.now.cost == 6


def used(runs: int, cost: str | None, prompt: int = 0, answer: int = 0) -> Used:
    return Used(runs, 0, prompt, answer, None if cost is None else Decimal(cost), 0, 0, None)


def test_why_names_the_reason() -> None:
    before = {"a/m": used(10, "10", 1000, 100)}
    assert why({"a/m": used(15, "15", 1500, 150)}, before).parts["runs"] == 5
    longer = why({"a/m": used(10, "20", 2000, 200)}, before).parts
    assert (longer["prompts"] + longer["answers"], longer["price"]) == (Decimal(10), 0)
    assert why({"a/m": used(10, "12", 1000, 100)}, before).parts["price"] == 2
    # twice the answers, each token of which costs as much as ten of the prompt
    tenfold = why({"a/m": used(10, "15", 1000, 200)}, before, {"a/m": Fraction(10)}).parts
    assert (tenfold["answers"], tenfold["price"]) == (Decimal(5), 0)
    other = why({"b/n": used(10, "30", 1000, 100)}, before)
    assert other.parts["mix"] == 20
    assert other.movers == (("b/n", Decimal(30)), ("a/m", Decimal(-10)))


def test_why_leaves_out_what_has_no_known_cost() -> None:
    found = why({"a/m": used(1, "2"), "own/x": used(5, None)}, {"a/m": used(1, "2")})
    assert (found.total, found.unpriced) == (Decimal(0), 5)
    assert not any(found.parts.values())


@pytest.mark.parametrize("seed", range(200))
def test_why_always_adds_up(seed: int) -> None:
    chance = random.Random(seed)

    def side() -> dict[str, Used]:
        return {
            f"p/m{number}": used(
                chance.randrange(50),
                None if chance.random() < 0.1 else str(Decimal(chance.randrange(10**12)) / 10**9),
                chance.randrange(10**6),
                chance.randrange(10**5),
            )
            for number in chance.sample(range(8), chance.randrange(9))
        }

    now, before = side(), side()
    found = why(now, before, {f"p/m{number}": Fraction(chance.randrange(1, 9), 2) for number in range(8)})
    expected = sum(u.cost or 0 for u in now.values()) - sum(u.cost or 0 for u in before.values())
    assert found.total == expected
    assert sum(found.parts.values()) == expected
    assert sum(amount for _, amount in found.movers) == expected


async def test_when_a_limit_runs_out(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    noon = at("2026-11-20T12:00")
    monkeypatch.setattr("time.time_ns", lambda: noon * 1_000_000)
    await spend(services, noon - HOUR, 6)
    await services.budgets.set("global", "daily", Decimal(9))
    await services.budgets.set("global", "monthly", Decimal(1000))
    daily, monthly = await limit_standings(services)
    assert daily.share == pytest.approx(2 / 3)
    assert daily.runs_out == at("2026-11-20T18:00"), "$6 in 12 hours, $3 left"
    assert (monthly.budget.period, monthly.runs_out) == ("monthly", None)


async def test_a_monthly_limit_agrees_with_the_months_projection(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = at("2026-11-20T12:00")
    for module in ("usage_limits", "usage", "clock"):
        monkeypatch.setattr(f"services.{module}.now_ms", lambda: noon)
    for day in range(1, 20):  # a steady $4 a day, then much in one day
        await spend(services, at(f"2026-11-{day:02}T10:00"), 4, run_id=f"d{day}")
    await spend(services, noon - HOUR, 20, run_id="today")
    await services.budgets.set("global", "monthly", Decimal(120))
    [standing] = await limit_standings(services)
    projection = await services.usage.projection()
    assert projection is not None
    assert standing.budget.spent == Decimal(96)
    assert (standing.pace, projection.pace) == (Decimal(4), Decimal(4))
    assert projection.month == Decimal(96 + 42)
    assert standing.runs_out == at("2026-11-26T12:00"), "$24 left at $4 a day"
    await services.budgets.set("global", "monthly", Decimal(139))
    [standing] = await limit_standings(services)
    assert standing.runs_out is None, "the month is projected to come to $138"


async def test_a_providers_monthly_limit_goes_by_its_own_pace(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = at("2026-11-20T12:00")
    for module in ("usage_limits", "usage", "clock"):
        monkeypatch.setattr(f"services.{module}.now_ms", lambda: noon)
    for day in range(10, 20):
        await spend(services, at(f"2026-11-{day:02}T10:00"), 1, run_id=f"a{day}", provider="a")
        await spend(services, at(f"2026-11-{day:02}T10:00"), 9, run_id=f"b{day}", provider="b")
    await services.budgets.set("global", "monthly", Decimal(110), until=noon + DAY // 2)
    [standing] = await limit_standings(services)
    assert (standing.pace, standing.runs_out) == (Decimal(10), None), "it ends before it is reached"
    assert (await services.usage.projection("a")).pace == Decimal(1)  # type: ignore[union-attr]
    assert await services.usage.projection("c") is None


async def test_the_runs_of_a_key_page_by_page(services: Services) -> None:
    start = at("2026-11-01T10:00")
    for number in range(30):
        await spend(
            services,
            start + number * 7 * 60_000,
            1,
            run_id=f"r{number:02}",
            provider="a" if number % 3 else "b",
        )
    await spend(services, start + 60_000, 1, run_id="retried", final=False, provider="b")
    asked = {"since": start, "until": start + DAY, "group": "provider", "key": "b"}
    first = await services.usage.runs(**asked, limit=4)  # type: ignore[arg-type]
    rest = await services.usage.runs(**asked, limit=100, before=first[-1])  # type: ignore[arg-type]
    assert [row.run_id for row in [*first, *rest]] == [f"r{number:02}" for number in range(27, -1, -3)]
    half = await services.usage.runs(start, start + 50 * 60_000, group="provider", key="b")
    assert [row.run_id for row in half] == ["r06", "r03", "r00"]


@pytest.mark.parametrize(
    ("group", "key"),
    [("provider", "mine"), ("model", "mine/alpha"), ("grade", "computed"), ("outcome", "complete"), ("caller", "cli"), ("label", "team=red"), (None, "")],
)  # fmt: skip
async def test_runs_are_found_by_every_group(services: Services, group: str | None, key: str) -> None:
    when = at("2026-11-01T10:00")
    await spend(services, when, 1, run_id="it", labels_json='{"team":"red"}')
    await spend(
        services,
        when,
        None,
        run_id="not",
        provider="x",
        model="y",
        grade="own",
        outcome="failed",
        caller="tui",
    )
    found = await services.usage.runs(when - 1, when + DAY, group=group, key=key)
    assert [row.run_id for row in found] == (["not", "it"] if group is None else ["it"])
