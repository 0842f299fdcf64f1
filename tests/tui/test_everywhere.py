"""What holds in every mode: a small terminal, messages and their history, the first hint, the mouse, plain terminals."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from textual.color import Color
from textual.pilot import Pilot
from tui_stage import opened, screen_text, until

from services.paths import Paths
from tui.app import SwitchroomApp
from tui.look import AsciiFilter, QuietFilter, low_bandwidth, plain_terminal
from tui.messages import StatusFacts
from tui.modals.too_small import TooSmall


async def test_a_small_terminal_shows_a_sentence_and_comes_back_as_it_was(app: SwitchroomApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot)
        await pilot.press("question_mark")
        await until(pilot, "Keys that work here")
        await pilot.resize_terminal(50, 15)
        text = await until(pilot, "this terminal is 50×15")
        assert "Switchroom needs 60×20" in text
        assert "Keys that work here" not in text
        await pilot.press("escape", "0", "colon")  # nothing that cannot be seen is acted on
        await pilot.resize_terminal(40, 10)
        await until(pilot, "this terminal is 40×10")
        await pilot.resize_terminal(60, 20)
        text = await until(pilot, "Keys that work here")
        assert "needs" not in text
        await pilot.press("escape")
        await until(pilot, "No providers yet")


async def test_it_may_begin_in_a_small_terminal_and_be_left_there(app: SwitchroomApp) -> None:
    async with app.run_test(size=(59, 24)) as pilot:
        await until(pilot, "this terminal is 59×24")
        await pilot.resize_terminal(60, 24)
        await until(pilot, "No providers yet")
        await pilot.resize_terminal(60, 19)
        await until(pilot, "this terminal is 60×19")
        assert isinstance(app.screen, TooSmall)
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0


async def test_a_message_that_is_gone_is_found_with_its_time_and_all_it_said(app: SwitchroomApp) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(pilot)
        long = "The endpoint answered with a page of a login portal. " * 6
        app.tell(long, title="Unexpected response", hint="t tests it again", tone="bad")
        await until(pilot, "! 1 alert")
        await pilot.press("exclamation_mark")
        text = await until(pilot, "✕ error")
        assert "1 alert ·" not in text
        await pilot.press("enter")
        text = await until(pilot, "Next: t tests it again")
        assert text.count("login portal") >= 4
        await pilot.press("escape")
        await until(pilot, "Alerts and messages")
        await pilot.press("escape")
        await until(pilot, "Alerts and messages", gone=True)


async def test_what_is_done_does_not_cover_a_new_window_and_an_error_stands_above_it(
    app: SwitchroomApp,
) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(pilot)
        app.tell("openai-prod synced.", tone="ok")
        await until(pilot, "openai-prod synced.")
        app.tell("It went wrong.", tone="bad")
        await until(pilot, "It went wrong.")
        await pilot.press("question_mark")
        text = await until(pilot, "Keys that work here")
        assert "openai-prod synced." not in text
        lines = text.splitlines()
        at = next(number for number, line in enumerate(lines) if "It went wrong." in line)
        assert at < next(number for number, line in enumerate(lines) if "╭" in line)
        assert text.count("It went wrong.") == 1


async def test_ctrl_c_with_nothing_to_stop_says_how_to_quit_with_the_key_of_now(
    paths: Paths, app: SwitchroomApp
) -> None:
    paths.ensure()
    paths.config_file.write_text('[keys]\n"app.quit" = "f10"\n')
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await opened(pilot)
        await until(pilot, "F10 quit")
        await pilot.press("ctrl+c")
        await until(pilot, "F10 quits")


async def test_somebody_new_is_greeted_once(paths: Paths) -> None:
    async def greeted() -> bool:
        app = SwitchroomApp(paths, mode="providers")
        app.greets = True
        async with app.run_test(size=(100, 30)) as pilot:
            await opened(pilot)
            await until(pilot, "today")
            for _ in range(20):
                await pilot.pause(0.01)
            found = "digits switch modes" in screen_text(app)
            await pilot.press("0")
            await until(pilot, "Look for providers at start")
            assert "digits switch modes" not in screen_text(app)
            await app.workers.wait_for_complete([w for w in app.workers if w.group == "greeted"])
        return found

    assert await greeted()
    assert not await greeted()


async def _click(pilot: Pilot[int], words: str) -> None:
    app = pilot.app
    assert isinstance(app, SwitchroomApp)
    for y, line in enumerate(screen_text(app).splitlines()):
        if (x := line.find(words)) >= 0:
            await pilot.click(offset=(x + 1, y))
            await pilot.pause()
            return
    raise AssertionError(words)


async def test_modes_tabs_rows_and_the_keys_at_the_bottom_can_be_clicked(app: SwitchroomApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        await _click(pilot, "? help")
        await until(pilot, "Keys that work here")
        await _click(pilot, "esc back")
        await until(pilot, "Keys that work here", gone=True)
        await _click(pilot, "0 Settings")
        await until(pilot, "Look for providers at start")
        await _click(pilot, "Appearance")
        await until(pilot, "▌ Theme")
        await _click(pilot, "Animations")
        await until(pilot, "▌ Animations")
        await _click(pilot, "enter change")
        await until(pilot, "config.toml")
        assert app.services.settings.appearance.animations is False
        assert app.animation_level == "none"


async def test_a_screen_reader_hears_no_lines_and_nothing_that_ticks(
    paths: Paths, app: SwitchroomApp
) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        services = await opened(pilot)
        await services.preferences.set("appearance.screen_reader", value=True)
        await pilot.pause()
        assert app.screen_reader
        assert app.animation_level == "none"
        app.set_facts(StatusFacts(runs=2, tok_per_s=83.0))
        text = await until(pilot, "2 runs")
        assert "tok/s" not in text
        await pilot.press("question_mark")
        text = await until(pilot, "Keys that work here")
        assert not set("╭╮╰╯│─") & set(text)
        await pilot.press("escape")
        await services.preferences.unset("appearance.screen_reader")
        await pilot.press("question_mark")
        await until(pilot, "╭")


@pytest.mark.parametrize(
    ("environ", "plain"),
    [
        ({"TERM": "xterm-256color", "LANG": "pl_PL.UTF-8"}, False),
        ({"TERM": "xterm-256color", "LANG": "de_DE.utf8"}, False),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm-256color", "LC_CTYPE": "C.UTF-8"}, False),
        ({"TERM": "xterm-256color", "LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),  # Python's own doing
        ({"TERM": "xterm-256color", "LANG": "en_US.UTF-8", "LC_ALL": "C"}, True),
        ({"TERM": "xterm-256color", "LANG": "de_DE.ISO-8859-1"}, True),
        ({"TERM": "linux", "LANG": "en_US.UTF-8"}, True),
    ],
)
def test_where_only_ascii_is_sure_to_be_drawn(environ: dict[str, str], plain: bool) -> None:
    assert plain_terminal(environ) is plain


def _through(one: AsciiFilter | QuietFilter, text: str) -> str:
    return "".join(segment.text for segment in one.apply([Segment(text)], Color(0, 0, 0)))


def test_what_is_not_ascii_keeps_its_cells() -> None:
    assert _through(AsciiFilter(), "● ok · zażółć") == "* ok . zażółć"
    assert _through(AsciiFilter(strict=True), "● zażółć 模型 →") == "* zazo?c ???? >"
    assert _through(QuietFilter(), "▌ ● ok │ 3") == ">   ok   3"


def test_low_bandwidth_by_itself_over_ssh() -> None:
    assert low_bandwidth("auto", {"SSH_CONNECTION": "1 2 3 4"})
    assert not low_bandwidth("auto", {})
    assert not low_bandwidth("off", {"SSH_CONNECTION": "1 2 3 4"})
    assert low_bandwidth("on", {})


async def test_a_locale_without_utf_8_is_drawn_in_ascii_from_the_first_frame(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    app = SwitchroomApp(paths, mode="providers")
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot)
        await pilot.press("question_mark")
        text = await until(pilot, "Keys that work here")
        assert text.isascii(), [c for c in text if not c.isascii()]
