"""Model lists are fetched, compared, kept, and survive what goes wrong."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from pydantic import SecretStr

from catalog.errors import NotFoundError, UsageError
from services.container import Services
from services.feed import FeedEvent, ModelsChanged, SyncEnded, SyncProgress
from services.registry import ProviderDraft
from services.schedule import check, due, next_time
from services.sync_diff import SyncChange

KEY = "sk-canary-7f3a9b2c1d4e5f60718293a4b5c6vX2Q"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHROOM_RETRY__INITIAL_DELAY", "0.01")


async def added(services: Services, vendor: Any, slug: str = "mine", **more: Any) -> None:
    await services.registry.add(ProviderDraft(slug=slug, url=vendor.url, **more), None, test=False)


async def ids(services: Services, **chosen: Any) -> list[str]:
    return [view.ref for view in await services.models.list(**chosen)]


async def test_the_first_sync_brings_the_list_and_tells(services: Services, vendor: Any) -> None:
    await added(services, vendor)
    told: list[FeedEvent] = []
    services.feed.subscribe(told.append, SyncProgress, SyncEnded, ModelsChanged)
    result = (await services.sync.sync())[0]
    assert (result.state, result.total, result.added, result.removed) == ("ok", 2, 2, 0)
    assert result.diff.added == ("alpha", "beta")
    assert [event.phase for event in told if isinstance(event, SyncProgress)] == [
        "waiting",
        "fetching",
        "saving",
        "done",
    ]
    assert isinstance(told[-1], SyncEnded)
    assert await ids(services) == ["mine/alpha", "mine/beta"]
    view = await services.registry.get("mine")
    assert (view.state, view.models_enabled, view.models_total) == ("ok", 2, 2)
    assert view.last_sync is not None
    assert view.last_sync.state == "ok"


async def test_the_diff_says_what_came_went_and_changed(services: Services, vendor: Any) -> None:
    vendor.models = [{"id": "a", "context_length": 1000}, {"id": "b"}]
    await added(services, vendor)
    await services.sync.sync()
    vendor.models = [{"id": "a", "context_length": 2000}, {"id": "c"}]
    result = (await services.sync.sync())[0]
    assert (result.diff.added, result.diff.removed) == (("c",), ("b",))
    assert [(one.id, one.field, one.old, one.new) for one in result.diff.updated] == [
        ("a", "context_window", 1000, 2000)
    ]
    gone = await services.models.get("mine/b")
    assert (gone.available, gone.info.status, gone.known) == (False, "unavailable", True)
    kept = (await services.sync.history("mine"))[0]
    assert kept.id is not None
    assert await services.sync.changes(kept.id) == [
        SyncChange("changed", "a", "context_window", 1000, 2000),
        SyncChange("new", "c"),
        SyncChange("gone", "b"),
    ]
    vendor.models.append({"id": "b"})
    again = (await services.sync.sync())[0]
    assert again.diff.added == ("b",)
    assert (await services.models.get("mine/b")).available


async def test_a_failure_keeps_the_last_good_list_and_its_words(
    services: Services, vendor: Any, written: Any
) -> None:
    vendor.key = KEY
    await services.registry.add(ProviderDraft(slug="mine", url=vendor.url), SecretStr(KEY))
    await services.sync.sync()
    vendor.key = "rotated"
    result = (await services.sync.sync())[0]
    assert result.state == "error"
    assert result.error is not None
    assert (result.error.code, result.error.provider, result.total) == ("invalid_credentials", "mine", 2)
    assert await ids(services) == ["mine/alpha", "mine/beta"]
    view = await services.registry.get("mine")
    assert view.state == "invalid_key"
    assert view.last_sync is not None
    assert view.last_sync.error_message
    assert written(KEY) == ["config/credentials/mine.json"]


async def test_one_bad_provider_and_one_bad_model_do_not_stop_the_rest(
    services: Services, make_vendor: Any
) -> None:
    good, bad, odd = await make_vendor(), await make_vendor(), await make_vendor()
    bad.body = "<html>a login page</html>"
    odd.models = [{"id": "fine"}, {"object": "model"}, 7, {"id": "also fine", "context_length": "many"}]
    for slug, vendor in (("good", good), ("bad", bad), ("odd", odd)):
        await added(services, vendor, slug)
    results = {one.slug: one for one in await services.sync.sync()}
    assert {slug: one.state for slug, one in results.items()} == {"good": "ok", "bad": "error", "odd": "ok"}
    assert await ids(services, provider="odd") == ["odd/also fine", "odd/fine"]


async def test_what_may_pass_is_tried_again_and_the_rest_is_not(services: Services, vendor: Any) -> None:
    await added(services, vendor)
    vendor.fail_first = 2
    assert (await services.sync.sync())[0].state == "ok"
    assert len(vendor.requests) == 3
    vendor.requests.clear()
    vendor.status = 404
    assert (await services.sync.sync())[0].state == "error"
    assert len([path for path, _ in vendor.requests if path.endswith("/models")]) <= 2


async def test_it_ends_in_time_with_the_true_reason(
    opened: Any, vendor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHROOM_SYNC__TIMEOUT", "0.5")
    async with opened() as services:
        await added(services, vendor)
        vendor.delay = 5
        began = time.monotonic()
        slow = (await services.sync.sync())[0]
        assert time.monotonic() - began < 4
        assert slow.error is not None
        assert slow.error.code == "timeout"
        vendor.delay, vendor.status = 0, 429
        vendor.headers = {"retry-after": "60"}
        limited = (await services.sync.sync())[0]
        assert limited.error is not None
        assert limited.error.code == "rate_limited"
        assert (await services.registry.get("mine")).state == "limited"


async def test_many_run_side_by_side_within_the_limit(
    opened: Any, make_vendor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHROOM_SYNC__CONCURRENCY", "3")
    async with opened() as services:
        vendors = [await make_vendor() for _ in range(6)]
        for number, vendor in enumerate(vendors):
            vendor.delay = 0.2
            await added(services, vendor, f"v{number}")
        busy: set[str] = set()
        most = 0

        def count(event: SyncProgress) -> None:
            nonlocal most
            (busy.add if event.phase == "fetching" else busy.discard)(event.provider)
            most = max(most, len(busy))

        services.feed.subscribe(count, SyncProgress)
        await services.sync.sync()
        assert most == 3


async def test_asked_twice_at_once_it_asks_the_vendor_once(services: Services, vendor: Any) -> None:
    await added(services, vendor)
    vendor.delay = 0.1
    one, two = await asyncio.gather(services.sync.sync(["mine"]), services.sync.sync(["mine"]))
    assert one == two
    assert len(vendor.requests) == 1
    assert services.sync.active == ()


async def test_stopped_by_the_user_nothing_is_kept(services: Services, vendor: Any) -> None:
    await added(services, vendor)
    vendor.delay = 30
    task = asyncio.create_task(services.sync.sync())
    await vendor.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert services.sync.active == ()
    assert await services.sync.history("mine") == []


async def test_names_that_do_not_exist_or_are_off(services: Services, vendor: Any) -> None:
    await added(services, vendor)
    with pytest.raises(NotFoundError):
        await services.sync.sync(["nine"])
    await services.registry.set_enabled("mine", False)
    with pytest.raises(UsageError):
        await services.sync.sync(["mine"])
    assert await services.sync.sync() == []


async def test_at_start_only_those_that_want_it(services: Services, make_vendor: Any) -> None:
    wanting, not_wanting = await make_vendor(), await make_vendor()
    await added(services, wanting, "a")
    await added(services, not_wanting, "b", auto_sync="off")
    assert [one.slug for one in await services.schedules.fire(starting=True)] == ["a"]
    assert not_wanting.requests == []


async def test_a_dry_run_shows_the_diff_and_keeps_the_old_list(opened: Any, vendor: Any) -> None:
    async with opened() as services:
        await added(services, vendor)
        await services.sync.sync()
    vendor.models = [{"id": "gamma"}]
    async with opened(dry_run=True) as services:
        result = (await services.sync.sync())[0]
        assert (result.diff.added, result.diff.removed) == (("gamma",), ("alpha", "beta"))
        assert await ids(services) == ["mine/alpha", "mine/beta"]


@pytest.mark.parametrize(
    "text", ["off", "start", "6h", "30m", "0 6 * * *", "*/15 8-18 * * 1-5", "0 0 1,15 * 7"]
)
def test_schedules_that_are_taken(text: str) -> None:
    assert check(f"  {text.upper()} ") == text


@pytest.mark.parametrize(
    "text", ["", "1s", "2m", "soon", "61 * * * *", "* * * *", "*/0 * * * *", "5-1 * * * *", "a * * * *"]
)
def test_schedules_that_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        check(text)


def test_when_a_schedule_fires() -> None:
    noon = 1_795_000_000_000
    assert due("6h", noon, noon + 6 * 3_600_000)
    assert not due("6h", noon, noon + 5 * 3_600_000)
    assert due("6h", None, noon)
    assert not due("off", None, noon)
    assert not due("start", None, noon)
    quarter = next_time("*/15 * * * *", noon)
    assert quarter is not None
    assert quarter > noon
    assert quarter % 900_000 == 0
    assert next_time("0 0 30 2 *", noon) is None


async def test_a_provider_deleted_while_it_is_fetched_leaves_nothing_and_is_named(
    services: Services, vendor: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.registry.add(ProviderDraft(slug="mine", url=vendor.url), None, test=False)

    async def deleted(slug: str) -> Any:
        monkeypatch.setattr(services.sync._models, "list", real)
        await services.registry.remove(slug)
        return await real(slug)

    real = services.sync._models.list
    monkeypatch.setattr(services.sync._models, "list", deleted)
    [result] = await services.sync.sync(["mine"])
    assert result.state == "error"
    assert result.error is not None
    assert result.error.message == "mine was deleted while its models were fetched."
    assert not caplog.records, "that is nothing unforeseen"
    assert await services.models.list() == []
