"""A source that lies, breaks or dies: prices in use stay, the person hears of it, and the next refresh goes on."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from catalog_feeds import Feeds, feeds_on_loopback, genai

from catalog import refreshed
from services.catalog_changes import changes
from services.catalog_lists import prepare
from services.catalog_news import news, seen
from services.container import Services, open_services
from services.feed import Alert
from services.registry import ProviderDraft


@pytest.fixture
async def feeds(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Feeds]:
    async with feeds_on_loopback() as feeds:
        for name, value in feeds.environ().items():
            monkeypatch.setenv(name, value)
        yield feeds


@pytest.fixture
async def open_one(home: Path, feeds: Feeds) -> AsyncIterator[Services]:
    async with open_services() as services:
        yield services


def _input(services: Services, vendor: str, model: str) -> Decimal | None:
    price = services.catalog.info(vendor, model).price
    return price.input if price else None


def _openrouter(**prices: str) -> dict[str, object]:
    models = [
        {"id": name.replace("__", "/"), "pricing": {"prompt": price, "completion": price}}
        for name, price in prices.items()
    ]
    return {"data": models}


PAID = {f"a__m{number}": f"0.0000{number + 1}" for number in range(20)}


async def test_a_list_that_makes_every_paid_model_free_is_refused(open_one: Services, feeds: Feeds) -> None:
    feeds.bodies = {"openrouter": _openrouter(**PAID)}
    await open_one.catalog_refresh.refresh(["openrouter"])
    feeds.bodies = {"openrouter": _openrouter(**dict.fromkeys(PAID, "0"))}
    [result] = await open_one.catalog_refresh.refresh(["openrouter"])
    assert result.error is not None
    assert "wildly different" in result.error.message
    assert _input(open_one, "openrouter", "a/m3") == 40


@pytest.mark.parametrize("price", ["0", "0.04", "0.00000004"], ids=["free", "1000 times", "a thousandth"])
async def test_one_price_that_is_too_far_off_is_not_believed_until_somebody_says_so(
    open_one: Services, feeds: Feeds, price: str
) -> None:
    await open_one.registry.add(ProviderDraft(slug="router", type="openrouter"), None, test=False)
    feeds.bodies = {"openrouter": _openrouter(**PAID)}
    await open_one.catalog_refresh.refresh(["openrouter"])
    alerts: list[Alert] = []
    open_one.feed.subscribe(alerts.append, Alert)
    feeds.bodies = {"openrouter": _openrouter(**{**PAID, "a__m3": price, "a__m4": "0.00006"})}
    [result] = await open_one.catalog_refresh.refresh(["openrouter"])
    assert (result.state, result.doubted) == ("ok", 1)
    assert _input(open_one, "openrouter", "a/m3") == 40
    assert _input(open_one, "openrouter", "a/m4") == 60  # the rest of the list counts
    [doubt] = [change for change in await changes(open_one) if change.kind == "doubted"]
    assert (doubt.model, doubt.refs) == ("a/m3", ("router/a/m3",))
    assert any("not believed" in alert.title and "router/a/m3" in alert.message for alert in alerts)
    [again] = await open_one.catalog_refresh.refresh(["openrouter"], anyway=True)
    assert again.doubted == 0
    assert not [change for change in await changes(open_one) if change.kind == "doubted"]  # said, and done
    assert _input(open_one, "openrouter", "a/m3") == Decimal(price) * 1_000_000


async def test_the_first_list_is_held_against_the_facts_that_ship(open_one: Services, feeds: Feeds) -> None:
    shipped = _input(open_one, "openai", "gpt-4o")
    assert shipped
    feeds.bodies = {"genai": genai(gpt_4o=float(shipped) / 1_000_000, gpt_4o_mini=0.2)}
    [result] = await open_one.catalog_refresh.refresh(["genai"])
    assert result.doubted == 1
    assert _input(open_one, "openai", "gpt-4o") == shipped
    assert _input(open_one, "openai", "gpt-4o-mini") == Decimal("0.2")


@pytest.mark.parametrize(
    "lie",
    [
        {"overrides": [{"min_prompt_tokens": 1, "prompt": "0", "completion": "0"}]},
        {"input_cache_read": "0.05"},
        {"internal_reasoning": "0.05"},
        {"request": "50"},
    ],
    ids=["a step from the first token on", "cached", "reasoning", "per request"],
)
async def test_a_lie_beside_the_base_price_is_not_believed_either(
    open_one: Services, feeds: Feeds, lie: dict[str, object]
) -> None:
    feeds.bodies = {"openrouter": _openrouter(**PAID)}
    await open_one.catalog_refresh.refresh(["openrouter"])
    before = open_one.catalog.info("openrouter", "a/m3").price
    document = _openrouter(**PAID)
    document["data"][3]["pricing"] |= lie  # type: ignore[index]
    feeds.bodies = {"openrouter": document}
    [result] = await open_one.catalog_refresh.refresh(["openrouter"])
    assert (result.state, result.doubted) == ("ok", 1)
    assert open_one.catalog.info("openrouter", "a/m3").price == before


async def test_an_etag_that_no_request_can_carry_does_not_end_the_refreshing(
    open_one: Services, feeds: Feeds
) -> None:
    feeds.etags = {"genai": b'"\xfc\xff"'}
    for price in (2.75, 3.0):
        feeds.bodies = {"genai": genai(gpt_4o=price)}
        [result] = await open_one.catalog_refresh.refresh(["genai"])
        assert result.error is None
    assert feeds.asked[-1] == ("genai", None)
    assert _input(open_one, "openai", "gpt-4o") == 3


async def test_a_list_that_brings_out_a_defect_keeps_no_other_from_being_asked(
    open_one: Services, feeds: Feeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("a defect of ours")

    monkeypatch.setattr("services.catalog_lists.genai", broken)
    feeds.bodies = {"genai": genai(gpt_4o=3.0), "openrouter": _openrouter(**PAID)}
    results = {result.source: result for result in await open_one.catalog_refresh.refresh()}
    assert results["genai"].error is not None
    assert "genai-prices" in results["genai"].error.message
    assert results["openrouter"].state == "ok"


async def test_the_asking_goes_on_after_a_full_store(
    home: Path, feeds: Feeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHROOM_CATALOG__REFRESH", "auto")
    monkeypatch.setattr("services.catalog_refresh.LOOK_S", 0.01)
    async with open_services() as services:
        real, failed = services.catalog_refresh.refresh, 0

        async def full_once(due: list[str]) -> object:
            nonlocal failed
            failed += 1
            if failed == 1:
                raise OSError(28, "No space left on device")
            return await real(due)

        monkeypatch.setattr(services.catalog_refresh, "refresh", full_once)
        task = asyncio.create_task(services.catalog_refresh.keep())
        await asyncio.wait_for(feeds.all_asked.wait(), 10)
        task.cancel()


async def test_each_source_is_asked_when_its_own_time_has_come(
    home: Path, feeds: Feeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHROOM_CATALOG__REFRESH", "auto")
    monkeypatch.setattr("services.catalog_refresh.LOOK_S", 0.01)
    feeds.bodies = {"genai": genai(gpt_4o=2.75)}
    async with open_services() as services:
        await services.catalog_refresh.refresh(["genai"])  # by hand: the other three were not asked
        feeds.asked.clear()
        task = asyncio.create_task(services.catalog_refresh.keep())
        while len(feeds.asked) < 3:  # noqa: ASYNC110 - what a socket gets raises no event here
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        task.cancel()
    assert sorted(source for source, _ in feeds.asked) == ["catwalk", "modelsdev", "openrouter"]


_KILLED = """
import asyncio, os, signal
from catalog import refreshed
from services.container import open_services

