"""Models on a machine: what is there, downloads that are taken up again, stopped, refused, audited."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from loop_server import Exchange
from ollama_server import OllamaServer
from ollama_stage import add, downloading

import services.local_models as local_models
from adapters.errors import ModelUnavailableError, ServerError, StreamInterruptedError
from catalog.errors import ReadOnlyError, SwitchroomError, UsageError
from services.container import Services, open_services
from services.feed import PullChanged
from services.registry import ProviderDraft


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_models, "WAITS", (0.0,))


async def audited(services: Services, action: str) -> list[tuple[str, str, dict[str, object]]]:
    rows = await services.audit.list(action=action)
    return [(row.subject, row.result, dict(row.detail)) for row in reversed(rows)]


async def ids(services: Services) -> set[str]:
    return {view.info.id for view in await services.models.list("box") if view.available}


async def test_what_is_there_and_what_is_loaded(services: Services) -> None:
    shelf = await services.local_models.shelf("box")
    by_id = {model.id: model for model in shelf.models}
    assert shelf.note == ""
    assert [model.id for model in shelf.models if model.loaded] == ["qwen3:30b"]
    running = by_id["qwen3:30b"].running
    assert running is not None
    assert (running.vram_bytes, running.context) == (11_000_000_000, 8192)
    assert [row.slug for row in await services.local_models.holders()] == ["box"]


async def test_a_download_goes_on_after_a_broken_line_and_the_provider_is_synced(
    services: Services, server: OllamaServer
) -> None:
    del server.models["llama3.2:latest"]
    await services.sync.sync(["box"])
    assert "llama3.2:latest" not in await ids(services)
    server.cut_at = 0.5
    told: list[str] = []
    pull = await services.local_models.pull("box", "llama3.2:latest")
    services.feed.subscribe(lambda _: told.append(pull.state), PullChanged)
    assert await services.local_models.pull("box", "llama3.2:latest") is pull, "the same one twice is one"
    await services.local_models.wait(pull)
    assert (pull.state, pull.share, pull.completed) == ("done", 1.0, 2_019_393_189)
    assert "reconnecting" in told
    assert server.asked("/api/pull") == 2
    assert "llama3.2:latest" in await ids(services)
    [(subject, result, detail)] = await audited(services, "model.pull")
    assert (subject, result, detail["bytes"]) == ("box/llama3.2:latest", "ok", 2_019_393_189)


async def test_a_stopped_download_goes_on_later(services: Services, server: OllamaServer) -> None:
    del server.models["llama3.2:latest"]
    server.hold_at = 0.4
    pull = await services.local_models.pull("box", "llama3.2:latest")
    await downloading(services, lambda: (pull.share or 0) > 0.3)
    await services.local_models.cancel(pull)
    await server.left.wait()
    assert (pull.state, services.local_models.pulls(active=True)) == ("stopped", ())
    server.hold_at = None
    again = await services.local_models.pull("box", "llama3.2:latest")
    await services.local_models.wait(again)
    assert again.state == "done"
    assert [result for _, result, _ in await audited(services, "model.pull")] == ["cancelled", "ok"]


async def test_a_name_that_is_not_there_is_refused_and_audited(services: Services) -> None:
    pull = await services.local_models.pull("box", "nonsense")
    with pytest.raises(ModelUnavailableError):
        await services.local_models.wait(pull)
    assert [result for _, result, _ in await audited(services, "model.pull")] == ["model_unavailable"]


async def test_a_full_disk_is_not_tried_again(services: Services, server: OllamaServer) -> None:
    server.refuses = (500, {"error": "write blobs: no space left on device"})
    pull = await services.local_models.pull("box", "llama3.2")
    with pytest.raises(ServerError, match="no space left"):
        await services.local_models.wait(pull)
    assert server.asked("/api/pull") == 1


@pytest.mark.parametrize("name", ["", "  ", "two words", "x" * 400, "a\x1b[2J"])
async def test_what_is_no_name_is_not_asked_for(services: Services, server: OllamaServer, name: str) -> None:
    with pytest.raises(UsageError):
        await services.local_models.pull("box", name)
    assert server.asked("/api/pull") == 0


async def test_delete_and_copy(services: Services, server: OllamaServer) -> None:
    await services.local_models.copy("box", "gemma3:4b", "mine:1")
    await services.local_models.delete("box", "gemma3:4b")
    assert {"mine:1"} <= server.models.keys()
    assert "mine:1" in await ids(services)
    assert "gemma3:4b" not in await ids(services)
    assert await audited(services, "model.delete") == [("box/gemma3:4b", "ok", {})]
    assert await audited(services, "model.copy") == [("box/gemma3:4b", "ok", {"name": "mine:1"})]
    with pytest.raises(ModelUnavailableError):
        await services.local_models.delete("box", "gemma3:4b")


async def test_a_provider_without_the_ability_says_so(services: Services, server: OllamaServer) -> None:
    await services.registry.add(
        ProviderDraft(slug="old", type="openai", url=f"{server.url}/v1"), None, test=False
    )
    with pytest.raises(UsageError, match="holds no models of its own"):
        await services.local_models.shelf("old")
    assert [row.slug for row in await services.local_models.holders()] == ["box"]


@pytest.mark.parametrize("how", ["read_only", "dry_run"])
async def test_nothing_happens_without_the_right(home: Path, server: OllamaServer, how: str) -> None:
    async with open_services() as made:
        await add(made, server)
    async with open_services(read_only=how == "read_only", dry_run=how == "dry_run") as made:
        if how == "read_only":
            for change in (
                made.local_models.delete("box", "x"),
                made.local_models.copy("box", "x", "y"),
                made.local_models.pull("box", "x"),
            ):
                with pytest.raises(ReadOnlyError):
                    await change
        else:
            await made.local_models.delete("box", "gemma3:4b")
            with pytest.raises(ModelUnavailableError):
                await made.local_models.delete("box", "nobody")
    assert "gemma3:4b" in server.models
    assert server.asked("/api/delete") == server.asked("/api/pull") == 0


async def test_closing_stops_a_download_and_audits_it(home: Path, server: OllamaServer) -> None:
    server.hold_at = 0.2
    del server.models["llama3.2:latest"]
    async with open_services() as made:
        await add(made, server)
        pull = await made.local_models.pull("box", "llama3.2")
        await downloading(made, lambda: bool(pull.completed))
        assert made.busy
    assert pull.state == "stopped"
    async with open_services() as made:
        assert [result for _, result, _ in await audited(made, "model.pull")] == ["cancelled"]


async def test_a_server_that_is_gone_is_said(services: Services, server: OllamaServer) -> None:
    server.refuses = (503, {"error": "server busy"})
    with pytest.raises(SwitchroomError):
        await services.local_models.shelf("box")


async def test_what_comes_again_after_each_broken_line_is_no_progress(
    services: Services, server: OllamaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that breaks again and again at the same place ends the download, even before the sizes are told again."""
    monkeypatch.setattr(local_models, "ATTEMPTS", 3)
    digest = "sha256:" + "a" * 64
    layer = {"status": "pulling", "digest": digest, "total": 1000, "completed": 600}
    asked = 0

    async def pull_only(exchange: Exchange) -> None:
        nonlocal asked
        asked += 1
        await exchange.begin(content_type="application/x-ndjson")
        await exchange.send('{"status":"pulling manifest"}\n')
        if asked != 2:
            await exchange.send(json.dumps(layer) + "\n")
        exchange.drop()

    monkeypatch.setattr(server, "_pull", pull_only)
    pull = await services.local_models.pull("box", "llama3.2")
    with pytest.raises(StreamInterruptedError):
        await asyncio.wait_for(services.local_models.wait(pull), 5)
    assert asked == 4
    assert (pull.completed, pull.total) == (600, 1000)
    [(_, _, detail)] = await audited(services, "model.pull")
    assert detail["bytes"] == 600


