"""Lists that are not there, shrink beyond belief, or name other weights; and how long the record of syncs is kept."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from adapters.base import RemoteModel
from services import sync_belief
from services.clock import DAY_MS, now_ms
from services.container import Services
from services.registry import ProviderDraft
from services.sync_diff import SyncChange
from store.sync_runs import KEPT_RUNS, NO_LIST, SyncRunRow, SyncRuns


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHROOM_RETRY__INITIAL_DELAY", "0.01")


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loopback server stands for a vendor's."""
    monkeypatch.setattr(sync_belief, "is_own_server", lambda _endpoint: False)


async def added(services: Services, vendor: Any, slug: str = "mine", **more: Any) -> None:
    await services.registry.add(ProviderDraft(slug=slug, url=vendor.url, **more), None, test=False)


def named(count: int) -> list[dict[str, object]]:
    return [{"id": f"m{number:02}"} for number in range(count)]


# --- no list ---------------------------------------------------------------------------------------------


class Listless:
    """A vendor with chat and no list, as Perplexity is."""

    def __init__(self, status: int, chat: int = 400) -> None:
        self.status, self.chat, self.port = status, chat, 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status = self.status if head.startswith("GET") else self.chat
        body = json.dumps({"error": {"message": "no model given"}}).encode()
        writer.write(
            b"HTTP/1.1 %d X\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b" % (status, len(body), body)
        )
        await writer.drain()
        writer.close()


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_a_vendor_without_a_list_is_in_order_and_its_catalog_models_count(
    services: Services, status: int
) -> None:
    vendor = Listless(status)
    server = await asyncio.start_server(vendor.serve, "127.0.0.1", 0)
    vendor.port = server.sockets[0].getsockname()[1]
    await added(services, vendor, type="perplexity")
    [result] = await services.sync.sync()
    known = await services.models.list(provider="mine")
    assert (result.state, result.error, result.listed, result.total) == ("ok", None, False, len(known))
    assert known, "the catalog's"
    [run] = await services.sync.history("mine")
    assert (run.state, run.error_code, run.error_message) == ("ok", NO_LIST, None)
    assert (await services.registry.get("mine")).state == "ok"
    vendor.chat = 401
    [refused] = await services.sync.sync()
    assert refused.error is not None
    assert refused.error.code == "invalid_credentials"
    vendor.chat = 404
    [wrong] = await services.sync.sync()
    assert wrong.state == "error", "a wrong address has no list either"
    server.close()


async def test_a_list_that_was_there_and_is_not_found_any_more_is_an_error(
    services: Services, vendor: Any
) -> None:
    await added(services, vendor)
    await services.sync.sync()
    vendor.status = 404
    [result] = await services.sync.sync()
    assert (result.state, result.total) == ("error", 2)
    assert len(await services.models.list()) == 2


# --- hard to believe -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("far")
@pytest.mark.parametrize(("before", "after"), [(40, 0), (40, 4), (3, 0)])
async def test_a_list_that_collapses_is_believed_when_it_is_said_twice(
    services: Services, vendor: Any, before: int, after: int
) -> None:
    vendor.models = named(before)
    await added(services, vendor)
    await services.sync.sync()
    vendor.models = named(after)
    [first] = await services.sync.sync()
    assert first.error is not None
    assert (first.state, first.total, first.error.code) == ("error", before, "unexpected_response")
    assert all(view.available for view in await services.models.list())
    run = (await services.sync.history("mine"))[0]
    assert run.id is not None
    assert len(await services.sync.changes(run.id)) == before - after, (
        "what it would have changed can be seen"
    )
    [second] = await services.sync.sync()
    assert (second.state, second.total, second.removed) == ("ok", after, before - after)
    assert sum(view.available for view in await services.models.list()) == after


@pytest.mark.usefixtures("far")
async def test_a_collapse_that_passes_leaves_nothing_behind(services: Services, vendor: Any) -> None:
    vendor.models = named(40)
    await added(services, vendor)
    for models in (named(40), [], named(40)):
        vendor.models = models
        [result] = await services.sync.sync()
    assert (result.state, result.diff.empty) == ("ok", True)
    vendor.models = []
    assert (await services.sync.sync())[0].state == "error", "doubted anew"


