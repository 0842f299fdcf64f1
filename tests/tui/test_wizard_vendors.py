"""The wizard with every vendor: who cannot be had says so, an address is told by its host or by its answers, costs are asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input
from tui_stage import KEY, opened, screen_text, type_text, until

from catalog.types import ModelInfo, Price
from services.model_lists import ModelView
from tui.app import SwitchroomApp
from tui.screens.provider_first_use import first_model

SIZE = (120, 40)
pytestmark = pytest.mark.usefixtures("no_keyring")


class _LlamaCpp(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        models = [{"id": name, "object": "model", "owned_by": "llamacpp"} for name in ("tiny", "small")]
        documents: dict[str, object] = {
            "/props": {"default_generation_settings": {}, "total_slots": 1},
            "/v1/models": {"object": "list", "data": models},
        }
        document = documents.get(self.path)
        body = json.dumps(document or {"error": {"message": "not found"}}).encode()
        self.send_response(200 if document else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nobody reads it."""


@pytest.fixture
async def llamacpp() -> AsyncIterator[str]:
    """The address of a server that answers as llama.cpp does, on a port that names nobody."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _LlamaCpp)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


async def _first(pilot: Pilot[Any]) -> None:
    await opened(pilot)
    await pilot.press("a")
    await until(pilot, "Add a provider: which one?")


async def test_a_vendor_that_cannot_be_had_says_why_and_is_not_taken(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _first(pilot)
        await type_text(pilot, "bedrock")
        text = await until(pilot, "Amazon Bedrock")
        assert "Other: paste a base URL" in text
        await pilot.press("enter")
        await until(pilot, "Amazon Bedrock cannot be connected yet: sign-in with AWS is not built yet.")
        await pilot.press("backspace")
        await until(pilot, "cannot be connected yet:", gone=True)


async def test_found_ones_come_first_and_those_that_cannot_be_had_last(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEREBRAS_API_KEY", KEY)
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", KEY)
    async with app.run_test(size=(120, 60)) as pilot:
        await _first(pilot)
        lines = screen_text(app).splitlines()
        at = {name: next((n for n, line in enumerate(lines) if name in line), 0) for name in ("Cerebras", "OpenAI", "DeepSeek", "Bedrock")}  # fmt: skip
        assert at["Cerebras"] < at["OpenAI"] < at["DeepSeek"] < at["Bedrock"]
        assert "● key found in CEREBRAS_API_KEY" in screen_text(app)
        assert KEY not in screen_text(app)
        await pilot.press("enter")
        await until(pilot, "Use CEREBRAS_API_KEY; only its name is stored")


async def test_a_pasted_address_of_a_vendor_is_that_vendor(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    async with app.run_test(size=SIZE) as pilot:
        await _first(pilot)
        app.screen.query_one(Input).value = "https://api.groq.com/openai/v1"
        await pilot.pause()
        await pilot.press("enter")
        text = await until(pilot, "A key for Groq")
        assert "GROQ_API_KEY" in text


async def test_an_address_of_a_vendor_that_is_not_spoken_says_so(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _first(pilot)
        app.screen.query_one(Input).value = "https://aiplatform.googleapis.com"
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, "Google Vertex AI cannot be connected yet: sign-in with Google Cloud")


async def test_a_server_of_ones_own_is_named_by_its_answers(app: SwitchroomApp, llamacpp: str) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _first(pilot)
        app.screen.query_one(Input).value = llamacpp
        await pilot.pause()
        await pilot.press("enter")
        text = await until(pilot, "It answers as llama.cpp server with 2 models.")
        assert "Key for llama.cpp server, if it wants one" in text
        await pilot.press("enter")
        text = await until(pilot, "Which model should its chats use?")
        assert "No prices are known" not in text  # own hardware: nothing to ask
        [view] = await app.services.registry.list()
        assert view.row.catalog_id == "llamacpp"
        await pilot.press("enter")
        await until(pilot, "Ask something")


@pytest.mark.parametrize(("key", "mode"), [("2", "flat"), ("3", "own"), ("1", None)])
async def test_where_no_price_is_known_the_cost_is_asked(
    app: SwitchroomApp, llamacpp: str, monkeypatch: pytest.MonkeyPatch, key: str, mode: str | None
) -> None:
    monkeypatch.setattr("services.merging.is_own_server", lambda _endpoint: False)
    async with app.run_test(size=SIZE) as pilot:
        await _first(pilot)
        app.screen.query_one(Input).value = llamacpp
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, "if it wants one")
        await pilot.press("enter")
        await until(pilot, "What does it cost?")
        await pilot.press(key)
        await until(pilot, "Which model should its chats use?")
        [view] = await app.services.registry.list()
        assert view.row.cost_mode == mode


# -- the model that is highlighted -----------------------------------------------------------------


def _view(ident: str, **more: Any) -> ModelView:
    info = ModelInfo(id=ident, price=Price(), **more)
    return ModelView(f"p/{ident}", "p", info, True, True, True, False, True)


def test_the_highlighted_model_stays_and_is_the_vendors_own_choice_where_it_is_listed() -> None:
    models = [
        _view("ancient", status="deprecated", release_date="2026-11-01"),
        _view("older", release_date="2025-01-01"),
        _view("newer", release_date="2026-05-01"),
        _view("trial", status="preview", release_date="2026-06-01"),
    ]
    assert first_model(models, "older").info.id == "older"
    assert first_model(models, "ancient").info.id == "newer"
    assert first_model(models, None).info.id == "newer"
    assert first_model(models[:1], None).info.id == "ancient"


async def test_with_a_plug_in_installed_it_is_asked_what_a_server_speaks(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.loader.plugged_in", lambda: ("sample",))
    async with app.run_test(size=(80, 24)) as pilot:
        await _first(pilot)
        app.screen.query_one(Input).value = "https://birds.example"
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, "What does your server speak?")
        await pilot.press("2")
        await until(pilot, "Key for your server, if it wants one")
        await pilot.press("escape")
        text = await until(pilot, "The dialect sample, of an installed plug-in")
        assert "1  As OpenAI does: most servers and proxies" in text
        await pilot.press("escape")
        await until(pilot, "Address of your server")
