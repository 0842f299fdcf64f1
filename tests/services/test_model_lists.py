"""Which lists of models stay in memory when another process writes to the store, and which are read anew."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.container import Services
from services.feed import StoreChangedElsewhere
from services.models import ModelView
from services.registry import ProviderDraft


async def views(services: Services) -> dict[str, ModelView]:
    return {view.ref: view for view in await services.models.list()}


@pytest.fixture
async def two(services: Services, opened: Any, vendor: Any) -> Services:
    for slug in ("busy", "calm"):
        await services.registry.add(ProviderDraft(slug=slug, url=vendor.url), None, test=False)
    await services.sync.sync()
    return services


async def test_a_write_that_touches_no_model_keeps_every_list(two: Services) -> None:
    before = await views(two)
    two.feed.publish(StoreChangedElsewhere())
    after = await views(two)
    assert len(before) == 4
    assert all(after[ref] is view for ref, view in before.items())


async def switched_off(other: Services, vendor: Any) -> None:
    await other.models.set_enabled(["busy/alpha"], False)


async def one_off_for_another(other: Services, vendor: Any) -> None:
    await other.models.set_enabled(["busy/alpha"], True)
    await other.models.set_enabled(["busy/beta"], False)


async def synced(other: Services, vendor: Any) -> None:
    vendor.models = [{"id": "alpha", "name": "Alpha the second"}, {"id": "beta"}]
    await other.sync.sync(["busy"])


async def gone(other: Services, vendor: Any) -> None:
    vendor.models = [{"id": "beta"}]
    await other.sync.sync(["busy"])


async def billed(other: Services, vendor: Any) -> None:
    await other.registry.edit("busy", ProviderDraft(cost_mode="metered"))


async def made_anew(other: Services, vendor: Any) -> None:
    await other.registry.remove("busy")
    await other.registry.add(ProviderDraft(slug="busy", url=vendor.url), None, test=False)
    vendor.models = [{"id": "alpha"}, {"id": "omega"}]
    await other.sync.sync(["busy"])


@pytest.mark.parametrize("change", [switched_off, one_off_for_another, synced, gone, billed, made_anew])
async def test_what_another_process_changed_is_read_and_nothing_else(
    two: Services, opened: Any, vendor: Any, change: Callable[[Services, Any], Awaitable[None]]
) -> None:
    async with opened() as other:
        if change is one_off_for_another:
            await switched_off(other, vendor)
        before = await views(two)
        await change(other, vendor)
        two.feed.publish(StoreChangedElsewhere())
        after, truth = await views(two), await views(other)
    assert after == truth
    assert after != before
    assert all(after[ref] is before[ref] for ref in before if ref.startswith("calm/"))


async def test_one_model_asked_for_is_never_an_old_one(two: Services, opened: Any, vendor: Any) -> None:
    await views(two)
    async with opened() as other:
        await switched_off(other, vendor)
    two.feed.publish(StoreChangedElsewhere())
    assert not (await two.models.get("busy/alpha")).enabled


async def test_several_who_ask_at_once_get_the_same_list(two: Services) -> None:
    first, second = await asyncio.gather(views(two), views(two))
    assert all(second[ref] is view for ref, view in first.items())


async def test_what_changes_while_it_is_read_is_read_again(
    two: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    from store.models import Models

    real = Models.list

    async def slow(self: Models, provider: str | None = None) -> Any:
        rows = await real(self, provider)
        monkeypatch.setattr(Models, "list", real)
        await two.models.set_enabled(["busy/alpha"], False)
        return rows

    monkeypatch.setattr(Models, "list", slow)
    await views(two)
    assert not (await views(two))["busy/alpha"].enabled