async def test_a_server_of_ones_own_is_believed_at_once(services: Services, vendor: Any) -> None:
    vendor.models = named(12)
    await added(services, vendor)
    await services.sync.sync()
    vendor.models = []
    [result] = await services.sync.sync()
    assert (result.state, result.removed) == ("ok", 12)


# --- same name, different model ----------------------------------------------------------------------------


async def test_other_weights_under_the_same_name_are_told(services: Services, vendor: Any) -> None:
    def serving(root: str) -> list[dict[str, object]]:
        return [{"id": "chat", "owned_by": "vllm", "root": root, "max_model_len": 4096}]

    vendor.models = serving("acme/Seven-7B")
    await added(services, vendor)
    await services.sync.sync()
    vendor.models = serving("acme/Seven-7B-AWQ")
    [result] = await services.sync.sync()
    assert result.updated == 1
    run = (await services.sync.history("mine"))[0]
    assert run.id is not None
    assert await services.sync.changes(run.id) == [
        SyncChange("swapped", "chat", "fingerprint", "acme/Seven-7B", "acme/Seven-7B-AWQ")
    ]


async def test_what_could_not_be_asked_this_time_is_kept(
    services: Services, vendor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await added(services, vendor)
    adapter = await services.registry.adapter("mine")
    said = RemoteModel("a", context_window=8192, fingerprint="x", details={"quantization": "Q4"}, chat=True)
    for model in (said, RemoteModel("a", partial=True, context_window=4096), RemoteModel("a")):

        async def listed(model: RemoteModel = model) -> list[RemoteModel]:
            return [model]

        monkeypatch.setattr(type(adapter), "list_models", lambda _self, listed=listed: listed())
        await services.sync.sync()
        rows = await services.sync._models.list("mine")
        if model.partial:
            assert (rows[0].context_window, rows[0].fingerprint, rows[0].chat) == (4096, "x", True)
            assert rows[0].details_json == '{"quantization": "Q4"}'
    assert (rows[0].context_window, rows[0].fingerprint, rows[0].details_json) == (None, None, None)


# --- the record --------------------------------------------------------------------------------------------


async def kept(services: Services, runs: list[SyncRunRow]) -> list[SyncRunRow]:
    repository = SyncRuns(services.db)
    for run in runs:
        async with services.db.transaction() as tx:
            await repository.insert(tx, run)
    return await repository.history("mine", 10_000)


def run(days_ago: float, **more: Any) -> SyncRunRow:
    at = now_ms() - round(days_ago * DAY_MS)
    return SyncRunRow(None, "mine", at, 5, **{"state": "ok", "total": 3, **more})


async def test_old_runs_go_but_not_what_the_screens_name(services: Services, vendor: Any) -> None:
    await added(services, vendor)
    dearer = (
        '{"added": [], "removed": [], "updated": [{"id": "a", "field": "price.input", "old": 1, "new": 2}]}'
    )
    left = await kept(
        services,
        [
            run(800, updated=1, diff_json=dearer),
            run(700, added=1, diff_json='{"added": ["b"]}'),
            run(500, added=1, diff_json='{"added": ["c"]}'),
            run(100),
            run(90, state="error", error_code="timeout"),
            run(50),
            run(20, state="error", error_code="timeout"),
            run(0, state="error", error_code="timeout"),
        ],
    )
    days = [round((now_ms() - one.started_at) / DAY_MS) for one in left]
    assert days == [0, 20, 50, 500, 800], "failures, the last good list, the last change, the last price"
    assert (await SyncRuns(services.db).last_price_change("mine")) is not None


async def test_only_so_many_runs_are_kept(services: Services, vendor: Any) -> None:
    await added(services, vendor)
    async with services.db.transaction() as tx:
        repository = SyncRuns(services.db)
        for number in range(KEPT_RUNS + 20):
            await repository.insert(tx, run(1 - number / 10_000))
    assert len(await repository.history("mine", 10_000)) == KEPT_RUNS
