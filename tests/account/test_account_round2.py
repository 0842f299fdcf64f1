"""Accounts where clocks are wrong, histories short, figures absurd and servers slow."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from account_vendors import ADMIN, Accounts, Connect
from pydantic import SecretStr

from adapters.account.caller import beside
from adapters.account.read import cents, dollars, number, whole
from services import account as account_module
from services import account_schedule
from services.account import FIRST_DAYS, due_at, midnight
from services.clock import DAY_MS, HOUR_MS, now_ms
from services.container import Services
from store.vendor_usage import AccountRow

SECRET = SecretStr(ADMIN)


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    now = [now_ms()]
    monkeypatch.setattr(account_module, "now_ms", lambda: now[0])
    return now


def test_an_amount_that_would_fill_the_memory_or_the_store_is_none() -> None:
    assert number("1e-999999999") is None, "a gigabyte when written out"
    assert number("1e-12") == Decimal("1e-12")
    assert dollars("90000000000") is None
    assert cents("9000000000000") is None
    assert whole({"n": 10**14}, "n") is None


def test_a_time_of_a_clock_that_ran_ahead_does_not_keep_an_account_from_being_read() -> None:
    kept = AccountRow("x", tried_at=100 * HOUR_MS)
    assert due_at(kept, 6, 90 * HOUR_MS) == 0
    assert due_at(kept, 6, 101 * HOUR_MS) == 106 * HOUR_MS


@pytest.mark.parametrize(
    ("base", "own"),
    [
        ("http://h:4000/v1", "http://h:4000"),
        ("http://h/llm/v1/", "http://h/llm"),
        ("http://h/llm", "http://h/llm"),
    ],
)
def test_a_gateways_own_calls_lie_under_its_own_path(base: str, own: str) -> None:
    assert beside(base) == own


async def test_a_pull_by_a_wrong_clock_leaves_no_gap_and_more_days_are_remembered(
    services: Services, connect: Connect, accounts: Accounts, moment: list[int]
) -> None:
    accounts.page_days = 400
    slug = await connect()
    await services.accounts.set_key(slug, SECRET)
    real = moment[0]
    moment[0] = real + 40 * DAY_MS  # the clock runs ahead
    await services.accounts.refresh(slug)
    moment[0] = real
    view = await services.accounts.refresh(slug)
    assert view.read_from == midnight(real, 1 - FIRST_DAYS)
    moment[0] += HOUR_MS
    assert (await services.accounts.refresh(slug, days=90)).read_from == midnight(moment[0], -89)


async def test_a_short_history_is_not_asked_for_with_each_look(
    services: Services,
    connect: Connect,
    accounts: Accounts,
    moment: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from cli.commands import providers_account

    slug = await connect()
    await services.accounts.set_key(slug, SECRET)
    accounts.usage, accounts.amounts = {}, {}  # a new organization
    accounts.page_days = 400
    await providers_account._shown(services, slug, 30, pull=False)
    asked = len(accounts.asked)
    moment[0] += 60_000
    monkeypatch.setattr("time.time_ns", lambda: moment[0] * 1_000_000)
    await providers_account._shown(services, slug, 30, pull=False)
    assert len(accounts.asked) == asked
    await providers_account._shown(services, slug, 60, pull=False)
    assert len(accounts.asked) > asked, "more days than were read"


async def test_a_pull_has_an_end(
    services: Services,
    connect: Connect,
    accounts: Accounts,
    moment: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from adapters.account.openai import Reporter

    async def never(self: Reporter, since: int, until: int) -> None:
        await asyncio.Event().wait()

    slug = await connect()
    await services.accounts.set_key(slug, SECRET)
    monkeypatch.setattr(Reporter, "usage", never)
    monkeypatch.setattr(account_module, "PATIENCE_S", 0.2)
    view = await services.accounts.refresh(slug)
    assert view.error is not None
    assert view.error.code == "timeout"
    assert view.figures, "what was said before is kept"


async def test_one_failure_does_not_end_the_schedule(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    async def fails(_: Services) -> list[str]:
        looks.append(1)
        if len(looks) == 2:
            raise asyncio.CancelledError
        raise KeyError("a surprise")

    monkeypatch.setattr(account_schedule, "fire", fails)
    monkeypatch.setattr(account_schedule, "FIRST_S", 0)
    monkeypatch.setattr(account_schedule, "LOOK_S", 0)
    with pytest.raises(asyncio.CancelledError):
        await account_schedule.keep(services)
    assert len(looks) == 2


async def test_sums_of_whole_days_are_those_of_the_buckets(
    services: Services, connect: Connect, accounts: Accounts, moment: list[int]
) -> None:
    slug = await connect()
    await services.accounts.set_key(slug, SECRET)
    accounts.usage = {f"model-{n}": {"input_tokens": n, "num_model_requests": 1} for n in range(3)}
    await services.accounts.refresh(slug)
    first, last = midnight(moment[0], -40), midnight(moment[0], 1)
    for by in ("day", "model", "provider", None):
        whole_days = await services.accounts.totals(slug, first, last, by)
        assert whole_days == await services.accounts.totals(slug, first + 1, last, by), by
        assert sum(one.requests or 0 for one in whole_days) == 3 * FIRST_DAYS


@pytest.mark.parametrize(
    "item", ["gpt-6-astra, input_tokens", "gpt-6-astra, cached input", "gpt-6-astra, audio output_tokens"]
)
def test_a_line_item_names_its_model_in_both_spellings(item: str) -> None:
    from adapters.account.openai import _LINE
    from services.bill_file import _LINE_ITEM

    for pattern in (_LINE, _LINE_ITEM):
        found = pattern.fullmatch(item)
        assert found is not None
        assert found[1] == "gpt-6-astra"
        assert pattern.fullmatch("web search, throughput") is None


async def test_what_another_key_said_is_not_kept_for_the_new_one(
    services: Services,
    connect: Connect,
    accounts: Accounts,
    moment: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from adapters.account.openai import Reporter

    slug = await connect()
    await services.accounts.set_key(slug, SECRET)
    told = Reporter.account

    async def slow(self: Reporter) -> object:
        found = await told(self)
        monkeypatch.setattr(Reporter, "account", told)
        await services.accounts.set_key(slug, SecretStr("sk-admin-other-0000"), test=False)
        return found

    monkeypatch.setattr(Reporter, "account", slow)
    await services.accounts.refresh(slug)
    assert (await services.accounts.view(slug)).state == "never"


async def test_an_account_that_cannot_be_read_keeps_no_other_from_being_read(
    services: Services, connect: Connect, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    from adapters.account.openai import Reporter

    asked = []

    async def odd(_: object) -> None:
        asked.append(1)
        raise KeyError("a surprise")

    for slug in ("first", "second"):
        await services.accounts.set_key(await connect(slug=slug), SECRET)
    monkeypatch.setattr(Reporter, "account", odd)
    assert await account_schedule.fire(services) == ["first", "second"]
    error = (await services.accounts.view("first")).error
    assert error is not None
    assert "cannot be read (KeyError)" in error.message
    assert await account_schedule.fire(services) == [], "it is not asked again at every look"
    assert len(asked) == 2
