"""Keys of the user's own, from config.toml: what they do, where they are shown, what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tui_stage import opened, until

from services.paths import Paths
from tui import remap
from tui.app import SwitchroomApp
from tui.keymap import key_label
from tui.own_keys import KEY_IN_TEXT


def _keys(paths: Paths, text: str) -> None:
    paths.ensure()
    paths.config_file.write_text(f"[keys]\n{text}\n")


async def test_a_remapped_key_acts_and_every_line_of_keys_shows_it(paths: Paths, app: SwitchroomApp) -> None:
    _keys(paths, '"providers.add" = "A, ctrl+b"\n"app.help" = "H"')
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await opened(pilot)
        text = await until(pilot, "A add")
        assert "H help" in text
        assert "? help" not in text
        await pilot.press("a")
        await pilot.pause()
        assert not app.screen.is_modal
        assert app.screen_stack == [app.screen]
        await pilot.press("H")
        text = await until(pilot, "Keys that work here")
        assert "A ctrl+b" in text
        await pilot.press("escape")
        await pilot.press("colon")
        await until(pilot, "Do what?")
        for key in "add a provider":
            await pilot.press("space" if key == " " else key)
        text = await until(pilot, "▌ action")
        assert any("▌ action" in line and " A │" in line for line in text.splitlines())
        await pilot.press("escape")
        await pilot.press("A")
        await until(pilot, "Add a provider")


async def test_the_order_of_the_footer_does_not_depend_on_the_keys(paths: Paths, app: SwitchroomApp) -> None:
    _keys(paths, '"app.alerts" = "f9"\n"app.palette" = "f8"')
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await opened(pilot)
        text = await until(pilot, "F8 commands")
        assert "F8 commands  F9 alerts" in text


async def test_an_action_without_a_key_is_still_in_the_palette(paths: Paths, app: SwitchroomApp) -> None:
    _keys(paths, '"app.alerts" = ""')
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await opened(pilot)
        await pilot.press("exclamation_mark")
        await pilot.pause()
        assert not app.screen.is_modal
        await pilot.press("colon")
        await until(pilot, "What was reported")


async def test_what_is_wrong_is_told_with_the_way_out(paths: Paths, app: SwitchroomApp) -> None:
    _keys(paths, '"providers.ad" = "A"\n"providers.sync" = "q"\n"app.alerts" = "ctrl+m"')
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await opened(pilot)
        text = await until(pilot, "terminals send enter")
        assert "Did you mean providers.add?" in text
        assert "providers.sync wins, app.quit is not reached" in " ".join(text.replace("▌", " ").split())
        await pilot.press("0")
        await until(pilot, "Look for providers at start")
        await pilot.press("[")
        text = await until(pilot, "providers.ad")
        first = text[text.index("▌") :].splitlines()[:3]  # what is wrong stands first
        assert ["ctrl+m for app.alerts" in first[0], "q is for providers.sync" in first[1], "providers.ad " in first[2]] == [True] * 3  # fmt: skip


def _actions() -> dict[str, remap.Bound]:
    return remap.bound()


def test_the_keys_as_they_come_are_in_order() -> None:
    actions = _actions()
    assert remap.problems(actions, {}) == []
    assert remap.problems(actions, {ident: ",".join(action.keys) for ident, action in actions.items()}) == []
    for action in actions.values():
        assert [remap.unsent(key) for key in action.keys if key not in ("ctrl+h",)] == [None] * len(action.keys), action  # fmt: skip


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("A", "A"), ("ctrl+B", "ctrl+b"), ("/", "slash"), ("?", "question_mark"), ("esc", "escape"), ("F5", "f5"),
        ("+", "plus"), ("ctrl+]", "ctrl+right_square_bracket"), (",", "comma"), ("PgDn", "pagedown"), ("é", "é"),
    ],
)  # fmt: skip
def test_keys_are_read_as_people_write_them(written: str, key: str) -> None:
    assert remap.normalized(written) == (key,)
    assert remap.unsent(key) is None


@pytest.mark.parametrize(
    "key", ["ctrl+m", "ctrl+i", "alt+3", "shift+enter", "ctrl+shift+a", "ctrl+s", "super+a", "foo", "shift+a"]
)
def test_keys_that_no_terminal_sends_are_known(key: str) -> None:
    assert remap.unsent(key)


def test_two_actions_on_one_key_are_told_only_where_both_can_be_reached() -> None:
    actions = _actions()
    found = remap.problems(actions, {"providers.add": "t"})
    assert [problem.id for problem in found] == ["providers.add"]
    assert "providers.test" in found[0].words
    assert remap.problems(actions, {"providers.add": "R"}) == []
    assert remap.problems(actions, {"providers.add": "t", "providers.test": "T"}) == []
    assert "table.down wins" in remap.problems(actions, {"providers.add": "j"})[0].words
    assert "app.interrupt wins" in remap.problems(actions, {"providers.add": "ctrl+c"})[0].words
    assert remap.problems(actions, {"confirm.yes": "a"}) == []


def test_the_keys_that_sentences_name_are_the_keys_of_their_actions() -> None:
    actions = remap.bound()
    named = [
        (file.name, key, ident)
        for file in Path(remap.__file__).parent.rglob("*.py")
        for key, idents in KEY_IN_TEXT.findall(file.read_text())
        for ident in idents.split("|")
    ]
    assert len(named) > 60
    for file, key, ident in named:
        assert ident in actions, (file, ident)
        assert key in map(key_label, actions[ident].keys), (file, key, ident)


async def test_sentences_name_the_keys_of_now(paths: Paths) -> None:
    _keys(paths, '"providers.add" = "A,ctrl+b"\n"mode.providers" = "p"\n"app.offline" = ""\n')
    app = SwitchroomApp(paths, mode="models")
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, "Press p, then A to add a provider")
        await pilot.press("p")
        services = await opened(pilot)
        await until(pilot, "Press A to add one")
        app.tell("Offline.", hint="{O:app.offline} goes back, {c:providers.chat|provider.chat} chats")
        await until(pilot, ": goes back, c chats")
        await services.preferences.unset("keys.providers.add")
        await until(pilot, "Press a to add one")
