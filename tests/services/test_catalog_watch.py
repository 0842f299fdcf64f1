"""A changed catalog file takes effect while the program runs, is told once, and costs nothing while nothing changes."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from catalog import refreshed
from catalog.types import ModelInfo, Price
from services import catalog_watch
from services.container import Services, open_services
from services.feed import Alert, CatalogChanged
from services.registry import ProviderDraft


@pytest.fixture
async def services(home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    monkeypatch.setattr(catalog_watch, "EVERY_S", 0.01)
    async with open_services() as services:
        await services.registry.add(ProviderDraft(slug="mine", type="openai"), None, test=False)
        await services.catalog_watch.look()
        yield services


def _write(services: Services, text: str, name: str = "openai.json") -> Path:
    path = services.paths.user_catalog / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def _model(price: float) -> str:
    return json.dumps({"models": [{"id": "gpt-4o", "cost_per_1m_in": price, "cost_per_1m_out": 9}]})


async def _input(services: Services) -> Decimal | None:
    price = (await services.models.get("mine/gpt-4o")).info.price
    return price.input if price else None


async def test_added_changed_and_removed_files_take_effect(services: Services) -> None:
    alerts: list[Alert] = []
    services.feed.subscribe(alerts.append, Alert)
    await services.models.list()
    bundled = await _input(services)
    path = _write(services, _model(1.5))
    await services.catalog_watch.look()
    assert await _input(services) == Decimal("1.5")
    assert [view.info.price.input for view in await services.models.list() if view.ref == "mine/gpt-4o" and view.info.price] == [Decimal("1.5")]  # fmt: skip
    path.write_text(_model(1.75))
    await services.catalog_watch.look()
    assert await _input(services) == Decimal("1.75")
    path.unlink()
    await services.catalog_watch.look()
    assert await _input(services) == bundled
    assert [alert.title for alert in alerts] == ["Your catalog was read again"] * 3
    assert "openai.json" in alerts[0].message


async def test_a_bad_file_is_told_with_line_and_reason_and_the_rest_counts(services: Services) -> None:
    alerts: list[Alert] = []
    services.feed.subscribe(alerts.append, Alert)
    _write(services, _model(1.5))
    _write(services, '{"models": [\n{"id": "m",\n "context_window": "big"}]}', "groq.json")
    await services.catalog_watch.look()
    [alert] = alerts
    assert alert.kind == "warning"
    assert "groq.json:3" in alert.message
    assert "context_window" in alert.message
    assert await _input(services) == Decimal("1.5")


async def test_nothing_is_read_or_told_while_nothing_changes(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(services, _model(1.5))
    await services.catalog_watch.look()
    events: list[object] = []
    services.feed.subscribe(events.append)
    monkeypatch.setattr(Path, "read_text", lambda *_: pytest.fail("a file was read"))
    for _ in range(5):
        await services.catalog_watch.look()
    assert events == []


async def test_a_file_that_is_still_written_waits_for_the_next_look(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts: list[Alert] = []
    services.feed.subscribe(alerts.append, Alert)
    path = _write(services, _model(1.5)[:-4])
    real, writes = asyncio.sleep, iter([_model(1.5)[:-2], None])

    async def writing(seconds: float) -> None:
        if (more := next(writes, None)) is not None:
            path.write_text(more)
        await real(0)

    monkeypatch.setattr("services.catalog_watch.asyncio.sleep", writing)
    await services.catalog_watch.look()
    assert alerts == []
    path.write_text(_model(1.5))
    await services.catalog_watch.look()
    assert [alert.title for alert in alerts] == ["Your catalog was read again"]


async def test_a_list_that_another_process_fetched_is_used(services: Services) -> None:
    changed: list[object] = []
    services.feed.subscribe(changed.append, CatalogChanged)
    folder = services.paths.refreshed_catalog
    info = ModelInfo(id="gpt-4o", price=Price(input=Decimal(77), output=Decimal(78)))
    prepared = refreshed.prepare(folder, "genai", {"openai": {"gpt-4o": info}}, url="u", etag=None, at=1)
    refreshed.put(prepared, folder, "genai")
    await services.catalog_watch.look()
    assert await _input(services) == 77
    os.utime(refreshed.file_of(folder, "genai"))  # "it is still the newest" is no change
    await services.catalog_watch.look()
    assert len(changed) == 1


async def test_a_source_switched_off_is_no_longer_used_at_once(services: Services) -> None:
    folder = services.paths.refreshed_catalog
    info = ModelInfo(id="gpt-4o", price=Price(input=Decimal(77), output=Decimal(78)))
    refreshed.put(
        refreshed.prepare(folder, "genai", {"openai": {"gpt-4o": info}}, url="u", etag=None, at=1), folder, "genai"
    )  # fmt: skip
    await services.catalog_watch.look()
    assert await _input(services) == 77
    await services.preferences.set("catalog.genai", None)
    assert await _input(services) != 77


async def test_the_end_of_a_model_in_use_is_told_once_with_what_rests_on_it(services: Services) -> None:
    from services.catalog_news import tell

    alerts: list[Alert] = []
    day = (datetime.now(UTC).astimezone() + timedelta(days=12)).date().isoformat()
    _write(services, json.dumps({"models": [{"id": name, "shutdown_date": day} for name in ("gpt-4o", "gpt-4o-mini")]}))  # fmt: skip
    await services.catalog_watch.look()
    await services.models.set_default("mine/gpt-4o")
    services.feed.subscribe(alerts.append, Alert)
    await tell(services)
    await tell(services)
    [alert] = alerts  # nothing rests on the other model
    assert f"mine/gpt-4o is shut down on {day} (in 12 days); it is default for new chats." in alert.message


async def test_what_a_file_changed_is_kept_once_and_raises_no_alarm(services: Services, home: Path) -> None:
    from services.catalog_changes import changes
    from services.catalog_news import news, tell
    from services.container import open_services

    async with open_services() as other:
        await other.catalog_watch.look()
        for price in (1.5, 1.75):
            _write(services, _model(price))
            await services.catalog_watch.look()
            await other.catalog_watch.look()
    found = [change for change in await changes(services) if change.source == "user"]
    [price_change] = [change for change in found if change.field == "price.input"]
    assert (price_change.kind, price_change.old, price_change.new) == ("dearer", "1.5", "1.75")
    assert price_change.refs == ("mine/gpt-4o",)
    kept = await services.db.reader.execute_fetchall(
        "SELECT count(*) FROM catalog_runs WHERE source = 'user'"
    )
    assert [tuple(row) for row in kept] == [(2,)]
    await tell(services)
    assert await news(services) == []  # they did it themselves


async def test_a_removed_file_gives_way_to_the_other_sources(services: Services) -> None:
    from services.catalog_changes import changes

    shipped = await _input(services)
    path = _write(services, _model(1.5))
    await services.catalog_watch.look()
    path.unlink()
    await services.catalog_watch.look()
    newest = next(change for change in await changes(services) if change.field == "price.input")
    assert (newest.old, newest.new) == ("1.5", str(shipped))


async def test_files_of_editors_and_links_to_nowhere_hide_nothing(services: Services) -> None:
    folder = services.paths.user_catalog
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("a-link.json", ".#openai.json", "zz-link.json"):
        (folder / name).symlink_to("nowhere.json")
    (folder / ".openai.json").write_text("half a fi", "utf-8")
    (folder / "._openai.json").write_bytes(b"\x00\x05\x16\x07")
    (folder / "openai.json~").write_text("{", "utf-8")
    (folder / "folder.json").mkdir()
    os.mkfifo(folder / "pipe.json")
    _write(services, _model(1.5))
    await services.catalog_watch.look()
    assert await _input(services) == Decimal("1.5")
    named = {Path(getattr(problem, "file", "")).name for problem in services.catalog.problems}
    assert named == {"a-link.json", "zz-link.json", "folder.json", "pipe.json"}
    replacement = folder / "saved.tmp"
    replacement.write_text(_model(1.75), "utf-8")
    replacement.replace(folder / "openai.json")  # as editors save
    await services.catalog_watch.look()
    assert await _input(services) == Decimal("1.75")


async def test_one_file_that_may_not_be_read_does_not_hide_the_others(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(services, _model(1.5))
    _write(services, "{}", "secret.json")
    real = Path.stat

    def stat(path: Path, **kwargs: bool) -> os.stat_result:
        if path.name == "secret.json":
            raise PermissionError(13, "Permission denied")
        return real(path, **kwargs)

    monkeypatch.setattr(Path, "stat", stat)
    await services.catalog_watch.look()
    assert await _input(services) == Decimal("1.5")
    assert ["Permission denied" in str(problem) for problem in services.catalog.problems] == [True]
