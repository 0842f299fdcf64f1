"""What the list of models shows, and which model a new chat gets."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import NotFoundError, UsageError
from services.container import Services
from services.models import split_ref
from services.registry import ProviderDraft


async def added(services: Services, vendor: Any, slug: str = "mine", **more: Any) -> None:
    await services.registry.add(ProviderDraft(slug=slug, url=vendor.url, **more), None, test=False)


def test_a_reference_is_split_at_the_first_slash() -> None:
    assert split_ref("or/meta/llama-3") == ("or", "meta/llama-3")
    for wrong in ("gpt-4o", "/x", "x/", ""):
        with pytest.raises(UsageError):
            split_ref(wrong)


async def test_before_a_sync_the_catalog_is_shown_and_after_it_what_the_vendor_lists(
    services: Services, vendor: Any
) -> None:
    await added(services, vendor, type="vllm", slug="v")
    await services.registry.add(ProviderDraft(type="openai"), None, test=False)
    shipped = await services.models.list("openai")
    assert any(view.info.id == "gpt-4o" and view.info.price for view in shipped)
    await services.sync.sync(["v"])
    assert [view.ref for view in await services.models.list("v")] == ["v/alpha", "v/beta"]


async def test_looking_at_a_model_does_not_put_it_in_the_list(services: Services) -> None:
    await services.registry.add(ProviderDraft(type="openai"), None, test=False)
    before = [view.ref for view in await services.models.list("openai")]
    vendor = services.catalog.provider("openai")
    assert vendor is not None
    retired = next(f"openai/{model.id}" for model in vendor.models if model.status == "retired")
    assert (await services.models.get(retired)).known
    assert [view.ref for view in await services.models.list("openai")] == before
    assert retired not in before


async def test_prices_come_from_the_vendor_and_only_from_it(services: Services, vendor: Any) -> None:
    vendor.models = [{"id": "gpt-4o"}]
    await added(services, vendor, "plain")
    await added(services, vendor, "mapped", type="openai")
    await services.sync.sync()
    for slug in ("plain", "mapped"):
        view = await services.models.get(f"{slug}/gpt-4o")
        assert (view.known, view.info.price, view.own_cost) == (True, None, True)


async def test_own_hardware_unless_said_or_priced_otherwise(services: Services, vendor: Any) -> None:
    await added(services, vendor, "here")
    await added(services, vendor, "billed", cost_mode="metered")
    await services.registry.add(ProviderDraft(slug="far", url="https://llm.example.com/v1"), None, test=False)
    await services.registry.add(
        ProviderDraft(slug="rented", url="https://gpu.example.com/v1", cost_mode="flat"), None, test=False
    )
    await services.registry.add(
        ProviderDraft(slug="lan", url="http://192.168.7.7:8000/v1", allow_http=True), None, test=False
    )
    own = {
        slug: (await services.models.get(f"{slug}/x")).own_cost
        for slug in ("here", "billed", "far", "rented", "lan")
    }
    assert own == {"here": True, "billed": False, "far": False, "rented": True, "lan": True}


async def test_the_users_own_price_beats_all_and_is_named(
    services: Services, vendor: Any, home: Path
) -> None:
    folder = services.paths.user_catalog
    folder.mkdir()
    model = {
        "id": "alpha",
        "name": "Alpha",
        "cost_per_1m_in": 1.5,
        "cost_per_1m_out": 2,
        "context_window": 99,
    }
    mine = {"id": "acme", "name": "Acme", "type": "openai", "api_endpoint": vendor.url, "models": [model]}
    (folder / "acme.json").write_text(json.dumps(mine))
    await added(services, vendor, type="acme")
    await services.sync.sync()
    view = await services.models.get("mine/alpha")
    assert view.info.price is not None
    assert (str(view.info.price.input), view.info.sources["price"], view.own_cost) == ("1.5", "user", False)


async def test_an_unknown_model_is_sent_as_it_is_named(services: Services, vendor: Any) -> None:
    await added(services, vendor)
    view = await services.models.get("mine/secret/beta-7")
    assert (view.known, view.info.id, view.info.price) == (False, "secret/beta-7", None)
    with pytest.raises(NotFoundError):
        await services.models.get("nobody/x")


async def test_on_and_off_also_for_models_only_the_catalog_knows(services: Services, vendor: Any) -> None:
    await services.registry.add(ProviderDraft(type="openai"), None, test=False)
    await services.models.set_enabled(["openai/gpt-4o"], False)
    assert not (await services.models.get("openai/gpt-4o")).enabled
    listed = [view.info.id for view in await services.models.list("openai", enabled=True)]
    assert "gpt-4o" not in listed
    assert len(listed) > 5
    await services.models.set_enabled(["openai/gpt-4o"], True)
    assert (await services.models.get("openai/gpt-4o")).enabled
    with pytest.raises(NotFoundError) as caught:
        await services.models.set_enabled(["openai/gpt-4o", "openai/gpt-4oo"], False)
    assert "gpt-4o" in str(caught.value.hint)
    assert (await services.models.get("openai/gpt-4o")).enabled


async def test_a_model_that_was_switched_off_stays_off_after_a_sync(services: Services, vendor: Any) -> None:
    await added(services, vendor)
    await services.sync.sync()
    await services.models.set_enabled(["mine/alpha"], False)
    await services.sync.sync()
    assert [view.ref for view in await services.models.list(enabled=True)] == ["mine/beta"]


async def test_filters(services: Services, vendor: Any) -> None:
    vendor.models = [{"id": "qwen2-vl", "name": "Qwen"}, {"id": "beta"}]
    await added(services, vendor)
    await services.sync.sync()
    assert [view.ref for view in await services.models.list(text="QWEN")] == ["mine/qwen2-vl"]
    assert all(
        "vision" in (view.info.capabilities or ()) for view in await services.models.list(capability="vision")
    )


async def test_the_default_model(services: Services, vendor: Any) -> None:
    assert await services.models.default() is None
    vendor.models = [{"id": "text-embedding-3"}, {"id": "zeta"}]
    await added(services, vendor)
    await services.sync.sync()
    assert await services.models.default() == "mine/zeta"
    await services.registry.add(ProviderDraft(type="openai"), None, test=False)
    await services.models.set_default("openai/gpt-4o")
    assert await services.models.default() == "openai/gpt-4o"
    await services.models.set_default(None)
    assert await services.models.default() == "mine/zeta"
    with pytest.raises(NotFoundError):
        await services.models.set_default("nobody/x")


async def test_five_thousand_models_are_listed_at_once(services: Services, vendor: Any) -> None:
    vendor.models = [{"id": f"vendor/model-{number}"} for number in range(5000)]
    await added(services, vendor)
    await services.sync.sync()
    assert len(await services.models.list()) == 5000
    began = time.perf_counter()
    assert len(await services.models.list(text="model-49")) == 111
    assert time.perf_counter() - began < 0.1


async def test_what_a_local_server_passes_on_to_a_cloud_is_not_own_hardware(
    services: Services, vendor: Any
) -> None:
    from dataclasses import replace

    from services.feed import ModelsChanged
    from store.models import Models

    vendor.models = [{"id": "gpt-oss:120b-cloud"}, {"id": "gpt-oss:20b"}]
    await added(services, vendor, "box")
    await services.sync.sync()
    store = Models(services.db)
    [here, passed_on] = sorted(await store.list("box"), key=lambda row: row.id != "gpt-oss:20b")
    async with services.db.transaction() as tx:
        told = replace(passed_on, details_json='{"runs_at":"https://ollama.com:443"}')
        await store.replace_live(tx, "box", [here, told])
    services.feed.publish(ModelsChanged("box"))
    own = {model.info.id: model.own_cost for model in await services.models.list("box")}
    assert own == {"gpt-oss:120b-cloud": False, "gpt-oss:20b": True}
