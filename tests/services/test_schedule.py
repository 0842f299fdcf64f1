"""Cron's times on the days on which clocks change, and what a claim on a scheduled job holds off."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from catalog.errors import UsageError
from services import process
from services.container import Services
from services.schedule import check, due, next_time
from services.schedule_claims import LONGEST_MS, claim, release
from store.schedule_claims import hold

pytestmark = pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system cannot change its zone")


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Clocks go forward on 28 March 2027 at 02:00, back on 31 October 2027 at 03:00."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def times(schedule: str, after: str, count: int) -> list[str]:
    found, moment = [], ms(after)
    for _ in range(count):
        following = next_time(schedule, moment)
        assert following is not None
        moment = following
        found.append(f"{datetime.fromtimestamp(moment / 1000, UTC):%d %H:%M}")
    return found


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("30 2 * * *", "2027-03-27T00:00Z", ["27 01:30", "28 01:30", "29 00:30"]),  # 02:30 is left out: 03:30
        ("30 2 * * *", "2027-10-30T00:00Z", ["30 00:30", "31 00:30", "01 01:30"]),  # 02:30 comes twice: once
        ("*/30 * * * *", "2027-03-28T00:20Z", ["28 00:30", "28 01:00", "28 01:30"]),
        ("*/30 * * * *", "2027-10-31T00:20Z", ["31 00:30", "31 01:00", "31 01:30", "31 02:00"]),
        ("15 2,3 * * *", "2027-03-28T00:00Z", ["28 01:15", "29 00:15", "29 01:15"]),
        ("0 6 * * *", "2027-03-27T12:00Z", ["28 04:00", "29 04:00"]),
    ],
)
def test_days_on_which_clocks_change(schedule: str, after: str, expected: list[str]) -> None:
    assert times(schedule, after, len(expected)) == expected


@pytest.mark.usefixtures("berlin")
def test_every_minute_is_told_quickly() -> None:
    began = time.perf_counter()
    for _ in range(20):
        assert next_time("* * * * *", ms("2027-06-01T21:59:30Z")) == ms("2027-06-01T22:00Z")
    assert (time.perf_counter() - began) / 20 < 0.02


@pytest.mark.parametrize("schedule", ["6h", "0 6 * * *"])
def test_a_sync_noted_by_a_clock_that_was_ahead_does_not_stop_the_schedule(schedule: str) -> None:
    now = 1_795_000_000_000
    assert due(schedule, now + 365 * 86_400_000, now)
    assert not due(schedule, now + 1_000, now), "two clocks of one machine may differ a little"


async def test_a_claim_holds_off_others_while_its_process_lives(services: Services) -> None:
    now = 1_795_000_000_000
    living = process.identity(os.getppid())
    dead = f"{process.host()}:999999:77"
    for owner, since, free in (
        (living, now - 1_000, False),
        (dead, now - 1_000, True),
        (living, now - LONGEST_MS, True),
        (living, now + 3_600_000, True),
    ):
        async with services.db.transaction() as tx:
            await hold(tx, "openai", owner, since)
            assert await claim(tx, "openai", now) == free
    await release(services.db, ["openai"])
    async with services.db.transaction() as tx:
        await hold(tx, "openai", living, now)
    await release(services.db, ["openai"])  # not ours
    async with services.db.transaction() as tx:
        assert not await claim(tx, "openai", now + 1)


@pytest.mark.parametrize("never", ["0 6 30 2 *", "0 6 31 4,6 *", "*/5 * 30-31 2 *"])
def test_a_schedule_that_never_comes_is_refused(never: str) -> None:
    with pytest.raises(UsageError, match="would never sync: there is no such day"):
        check(never)


@pytest.mark.parametrize("rare", ["0 6 29 2 *", "0 6 30 2 1", "0 6 31 4,5 *", "0 6 * 2 1"])
def test_a_schedule_that_comes_rarely_is_kept(rare: str) -> None:
    assert check(rare) == rare
