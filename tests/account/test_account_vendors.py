"""What each vendor's account API says, as it is taken over: units right, pages whole, refusals in words, nonsense refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from account_vendors import ADMIN, KEY, Accounts, broken, serving
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.abilities import AccountReport, ReportsAccount, VendorBucket
from adapters.account import reporter, way_of, why_none
from adapters.account.read import DAY_MS, added_up, cents, dollars, iso_ms, midnight, number, whole
from adapters.base import Connection
from adapters.errors import PermissionDeniedError, ProviderError, RateLimitedError, UnexpectedResponseError
from adapters.fetch import Fetcher
from adapters.openai.usage import read_usage

BASES = {
    "openai": "/v1", "anthropic": "", "openrouter": "/api/v1", "deepseek": "", "litellm": "/v1", "huggingface": "/v1",
}  # fmt: skip


@asynccontextmanager
async def opened(
    vendor: str, said: Accounts, *, key: str | None = KEY, admin: str | None = ADMIN, **options: str
) -> AsyncIterator[ReportsAccount]:
    with serving(said) as url:
        base = f"{url}{BASES[vendor]}"
        connection = Connection("mine", "openai", base, key=SecretStr(key) if key else None, options=options)
        way = way_of(vendor, "openai", base)
        assert way is not None
        fetcher = Fetcher()
        found = reporter(way, connection, SecretStr(admin) if admin else None, fetcher)
        assert isinstance(found, ReportsAccount)
        try:
            yield found
        finally:
            await found.aclose()
            await fetcher.aclose()


def figures(report: AccountReport) -> dict[str, tuple[Decimal | None, str, str]]:
    return {f"{one.name} {one.per}".strip(): (one.value, one.unit, one.text) for one in report.figures}


def ms(days_ago: int = 0) -> int:
    return midnight(round(datetime.now(UTC).timestamp() * 1000), -days_ago)


def ticks(value: object) -> Decimal | None:
    """What xAI states of one call."""
    found = read_usage({"cost_in_usd_ticks": value})
    return found.reported_cost if found else None


# -- money ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "stated", "usd"),
    [
        (dollars, Decimal("0.06"), "0.06"),
        (dollars, "12.50", "12.50"),
        (dollars, 25, "25"),
        (dollars, "-0.5", "-0.5"),
        (dollars, "1e-7", "0.0000001"),
        (cents, 10050, "100.50"),
        (cents, "123.45", "1.2345"),
        (cents, "0.5", "0.005"),
        (cents, Decimal("-250"), "-2.50"),
        (ticks, 37_756_000, "0.0037756"),
        (dollars, None, None),
        (dollars, True, None),
        (dollars, "free", None),
        (dollars, "NaN", None),
        (dollars, "Infinity", None),
        (dollars, "1e999999", None),
        (dollars, 10**400, None),
        (cents, {"value": 1}, None),
        (cents, "", None),
    ],
)
def test_each_unit_of_money_becomes_exact_dollars_or_nothing(read, stated, usd) -> None:  # type: ignore[no-untyped-def]
    assert read(stated) == (None if usd is None else Decimal(usd))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=6))
def test_cents_are_a_hundredth_to_the_last_digit(amount: Decimal) -> None:
    assert cents(str(amount)) == amount / 100
    assert number(f" {amount} ") == amount


@given(st.recursive(st.none() | st.booleans() | st.text() | st.integers() | st.decimals(), st.lists))
def test_whatever_stands_where_a_number_should_never_raises(value: object) -> None:
    number(value)
    whole({"n": value}, "n")
    iso_ms(value)


def test_finer_splits_are_added_up_and_unknown_stays_unknown() -> None:
    one = VendorBucket(0, 1, "m", input=5, cost=Decimal("0.1"))
    two = VendorBucket(0, 1, "m", input=None, output=2, cost=Decimal("0.2"))
    assert added_up([one, two]) == (VendorBucket(0, 1, "m", input=5, output=2, cost=Decimal("0.3")),)


# -- OpenAI --------------------------------------------------------------------------------------


async def test_openai_states_usage_costs_and_limits_over_all_pages() -> None:
    said = Accounts(page_days=2)
    async with opened("openai", said) as account:
        report = await account.account()
        found = await account.usage(ms(6), ms())
    assert figures(report) == {
        "spending limit month": (Decimal("100.50"), "USD", "not reached"),
        "gpt-x": (Decimal(30000), "tokens/min", ""),
    }
    assert found is not None
    assert found.span == (ms(6), ms(-1)), "today is in it, as far as it goes"
    assert found.usage is not None
    assert found.costs is not None
    assert [one.start_at for one in found.usage] == [ms(day) for day in range(6, -1, -1)]
    assert found.usage[0] == VendorBucket(
        ms(6), ms(5), "gpt-x", "", requests=3, input=1000, output=50, cache_read=400
    )
    first, second, *_ = found.costs
    assert (first.model, first.item, first.cost) == ("gpt-x", "gpt-x, input", Decimal("0.0601"))
    assert second.cost == Decimal("0.1")
    pages = [query.get("page") for path, query, _ in said.asked if path.endswith("/costs")]
    assert pages == [None, "page_2", "page_4", "page_6"]
    assert {query["group_by[]"] for path, query, _ in said.asked if path.endswith("completions")} == {"model"}


async def test_a_foreign_currency_is_named_and_never_taken_for_dollars() -> None:
    bucket = {
        "start_time": ms() // 1000, "end_time": ms(-1) // 1000,
        "results": [{"line_item": "Seats", "amount": {"value": 7.5, "currency": "eur"}}],
    }  # fmt: skip
    said = Accounts(slow_paths={"/costs": (200, {"data": [bucket], "has_more": False})})
    async with opened("openai", said) as account:
        found = await account.usage(ms(), ms())
    assert found is not None
    assert [(one.item, one.cost) for one in found.costs or ()] == [("Seats (EUR)", None)]


async def test_pages_that_are_cut_fail_whole() -> None:
    async with opened("openai", Accounts(cut_after=1, page_days=2)) as account:
        with pytest.raises(UnexpectedResponseError, match="no end or lead nowhere"):
            await account.usage(ms(6), ms())


@pytest.mark.parametrize("vendor", ["openai", "anthropic"])
async def test_an_inference_key_is_refused_with_the_words_for_the_right_one(vendor: str) -> None:
    async with opened(vendor, Accounts(), admin=KEY) as account:
        with pytest.raises(ProviderError) as told:
            await account.prove()
    assert told.value.code in ("permission", "invalid_credentials")
    assert "does not open the account of mine" in told.value.message
    assert "switchroom keys set mine --role admin" in (told.value.hint or "")
    assert KEY not in f"{told.value.message} {told.value.hint}"


async def test_what_a_key_may_not_read_beside_the_bill_is_a_note() -> None:
    refused = (403, {"error": {"message": "missing scopes: api.management.read"}})
    said = Accounts(slow_paths={"/spend_limit": (404, {"error": {}}), "/rate_limits": refused})
    async with opened("openai", said, project="proj_1") as account:
        report = await account.account()
    assert report.figures == ()
    assert report.notes == ("The rate limits cannot be read with this key.",)


# -- Anthropic -----------------------------------------------------------------------------------


async def test_anthropic_counts_the_whole_input_and_bills_in_cents() -> None:
    said = Accounts(page_days=3)
    async with opened("anthropic", said) as account:
        await account.prove()
        found = await account.usage(ms(3), ms())
    assert found is not None
    assert found.usage is not None
    assert found.costs is not None
    assert len(found.usage) == 4
    [used] = [one for one in found.usage if one.start_at == ms()]
    assert (used.input, used.cache_read, used.cache_write, used.output) == (142, 30, 12, 20)
    [billed] = [one for one in found.costs if one.start_at == ms()]
    assert billed.cost == Decimal("1.2395"), "two context windows of one description: 123.45 + 0.5 cents"
    assert {query["starting_at"] for _, query, _ in said.asked[1:]} == {
        datetime.fromtimestamp(ms(3) / 1000, UTC).strftime("%Y-%m-%dT00:00:00Z")
    }


# -- those with the usual key --------------------------------------------------------------------


async def test_openrouter_states_its_key_and_with_a_management_key_credits_and_days() -> None:
    said = Accounts()
    async with opened("openrouter", said, admin=None) as account:
        assert figures(await account.account()) == {
            "spent with this key": (Decimal("1.25"), "USD", ""),
            "spent with this key month": (Decimal("0.5"), "USD", ""),
            "limit of this key": (None, "USD", "none"),
        }
        assert await account.usage(ms(10), ms()) is None
    async with opened("openrouter", said) as account:
        assert figures(await account.account())["credit left"] == (Decimal("20.25"), "USD", "")
        found = await account.usage(ms(50), ms())
    assert found is not None
    assert found.span == (ms(30), ms()), "30 whole days; today is not among them"
    [used] = found.usage or ()
    [billed] = found.costs or ()
    assert (used.requests, used.input, used.output, used.model) == (4, 80, 16, "openai/gpt-x")
    assert (billed.cost, billed.start_at) == (Decimal("0.020"), ms(1))
    sent = {path: headers["authorization"] for path, _, headers in said.asked}
    assert sent["/api/v1/key"] == f"Bearer {KEY}"
    assert sent["/api/v1/credits"] == f"Bearer {ADMIN}"


async def test_deepseek_keeps_its_currencies_apart() -> None:
    async with opened("deepseek", Accounts(), admin=None) as account:
        report = await account.account()
    balances = [(one.value, one.unit) for one in report.figures if one.kind == "balance"]
    assert balances == [(Decimal("110.00"), "CNY"), (Decimal("3.10"), "USD")]


async def test_litellm_and_hugging_face_state_what_they_have() -> None:
    async with opened("litellm", Accounts(), admin=None) as account:
        found = figures(await account.account())
    assert found["spent with this key"] == (Decimal("0.0123"), "USD", "")
    assert found["limit of this key 30d"] == (Decimal(10), "USD", "")
    async with opened("huggingface", Accounts(), admin=None) as account:
        found = figures(await account.account())
    assert found["period ends"] == (None, "", "2026-12-01")


# -- what goes wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(broken()))
@pytest.mark.parametrize("vendor", list(BASES))
async def test_an_answer_that_is_none_is_refused_or_states_nothing(vendor: str, name: str) -> None:
    async with opened(vendor, Accounts(answer=broken()[name])) as account:
        told = None
        try:
            report = await account.account()
            found = await account.usage(ms(2), ms())
        except UnexpectedResponseError as error:
            told = error.message
        if told is not None:
            assert "mine" in told
            return
    assert not any(one.value for one in report.figures)
    assert found is None or not (found.usage or found.costs)


async def test_a_wait_and_a_page_without_end_are_told() -> None:
    async with opened("openai", Accounts(answer=(429, {"error": {"message": "slow down"}}))) as account:
        with pytest.raises(RateLimitedError):
            await account.account()
    page = {"data": [], "has_more": True, "next_page": "again"}
    async with opened("anthropic", Accounts(answer=(200, page))) as account:
        with pytest.raises(UnexpectedResponseError, match="no end"):
            await account.usage(ms(2), ms())
    denied = Accounts(answer=(403, {"error": {"message": "no"}}))
    async with opened("deepseek", denied, admin=None) as account:
        with pytest.raises(PermissionDeniedError):
            await account.prove()


# -- which way -----------------------------------------------------------------------------------


def test_the_way_is_told_by_option_then_vendor_then_host() -> None:
    def vendor(catalog_id: str | None, url: str, **options: str) -> str | None:
        found = way_of(catalog_id, "openai", url, options)
        return found.vendor if found else None

    assert vendor("openai", "https://api.openai.com/v1") == "openai"
    assert vendor(None, "https://eu.api.openai.com/v1") == "openai"
    assert vendor(None, "https://api.openai.com.evil.example/v1") is None
    assert vendor("groq", "https://api.groq.com/openai/v1") is None
    assert vendor(None, "http://127.0.0.1:4000/v1", account="litellm") == "litellm"
    played = way_of("openai", "fake", "https://api.openai.com/v1")
    assert played is not None
    assert played.vendor == "fake", "the demo asks nobody"
    assert "another host" in why_none("xai", "openai", "https://api.x.ai/v1")
    assert "own" in why_none(None, "openai", "http://127.0.0.1:8080/v1")


def test_days_are_cut_at_utc_whatever_the_clocks_do() -> None:
    spring = round(datetime(2026, 3, 29, 12, tzinfo=UTC).timestamp() * 1000)
    assert midnight(spring, 1) - midnight(spring) == DAY_MS
    assert midnight(spring) % DAY_MS == 0
    assert iso_ms("2026-03-29") == midnight(spring)
    assert iso_ms((datetime(2026, 3, 29, tzinfo=UTC) - timedelta(0)).isoformat()) == midnight(spring)
