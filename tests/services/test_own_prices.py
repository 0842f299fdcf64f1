"""Typed prices, mapped models and ways of paying: what holds when, what last month would have cost, and who sees it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import NotFoundError, SwitchroomError, UsageError
from catalog.money import to_nanos
from catalog.pricing import cost, price_at
from catalog.types import Price, Scheduled, Tier
from catalog.usage import Usage
from services.backtest import Mix, cost_of
from services.clock import month_bounds, now_ms
from services.container import Services
from services.feed import ModelsChanged
from services.price_edits import (
    TypedPrice,
    amount_problem,
    clear_edit,
    cost_edit,
    map_edit,
    plain_edit,
    typed_edit,
)
from services.registry import ProviderDraft
from services.run_events import RunRequest
from services.tariff import Tariff, tariff_of
from store.ledger import AttemptRow, Ledger
from store.models import ModelRow

ROOT = Path(__file__).resolve().parents[2]
TODAY = datetime.now(UTC).date()
SOON = TODAY + timedelta(days=9)
REF = "azure/chat-prod"


async def added(services: Services, slug: str = "azure", **more: Any) -> None:
    url = None if more.get("type") == "openai" else "https://llm.example.com/v1"
    draft = ProviderDraft(slug=slug, url=url, **more)
    await services.registry.add(draft, None, test=False)


def plain(amount: Decimal | None) -> str:
    assert amount is not None
    return f"{amount.normalize():f}"


def usd(text: str) -> Decimal:
    return Decimal(text)


async def save(services: Services, typed: TypedPrice, ref: str = REF) -> None:
    await services.own_prices.save([ref], typed_edit(typed))


async def shown(services: Services, ref: str = REF) -> tuple[Decimal | None, Decimal | None, str | None]:
    price = (await services.models.get(ref)).info.price
    view = await services.models.get(ref)
    return (price.input, price.output, view.info.sources.get("price")) if price else (None, None, None)


async def test_a_model_nobody_knows_is_added_with_its_price_and_everybody_is_told(services: Services) -> None:
    await added(services)
    heard: list[object] = []
    services.feed.subscribe(heard.append, ModelsChanged)
    assert not (await services.models.get(REF)).known
    await save(services, TypedPrice(usd("2.5"), usd("10")))
    assert await shown(services) == (usd("2.5"), usd("10"), "typed")
    assert [view.ref for view in await services.models.list("azure")] == [REF]
    assert heard == [ModelsChanged("azure")]
    row = (await services.audit.list(action="model.price"))[0]
    assert (row.subject, row.detail) == (
        REF,
        {"before": {}, "after": {"price": {"input": "2.5", "output": "10"}}},
    )


async def test_a_sync_keeps_it_and_it_goes_before_the_live_price(services: Services, vendor: Any) -> None:
    vendor.models = [{"id": "alpha", "pricing": {"prompt": "0.000001", "completion": "0.000002"}}]
    await services.registry.add(ProviderDraft(slug="mine", url=vendor.url), None, test=False)
    await services.sync.sync(["mine"])
    await save(services, TypedPrice(usd("3"), usd("4")), "mine/alpha")
    await services.sync.sync(["mine"])
    assert await shown(services, "mine/alpha") == (usd("3"), usd("4"), "typed")
    assert not (await services.models.get("mine/alpha")).own_cost, (
        "a loopback server is not free once it is priced"
    )
    await services.own_prices.save(["mine/alpha"], clear_edit())
    assert (await shown(services, "mine/alpha"))[2] != "typed"


async def test_a_later_price_joins_the_list_price_on_its_day_and_is_whole(services: Services) -> None:
    await added(services, type="openai")
    ref = "azure/gpt-4o"
    listed = (await services.models.get(ref)).info.price
    assert listed is not None
    await save(services, TypedPrice(usd("3"), usd("15"), from_date=SOON), ref)
    price = (await services.models.get(ref)).info.price
    assert price is not None
    assert (price.input, price.cache_read) == (listed.input, listed.cache_read)
    then = price_at(price, SOON)
    assert (then.input, then.output, then.cache_read, then.tiers, then.batch) == (
        usd("3"),
        usd("15"),
        None,
        (),
        None,
    )
    await services.own_prices.save([ref], clear_edit(SOON))
    assert (await services.models.get(ref)).info.price == listed


async def test_several_dates_and_taking_one_back(services: Services) -> None:
    await added(services)
    for days, amount in ((40, "5"), (20, "4"), (0, "2"), (20, "3")):
        await save(services, TypedPrice(usd(amount), usd(amount), from_date=TODAY + timedelta(days=days)))
    typed = (await services.own_prices.look(REF)).typed
    assert typed is not None
    assert (typed.input, [c.input for c in typed.scheduled]) == (usd("2"), [usd("3"), usd("5")])
    await services.own_prices.save([REF], clear_edit(TODAY + timedelta(days=20)))
    typed = (await services.own_prices.look(REF)).typed
    assert typed is not None
    assert [c.input for c in typed.scheduled] == [usd("5")]
    with pytest.raises(NotFoundError):
        await services.own_prices.save([REF], clear_edit(TODAY + timedelta(days=20)))
    await services.own_prices.save([REF], clear_edit())
    assert (await services.own_prices.look(REF)).typed is None
    with pytest.raises(NotFoundError):
        await services.own_prices.save([REF], clear_edit())


async def test_a_day_that_is_past_holds_at_once_and_the_ledger_stays(services: Services) -> None:
    await added(services)
    await used(services, 3)
    before = await services.db.reader.execute_fetchall("SELECT * FROM ledger")
    await save(services, TypedPrice(usd("1"), usd("2"), from_date=TODAY - timedelta(days=90)))
    assert (await shown(services))[0] == usd("1")
    assert list(await services.db.reader.execute_fetchall("SELECT * FROM ledger")) == list(before)


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "10000.01", "0.0000025", "1.0000000001"])
def test_amounts_that_cannot_be_meant_are_refused(amount: str) -> None:
    assert amount_problem(usd(amount))
    with pytest.raises(UsageError):
        typed_edit(TypedPrice(usd(amount), usd("1")))


def test_free_is_a_price_and_a_price_per_token_is_named_per_million() -> None:
    assert amount_problem(Decimal(0)) is None
    assert "2.5" in (amount_problem(usd("0.0000025")) or "")


async def test_no_discount_on_a_typed_price_but_on_a_mapped_one(services: Services) -> None:
    await added(services, discount_pct=Decimal(10))
    await services.own_prices.save([REF], map_edit("openai/gpt-4o"))
    view = await services.models.get(REF)
    listed = view.info.price
    assert listed is not None
    assert listed.input is not None
    paid = tariff_of(view).price
    assert paid is not None
    assert paid.input == listed.input * usd("0.9")
    await save(services, TypedPrice(usd("3"), usd("9"), from_date=SOON))
    view = await services.models.get(REF)
    paid = tariff_of(view).price
    assert paid is not None
    assert paid.input == listed.input * usd("0.9")
    assert price_at(paid, SOON).input == usd("3")
    await save(services, TypedPrice(usd("2"), usd("8")))
    view = await services.models.get(REF)
    paid = tariff_of(view).price
    assert paid is not None
    assert paid.input == usd("2")


async def test_a_base_fills_in_what_the_own_list_does_not_say(services: Services, vendor: Any) -> None:
    vendor.models = [
        {"id": "alpha", "context_length": 4096, "pricing": {"prompt": "0.000001", "completion": "0.000002"}}
    ]
    await services.registry.add(
        ProviderDraft(slug="mine", url=vendor.url, type="openrouter"), None, test=False
    )
    await services.sync.sync(["mine"])
    before = (await services.models.get("mine/alpha")).info
    await services.own_prices.save(["mine/alpha"], map_edit("openai/gpt-4o"))
    after = (await services.models.get("mine/alpha")).info
    assert after.max_output == 16_384
    assert after.sources["max_output"] == "map:openai/gpt-4o"
    assert (after.status, after.shutdown_date) == (before.status, before.shutdown_date)
    for field in ("context_window", "price"):
        if before.sources.get(field) == "live":
            assert (getattr(after, field), after.sources[field]) == (getattr(before, field), "live")
    await services.own_prices.save(["mine/alpha"], plain_edit())
    assert (await services.models.get("mine/alpha")).info == before


async def test_a_base_is_found_by_name_and_a_typo_is_answered(services: Services) -> None:
    await added(services, type="openai")
    assert await services.own_prices.base_of(REF, "openai/gpt-4o") == "openai/gpt-4o"
    assert await services.own_prices.base_of(REF, "gpt-4o") == "openai/gpt-4o"
    assert await services.own_prices.base_of(REF, "azure/gpt-4o") in ("openai/gpt-4o", "azure/gpt-4o")
    with pytest.raises(NotFoundError) as told:
        await services.own_prices.base_of(REF, "gpt-4oo")
    assert "openai/gpt-4o" in (told.value.hint or "")
    with pytest.raises(UsageError):
        await services.own_prices.base_of("azure/gpt-4o", "gpt-4o")


async def test_the_last_thing_said_of_a_model_holds(services: Services) -> None:
    await added(services, cost_mode="flat")
    assert (await services.models.get(REF)).own_cost
    await save(services, TypedPrice(usd("1"), usd("2")))
    assert not (await services.models.get(REF)).own_cost, (
        "a price of the model goes before the provider's way"
    )
    await services.own_prices.save([REF], cost_edit("own", usd("2.5")))
    charges = await services.own_prices.look(REF)
    assert charges.view.own_cost
    assert charges.stored.gpu_hour_nanos == 2_500_000_000
    await services.own_prices.save([REF], cost_edit("metered"))
    assert await shown(services) == (usd("1"), usd("2"), "typed")
    assert (await services.own_prices.look(REF)).stored.gpu_hour_nanos is None


async def test_estimates_and_the_quick_one_follow_a_new_price(services: Services) -> None:
    from adapters.events import Message

    await added(services)
    request = RunRequest(REF, (Message("user", "hello"),))
    await save(services, TypedPrice(usd("1"), usd("2")))
    first = (await services.estimates.estimate(request)).low
    await save(services, TypedPrice(usd("10"), usd("20")))
    view = await services.models.get(REF)
    quick = services.estimates.quick(view, 5)
    later = await services.estimates.estimate(request)
    assert first is not None
    assert later.low == first * 10
    assert quick.low is not None
    assert quick.low > first


async def used(services: Services, runs: int, **more: Any) -> None:
    """Runs of the model in the last full month, without a known cost."""
    start = month_bounds(now_ms(), -1)[0]
    async with services.db.transaction() as tx:
        for number in range(runs):
            values = {"input": 1_000_000, "output": 100_000, "cache_read": 500_000, **more}
            row = AttemptRow(
                None,
                f"r{number}",
                1,
                True,
                start + number * 3_600_000,
                "azure",
                "chat-prod",
                "complete",
                **values,
            )
            await Ledger(services.db).insert(tx, row)


async def test_what_last_month_would_have_cost(services: Services) -> None:
    await added(services)
    await used(services, 4)
    edit = typed_edit(TypedPrice(usd("2"), usd("10"), cache_read=usd("1"), per_request=usd("0.01")))
    change = (await services.own_prices.look(REF)).change(edit)
    assert change.backtest.before is None
    assert change.backtest.after == 4 * (usd("1") + usd("0.5") + usd("1") + usd("0.01"))
    assert change.backtest.sentence(plain) == "last month’s runs would have cost 10.04 (estimate)"
    await services.own_prices.save([REF], edit)
    dearer = (await services.own_prices.look(REF)).change(
        typed_edit(TypedPrice(usd("4"), usd("10"), from_date=SOON))
    )
    assert (dearer.backtest.before, dearer.backtest.after) == (usd("10.04"), usd("20"))
    assert "4 requests have no recorded cost" in "".join(dearer.backtest.notes())
    own = (await services.own_prices.look(REF)).change(cost_edit("own"))
    assert own.backtest.sentence(plain).endswith("10.04 → no price per token (estimate)")


async def test_nothing_used_is_said_and_the_last_days_stand_in_for_an_empty_month(services: Services) -> None:
    await added(services)
    edit = typed_edit(TypedPrice(usd("2"), usd("10")))
    assert "nothing to compare" in (await services.own_prices.look(REF)).change(edit).backtest.sentence(plain)
    async with services.db.transaction() as tx:
        row = AttemptRow(
            None, "r", 1, True, now_ms() - 1000, "azure", "chat-prod", "complete", input=1_000_000, output=0
        )
        await Ledger(services.db).insert(tx, row)
    words = (await services.own_prices.look(REF)).change(edit).backtest.sentence(plain)
    assert words.startswith("the last 30 days’ runs would have cost")


def test_near_midnight_the_dearer_price_is_set_aside_and_the_days_own_is_billed() -> None:
    change = Scheduled(from_date="2026-12-01", whole=True, input=usd("9"), output=usd("1"))
    tariff = Tariff(Price(input=usd("3"), output=usd("15"), scheduled=(change,)), own=False)
    last = datetime(2026, 11, 30, 23, 59, 59, 999_999, tzinfo=UTC)
    used = Usage(input=1_000_000, output=1_000_000)
    assert tariff.cost(used, last) == usd("18")
    assert tariff.cost(used, last + timedelta(microseconds=1)) == usd("10")
    noon, late = (tariff.worst(1_000_000, at) for at in (datetime(2026, 11, 30, 12, tzinfo=UTC), last))
    assert noon is not None
    assert late is not None
    assert (noon.prompt, noon.per_output_token * 1_000_000) == (usd("3"), usd("15"))
    assert (late.prompt, late.per_output_token * 1_000_000) == (usd("9"), usd("15"))


def test_a_whole_price_ends_tiers_and_what_it_does_not_name() -> None:
    price = Price(
        input=usd("1"), output=usd("2"), cache_read=usd("0.1"), per_1k_requests=usd("5"),
        tiers=(Tier(over_input_tokens=10, input=usd("7")),),
        scheduled=(Scheduled(from_date="2027-01-01", whole=True, input=usd("3"), output=usd("4")),),
    )  # fmt: skip
    then = price_at(price, date(2027, 1, 1))
    assert then == Price(input=usd("3"), output=usd("4"))
    assert price_at(price, date(2026, 12, 31)) == price


amounts = st.decimals(min_value=Decimal("0.0001"), max_value=10_000, places=9) | st.just(Decimal(0))
days = st.dates(min_value=TODAY - timedelta(days=900), max_value=TODAY + timedelta(days=900))
prices = st.builds(
    TypedPrice, amounts, amounts, st.none() | amounts, st.none() | amounts, st.none() | amounts.filter(lambda a: a < 1000), st.none() | days
)  # fmt: skip


@given(st.lists(prices, min_size=1, max_size=6), st.integers(0, 10**9), st.integers(0, 10**9), days)
def test_what_was_typed_comes_back_exactly(found: list[TypedPrice], tokens: int, out: int, day: date) -> None:
    row = ModelRow("p", "m")
    for typed in found:
        row = typed_edit(typed).apply(row)
    stored = Price.model_validate_json(row.typed_price_json or "")
    assert stored.model_dump_json(exclude_none=True, exclude_defaults=True) == row.typed_price_json
    day = max(day, TODAY)
    at_once = [one for one in found if one.from_date is None or one.from_date <= TODAY]
    ahead = {one.from_date: one for one in found if one.from_date is not None and one.from_date > TODAY}
    due = [ahead[when] for when in sorted(ahead) if when <= day]
    holds = (due or at_once)[-1] if due or at_once else None
    now = price_at(stored, day)
    if holds is None:
        assert not now.known
        return
    assert (now.input, now.output, now.cache_read, now.cache_write) == (
        holds.input, holds.output, holds.cache_read, holds.cache_write,
    )  # fmt: skip
    fee = holds.per_request or Decimal(0)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    bill = cost(stored, Usage(input=tokens, output=out), noon)
    assert bill is not None
    exact = tokens * int(holds.input * 10**9) + out * int(holds.output * 10**9) + int(fee * 10**9) * 10**6
    assert int(bill * 10**15) == exact


@given(
    prices,
    prices,
    st.integers(0, 3_599),
    st.integers(0, 3_599),
    st.integers(0, 10**6),
    st.integers(0, 10**5),
    st.integers(0, 10**6),
)
def test_no_run_costs_more_than_was_set_aside_for_it_whenever_it_begins(
    now: TypedPrice, then: TypedPrice, before: int, wait: int, prompt: int, answer: int, written: int
) -> None:
    """Set aside in the last hour of a day, sent up to an hour later, on either side of a change of price."""
    row = typed_edit(replace(now, from_date=None)).apply(ModelRow("p", "m"))
    row = typed_edit(replace(then, from_date=SOON)).apply(row)
    tariff = Tariff(Price.model_validate_json(row.typed_price_json or ""), own=False)
    at = datetime(SOON.year, SOON.month, SOON.day, tzinfo=UTC) - timedelta(seconds=before + 1)
    worst = tariff.worst(prompt, at)
    used = Usage(input=prompt, output=answer, cache_write=min(written, prompt))
    bill = tariff.cost(used, at + timedelta(seconds=wait))
    assert worst is not None
    assert bill is not None
    assert to_nanos(bill) <= worst.nanos(answer)


runs = st.lists(
    st.tuples(st.integers(0, 10**7), st.integers(0, 10**6), st.integers(0, 10**6)).map(
        lambda t: Usage(input=t[0] + t[2], output=t[1], cache_read=t[2])
    ),
    min_size=1, max_size=20,
)  # fmt: skip


@given(runs, amounts, amounts, st.none() | amounts, st.none() | amounts)
def test_the_mix_costs_exactly_what_its_runs_cost(
    found: list[Usage], into: Decimal, out: Decimal, cached: Decimal | None, fee: Decimal | None
) -> None:
    price = Price(input=into, output=out, cache_read=cached, per_1k_requests=fee)
    into_all, out_all, cached_all = (
        sum(getattr(one, name) or 0 for one in found) for name in ("input", "output", "cache_read")
    )
    mix = Mix("last month", 0, 1, len(found), len(found), into_all, out_all, cached_all, 0, 0, None, 0)
    noon = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
    each = [cost(price, one, noon) for one in found]
    assert cost_of(mix, Tariff(price, own=False), TODAY) == sum(one for one in each if one is not None)


_OTHER = """
import asyncio, sys
from decimal import Decimal
from services.container import open_services
from services.price_edits import TypedPrice, typed_edit
async def main():
    async with open_services() as services:
        await services.own_prices.save([sys.argv[1]], typed_edit(TypedPrice(Decimal("7"), Decimal("8"))))
