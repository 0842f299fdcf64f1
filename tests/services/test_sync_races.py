"""What happens to a provider while it is synced: another program syncs it too, or somebody edits it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.container import Services
from services.registry import ProviderDraft


async def added(services: Services, vendor: Any) -> None:
    await services.registry.add(ProviderDraft(slug="mine", url=vendor.url), None, test=False)


async def changes_of(services: Services) -> list[tuple[str, int, int]]:
    return [(run.state, run.added, run.removed) for run in await services.sync.history("mine")]


async def test_two_programs_at_once_tell_a_new_model_once(opened: Any, vendor: Any) -> None:
    async with opened() as one, opened() as two:
        await added(one, vendor)
        vendor.delay = 0.1
        first, second = await asyncio.gather(one.sync.sync(), two.sync.sync())
        assert len(vendor.requests) == 2
        assert {result.state for result in (*first, *second)} == {"ok"}
        assert sorted(await changes_of(one)) == [("ok", 0, 0), ("ok", 2, 0)]


async def test_a_collapse_that_two_programs_hear_at_once_is_said_once(
    opened: Any, vendor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.sync_belief.is_own_server", lambda _endpoint: False)
    vendor.models = [{"id": f"m{number}"} for number in range(40)]
    async with opened() as one, opened() as two:
        await added(one, vendor)
        await one.sync.sync()
        vendor.models, vendor.delay = [], 0.1
        results = await asyncio.gather(one.sync.sync(), two.sync.sync())
        assert [result.state for [result] in results] == ["error", "error"]
        assert all(view.available for view in await one.models.list())
        assert [result.state for result in await two.sync.sync()] == ["ok"], "said again, it is true"


async def test_the_list_of_the_address_of_before_is_not_kept(services: Services, make_vendor: Any) -> None:
    before, after = await make_vendor(), await make_vendor()
    before.delay, after.models = 0.2, [{"id": "other"}]
    await added(services, before)
    syncing = asyncio.create_task(services.sync.sync())
    await before.reached.wait()
    await services.registry.edit("mine", ProviderDraft(url=after.url))
    [result] = await syncing
    assert result.state == "error"
    assert result.error is not None
    assert (
        result.error.message == "mine was edited while its models were fetched; the list from before stays."
    )
    assert (await services.registry.row("mine")).state == "untested", "it says nothing of the new address"
    assert [view.info.id for view in await services.models.list()] == []
    [result] = await services.sync.sync()
    assert (result.state, result.diff.added) == ("ok", ("other",))


async def test_a_failure_of_the_address_of_before_leaves_the_new_one_untested(
    services: Services, make_vendor: Any
) -> None:
    before, after = await make_vendor(), await make_vendor()
    before.delay, before.status = 0.2, 401
    await added(services, before)
    syncing = asyncio.create_task(services.sync.sync())
    await before.reached.wait()
    await services.registry.edit("mine", ProviderDraft(url=after.url))
    assert [result.state for result in await syncing] == ["error"]
    assert (await services.registry.row("mine")).state == "untested"


async def test_a_provider_switched_off_meanwhile_keeps_its_list_and_stays_off(
    services: Services, vendor: Any
) -> None:
    vendor.delay = 0.2
    await added(services, vendor)
    syncing = asyncio.create_task(services.sync.sync())
    await vendor.reached.wait()
    await services.registry.set_enabled("mine", False)
    assert [result.state for result in await syncing] == ["ok"]
    assert not (await services.registry.row("mine")).enabled
