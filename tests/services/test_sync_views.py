"""What the screen of syncs is told: the last run, the last list, the next time; each change; an alert for dearer models."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from catalog.merge import FieldChange, ModelDiff
from services.clock import HOUR_MS, MINUTE_MS, now_ms
from services.container import Services
from services.dependents import affected
from services.feed import Alert, FeedEvent
from services.registry import ProviderDraft
from services.sync_diff import Rise, Rises, SyncChange, read_diff, rise_alert, rises
from services.sync_views import SyncView


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHROOM_RETRY__INITIAL_DELAY", "0.01")


def priced(name: str, price: str, **more: object) -> dict[str, object]:
    """A model as a list with prices names it: USD per token."""
    return {"id": name, "pricing": {"prompt": price, "completion": "0.00001"}, **more}


async def added(services: Services, vendor: Any, slug: str = "mine", **more: Any) -> None:
    await services.registry.add(ProviderDraft(slug=slug, url=vendor.url, **more), None, test=False)


async def view(services: Services, slug: str = "mine") -> SyncView:
    return next(view for view in await services.sync.overview() if view.slug == slug)


async def test_a_provider_never_synced_is_fetched_at_once_when_it_has_a_schedule(
    services: Services, vendor: Any
) -> None:
    await added(services, vendor, auto_sync="6h")
    before = await view(services)
    assert (before.last, before.good, before.changed) == (None, None, None)
    assert before.next_at is not None
    assert abs(before.next_at - now_ms()) < MINUTE_MS
    await services.sync.sync()
    after = await view(services)
    assert after.last is not None
    assert after.next_at == after.last.started_at + 6 * HOUR_MS
    assert after.good == after.last == after.changed
    assert not after.failed


async def test_what_is_off_or_fetched_by_hand_has_no_next_time(services: Services, vendor: Any) -> None:
    await added(services, vendor, "by-hand", auto_sync="off")
    await added(services, vendor, "at-start", auto_sync="start")
    await added(services, vendor, "switched-off", auto_sync="1h")
    await services.registry.set_enabled("switched-off", False)
    assert {one.slug: one.next_at for one in await services.sync.overview()} == {
        "at-start": None,
        "by-hand": None,
        "switched-off": None,
    }


async def test_the_last_price_change_is_found_behind_later_syncs(services: Services, vendor: Any) -> None:
    await added(services, vendor)
    vendor.models = [priced("a", "0.000001"), priced("b", "0.000002")]
    await services.sync.sync()
    assert (await view(services)).price is None, "new models have no price that changed"
    vendor.models = [priced("a", "0.0000015"), priced("b", "0.000002")]
    await services.sync.sync()
    rose = await view(services)
    assert rose.price is not None
    assert rose.last is not None
    assert (rose.price.at, rose.price.rose, rose.price.fell) == (rose.last.started_at, True, False)
    vendor.models = [priced("a", "0.0000015"), priced("c", "0.000002")]
    await services.sync.sync()
    assert (await view(services)).price == rose.price
    vendor.models = [priced("a", "0.000002"), priced("c", "0.000001")]
    await services.sync.sync()
    both = (await view(services)).price
    assert both is not None
    assert (both.rose, both.fell) == (True, True)


async def test_a_failure_keeps_the_last_list_beside_it(services: Services, vendor: Any) -> None:
    await added(services, vendor)
    await services.sync.sync()
    vendor.status = 500
    await services.sync.sync()
    failed = await view(services)
    assert failed.failed
    assert failed.last is not None
    assert failed.last.error_message
    assert failed.good is not None
    assert (failed.good.state, failed.good.total) == ("ok", 2)
    assert failed.changed == failed.good
    assert [run.state for run in await services.sync.history("mine")] == ["error", "ok"]


async def test_price_changes_come_first_and_are_exact(services: Services, vendor: Any) -> None:
    vendor.models = [priced("a", "0.0000025", context_length=1000), priced("b", "0.000001"), {"id": "old"}]
    await added(services, vendor)
    await services.sync.sync()
    vendor.models = [
        priced("a", "0.000003", context_length=2000),
        priced("b", "0.0000005"),
        {"id": "fresh"},
    ]
    await services.sync.sync()
    run = (await services.sync.history("mine"))[0]
    assert run.id is not None
    assert run.diff_json is None, "a list of runs carries no diffs"
    changes = await services.sync.changes(run.id)
    assert [(one.kind, one.model, one.field) for one in changes] == [
        ("price", "a", "price.input"),
        ("price", "b", "price.input"),
        ("changed", "a", "context_window"),
        ("new", "fresh", ""),
        ("gone", "old", ""),
    ]
    assert [one.rise for one in changes[:2]] == [Decimal("0.2"), Decimal("-0.5")]


async def test_a_dearer_model_that_is_on_is_one_alert_for_the_whole_sync(
    services: Services, vendor: Any
) -> None:
    vendor.models = [priced("a", "0.0000025"), priced("b", "0.000001"), priced("unused", "0.000001")]
    for slug in ("mine", "other"):
        await added(services, vendor, slug)
    await services.sync.sync()
    await services.models.set_enabled(["mine/unused", "other/unused"], False)
    told: list[FeedEvent] = []
    services.feed.subscribe(told.append, Alert)
    vendor.models = [priced("a", "0.000003"), priced("b", "0.000004"), priced("unused", "0.000009")]
    await services.sync.sync()
    (alert,) = told
    assert isinstance(alert, Alert)
    assert "mine/b in $1.00 → $4.00 (+300 %) per 1M tokens, and 3 more models." in alert.message
    assert alert.hint == "4, then enter on mine shows what changed"
    await services.sync.sync()
    assert len(told) == 1, "nothing is dearer than at the last sync"


async def test_same_name_and_another_owner_or_day_is_another_model(services: Services, vendor: Any) -> None:
    vendor.models = [
        {"id": "swapped", "created": 1_700_000_000, "owned_by": "meta"},
        {"id": "same", "created": 1_700_000_000, "owned_by": "meta"},
    ]
    await added(services, vendor)
    await services.sync.sync()
    vendor.models[0] |= {"created": 1_750_000_000, "owned_by": "somebody"}
    result = (await services.sync.sync())[0]
    assert result.updated == 1
    run = (await services.sync.history("mine"))[0]
    assert [(one.kind, one.field, one.old, one.new) for one in await services.sync.changes(run.id or 0)] == [
        ("swapped", "created", 1_700_000_000, 1_750_000_000),
        ("swapped", "owned_by", "meta", "somebody"),
    ]


async def test_a_server_that_stamps_its_answers_has_no_new_models(services: Services, vendor: Any) -> None:
    vendor.models = [{"id": "llama", "created": now_ms() // 1000 - 600}]
    await added(services, vendor)
    await services.sync.sync()
    vendor.models = [{"id": "llama", "created": now_ms() // 1000}]
    assert (await services.sync.sync())[0].diff.empty


async def test_what_rests_on_a_model_is_told(services: Services, vendor: Any) -> None:
    await added(services, vendor, default_model="alpha")
    await services.sync.sync()
    await services.models.set_default("mine/alpha")
    await services.models.set_enabled(["mine/beta"], False)
    await services.conversations.create(model_ref="mine/alpha")
    await services.budgets.set("provider:mine", "monthly", Decimal(50))
    await services.budgets.set("global", "daily", Decimal(5))
    found = await affected(services, "mine", ["alpha", "beta"])
    assert found.models == {"alpha": ("default for new chats", "default of mine", "1 conversation")}
    assert found.off == {"beta"}
    assert found.limits == ("the monthly budget of mine", "the daily budget of all")


def test_no_diff_no_changes() -> None:
    assert read_diff(None) == []


@pytest.mark.parametrize(
    ("old", "new", "share"),
    [
        ("2", "3", Decimal("0.5")),
        ("0", "3", None),
        (None, "3", None),
        ([1], [2], None),
        ("3", "3", Decimal(0)),
    ],
)
def test_a_rise_needs_two_amounts(old: object, new: object, share: Decimal | None) -> None:
    assert SyncChange("price", "m", "price.input", old, new).rise == share


def test_only_amounts_of_enabled_models_rise() -> None:
    diff = ModelDiff(
        updated=(
            FieldChange("on", "price.input", "1", "2"),
            FieldChange("on", "price.output", "2", "1"),
            FieldChange("on", "price.tiers", None, [{}]),
            FieldChange("on", "context_window", 1, 2),
            FieldChange("off", "price.input", "1", "2"),
        )
    )
    assert list(rises("p", diff.updated, {"on"})) == [Rise("p", "on", "price.input", Decimal(1), Decimal(2))]


def test_what_was_free_is_the_steepest() -> None:
    free = Rise("p", "free", "price.cache_read", Decimal(0), Decimal("0.5"))
    other = Rise("p", "b", "price.input", Decimal(1), Decimal(9))
    assert rise_alert([Rises(other, 1), Rises(free, 1)]).message.startswith(
        "p/free cached $0.00 → $0.50 per 1M tokens, and 1 more model."
    )