asyncio.run(main())
"""


async def test_another_process_sees_the_price_within_two_seconds(opened: Any) -> None:
    async with opened(watch=True) as services:
        await added(services)
        await save(services, TypedPrice(usd("1"), usd("2")))
        await services.models.list()
        await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", _OTHER, REF], cwd=ROOT, check=True, capture_output=True
        )
        async with asyncio.timeout(2):
            while (await services.models.list())[0].info.price != Price(input=usd("7"), output=usd("8")):  # noqa: ASYNC110 - as a screen would look again
                await asyncio.sleep(0.05)


async def test_what_is_stored_and_cannot_be_read_does_no_harm_and_can_be_taken_back(
    services: Services,
) -> None:
    await added(services)
    await save(services, TypedPrice(usd("1"), usd("2")))
    async with services.db.transaction() as tx:
        tx.later('UPDATE models SET typed_price_json = \'{"input": "-1"}\'')
    services.feed.publish(ModelsChanged(None))
    assert (await services.models.get(REF)).info.price is None
    await services.own_prices.save([REF], clear_edit())
    rows = await services.db.reader.execute_fetchall("SELECT typed_price_json FROM models")
    assert [row[0] for row in rows] == [None]


async def test_all_or_none_of_several(services: Services) -> None:
    await added(services)
    with pytest.raises(SwitchroomError):
        await services.own_prices.save([REF, "nowhere/x"], cost_edit("own"))
    assert not (await services.models.get(REF)).known
    await services.own_prices.save([REF, "azure/b"], cost_edit("own"))
    assert [view.own_cost for view in await services.models.list("azure")] == [True, True]
    told = [json.loads(json.dumps(row.detail)) for row in await services.audit.list(action="model.cost")]
    assert [one["after"] for one in told] == [{"cost": "own"}, {"cost": "own"}]


async def test_the_list_shows_the_new_price_when_its_day_has_come(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await added(services)
    await save(services, TypedPrice(usd("1"), usd("2")))
    await save(services, TypedPrice(usd("3"), usd("4"), from_date=SOON))
    assert [view.info.price.input for view in await services.models.list() if view.info.price] == [usd("1")]
    monkeypatch.setattr("services.model_lists._today", lambda: -1)
    monkeypatch.setattr("services.merging.price_now", lambda price: price_at(price, SOON))
    assert [view.info.price.input for view in await services.models.list() if view.info.price] == [usd("3")]
