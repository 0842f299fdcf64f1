"""The first second: keys that come before the services are open act on what they are meant for, and break nothing."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
from tui_stage import screen_text, until

from services.container import Services, open_services
from services.paths import Paths
from services.registry import ProviderDraft
from tui import life
from tui.app import SwitchroomApp
from tui.keymap import MODES
from tui.themes import early_theme


@asynccontextmanager
async def never() -> AsyncIterator[Services]:
    await asyncio.Event().wait()
    yield cast("Services", None)


async def _seeded(paths: Paths) -> None:
    async with open_services(paths) as services:
        for slug in ("alpha", "beta"):
            await services.registry.add(ProviderDraft(slug=slug, url="http://127.0.0.1:9"), None, test=False)


async def test_keys_typed_while_the_services_open_reach_the_mode_and_its_filter(paths: Paths) -> None:
    await _seeded(paths)
    go_on = asyncio.Event()

    @asynccontextmanager
    async def late() -> AsyncIterator[Services]:
        await go_on.wait()
        async with open_services(paths) as services:
            yield services

    app = SwitchroomApp(paths, services_opener=late)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "slash", "b", "e", "t")
        go_on.set()
        text = await until(pilot, "/ bet")
        assert "beta" in text
        assert "alpha" not in text


async def test_the_palette_asked_for_while_the_services_open_knows_the_providers(paths: Paths) -> None:
    await _seeded(paths)
    app = SwitchroomApp(paths, services_opener=lambda: open_services(paths))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", "b", "e", "t")
        await until(pilot, "provider  beta")


async def test_a_store_that_takes_long_to_open_is_told(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large one is brought up to date after an update: a still screen must not look like a hung one."""
    monkeypatch.setattr(life, "_LONGEST_OPENING", 0.05)
    app = SwitchroomApp(paths, services_opener=never)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        text = await until(pilot, "Still opening the store")
        assert "can take a minute" in text
        _give_up(app)


async def test_services_that_take_long_keep_nobody_from_leaving(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "_LONGEST_OPENING", 0.05)
    app = SwitchroomApp(paths, services_opener=never)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("q")
        for _ in range(200):
            if app._exit:
                break
            await asyncio.sleep(0.01)
        assert app._exit
        _give_up(app)


async def test_work_that_ends_before_it_began_says_nothing(paths: Paths) -> None:
    app = SwitchroomApp(paths)
    begun: list[int] = []

    async def work() -> None:
        begun.append(1)

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            app.run_worker(work(), group="greeted")
            app.screen.run_worker(work()).cancel()
            app.workers.cancel_all()
            await pilot.pause()
        gc.collect()
    assert not begun
    assert not [warning for warning in told if "never awaited" in str(warning.message)]


@pytest.mark.parametrize("mode", [mode.name for mode in MODES])
async def test_no_key_is_a_mistake_of_ours_before_the_services_are_there(
    paths: Paths, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "_LONGEST_OPENING", 0.01)
    app = SwitchroomApp(paths, services_opener=never, mode=mode)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen, tried = app.screen, set()
        for entry in tuple(screen.active_bindings.values()):
            ident, action = entry.binding.id or "", entry.binding.action
            if ident.startswith("mode.") or ident in ("", "app.quit", "app.suspend") or action in tried:
                continue
            tried.add(action)
            await app.run_action(action, entry.node)
            await pilot.pause()
            while app.screen is not screen:
                await app.pop_screen()
        assert len(tried) > 8
        assert screen_text(app)
        _give_up(app)


def _give_up(app: SwitchroomApp) -> None:
    """Services that never open cannot be closed either."""
    task = app._host._task
    assert task is not None
    app._host._task = None
    task.cancel()


def test_a_file_that_is_no_text_does_not_keep_the_first_frame_away(paths: Paths) -> None:
    paths.ensure()
    for content in (b"[appearance]\ntheme = 'caf\xe9'\n", b"appearance = 3\n", b"= ["):
        paths.config_file.write_bytes(content)
        assert early_theme(paths) == "dark"
