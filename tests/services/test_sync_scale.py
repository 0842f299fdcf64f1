"""All bundled vendors, 5,000 models of one server, and four that misbehave, together: each ends on its own, in words."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from typing import Any

import pytest

from adapters.loader import dialects
from catalog.bundled import provider_ids, spec
from services.calm import calm
from services.feed import FeedEvent, SyncProgress
from services.registry import ProviderDraft

MODELS = 5_000


async def test_a_large_house_with_four_bad_providers(
    opened: Any, make_vendor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHROOM_SYNC__TIMEOUT", "6")
    monkeypatch.setenv("SWITCHROOM_RETRY__INITIAL_DELAY", "0.01")
    large, plain, hanging, page, bare, locked = [await make_vendor() for _ in range(6)]
    names = ("alpha", "beta")
    plain.body = json.dumps({  # each dialect's list in one
        "object": "list",
        "data": [{"id": name} for name in names],
        "models": [{"name": f"models/{name}", "model": name} for name in names],
    })  # fmt: skip
    large.models = [{"id": f"family-{i % 7}/m-{i}", "context_length": 8192} for i in range(MODELS)]
    hanging.delay = 60
    page.body = "\n <!doctype html><title>Please sign in</title>"
    bare.body = json.dumps([{"id": "x"}, {"id": "y"}])
    locked.key = "another"
    vendors = [name for name in provider_ids() if (one := spec(name)) and one.dialect in dialects()]
    house = {**dict.fromkeys(vendors, plain), "large": large, "hanging": hanging, "page": page, "bare": bare, "locked": locked}  # fmt: skip
    async with opened() as services:
        for slug, vendor in house.items():
            known = {"type": slug} if slug in vendors else {}
            draft = ProviderDraft(slug=slug, url=vendor.url, auto_sync="off", **known)
            await services.registry.add(draft, None, test=False)
        told: list[FeedEvent] = []
        others = asyncio.Event()

        def tell(event: FeedEvent) -> None:
            told.append(event)
            if isinstance(event, SyncProgress) and event.done == event.total - 1:
                others.set()

        services.feed.subscribe(tell, SyncProgress)
        began = time.monotonic()
        syncing = asyncio.create_task(services.sync.sync())
        await others.wait()
        assert time.monotonic() - began < 6, "nobody waits for the one that hangs"
        await asyncio.sleep(0)
        assert services.sync.active == ("hanging",)
        assert {view.slug for view in await services.sync.overview() if view.last is not None} == house.keys() - {"hanging"}  # fmt: skip
        results = {result.slug: result for result in await syncing}
        bad = {slug: one.error.code for slug, one in results.items() if one.error is not None}
        assert bad == {"hanging": "timeout", "page": "unexpected_response", "locked": "invalid_credentials"}
        said = results["page"].error
        assert said is not None
        assert said.message == "page answers with a web page instead of a list of models."
        assert (results["bare"].total, results["large"].total) == (2, MODELS)
        assert sum(result.total for result in results.values()) == MODELS + 2 + 2 * len(vendors)
        last = told[-1]
        assert isinstance(last, SyncProgress)
        assert (last.done, last.total) == (len(house), len(house))
        views = await services.models.list()
        assert len(views) > MODELS + 2 * len(vendors)
        assert sum(view.provider == "large" and view.info.context_window == 8192 for view in views) == MODELS


def test_full_collections_wait_and_come_back() -> None:
    before = gc.get_threshold()
    with calm():
        with calm():
            assert gc.get_threshold()[2] > 1_000
        assert gc.get_threshold()[2] > 1_000
    assert gc.get_threshold() == before
