"""Installed and running on the screen: a pull with its bar, in every mode; stop, delete, empty and broken states."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from ollama_server import OllamaServer
from ollama_stage import add
from textual.pilot import Pilot
from textual.widgets import Input
from tui_stage import NOW, opened, screen_text, type_text, until

from services.paths import resolve
from tui.app import SwitchroomApp

Compare = Callable[..., bool]


@pytest.fixture
def app(home: object) -> SwitchroomApp:
    return SwitchroomApp(resolve(), mode="models")


@pytest.fixture
async def pilot(app: SwitchroomApp, server: OllamaServer) -> AsyncIterator[Pilot[int]]:
    async with app.run_test(size=(120, 40), notifications=True) as one:
        await add(await opened(one), server)
        await until(one, "5 models of 1 provider")
        yield one


async def test_a_pull_is_seen_stopped_and_taken_up_again(pilot: Pilot[int], server: OllamaServer) -> None:
    del server.models["llama3.2:latest"]
    server.hold_at = 0.45
    await pilot.press("i")
    text = await until(pilot, "4 installed")
    assert "1 loaded, 19.6 GB of memory" in text
    assert "● loaded" in text
    assert "context 8.2k of 262k (see num_ctx)" in text
    await pilot.press("P")
    await until(pilot, "Pull a model to box")
    await type_text(pilot, "llama3.2:latest")
    await pilot.press("enter")
    text = await until(pilot, "↓ ")
    assert "pulling llama3.2:latest" in text.splitlines()[0]
    await pilot.press("1")
    text = await until(pilot, "Overview ·")
    assert "pulling llama3.2:latest" in text.splitlines()[0]
    await pilot.press("q")
    assert "1 download is under way." in await until(pilot, "Quit now?")
    await pilot.press("n")
    await until(pilot, "Quit now?", gone=True)
    await pilot.press("3")
    await until(pilot, "Models › installed")
    await pilot.press("home", "x")
    await until(pilot, "is stopped.")
    await server.left.wait()
    server.hold_at = None
    await pilot.press("P")
    text = await until(pilot, "Pull a model to box")
    assert "│  llama3.2:latest " in text, "the one that was stopped need not be typed again"
    await pilot.press("enter")
    await until(pilot, "is at box.")
    await until(pilot, "5 installed")
    await pilot.press("escape")
    await until(pilot, "5 models of 1 provider")


async def test_deleting_asks_once_and_says_what_uses_it(pilot: Pilot[int], server: OllamaServer) -> None:
    services = pilot.app.services  # type: ignore[attr-defined]
    await services.models.set_default("box/qwen3:30b")
    await pilot.press("i")
    await until(pilot, "5 installed")
    await pilot.press("D")
    text = await until(pilot, "Delete qwen3:30b from box?")
    assert "It takes 18.6 GB of the disk." in text
    assert "In use: default for new chats." in text
    await pilot.press("n")
    await until(pilot, "Delete qwen3", gone=True)
    assert "qwen3:30b" in server.models
    await pilot.press("D", "y")
    await until(pilot, "qwen3:30b is deleted from box.")
    await until(pilot, "4 installed")
    server.models.clear()
    await pilot.press("r")
    await until(pilot, "No models yet. P pulls one.")
    server.refuses = (503, {"error": "server busy"})
    await pilot.press("r")
    await until(pilot, "It could not be read: box: box is out of capacity")


async def test_ollama_is_added_by_its_own_api(app: SwitchroomApp, server: OllamaServer) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        services = await opened(pilot)
        await pilot.press("2", "a")
        await until(pilot, "Add a provider")
        await type_text(pilot, "ollama")
        await pilot.press("enter")
        await until(pilot, "Address of Ollama")
        assert app.screen.query_one(Input).value == "http://localhost:11434"
        app.screen.query_one(Input).value = f"{server.url}/v1"
        await pilot.press("enter")
        await until(pilot, "if it wants one")
        await pilot.press("enter")
        await until(pilot, "Which model should its chats use?")
        (view,) = await services.registry.list()
        assert view.row.dialect == "ollama"


async def test_nobody_holds_models(app: SwitchroomApp) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(pilot)
        await pilot.press("P")
        await until(pilot, "there is nowhere to pull to")
        await pilot.press("i")
        await until(pilot, "No provider here holds models of its own")
        assert "a adds an Ollama server" in screen_text(app)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_picture(
    app: SwitchroomApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setattr("tui.screens.local_models.time.time", lambda: NOW / 1000)

    async def before(pilot: Pilot[Any]) -> None:
        from adapters.abilities import RunningModel
        from services.pulls import Pull
        from services.shelves import LocalModel, Shelf
        from tui.screens.local_models import LocalModelsScreen

        await opened(pilot)
        details = {"quantization": "Q4_K_M", "parameters": "30.5B", "family": "qwen3moe", "format": "gguf"}
        day = 86_400_000
        running = RunningModel("qwen3:30b", 19_600_000_000, 12_000_000_000, 16_384, NOW + 240_000)
        cloud = {
            **details,
            "parameters": "116.8B",
            "quantization": "MXFP4",
            "runs_at": "https://ollama.com:443",
        }
        models = (
            LocalModel("box", "qwen3:30b", 18_600_000_000, NOW - 6 * day, "sha256:5aeddff9a7b8d1", "ready", details, True, running),
            LocalModel("box", "nomic-embed-text:latest", 274_302_450, NOW - 40 * day, None, "ready", {"parameters": "137M", "quantization": "F16"}, False),
            LocalModel("hub", "openai/whisper-large-v3", 3_090_000_000, NOW - 2 * day, None, "partial", {}, None),
            LocalModel("box", "gpt-oss:120b-cloud", None, NOW - 3 * day, None, "ready", cloud, False),
        )  # fmt: skip
        pull = Pull("box", "llama3.2:latest")
        pull.state, pull.status, pull.completed, pull.total = (
            "pulling",
            "pulling 0123456789ab",
            850_000_000,
            2_019_393_189,
        )
        local = app.services.local_models
        monkeypatch.setattr(local, "pulls", lambda *, active=False: (pull,))

        async def nobody() -> list[object]:
            return []

        monkeypatch.setattr(local, "holders", nobody)
        screen = LocalModelsScreen()
        await app.push_screen(screen)
        await pilot.pause()
        screen._shelves = [Shelf("box", models)]
        screen._show()
        await until(pilot, "4 installed")
        await pilot.press("home")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=before)
