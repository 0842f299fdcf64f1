"""A person imports and exports the configuration: the plan before, the keys after, and pictures of both."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input
from tui_stage import KEY, Vendor, opened, screen_text, type_text, until

from catalog.errors import NotFoundError
from services.paths import Paths
from services.transfer_types import Found, KeyToSet, Plan, Remark, Step
from tui.app import SwitchroomApp
from tui.modals.import_plan import ImportPlan, KeysToSet

SIZE = (120, 40)
Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def user_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder, where other programs keep their files, and the folder they are in."""
    folder = tmp_path / "user"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SWITCHROOM_SECURITY__BACKEND", "file")
    return folder


def lace(folder: Path, vendor: Vendor, key: str) -> None:
    place = folder / ".lace"
    (place / "credentials").mkdir(parents=True)
    instances = {
        "work": {"displayName": "Work", "catalogProviderId": "vllm", "endpoint": vendor.url, "strange": 1}
    }
    (place / "provider-instances.json").write_text(json.dumps({"version": "1.0", "instances": instances}))
    file = place / "credentials" / "work.json"
    file.write_text(json.dumps({"apiKey": key}))
    file.chmod(0o600)


async def ask(pilot: Pilot[int], words: str) -> None:
    await pilot.press("colon")
    await until(pilot, "Do what?")
    await type_text(pilot, f"{words} conf")
    await until(pilot, f"{words.capitalize()} configuration")
    await pilot.press("enter")


async def test_a_file_of_another_program_is_offered_shown_and_imported(
    app: SwitchroomApp, vendor: Vendor, user_home: Path
) -> None:
    vendor.key = KEY
    lace(user_home, vendor, KEY)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await ask(pilot, "import")
        await until(pilot, ".lace/provider-instances.json")
        await pilot.press("enter")
        text = await until(pilot, "LACE provider instances: 2 changes")
        assert "+ add" in text
        assert "strange is not known here" in text
        assert vendor.asked == 0
        await pilot.press("enter")
        text = await until(pilot, "Imported 2 changes from provider-instances.json.")
        row = await services.registry.row("work")
        assert (row.state, row.key_ref, row.name) == ("ok", "file:work", "Work")
        assert KEY not in text


async def test_leaving_the_plan_changes_nothing(app: SwitchroomApp, vendor: Vendor, user_home: Path) -> None:
    lace(user_home, vendor, KEY)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await ask(pilot, "import")
        await until(pilot, ".lace/provider-instances.json")
        await pilot.press("enter")
        await until(pilot, "2 changes")
        await pilot.press("escape")
        await until(pilot, "2 changes", gone=True)
        assert await services.registry.rows() == []
        assert vendor.asked == 0


@pytest.mark.parametrize("answer", ["y", "n"])
async def test_a_key_that_fails_its_test_is_kept_or_set_anew(
    app: SwitchroomApp, vendor: Vendor, user_home: Path, answer: str
) -> None:
    vendor.key = "sk-the-right-one-0123456789"
    lace(user_home, vendor, KEY)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await ask(pilot, "import")
        await until(pilot, ".lace/provider-instances.json")
        await pilot.press("enter")
        await until(pilot, "2 changes")
        await pilot.press("enter")
        text = await until(pilot, "1 key of the file failed the test")
        assert KEY not in text
        await pilot.press(answer)
        if answer == "y":
            await until(pilot, "Imported 2 changes")
            assert (await services.registry.row("work")).key_ref == "file:work"
            return
        await until(pilot, "1 key still to set")
        await pilot.press("enter")
        await until(pilot, "Key of work")
        await pilot.press("enter")
        await until(pilot, "It is not shown")
        app.screen.query_one(Input).value = vendor.key
        await pilot.press("enter")
        await until(pilot, "Imported 1 change")
        assert (await services.registry.row("work")).state == "ok"
        assert vendor.key not in screen_text(app)