async def main():
    async with open_services() as services:
        refreshed.put = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        await services.catalog_refresh.refresh(["genai"])

asyncio.run(main())
"""


async def test_kill_9_between_writing_and_putting_in_place(home: Path, feeds: Feeds) -> None:
    feeds.bodies = {"genai": genai(gpt_4o=2.75)}
    async with open_services() as services:
        await services.catalog_refresh.refresh(["genai"])
    before = refreshed.file_of(services.paths.refreshed_catalog, "genai").read_bytes()
    feeds.bodies = {"genai": genai(gpt_4o=3)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _KILLED)
    assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL
    left = [path.name for path in services.paths.refreshed_catalog.iterdir()]
    assert len(left) == 2  # the list in use, and one that nobody will use
    assert refreshed.file_of(services.paths.refreshed_catalog, "genai").read_bytes() == before
    async with open_services() as services:
        assert _input(services, "openai", "gpt-4o") == Decimal("2.75")
        [result] = await services.catalog_refresh.refresh(["genai"])
        assert (result.state, result.updated) == ("ok", 1)
        assert _input(services, "openai", "gpt-4o") == 3


async def test_a_rise_stands_in_the_overview_until_somebody_has_looked(
    open_one: Services, feeds: Feeds
) -> None:
    await open_one.registry.add(ProviderDraft(slug="mine", type="openai"), None, test=False)
    feeds.bodies = {"genai": genai(gpt_4o=2.5)}
    await open_one.catalog_refresh.refresh(["genai"])
    await seen(open_one)
    feeds.bodies = {"genai": genai(gpt_4o=3.0)}
    await open_one.catalog_refresh.refresh(["genai"])
    found = await news(open_one)
    assert {one.field for one in found if one.ref == "mine/gpt-4o"} == {"price.input", "price.output"}
    assert "mine/gpt-4o in $2.50 → $3.00 (+20 %) per 1M tokens" in {one.words for one in found}
    await open_one.catalog_refresh.refresh(["genai"])
    assert await news(open_one) == found  # once
    await seen(open_one)
    assert await news(open_one) == []


async def test_a_model_that_is_billed_otherwise_raises_no_alarm_but_is_told_as_such(
    open_one: Services, feeds: Feeds
) -> None:
    await open_one.registry.add(ProviderDraft(slug="mine", type="openai"), None, test=False)
    folder = open_one.paths.user_catalog
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "openai.json").write_text(
        '{"models": [{"id": "gpt-4o", "cost_per_1m_in": 1, "cost_per_1m_out": 2}]}', "utf-8"
    )
    feeds.bodies = {"genai": genai(gpt_4o=2.5)}
    await open_one.catalog_refresh.refresh(["genai"])
    await seen(open_one)
    feeds.bodies = {"genai": genai(gpt_4o=3.0)}
    await open_one.catalog_refresh.refresh(["genai"])
    rises = [c for c in await changes(open_one) if c.model == "gpt-4o" and c.field == "price.input"]
    assert [change.above for change in rises] == [(("mine/gpt-4o", "your catalog file"),)]
    assert await news(open_one) == []


async def test_a_model_that_only_a_rule_means_has_its_rise_found(open_one: Services, feeds: Feeds) -> None:
    def by_rule(price: int) -> list[dict[str, object]]:
        prices = {"input_mtok": price, "output_mtok": price}
        return [{"id": "openai", "models": [{"id": "zz", "match": {"starts_with": "zz"}, "prices": prices}]}]

    feeds.bodies = {"genai": by_rule(1)}
    await open_one.catalog_refresh.refresh(["genai"])
    prepared = prepare(
        open_one.catalog.copy(), open_one.paths.refreshed_catalog, "genai", json.dumps(by_rule(2)).encode(),
        url="x", etag=None, at=1, also={"openai": ["zz-2026"]},
    )  # fmt: skip
    assert ("zz-2026", "price.input") in {
        (change.id, change.field) for change in prepared.diffs["openai"].updated
    }