async def test_a_download_that_is_stopped_before_it_begins_can_be_begun_again(
    services: Services, server: OllamaServer
) -> None:
    pull = await services.local_models.pull("box", "llama3.2")
    await services.local_models.cancel(pull)
    assert (pull.state, pull.over, server.asked("/api/pull")) == ("stopped", True, 0)
    again = await services.local_models.pull("box", "llama3.2")
    await services.local_models.wait(again)
    assert [result for _, result, _ in await audited(services, "model.pull")] == ["cancelled", "ok"]


async def test_a_name_without_a_tag_is_the_latest(services: Services, server: OllamaServer) -> None:
    server.hold_at = 0.2
    pull = await services.local_models.pull("box", "llama3.2")
    assert await services.local_models.pull("box", "llama3.2:latest") is pull
    with pytest.raises(UsageError, match="is being pulled"):
        await services.local_models.delete("box", "llama3.2:latest")
    await services.local_models.cancel(pull)
    async with open_services(dry_run=True) as dry:
        await dry.local_models.delete("box", "llama3.2")


async def test_a_second_name_takes_no_room(services: Services, server: OllamaServer) -> None:
    before = (await services.local_models.shelf("box")).size_bytes
    await services.local_models.copy("box", "gemma3:4b", "mine:1")
    shelf = await services.local_models.shelf("box")
    assert "mine:1" in {model.id for model in shelf.models}
    assert shelf.size_bytes == before


async def test_what_is_there_is_audited_though_the_program_ends_at_that_moment(
    services: Services, server: OllamaServer
) -> None:
    pull = await services.local_models.pull("box", "llama3.2")

    def end(_: object) -> None:
        if pull.state == "syncing" and pull.task is not None:
            pull.task.cancel()

    services.feed.subscribe(end, PullChanged)
    await services.local_models.wait(pull)
    assert pull.state == "done"
    assert [result for _, result, _ in await audited(services, "model.pull")] == ["ok"]


async def test_a_download_is_stopped_before_the_server_says_anything(
    services: Services, server: OllamaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def silent(exchange: Exchange) -> None:
        asked.set()
        await exchange.left.wait()
        server.left.set()

    monkeypatch.setattr(server, "_pull", silent)
    pull = await services.local_models.pull("box", "llama3.2")
    await asked.wait()
    await asyncio.wait_for(services.local_models.cancel(pull), 2)
    await asyncio.wait_for(server.left.wait(), 2)
    assert pull.state == "stopped"
