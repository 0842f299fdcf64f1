"""Asking models what they can do by keys: the cost first, the answers as they come, stopping, one's own word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from models_stage import stock
from textual.pilot import Pilot
from tui_stage import NOW, opened, until

from adapters.base import Connection
from adapters.fake import FakeAdapter
from adapters.fake_play import FakeModel, Script
from services.container import Services
from services.paths import Paths
from tui.app import SwitchroomApp
from tui.screens.model_probe import ProbeWindow
from tui.screens.model_probe_results import ProbeResults
from tui.screens.models import ModelsScreen

Compare = Callable[..., bool]
ABLE = {"sonnet-9": ("tools", "vision", "json"), "opus-9": ("tools", "reasoning"), "haiku-9": (), "mini": ("tools",), "llama3:8b": ("json",)}  # fmt: skip


class Stage:
    """Played models; while `hold` is set they keep silent."""

    def __init__(self) -> None:
        self.hold: asyncio.Event | None = None

    async def sleep(self, _seconds: float) -> None:
        if self.hold is not None:
            await self.hold.wait()

    def play(self, services: Services) -> None:
        models = tuple(FakeModel(name, capabilities=able, ttft=0, pace=0) for name, able in ABLE.items())
        adapter = FakeAdapter(
            Connection("alpha", "fake", "http://127.0.0.1"),
            play=Script("stage", models, ()),
            sleep=self.sleep,
        )

        async def played(_slug: str) -> FakeAdapter:
            return adapter

        services.registry.adapter = played  # type: ignore[method-assign, assignment]


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def app(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> SwitchroomApp:
    for module in (
        "tui.screens.model_columns", "tui.screens.model_detail", "services.model_records", "services.probe",
    ):  # fmt: skip
        monkeypatch.setattr(f"{module}.now_ms", lambda: NOW)
    return SwitchroomApp(paths, mode="models")


async def ready(pilot: Pilot[Any], stage: Stage) -> Services:
    services = await opened(pilot)
    await stock(services)
    stage.play(services)
    await until(pilot, "10 models of 4 providers")
    return services


@pytest.fixture
async def pilot(app: SwitchroomApp, stage: Stage) -> AsyncIterator[Pilot[int]]:
    async with app.run_test(size=(120, 40)) as one:
        await ready(one, stage)
        yield one


async def test_the_cost_comes_first_and_the_answers_as_they_come(
    pilot: Pilot[int], app: SwitchroomApp
) -> None:
    await pilot.press("g", "p")
    text = await until(pilot, "Ask alpha/haiku-9 what it can do")
    assert isinstance(app.screen, ProbeWindow)
    assert "4 questions to 1 model: $0.00" in text
    await pilot.press("j", "space")
    await until(pilot, "3 questions to 1 model: $0.00")
    await pilot.press("enter")
    text = await until(pilot, "Done: 3 no")
    assert isinstance(app.screen, ProbeResults)
    assert "vision" not in text, "what was not chosen is not asked"
    assert "It answered in words: “I cannot look out of the window.”" in text
    await pilot.press("enter")
    text = await until(pilot, "Models › alpha/haiku-9")
    text = await until(pilot, "✕ no")
    assert text.count("asked 2025-11-20") == 3
    await pilot.press("escape")
    await until(pilot, "Done: 3 no")
    await pilot.press("escape")
    await until(pilot, "10 models of 4 providers")
    assert isinstance(app.screen, ModelsScreen)


async def test_marked_models_are_asked_together(pilot: Pilot[int], app: SwitchroomApp) -> None:
    await pilot.press("asterisk", "p")
    text = await until(pilot, "what they can do")
    assert "Not asked: alpha/old-2 (alpha no longer offers it), and 2 others." in text
    await pilot.press("enter")
    text = await until(pilot, "Done:", gone=False)
    services = app.services
    assert services.probes.work is not None
    assert {r.model for r in services.probes.work.results} >= {"alpha/opus-9", "beta/mini", "home/llama3:8b"}
    assert "own" in text


async def test_it_goes_on_in_another_mode_and_esc_stops_it(
    pilot: Pilot[int], app: SwitchroomApp, stage: Stage
) -> None:
    await pilot.press("g", "p")
    await until(pilot, "what it can do")
    stage.hold = asyncio.Event()
    await pilot.press("enter")
    await until(pilot, "◌ asking")
    await pilot.press("4")
    await until(pilot, "asking ░")
    await pilot.press("3")
    text = await until(pilot, "esc stop")
    assert "· waiting" in text
    await pilot.press("escape")
    text = await until(pilot, "Stopped:")
    assert "○ not asked" in text
    assert (await app.services.models.get("alpha/haiku-9")).asked == {}
    assert not app.services.runs.active()
    await pilot.press("escape")
    await until(pilot, "10 models of 4 providers")


async def test_who_is_elsewhere_hears_of_the_end(pilot: Pilot[int], app: SwitchroomApp, stage: Stage) -> None:
    await pilot.press("g", "p")
    await until(pilot, "what it can do")
    stage.hold = asyncio.Event()
    await pilot.press("enter")
    await until(pilot, "◌ asking")
    await pilot.press("4")
    await until(pilot, "asking ░")
    stage.hold.set()
    await until(pilot, "asking ", gone=True)
    told = app.notices[-1]
    assert told.message.startswith("Models asked: 4 no · $0.00")
    assert told.hint == "3 shows the answers"
    await pilot.press("3")
    await until(pilot, "Done: 4 no")


async def test_ctrl_c_stops_it_from_anywhere(pilot: Pilot[int], app: SwitchroomApp, stage: Stage) -> None:
    await pilot.press("g", "p")
    await until(pilot, "what it can do")
    stage.hold = asyncio.Event()
    await pilot.press("enter")
    await until(pilot, "◌ asking")
    await pilot.press("4")
    await until(pilot, "asking ░")
    await pilot.press("ctrl+c")
    await until(pilot, "asking ░", gone=True)
    assert app.services.probes.work is not None
    assert app.services.probes.work.stopped


async def test_p_while_models_are_asked_shows_them(
    pilot: Pilot[int], app: SwitchroomApp, stage: Stage
) -> None:
    await pilot.press("g", "p")
    await until(pilot, "what it can do")
    stage.hold = asyncio.Event()
    await pilot.press("enter")
    await until(pilot, "◌ asking")
    await pilot.press("enter")
    await until(pilot, "Models › alpha/haiku-9")
    await pilot.press("p")
    await until(pilot, "◌ asking")
    assert isinstance(app.screen, ProbeResults)


async def test_ones_own_word(pilot: Pilot[int], app: SwitchroomApp) -> None:
    await pilot.press("g", "p")
    await until(pilot, "what it can do")
    await pilot.press("u")
    await until(pilot, "✓ you say so")
    await pilot.press("u")
    await until(pilot, "✕ you say so")
    view = await app.services.models.get("alpha/haiku-9")
    assert view.info.sources["capabilities.tools"] == "user"
    assert "tools" not in (view.info.capabilities or ())
    await pilot.press("u")
    await until(pilot, "you say so", gone=True)


async def test_an_unknown_price_under_a_limit_is_left_out_until_one_says_so(
    pilot: Pilot[int], app: SwitchroomApp
) -> None:
    from decimal import Decimal

    await app.services.budgets.set("global", "daily", Decimal(5))
    await pilot.press("slash", *"7b", "enter", "p")
    text = await until(pilot, "a limit cannot count it: left out")
    assert "Nothing is asked" in text
    await pilot.press("enter")
    await pilot.pause()
    assert isinstance(app.screen, ProbeWindow)
    await pilot.press("a")
    text = await until(pilot, "asked all the same")
    assert "4 questions to 1 model: unknown" in text


async def test_what_does_not_chat_is_not_asked(pilot: Pilot[int], app: SwitchroomApp) -> None:
    await pilot.press("slash", *"embed", "enter", "p")
    while not app.notices:
        await pilot.pause()
    assert app.notices[-1].message == "beta/embed-3 is not asked: it does not chat."
    assert isinstance(app.screen, ModelsScreen)


async def test_guesses_and_answers_look_different_and_can_be_filtered(
    pilot: Pilot[int], app: SwitchroomApp
) -> None:
    from services.feed import ModelsChanged
    from store.models import Models

    async with app.services.db.transaction() as tx:
        await Models(app.services.db).ensure(tx, "beta", ["qwen3-32b"], NOW)
    app.services.feed.publish(ModelsChanged("beta"))
    text = await until(pilot, "qwen3-32b")
    line = next(row for row in text.splitlines() if "qwen3-32b" in row)
    assert "t·r··" in line
    assert "small: guessed" in text
    await pilot.press("g", "p")
    await until(pilot, "what it can do")
    await pilot.press("enter")
    await until(pilot, "Done:")
    await pilot.press("escape", "slash", *"sure", "colon", *"asked", "enter")
    text = await until(pilot, "1 of 11")
    assert "haiku-9" in text
    await pilot.press("escape", "slash", *"sure", "colon", *"guessed", "enter")
    text = await until(pilot, "1 of 11")
    assert "qwen3-32b" in text


def _shown(stage: Stage, *keys: str, words: str) -> Callable[[Pilot[Any]], Any]:
    async def press(pilot: Pilot[Any]) -> None:
        await ready(pilot, stage)
        await until(pilot, "today")
        await pilot.press(*keys)
        await until(pilot, words)

    return press


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_picture_of_the_question(
    app: SwitchroomApp, stage: Stage, snap_compare: Compare, size: tuple[int, int]
) -> None:
    press = _shown(stage, "asterisk", "p", words="what they can do")
    assert snap_compare(app, terminal_size=size, run_before=press)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_picture_of_the_answers(
    app: SwitchroomApp, stage: Stage, snap_compare: Compare, size: tuple[int, int]
) -> None:
    async def press(pilot: Pilot[Any]) -> None:
        await ready(pilot, stage)
        await until(pilot, "today")
        await pilot.press("g", "space", "j", "space", "p")
        await until(pilot, "what they can do")
        await pilot.press("enter")
        await until(pilot, "Done:")
        await until(pilot, "today $0.0")

    assert snap_compare(app, terminal_size=size, run_before=press)
