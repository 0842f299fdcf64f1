"""Typed prices at the edges: absurd amounts, a dearer cache, a provider that is deleted meanwhile, two processes at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from catalog.errors import NotFoundError, UsageError
from catalog.money import to_nanos
from catalog.types import Price, Scheduled, Tier
from catalog.usage import Usage
from services.container import Services
from services.feed import Alert, StoreChangedElsewhere
from services.overview import price_rises
from services.own_facts import TypedFacts, facts_edit
from services.price_edits import TypedPrice, amount_problem, cost_edit, typed_edit
from services.registry import ProviderDraft
from services.tariff import Tariff, tariff_of
from store.models import ModelRow, Models

REF = "azure/chat-prod"


async def added(services: Services, **more: Any) -> None:
    draft = ProviderDraft(slug="azure", url="https://llm.example.com/v1", **more)
    await services.registry.add(draft, None, test=False)


@pytest.mark.parametrize(
    "amount", ["1E-300000", "1E-999999", "-1E-300000", "0.0000000000000001", "1E+999999"]
)
def test_an_absurd_amount_is_refused_in_few_words(amount: str) -> None:
    problem = amount_problem(Decimal(amount))
    assert problem is not None
    assert len(problem) < 100


@pytest.mark.parametrize(
    "price",
    [
        Price(input=Decimal("1e30"), output=Decimal(1)),
        Price(input=Decimal(1), output=Decimal("1e999999")),
        Price(input=Decimal(1), output=Decimal(1), per_1k_requests=Decimal("1e19")),
        Price(input=Decimal(1), output=Decimal(1), tiers=(Tier(over_input_tokens=9, input=Decimal("1e20")),)),
        Price(
            input=Decimal(1),
            output=Decimal(1),
            scheduled=(Scheduled(from_date="2030-01-01", output=Decimal("1e20")),),
        ),
    ],
)
async def test_a_list_with_an_absurd_price_leaves_the_model_usable_at_an_unknown_price(
    services: Services, price: Price
) -> None:
    await added(services)
    async with services.db.transaction() as tx:
        row = ModelRow("azure", "chat-prod", price_json=price.model_dump_json(exclude_none=True), last_seen=1)
        await Models(services.db).replace_live(tx, "azure", [row])
    view = await services.models.get(REF)
    tariff = tariff_of(view)
    assert (tariff.price, tariff.own, tariff.known) == (None, False, False)


def test_a_cache_that_is_dearer_than_the_prompt_is_set_aside_too() -> None:
    row = typed_edit(TypedPrice(Decimal(1), Decimal(2), cache_read=Decimal(5))).apply(
        ModelRow("azure", "chat-prod")
    )
    tariff = Tariff(Price.model_validate_json(row.typed_price_json or ""), own=False)
    at = datetime(2026, 11, 21, 12, tzinfo=UTC)
    bill = tariff.cost(Usage(input=1_000, cache_read=1_000, output=10), at)
    worst = tariff.worst(1_000, at)
    assert bill is not None
    assert worst is not None
    assert to_nanos(bill) <= worst.nanos(10)


async def test_a_provider_deleted_while_its_price_is_typed_is_said_and_nothing_is_kept(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await added(services)
    row = services.registry.row

    async def and_then_it_is_deleted(slug: str) -> object:
        monkeypatch.undo()
        found = await row(slug)
        await services.registry.remove(slug)
        return found

    monkeypatch.setattr(services.registry, "row", and_then_it_is_deleted)
    with pytest.raises(NotFoundError, match="azure was deleted meanwhile"):
        await services.own_prices.save([REF], typed_edit(TypedPrice(Decimal(1), Decimal(2))))
    assert await Models(services.db).list() == []
    assert await services.audit.list(action="model.price") == []


async def test_prices_typed_at_once_for_other_days_are_all_kept(services: Services, opened: Any) -> None:
    async with opened() as other:
        await typed_by_both(services, other)


async def typed_by_both(one: Services, two: Services) -> None:
    await added(one)
    year = datetime.now(UTC).year + 1

    async def save(services: Services, month: int) -> None:
        day = datetime(year, month, 1, tzinfo=UTC).date()
        await services.own_prices.save(
            [REF], typed_edit(TypedPrice(Decimal(month), Decimal(1), from_date=day))
        )

    await asyncio.gather(*(save(one if month % 2 else two, month) for month in range(1, 9)))
    stored = await Models(one.db).get("azure", "chat-prod")
    assert stored is not None
    price = Price.model_validate_json(stored.typed_price_json or "")
    assert [(change.from_date[5:7], change.input) for change in price.scheduled] == [
        (f"{month:02}", Decimal(month)) for month in range(1, 9)
    ]
    rows = await one.audit.list(action="model.price")
    assert len(rows) == 8, "each is in the audit log, with what was before it"
    befores = [len(row.detail["before"].get("price", {}).get("scheduled", ())) for row in reversed(rows)]
    assert befores == list(range(8))


@pytest.mark.parametrize("way", ["listed", "typed", "later", "flat", "metered"])
async def test_a_dearer_list_alarms_only_where_its_price_counts(
    services: Services, vendor: Any, way: str
) -> None:
    def lists(price: str) -> None:
        vendor.models = [{"id": "alpha", "pricing": {"prompt": price, "completion": price}}]

    ref, year = "mine/alpha", datetime.now(UTC).year + 1
    heard: list[Alert] = []
    services.feed.subscribe(heard.append, Alert)
    await services.registry.add(ProviderDraft(slug="mine", url=vendor.url), None, test=False)
    lists("0.000001")
    await services.sync.sync(["mine"])
    typed = TypedPrice(Decimal(3), Decimal(4))
    if way in ("typed", "metered"):
        await services.own_prices.save([ref], typed_edit(typed))
    if way == "later":
        later = replace(typed, from_date=datetime(year, 1, 1, tzinfo=UTC).date())
        await services.own_prices.save([ref], typed_edit(later))
    if way in ("flat", "metered"):
        await services.own_prices.save([ref], cost_edit("flat" if way == "flat" else "metered"))
    lists("0.000002")
    await services.sync.sync(["mine"])
    told = [alert for alert in heard if "Dearer" in alert.title]
    standing = await price_rises(services, await services.registry.list())
    expected = way in ("listed", "later")
    assert bool(told) is expected
    assert bool(standing) is expected


async def test_a_quick_estimate_takes_the_discount_off_and_follows_it(services: Services) -> None:
    await services.registry.add(
        ProviderDraft(slug="azure", type="openai", discount_pct=Decimal(50)), None, test=False
    )
    used = Usage(input=1_000_000, output=0)

    async def cost() -> Decimal | None:
        [view] = [view for view in await services.models.list("azure") if view.info.id == "gpt-4o"]
        assert services.estimates.quick(view, 400).high == services.estimates.price_of(
            view, Usage(input=104, output=services.estimates.quick(view, 400).max_output)
        )
        return services.estimates.price_of(view, used)

    price = (await services.models.get("azure/gpt-4o")).info.price
    assert price is not None
    assert price.input is not None
    assert await cost() == price.input / 2, "although nobody prepared the model"
    await services.registry.edit("azure", ProviderDraft(discount_pct=Decimal(0)))
    assert await cost() == price.input


async def test_another_program_sees_a_typed_context_and_a_damaged_one_does_no_harm(
    services: Services, opened: Any
) -> None:
    await added(services)
    await services.own_prices.save([REF], facts_edit(TypedFacts(context_window=8_000, name="Our chat")))
    async with opened() as other:
        [view] = await other.models.list("azure")
        assert (view.info.context_window, view.info.name) == (8_000, "Our chat")
        await services.own_prices.save([REF], facts_edit(TypedFacts(context_window=9_000)))
        other.feed.publish(StoreChangedElsewhere())
        [view] = await other.models.list("azure")
        assert (view.info.context_window, view.info.sources["context_window"]) == (9_000, "typed")
    for damaged in ("{", "[]", '{"context_window": "1", "max_output": true, "name": 3}', "[" * 9_000):
        async with services.db.transaction() as tx:
            row = await Models(services.db).locked(tx, "azure", "chat-prod")
            await Models(services.db).set_charges(tx, replace(row, typed_facts_json=damaged))
        services.feed.publish(StoreChangedElsewhere())
        assert (await services.models.get(REF)).info.context_window is None


async def test_a_later_price_that_would_never_count_is_refused(services: Services) -> None:
    await added(services)
    day = datetime(datetime.now(UTC).year + 1, 1, 1, tzinfo=UTC).date()
    later = typed_edit(TypedPrice(Decimal(1), Decimal(2), from_date=day))
    await services.own_prices.save([REF], cost_edit("flat"))
    with pytest.raises(UsageError, match="would never count"):
        await services.own_prices.save([REF], later)
    await services.own_prices.save([REF], cost_edit("metered"))
    await services.own_prices.save([REF], later)
    assert not (await services.models.get(REF)).own_cost