async def test_a_file_that_cannot_be_used_is_told_under_the_line(app: SwitchroomApp, user_home: Path) -> None:
    (user_home / "bad").write_text('{"instances": {')
    (user_home / "in.toml").write_text(
        '[provider.groq]\napi_key = "${GROQ_API_KEY}"\n[provider.lan]\nbase_url = "http://192.168.1.7/v1"\n'
    )
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        await ask(pilot, "import")
        await until(pilot, "Import which file?")
        await pilot.press("enter")
        await until(pilot, "Write a file name.")
        app.screen.query_one(Input).value = "bad"
        await pilot.press("enter")
        await until(pilot, "line 1 is not valid JSON")
        app.screen.query_one(Input).value = "~/in.toml"
        await pilot.press("enter")
        await until(pilot, "Allow plain http to private addresses?")
        await pilot.press("n")
        await until(pilot, "[provider.NAME] tables: 2 changes · 1 skipped")
        await pilot.press("enter")
        await until(pilot, "1 key still to set")
        await pilot.press("escape")
        await until(pilot, "Imported 2 changes from in.toml")
        assert (await services.registry.row("groq")).key_ref == "env:GROQ_API_KEY"
        with pytest.raises(NotFoundError):
            await services.registry.row("lan")


async def test_export_asks_before_it_replaces(app: SwitchroomApp, user_home: Path) -> None:
    (user_home / "mine.toml").write_text("mine")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(pilot)
        await ask(pilot, "export")
        await until(pilot, "Everything but the keys")
        await pilot.press("enter")
        await until(pilot, "Export to which file?")
        assert app.screen.query_one(Input).value.endswith(".toml")
        app.screen.query_one(Input).value = str(user_home / "mine.toml")
        await pilot.press("enter")
        await until(pilot, "Replace mine.toml?")
        await pilot.press("n")
        await until(pilot, "Export to which file?")
        assert (user_home / "mine.toml").read_text() == "mine"
        await pilot.press("enter")
        await until(pilot, "Replace mine.toml?")
        await pilot.press("y")
        await until(pilot, "0 providers written to")
        assert "switchroom = 1" in (user_home / "mine.toml").read_text()


def _plan() -> Plan:
    file = Path("/home/me/.lace/provider-instances.json")
    steps = (
        Step("provider", "openai-prod", "add", "openai at https://api.openai.com/v1, timeout 30 s", line=3),
        Step("key", "openai-prod", "add", "from the file: tried, then stored"),
        Step("provider", "gpu", "change", "timeout, default model", line=9),
        Step("provider", "groq", "same", "as here", line=14),
        Step(
            "provider",
            "old",
            "skip",
            "is not taken over",
            "Plain http goes only to this machine or a private network.",
            19,
        ),
        Step("limit", "global monthly", "add", "$50.00"),
    )
    remarks = (
        Remark("left out", "instances.gpu.colour is not known here.", file, 11),
        Remark("warning", "x would send OPENAI_API_KEY, the key of openai, to llm.example", file, 21),
        Remark("note", "“My GPU!” is called my-gpu here.", file, 9),
        Remark(
            "left out",
            "openai-prod: additionalAuth beside the key.",
            file.parent / "credentials" / "openai-prod.json",
        ),
    )
    return Plan(Found("lace", file), steps, remarks, ())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_picture_of_the_plan(paths: Paths, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def ready(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        pilot.app.push_screen(ImportPlan(_plan()))
        await until(pilot, "4 changes")
        await pilot.press("down")
        await until(pilot, "llm.example")

    assert snap_compare(SwitchroomApp(paths, mode="providers"), terminal_size=size, run_before=ready)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_picture_of_the_keys(paths: Paths, snap_compare: Compare, size: tuple[int, int]) -> None:
    keys = [
        KeyToSet(
            "openai-prod",
            "key",
            "the file's was not kept: The key was refused.",
            "switchroom keys set openai-prod --key-stdin",
        ),
        KeyToSet("groq", "key", "the variable GROQ_API_KEY is not set", "export GROQ_API_KEY=…"),
        KeyToSet(
            "gateway",
            "secret header X-Team",
            "the file holds none",
            "switchroom providers edit gateway --secret-header X-Team",
        ),
    ]

    async def ready(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        pilot.app.push_screen(KeysToSet(keys))
        await until(pilot, "3 keys still to set")

    assert snap_compare(SwitchroomApp(paths, mode="providers"), terminal_size=size, run_before=ready)


@pytest.mark.parametrize("typed", ["", "~nobody-of-that-name/x.toml", "x" * 300, "nowhere/x.toml", "."])
def test_a_name_no_file_can_have_is_told_in_the_form(typed: str) -> None:
    from tui.screens.config_transfer import _wrong

    assert _wrong(typed)
