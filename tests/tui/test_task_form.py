"""A translation asked for in the form: several lines, a language that does not exist, the answer, and its picture."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from textual import events
from textual.pilot import Pilot
from tui_stage import opened, type_text, until

sys.path.append(str(Path(__file__).parents[1] / "adapters"))

from hub_server import TOKEN, HubServer
from loop_server import serving

from services.drafts import ProviderDraft
from services.paths import Paths
from tui.app import SwitchroomApp
from tui.screens.task import ask_task


async def _add(pilot: Pilot[Any], url: str) -> None:
    services = await opened(pilot)
    draft = ProviderDraft(slug="hf", type="huggingface", url=f"{url}/v1", options={"hub": url})
    await services.registry.add(draft, SecretStr(TOKEN), test=False, backend="file")


async def _open(pilot: Pilot[Any], url: str) -> SwitchroomApp:
    app = pilot.app
    assert isinstance(app, SwitchroomApp)
    await _add(pilot, url)
    app.do(ask_task(app, "translate"))
    await until(pilot, "Translate a text")
    return app


async def test_several_lines_are_translated(app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    server = HubServer()
    async with serving(server) as loop, app.run_test(size=(80, 24)) as pilot:
        await _open(pilot, loop.url)
        await pilot.press("tab", "tab")
        await type_text(pilot, "Germn")
        await pilot.press("tab")
        await type_text(pilot, ":")
        app.screen.post_message(events.Paste("first line\r\nsecond line"))
        await until(pilot, "second line")
        await pilot.press("enter")
        await until(pilot, "Did you mean German?")
        assert not server.tasks, "nothing was sent"
        await pilot.press("shift+tab")
        await type_text(pilot, "German")
        await pilot.press("enter")
        await until(pilot, "Das Wetter ist schön.")
        assert json.loads(server.tasks[0][2]) == {
            "inputs": ":first line\nsecond line",
            "parameters": {"src_lang": "eng_Latn", "tgt_lang": "deu_Latn"},
        }
        await pilot.press("escape")
        await until(pilot, "Translated by", gone=True)


def test_picture(paths: Paths, snap_compare: Callable[..., bool]) -> None:
    async def ready(pilot: Pilot[Any]) -> None:
        await _open(pilot, "http://127.0.0.1:9")
        await pilot.press("tab", "tab")
        await type_text(pilot, "German")
        await pilot.press("tab")
        pilot.app.screen.post_message(events.Paste("The weather is nice.\nIt may rain tomorrow."))
        await until(pilot, "tomorrow")

    assert snap_compare(SwitchroomApp(paths, mode="providers"), terminal_size=(80, 24), run_before=ready)


async def test_a_model_is_looked_for_and_pulled(app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.local_models import LocalModels
    from tui.screens.local_models_actions import pull

    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    pulled: list[tuple[str, str]] = []

    async def noted(_self: LocalModels, slug: str, model: str) -> None:
        pulled.append((slug, model))

    monkeypatch.setattr(LocalModels, "pull", noted)
    async with serving(HubServer()) as loop, app.run_test(size=(80, 24)) as pilot:
        await _add(pilot, loop.url)
        app.do(pull(app))
        await until(pilot, "are looked for")
        await type_text(pilot, "whisper tiny")
        await pilot.press("enter")
        text = await until(pilot, "openai/whisper-tiny")
        assert "812k" in text
        assert "ask first" in text
        await pilot.press("enter")
        await until(pilot, "Models on the hub", gone=True)
        assert pulled == [("hf", "openai/whisper-tiny")]


async def test_runs_whose_cost_nobody_states_were_made_all_the_same(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.tasks import translation

    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    async with serving(HubServer()) as loop, app.run_test(size=(80, 24)) as pilot:
        await _add(pilot, loop.url)
        request = translation("hf/facebook/m2m100_418M", "yes", "en", "de", caller="test")
        await app.services.runs.start(request).result()
        await pilot.press("5")
        text = await until(pilot, "have no known cost")
        assert "This month: no known cost" in text
        assert "Nothing was used" not in text
