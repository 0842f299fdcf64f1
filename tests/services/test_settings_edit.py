"""Changing a setting: what is written, what is kept, what is refused, what follows."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import ReadOnlyError, StoreError, SwitchroomError, UsageError
from services import paths as places
from services.container import Services, open_services
from services.feed import FeedEvent, OfflineChanged, SettingsChanged
from services.settings import load
from services.settings_edit import edited
from store.db import Tx

FILE = """# mine
[retry]
# patience
attempts = 4  # enough
factor = 3

[appearance]
theme = "light" # for the office
"""


def test_comments_and_order_are_kept() -> None:
    changed = edited(edited(FILE, "retry.attempts", 6), "appearance.ascii", "on")
    assert changed == FILE.replace("attempts = 4", "attempts = 6") + 'ascii = "on"\n'
    assert edited(FILE, "retry.factor", None) == FILE.replace("factor = 3\n", "")


def test_a_section_is_made_when_there_is_none_and_goes_with_its_last_setting() -> None:
    made = edited(FILE, "keys.providers.add", "A")
    assert made == FILE + '\n[keys]\n"providers.add" = "A"\n'
    assert edited(made, "keys.providers.add", None).strip() == FILE.strip()
    assert edited("", "network.proxy", "none") == '[network]\nproxy = "none"\n'
    assert "attempts = 2" in edited("retry.attempts = 4\n", "retry.attempts", 2)


def test_keys_may_be_written_with_or_without_quotation_marks(home: Path) -> None:
    found = places.resolve()
    found.ensure()
    found.config_file.write_text('[keys]\nproviders.add = "A"\n"app.help" = ["H", "f2"]\n')
    assert load(found, {}).keys == {"providers.add": "A", "app.help": "H,f2"}
    assert 'providers.add = "B"' in edited(found.config_file.read_text(), "keys.providers.add", "B")
    found.config_file.write_text('[keys]\n"app.help" = 3\n')
    with pytest.raises(UsageError, match=r"keys\.app\.help"):
        load(found, {})


@pytest.mark.parametrize(("given", "means"), [("true", "on"), ("false", "off"), ("auto", "auto")])
def test_ascii_still_takes_true_and_false(home: Path, given: str, means: str) -> None:
    found = places.resolve()
    found.ensure()
    assert load(found, {"SWITCHROOM_APPEARANCE__ASCII": given}).appearance.ascii == means
    if given != "auto":
        found.config_file.write_text(f"[appearance]\nascii = {given}\n")
        assert load(found, {}).appearance.ascii == means


async def test_a_change_is_written_audited_told_and_acts_at_once(services: Services) -> None:
    told: list[FeedEvent] = []
    services.feed.subscribe(told.append)
    services.paths.config_file.write_text(FILE)
    await services.preferences.set("appearance.theme", "ansi")
    assert services.paths.config_file.read_text() == FILE.replace('"light"', '"ansi"')
    assert stat.S_IMODE(services.paths.config_file.stat().st_mode) == 0o600
    assert services.settings.appearance.theme == "ansi"
    assert services.settings.retry.attempts == 4
    assert [type(event) for event in told] == [SettingsChanged]
    row = (await services.audit.list())[0]
    assert (row.action, row.subject) == ("setting.set", "appearance.theme")
    assert row.detail == {"before": "light", "after": "ansi"}
    await services.preferences.unset("appearance.theme")
    assert services.settings.appearance.theme == "dark"
    assert "theme" not in services.paths.config_file.read_text()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("retry.attempts", 99, "up to 20"),
        ("retry.attempts", "many", "a whole number"),
        ("appearance.theme", "pink", "dark, light or ansi"),
        ("appearance.tehme", "dark", "appearance.tehme"),
        ("network.proxy", "http://me:secret@proxy:3128", "SWITCHROOM_NETWORK__PROXY"),
    ],
)
async def test_what_does_not_fit_is_refused_and_nothing_is_written(
    services: Services, name: str, value: object, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        await services.preferences.set(name, value)  # type: ignore[arg-type]
    assert not services.paths.config_file.exists()


async def test_what_a_variable_fixes_cannot_be_changed_here(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LX_OFFLINE", "1")
    services.paths.env_file.write_text("SWITCHROOM_RETRY__FACTOR=4\n")
    services.settings = load(services.paths)
    with pytest.raises(UsageError, match="LX_OFFLINE"):
        await services.preferences.set("network.offline", value=False)
    with pytest.raises(UsageError, match=r"SWITCHROOM_RETRY__FACTOR in \.env"):
        await services.preferences.set("retry.factor", 2)
    assert not services.paths.config_file.exists()


async def test_a_read_only_session_refuses(home: Path) -> None:
    async with open_services() as services:
        pass
    async with open_services(read_only=True) as services:
        with pytest.raises(ReadOnlyError):
            await services.preferences.set("appearance.theme", "light")
        assert not services.paths.config_file.exists()


async def test_two_writers_lose_nothing(home: Path) -> None:
    async with open_services() as one, open_services() as two:
        await asyncio.gather(
            *(
                writer.preferences.set(name, 5)
                for writer, name in (
                    (one, "retry.attempts"), (two, "retry.factor"), (one, "retry.max_delay"), (two, "chat.max_tokens")
                )
            )
        )  # fmt: skip
    found = load(places.resolve(), {})
    assert (found.retry.attempts, found.retry.factor, found.retry.max_delay, found.chat.max_tokens) == (
        5,
        5.0,
        5.0,
        5,
    )


async def test_what_another_session_sets_acts_in_this_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.container.POLL_SECONDS", 0.02)
    async with open_services(watch=True) as one, open_services() as two:
        told = asyncio.Event()
        one.feed.subscribe(lambda _event: told.set(), SettingsChanged)
        for theme in ("light", "ansi"):
            await two.preferences.set("appearance.theme", theme)
            await asyncio.wait_for(told.wait(), 5)
            assert one.settings.appearance.theme == theme
            told.clear()
        one.paths.config_file.write_text("this is [ no toml")
        await one.preferences.refresh()
        assert one.settings.appearance.theme == "ansi"


async def test_a_link_to_the_file_stays_a_link(services: Services, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text(FILE)
    services.paths.config_file.symlink_to(real)
    await services.preferences.set("retry.attempts", 7)
    assert services.paths.config_file.is_symlink()
    assert "attempts = 7" in real.read_text()


async def test_offline_chosen_in_the_settings_is_offline_at_once(services: Services) -> None:
    told: list[FeedEvent] = []
    services.feed.subscribe(told.append, OfflineChanged)
    await services.preferences.set("network.offline", value=True)
    assert services.offline.state
    assert told == [OfflineChanged(offline=True)]


async def test_a_file_that_is_no_toml_is_left_alone(services: Services) -> None:
    services.paths.config_file.write_text("this is [ no toml")
    with pytest.raises(UsageError):
        await services.preferences.set("retry.attempts", 7)
    assert services.paths.config_file.read_text() == "this is [ no toml"


async def test_lines_end_as_they_did(services: Services) -> None:
    file = services.paths.config_file
    file.write_bytes(FILE.replace("\n", "\r\n").encode())
    await services.preferences.set("retry.attempts", 6)
    assert file.read_bytes() == FILE.replace("= 4", "= 6").replace("\n", "\r\n").encode()


async def test_none_can_be_chosen_where_it_fits(services: Services) -> None:
    await services.preferences.set("network.idle_timeout", None)
    assert services.settings.network.idle_timeout is None
    assert 'idle_timeout = "none"' in services.paths.config_file.read_text()
    with pytest.raises(UsageError, match="whole number"):
        await services.preferences.set("retry.attempts", None)


async def test_what_an_editor_saves_meanwhile_is_not_overwritten(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, record = services.paths.config_file, services.audit.record
    file.write_text(FILE)

    async def slow(*arguments: Any, **more: Any) -> None:
        await record(*arguments, **more)
        file.write_text(FILE + "# saved in an editor\n")

    monkeypatch.setattr(services.audit, "record", slow)
    with pytest.raises(StoreError, match="another program"):
        await services.preferences.set("retry.attempts", 6)
    assert file.read_text() == FILE + "# saved in an editor\n"
    assert services.settings.retry.attempts != 6
    assert not [row for row in await services.audit.list() if row.action == "setting.set"]


async def test_a_change_that_cannot_be_recorded_is_taken_back(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = services.paths.config_file
    file.write_text(FILE)

    async def full(_tx: Tx, how: str) -> None:
        if how == "COMMIT":
            assert "attempts = 6" in file.read_text()
            raise StoreError("The disk is full.")

    monkeypatch.setattr(Tx, "finish", full)
    with pytest.raises(StoreError, match="full"):
        await services.preferences.set("retry.attempts", 6)
    assert file.read_text() == FILE
    monkeypatch.undo()
    await services.preferences.set("retry.attempts", 7)
    assert services.settings.retry.attempts == 7


@pytest.mark.parametrize("target", ["config.toml", "/dev/null/dotfiles/config.toml"])
async def test_a_link_that_leads_nowhere_is_refused_or_replaced_and_never_a_mistake_of_ours(
    services: Services, target: str
) -> None:
    services.paths.config_file.symlink_to(target)
    with contextlib.suppress(SwitchroomError):
        await services.preferences.set("retry.attempts", 7)
        assert load(services.paths, {}).retry.attempts == 7
    assert services.paths.config_file.is_symlink() is (services.settings.retry.attempts != 7)


async def test_a_folder_where_nothing_can_be_written_leaves_all_as_it_was(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, there = services.paths.config_file, os.open
    file.write_text(FILE)

    def refused(path: Any, flags: int, *more: Any, **options: Any) -> int:
        if flags & os.O_CREAT and "config.toml" in str(path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return there(path, flags, *more, **options)

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(StoreError, match="No space left"):
        await services.preferences.set("retry.attempts", 6)
    monkeypatch.undo()
    assert file.read_text() == FILE
    assert [entry.name for entry in file.parent.iterdir() if "config.toml" in entry.name] == ["config.toml"]
    assert not [row for row in await services.audit.list() if row.action == "setting.set"]
