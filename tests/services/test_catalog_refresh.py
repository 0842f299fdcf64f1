"""Newer facts arrive from the sources, and nothing that a source sends can spoil what is there."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from catalog_feeds import Feeds, feeds_on_loopback, genai, modelsdev

from catalog import refreshed
from catalog.errors import OfflineError, ReadOnlyError
from services.catalog_changes import changes
from services.catalog_refresh import CatalogRefresh
from services.container import Services, open_services
from services.feed import Alert, CatalogChanged
from services.registry import ProviderDraft
from store.catalog_runs import CatalogRuns


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


async def _openai(services: Services) -> None:
    await services.registry.add(ProviderDraft(slug="mine", type="openai"), None, test=False)


def _price(services: Services, model: str = "gpt-4o") -> Decimal | None:
    price = services.catalog.info("openai", model).price
    return price.input if price else None


async def _state(services: Services, source: str) -> str:
    return (await CatalogRuns(services.db).last())[source].state


async def test_new_prices_are_used_at_once_and_say_where_they_are_from(
    open_one: Services, feeds: Feeds
) -> None:
    feeds.bodies = {"genai": genai(gpt_4o=2.75), "modelsdev": modelsdev(gpt_4o=130_000, gpt_99=7)}
    changed: list[object] = []
    open_one.feed.subscribe(changed.append, CatalogChanged)
    results = {result.source: result for result in await open_one.catalog_refresh.refresh()}
    assert results["genai"].state == results["modelsdev"].state == "ok"
    assert results["catwalk"].error is not None
    assert results["openrouter"].error is not None
    info = open_one.catalog.info("openai", "gpt-4o")
    assert info.price is not None
    assert info.price.input == Decimal("2.75")
    assert info.price.output == 11
    assert info.sources["price"] == "refreshed:genai"
    assert info.context_window == 130_000
    assert info.sources["context_window"] == "refreshed:modelsdev"
    assert info.sources["shutdown_date"].startswith("catalog")  # what no source speaks of stays
    assert "gpt-99" in {model.id for model in open_one.catalog.provider("openai").models}  # type: ignore[union-attr]
    assert len(changed) == 1
    assert open_one.catalog.spec("somebody-new") is None


async def test_what_did_not_change_is_not_fetched_again(open_one: Services, feeds: Feeds) -> None:
    feeds.bodies = {"genai": genai(gpt_4o=2.75)}
    await open_one.catalog_refresh.refresh(["genai"])
    path = refreshed.file_of(open_one.paths.refreshed_catalog, "genai")
    before = path.read_bytes()
    os.utime(path, (1, 1))
    [again] = await open_one.catalog_refresh.refresh(["genai"])
    assert again.state == "unchanged"
    assert await _state(open_one, "genai") == "unchanged"
    assert feeds.asked[1][1] is not None
    assert path.read_bytes() == before
    assert path.stat().st_mtime > time.time() - 60  # its age counts from the last word that it is the newest


BAD: dict[str, object] = {
    "html": b"<!doctype html><title>Down for maintenance</title>",
    "empty list": [],
    "nothing": b"",
    "truncated": json.dumps(genai(gpt_4o=9)).encode()[:-20],
    "an object": {"error": "no"},
    "wrong types": [{"id": 7, "models": "x"}, None, 3, {"id": "openai", "models": [1, {"id": "m"}, {"id": "n", "match": 4}]}],
    "no known vendor": [{"id": "nobody", "models": genai(gpt_4o=1)[0]["models"]}],
    "deep": b"[" * 200_000,
    "not text": b"\xff\xfe\x00\x01" * 50,
}  # fmt: skip


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
async def test_what_is_no_list_is_refused_and_the_old_one_stays(
    open_one: Services, feeds: Feeds, body: object
) -> None:
    feeds.bodies = {"genai": genai(gpt_4o=2.75)}
    await open_one.catalog_refresh.refresh(["genai"])
    feeds.bodies = {"genai": body}
    [result] = await open_one.catalog_refresh.refresh(["genai"], anyway=True)
    assert result.state == "error"
    assert result.error is not None
    assert "genai-prices" in result.error.message
    assert _price(open_one) == Decimal("2.75")
    row = (await CatalogRuns(open_one.db).last())["genai"]
    assert row.state == "error"
    assert row.error_message == result.error.message


async def test_a_list_that_lost_half_its_vendors_or_jumps_in_price_is_refused_until_told_otherwise(
    open_one: Services, feeds: Feeds
) -> None:
    many = {f"gpt_{number}": 1.0 + number for number in range(20)}
    feeds.bodies = {"genai": genai(**many)}
    await open_one.catalog_refresh.refresh(["genai"])
    feeds.bodies = {"genai": genai(**many)[:1]}
    [lost] = await open_one.catalog_refresh.refresh(["genai"])
    assert lost.error is not None
    assert "2 of its 3 vendors are gone" in lost.error.message
    feeds.bodies = {"genai": genai(**{name: price * 1000 for name, price in many.items()})}
    [jumped] = await open_one.catalog_refresh.refresh(["genai"])
    assert jumped.error is not None
    assert "5 times" in jumped.error.message
    assert _price(open_one, "gpt-3") == 4
    [taken] = await open_one.catalog_refresh.refresh(["genai"], anyway=True)
    assert taken.state == "ok"
    assert _price(open_one, "gpt-3") == 4000


async def test_a_server_that_fails_is_told_and_changes_nothing(open_one: Services, feeds: Feeds) -> None:
    feeds.bodies = {"genai": genai(gpt_4o=2.75)}
    feeds.status = {"genai": 500}
    [result] = await open_one.catalog_refresh.refresh(["genai"])
    assert result.error is not None
    assert result.error.status == 500
    assert not open_one.catalog.refreshed.heads


async def test_a_hundred_megabytes_are_not_read(
    open_one: Services, feeds: Feeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.catalog_refresh.LARGEST", 1024 * 1024)
    feeds.bodies = {"genai": b"[" + b" " * (100 * 1024 * 1024) + b"]"}
    [result] = await open_one.catalog_refresh.refresh(["genai"])
    assert result.error is not None
    assert "larger than 1 MB" in result.error.message


async def test_a_slow_server_is_given_up(
    open_one: Services, feeds: Feeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.catalog_refresh.TIMEOUT_S", 0.2)
    feeds.hold = asyncio.Event()
    [result] = await open_one.catalog_refresh.refresh(["genai"])
    assert result.error is not None
    assert result.error.code == "timeout"


async def test_all_are_asked_at_once_and_each_is_told_as_it_ends(open_one: Services, feeds: Feeds) -> None:
    feeds.bodies = {"genai": genai(gpt_4o=2.75)}
    feeds.hold = asyncio.Event()
    told: list[str] = []
    asking = asyncio.create_task(
        open_one.catalog_refresh.refresh(tell=lambda result: told.append(f"{result.source} {result.state}"))
    )
    await asyncio.wait_for(feeds.all_asked.wait(), 10)  # while not one of them has answered
    assert told == []
    feeds.hold.set()
    await asking
    assert told == ["genai ok", "catwalk error", "modelsdev error", "openrouter error"]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refusal_speaks_of_no_key_where_none_is_sent(
    open_one: Services, feeds: Feeds, status: int
) -> None:
    feeds.status = {"genai": status}
    [result] = await open_one.catalog_refresh.refresh(["genai"])
    assert result.error is not None
    assert f"127.0.0.1 answers {status}: it wants a sign-in." in result.error.message
    assert "key" not in f"{result.error.message} {result.error.hint}"


async def test_offline_asks_nobody(open_one: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(*_: object, **__: object) -> None:
        raise OfflineError("You are offline by choice.")

    monkeypatch.setattr(open_one.fetcher, "get_changed", gone)
    results = await open_one.catalog_refresh.refresh()
    assert {result.error.code for result in results if result.error} == {"offline"}
    assert await CatalogRuns(open_one.db).last() == {}


async def test_read_only_and_dry_run_keep_nothing(home: Path, feeds: Feeds) -> None:
    feeds.bodies = {"genai": genai(gpt_4o=2.75)}
    async with open_services():
        pass
    async with open_services(read_only=True) as services:
        with pytest.raises(ReadOnlyError):
            await services.catalog_refresh.refresh()
    async with open_services(dry_run=True) as services:
        [result] = await services.catalog_refresh.refresh(["genai"])
        assert result.state == "ok"
        assert result.updated
        assert list(services.paths.refreshed_catalog.iterdir()) == []


async def test_a_full_disk_is_told_and_the_old_list_stays(
    open_one: Services, feeds: Feeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeds.bodies = {"genai": genai(gpt_4o=2.75)}
    await open_one.catalog_refresh.refresh(["genai"])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    feeds.bodies = {"genai": genai(gpt_4o=3)}
    [result] = await open_one.catalog_refresh.refresh(["genai"])
    assert result.error is not None
    assert "No space left" in result.error.message
    assert result.error.hint
    monkeypatch.undo()
    assert _price(open_one) == Decimal("2.75")
    assert [path.name for path in open_one.paths.refreshed_catalog.iterdir()] == ["genai.jsonl"]


async def test_killed_between_writing_and_putting_in_place(
    open_one: Services, feeds: Feeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeds.bodies = {"genai": genai(gpt_4o=2.75)}
    await open_one.catalog_refresh.refresh(["genai"])
    feeds.bodies = {"genai": genai(gpt_4o=3)}

    class KilledError(BaseException):
        pass

    def kill(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(refreshed, "put", kill)
        patch.setattr(refreshed, "drop", lambda _path: None)
        with pytest.raises(KilledError):
            await open_one.catalog_refresh.refresh(["genai"])
    folder = open_one.paths.refreshed_catalog
    left = [path for path in folder.iterdir() if path.suffix == ".tmp"]
    assert len(left) == 1  # as a kill leaves it
    assert await _state(open_one, "genai") == "ok"
    assert _price(open_one) == Decimal("2.75")
    assert [row.models for row in await CatalogRuns(open_one.db).changed(0)] == [3]  # nor is a run remembered
    os.utime(left[0], (1, 1))
    await open_one.catalog_refresh.refresh(["genai"])
    assert [path.name for path in folder.iterdir()] == ["genai.jsonl"]
    assert _price(open_one) == 3


@pytest.mark.parametrize("spoil", ["cut", "head", "line", "newer"])
async def test_a_stored_list_that_is_broken_is_left_aside_with_a_note(
    open_one: Services, feeds: Feeds, spoil: str
) -> None:
    bundled = _price(open_one)
    feeds.bodies = {"genai": genai(gpt_4o=9)}
    await open_one.catalog_refresh.refresh(["genai"])
    path = refreshed.file_of(open_one.paths.refreshed_catalog, "genai")
    raw = path.read_bytes()
    head, _, body = raw.partition(b"\n")
    path.write_bytes(
        {
            "cut": raw[:-5], "head": b"\x00" + raw[1:], "line": head + b"\n" + b"#" * len(body),
            "newer": raw.replace(b'"format": 1', b'"format": 9'),
        }[spoil]
    )  # fmt: skip
    open_one.catalog.forget()
    assert _price(open_one) == bundled
    [problem] = open_one.catalog.problems
    assert "genai.jsonl" in str(problem)
    [result] = await open_one.catalog_refresh.refresh(["genai"])  # not answered with "unchanged"
    assert result.state == "ok"
    assert _price(open_one) == 9
    assert open_one.catalog.problems == ()


async def test_a_source_that_is_switched_off_is_neither_asked_nor_used(
    home: Path,
    feeds: Feeds,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    feeds.bodies = {"genai": genai(gpt_4o=9)}
    async with open_services() as services:
        bundled = _price(services)
        await services.catalog_refresh.refresh(["genai"])
        assert _price(services) == 9
    monkeypatch.setenv("SWITCHROOM_CATALOG__GENAI", "none")
    feeds.asked.clear()
    async with open_services() as services:
        assert _price(services) == bundled
        await services.catalog_refresh.refresh()
    assert "genai" not in {source for source, _ in feeds.asked}


async def test_two_processes_ask_once(home: Path, feeds: Feeds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHROOM_CATALOG__REFRESH", "auto")
    monkeypatch.setattr("services.catalog_refresh.LOOK_S", 0.01)
    feeds.bodies = {"genai": genai(gpt_4o=2.75)}
    looks: list[CatalogRefresh] = []
    looked = asyncio.Event()
    real = CatalogRefresh._due

    async def counted(self: CatalogRefresh) -> list[str]:
        due = await real(self)
        looks.append(self)
        if (
            feeds.all_asked.is_set()
            and all(looks.count(one) > 5 for one in set(looks))
            and len(set(looks)) == 2
        ):
            looked.set()
        return due

    monkeypatch.setattr(CatalogRefresh, "_due", counted)
    async with open_services() as one, open_services() as two:
        tasks = [asyncio.create_task(services.catalog_refresh.keep()) for services in (one, two)]
        await asyncio.wait_for(looked.wait(), 20)  # both have looked again after all was asked
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        claims = await one.db.reader.execute_fetchall("SELECT job FROM schedule_claims")
        assert list(claims) == []  # given back
    assert sorted(source for source, _ in feeds.asked) == ["catwalk", "genai", "modelsdev", "openrouter"]


async def test_what_changed_and_what_it_affects(open_one: Services, feeds: Feeds) -> None:
    await _openai(open_one)
    await open_one.models.set_default("mine/gpt-4o")
    feeds.bodies = {"genai": genai(gpt_4o=2.5, gpt_4o_mini=2.0)}
    await open_one.catalog_refresh.refresh(["genai"])
    alerts: list[Alert] = []
    open_one.feed.subscribe(alerts.append, Alert)
    feeds.bodies = {"genai": genai(gpt_4o=3.0, gpt_4o_mini=1.0)}
    await open_one.catalog_refresh.refresh(["genai"])
    found = await changes(open_one)
    first = found[0]
    assert (first.kind, first.refs, first.uses) == ("dearer", ("mine/gpt-4o",), ("default for new chats",))
    dearer = [change for change in found if change.kind == "dearer" and change.refs]
    assert {change.field for change in dearer if change.model == "gpt-4o"} == {"price.input", "price.output"}
    assert next(c.rise for c in dearer if c.model == "gpt-4o" and c.field == "price.input") == Decimal("0.2")
    assert any(change.kind == "cheaper" and change.model == "gpt-4o-mini" for change in found)
    ending = [change for change in found if change.kind == "ending"]
    assert all(change.refs for change in ending)
    assert any(change.days is not None for change in ending)
    assert [alert.title for alert in alerts if "Dearer" in alert.title] == ["Dearer in the catalog"]
    assert "mine/gpt-4o" in alerts[0].message
    alerts.clear()
    feeds.bodies = {"genai": genai(gpt_4o=3.0, gpt_4o_mini=1.5)}
    await open_one.catalog_refresh.refresh(["genai"])
    assert all("mine/gpt-4o " not in alert.message for alert in alerts)  # told once


async def test_history_is_pruned(open_one: Services, feeds: Feeds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.catalog_runs.KEPT", 4)
    monkeypatch.setattr("store.catalog_runs.KEPT_DIFFS", 2)
    for price in range(1, 8):
        feeds.bodies = {"genai": genai(gpt_4o=price)}
        await open_one.catalog_refresh.refresh(["genai"])
    assert len(await CatalogRuns(open_one.db).changed(0)) == 2
    rows = list(await open_one.db.reader.execute_fetchall("SELECT count(*) FROM catalog_runs"))
    assert rows[0][0] == 4
