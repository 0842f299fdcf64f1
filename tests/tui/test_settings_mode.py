"""The Settings mode: found, read and changed by keys."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from tui_stage import screen_text, type_text, until

from services import settings
from services.paths import Paths
from tui.app import SwitchroomApp
from tui.screens.settings_lines import PLAIN


@pytest.fixture(autouse=True)
def from_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done at the start is as it is out of the box."""
    monkeypatch.delenv("SWITCHROOM_SYNC__AT_START")
    monkeypatch.delenv("SWITCHROOM_DISCOVERY__AT_START")


@pytest.fixture
def app(paths: Paths) -> SwitchroomApp:
    return SwitchroomApp(paths, mode="settings")


async def _on(pilot: Pilot[int], tab: str, words: str) -> None:
    await until(pilot, "Look for providers at start")
    for _ in range(["General", "Defaults", "Offline", "Security", "Appearance", "Keys"].index(tab)):
        await pilot.press("]")
    await until(pilot, words)


def _file(app: SwitchroomApp) -> str:
    assert app.paths is not None
    path = app.paths.config_file
    return path.read_text() if path.exists() else ""


def test_every_setting_has_a_plain_name_and_a_tab() -> None:
    assert set(PLAIN) == set(settings.names())


async def test_the_theme_is_set_from_the_screen_alone_and_seen_before_it_is_taken(app: SwitchroomApp) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await _on(pilot, "Appearance", "▌ Theme")
        await pilot.press("enter")
        await until(pilot, "for a bright room")
        await pilot.press("down")
        await pilot.pause()
        assert app.theme == "light"
        await pilot.press("escape")
        await until(pilot, "for a bright room", gone=True)
        assert app.theme == "dark"
        assert _file(app) == ""
        await pilot.press("enter")
        await until(pilot, "for a bright room")
        await pilot.press("down", "enter")
        await until(pilot, "Theme is now: light.")
        assert app.theme == "light"
        assert _file(app) == '[appearance]\ntheme = "light"\n'
        text = await until(pilot, "config.toml")
        assert "u back to default" in text
        await pilot.press("u")
        await until(pilot, "back to its default: dark")
        assert app.theme == "dark"
        assert _file(app) == ""


async def test_switches_choices_and_numbers(app: SwitchroomApp) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await _on(pilot, "General", "Look for providers at start")
        await pilot.press("j", "enter")
        await until(pilot, "Sync at start is from the next start: off.")
        await pilot.press("j", "j", "j", "enter")  # Attempts for one run
        await until(pilot, "from 1 to 20")
        await pilot.press("backspace", "9", "9", "enter")
        await until(pilot, "up to 20")
        await pilot.press("backspace", "backspace", "5", "enter")
        await until(pilot, "Attempts for one run is now: 5.")
        assert app.services.settings.retry.attempts == 5
        assert _file(app) == "[sync]\nat_start = false\n\n[retry]\nattempts = 5\n"


async def test_a_setting_is_found_on_whatever_tab_it_is(app: SwitchroomApp) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await _on(pilot, "General", "Look for providers at start")
        await pilot.press("/")
        await type_text(pilot, "colour")
        text = await until(pilot, "Appearance  Theme")
        assert "Sync at start" not in text
        await pilot.press("enter", "enter")
        await until(pilot, "for a bright room")
        await pilot.press("escape")
        await until(pilot, "for a bright room", gone=True)
        await pilot.press("escape")
        text = await until(
            pilot, "/ colour", gone=True
        )  # and the cursor is on what was found, on its own tab
        assert "▌ Theme" in text
        assert "Screen reader" in text


async def test_what_a_variable_fixes_names_the_variable(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHROOM_APPEARANCE__THEME", "light")
    app = SwitchroomApp(paths, mode="settings")
    async with app.run_test(size=(140, 40), notifications=True) as pilot:
        await _on(pilot, "Appearance", "▌ Theme")
        await until(pilot, "Fixed by SWITCHROOM_APPEARANCE__THEME")
        await pilot.press("enter")
        await until(pilot, "Not changed here")
        assert _file(app) == ""


async def test_a_read_only_session_changes_nothing(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    async with SwitchroomApp(paths, mode="settings").run_test() as pilot:
        await until(pilot, "Look for providers at start")  # the store is made
    monkeypatch.setenv("SWITCHROOM_READ_ONLY", "1")
    app = SwitchroomApp(paths, mode="settings")
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await _on(pilot, "Appearance", "▌ Theme")
        await pilot.press("j", "enter")
        await until(pilot, "read-only")
        assert _file(app) == ""


async def test_a_daily_limit_and_its_end(app: SwitchroomApp) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await _on(pilot, "Defaults", "Daily limit")
        await pilot.press("j", "enter")
        await until(pilot, "Daily limit, in USD")
        await pilot.press("x", "enter")
        await until(pilot, "That is no amount")
        await pilot.press("backspace")
        await type_text(pilot, "7.5")
        await pilot.press("enter")
        await until(pilot, "Daily limit is now: $7.50")
        await until(pilot, "today $0.00 / $7.50")
        await pilot.press("u")
        await until(pilot, "/ $7.50", gone=True)


async def test_a_new_key_is_pressed_and_one_that_is_taken_must_be_pressed_twice(app: SwitchroomApp) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await _on(pilot, "Keys", "▌ Everywhere")
        await pilot.press("/")
        await type_text(pilot, "app.palette")
        await pilot.press("enter", "enter")
        await until(pilot, "Press the new key")
        await pilot.press("O")
        await until(pilot, "Press it again to take it anyway")
        await pilot.press("escape")
        await until(pilot, "Press the new key", gone=True)
        assert _file(app) == ""
        await pilot.press("enter")
        await until(pilot, "Press the new key")
        await pilot.press("Z")
        await until(pilot, "Press the new key", gone=True)
        assert '"app.palette" = "Z"' in _file(app)
        text = await until(pilot, "Z commands")
        assert ": commands" not in text
        await pilot.press("escape")
        await until(pilot, "/ app.palette", gone=True)
        await pilot.press("Z")
        await until(pilot, "Do what?")
        await pilot.press("escape")
        await pilot.press("u")
        await until(pilot, ": commands")


async def test_another_program_is_no_part_of_it_but_the_list_stays_where_it_was(app: SwitchroomApp) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await _on(pilot, "General", "Look for providers at start")
        await pilot.press("j", "j", "j")
        await app.services.preferences.set("retry.attempts", 4)
        await until(pilot, "4         3         config.toml")
        line = next(line for line in screen_text(app).splitlines() if line.startswith("▌"))
        assert "Time for one sync" in line
        await pilot.press("1")
        await pilot.press("0")
        await until(pilot, "▌ Time for one sync")
