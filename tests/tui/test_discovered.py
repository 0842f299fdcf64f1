"""What was found here, as a person meets it: the notice after the start, taking back, the window, and what it asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from tui_stage import KEY, Vendor, opened, screen_text, type_text, until

from services.paths import Paths
from tui.app import SwitchroomApp


@pytest.fixture(autouse=True)
def auto(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SWITCHROOM_DISCOVERY__AT_START", "auto")
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch, vendor: Vendor) -> Vendor:
    vendor.key = KEY
    monkeypatch.setenv("PROVIDER_ACME_URL", vendor.url)
    monkeypatch.setenv("PROVIDER_ACME_KEY", KEY)
    return vendor


@pytest.fixture
def overview(paths: Paths) -> SwitchroomApp:
    return SwitchroomApp(paths)


async def _added(pilot: Pilot[int]) -> str:
    await until(pilot, "Added 1 provider from your environment: acme")
    return await until(pilot, "● ok")


async def test_what_is_set_is_there_after_the_start_and_z_takes_it_back(
    overview: SwitchroomApp, acme: Vendor
) -> None:
    async with overview.run_test(size=(120, 40), notifications=True) as pilot:
        text = await _added(pilot)
        assert "z takes it back" in text
        assert "Its key stays where it is." in overview.notices[0].message
        assert "z take back" in text.splitlines()[-1]
        assert KEY not in text
        assert len(overview.notices) == 1
        await pilot.press("z")
        await until(pilot, "Welcome to Switchroom")
        text = await until(pilot, "Took back 1 provider: acme")
        assert "z take back" not in text.splitlines()[-1]
        assert await overview.services.registry.list() == []


async def test_it_is_not_added_again_at_the_next_start(paths: Paths, acme: Vendor) -> None:
    first = SwitchroomApp(paths)
    async with first.run_test(size=(120, 40), notifications=True) as pilot:
        await _added(pilot)
        await pilot.press("z")
        await until(pilot, "Took back")
    asked = acme.asked
    second = SwitchroomApp(paths)
    async with second.run_test(size=(120, 40), notifications=True) as pilot:
        text = await until(pilot, "taken back before")
        assert "Added" not in text
        await pilot.press("a")
        await until(pilot, "Something else")
        await pilot.press("enter")
        text = await until(pilot, "Only the name PROVIDER_ACME_KEY is stored, not the key.")
        await pilot.press("y")
        await until(pilot, "acme is added and answered.")
        assert acme.asked > asked


async def test_a_restart_says_nothing(paths: Paths, acme: Vendor) -> None:
    async with SwitchroomApp(paths).run_test(size=(120, 40), notifications=True) as pilot:
        await _added(pilot)
    again = SwitchroomApp(paths)
    async with again.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, "acme")
        services = await opened(pilot)
        while services.discovery.report is None:
            await pilot.pause()
        assert again.notices == []
        assert "Found here" not in screen_text(again)


async def test_a_changed_one_is_kept(overview: SwitchroomApp, acme: Vendor) -> None:
    from services.registry import ProviderDraft

    async with overview.run_test(size=(120, 40), notifications=True) as pilot:
        await _added(pilot)
        await overview.services.registry.edit("acme", ProviderDraft(name="Mine"))
        await pilot.press("z")
        await until(pilot, "Kept acme: changed or used since.")
        assert len(await overview.services.registry.list()) == 1


async def test_ask_offers_and_a_adds(
    overview: SwitchroomApp, acme: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHROOM_DISCOVERY__AT_START", "ask")
    async with overview.run_test(size=(80, 24), notifications=True) as pilot:
        text = await until(pilot, "Found here")
        assert "PROVIDER_ACME_KEY is set" in text
        assert acme.asked == 0
        await pilot.press("a")
        await until(pilot, "Something else")
        await pilot.press("enter")
        await until(pilot, "Add the server at")
        await pilot.press("n")
        await until(pilot, "Add the server at", gone=True)
        assert await overview.services.registry.list() == []
        await pilot.press("a")
        await until(pilot, "Something else")
        await pilot.press("enter")
        await until(pilot, "Add the server at")
        await pilot.press("y")
        await until(pilot, "acme is added and answered.")
        await until(pilot, "● ok")


async def test_a_key_that_is_refused_is_not_added(
    overview: SwitchroomApp, acme: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHROOM_DISCOVERY__AT_START", "ask")
    acme.key = "another"
    async with overview.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, "PROVIDER_ACME_KEY is set")
        await pilot.press("a")
        await until(pilot, "Something else")
        await pilot.press("enter")
        await until(pilot, "It is tested first")
        await pilot.press("y")
        while not overview.notices or overview.notices[-1].tone != "bad":
            await pilot.pause()
        assert KEY not in screen_text(overview)
        assert await overview.services.registry.list() == []


async def test_a_folders_file_is_offered_with_its_path(
    overview: SwitchroomApp, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHROOM_SECURITY__BACKEND", "file")
    vendor.key = KEY
    file = Path.cwd() / ".env"
    file.write_text(f"PROVIDER_ACME_URL={vendor.url}\nPROVIDER_ACME_KEY={KEY}\n")
    async with overview.run_test(size=(200, 60), notifications=True) as pilot:
        text = await until(pilot, "PROVIDER_ACME_KEY is in")
        assert str(file) in text
        assert vendor.asked == 0
        await pilot.press("a")
        await until(pilot, "Something else")
        await pilot.press("enter")
        await until(pilot, "The key is copied out of")
        await pilot.press("y")
        await until(pilot, "acme is added and answered.")
        assert (await overview.services.registry.get("acme")).row.key_ref == "file:acme"


async def test_a_variable_that_may_be_several_things_is_asked_about(
    overview: SwitchroomApp, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.key = KEY
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", vendor.url)
    async with overview.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, "so it need not be a key")
        assert await overview.services.registry.list() == []
        await pilot.press("a")
        await until(pilot, "? which one")
        await pilot.press("enter")
        text = await until(pilot, "OPENAI_API_KEY is the key of …")
        assert f"the server at {vendor.url}" in text
        await pilot.press("enter")
        await until(pilot, "Add the server at")
        await pilot.press("y")
        await until(pilot, "is added and answered.")
        (view,) = await overview.services.registry.list()
        assert (view.row.key_ref, view.row.catalog_id) == ("env:OPENAI_API_KEY", None)


async def test_the_palette_leads_there_and_the_last_row_to_the_wizard(
    overview: SwitchroomApp, acme: Vendor
) -> None:
    async with overview.run_test(size=(120, 40), notifications=True) as pilot:
        await _added(pilot)
        await pilot.press("2")
        await until(pilot, "Providers ·")
        await pilot.press("colon")
        await until(pilot, "Do what?")
        await type_text(pilot, "found here")
        await until(pilot, "Found here …")
        await pilot.press("enter")
        text = await until(pilot, "Something else")
        assert "✓ here" in text
        await type_text(pilot, "acme")
        await pilot.press("enter")
        await until(pilot, "Something else", gone=True)
        assert "acme" in screen_text(overview)
        await pilot.press("colon")
        await until(pilot, "Do what?")
        await type_text(pilot, "found here")
        await until(pilot, "Found here …")
        await pilot.press("enter")
        await until(pilot, "Something else")
        await pilot.press("end", "down", "down", "down", "enter")
        await until(pilot, "Add a provider: which one?")


async def test_what_cannot_be_used_yet_says_so(
    overview: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    async with overview.run_test(size=(120, 40), notifications=True) as pilot:
        text = await until(pilot, "Google sign-in is not built in yet")
        assert "add a provider; kept only once" in text


async def test_read_only_looks_and_adds_nothing(
    paths: Paths, acme: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHROOM_READ_ONLY", "1")
    app = SwitchroomApp(paths)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        text = await until(pilot, "PROVIDER_ACME_KEY is set")
        assert "Added" not in text
        await pilot.press("a")
        await until(pilot, "Something else")
        await pilot.press("enter")
        await until(pilot, "Add the server at")
        await pilot.press("y")
        await until(pilot, "read-only")
        assert await app.services.registry.list() == []


async def test_the_demo_is_not_looked_around_for(paths: Paths, acme: Vendor) -> None:
    app = SwitchroomApp(paths, demo=True)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, "Recent runs")
        for _ in range(20):
            await pilot.pause()
        assert "discovery" not in app.services.__dict__ or app.services.discovery.report is None
        assert all(view.row.slug != "acme" for view in await app.services.registry.list())
        assert acme.asked == 0


async def test_off_is_off(overview: SwitchroomApp, acme: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHROOM_DISCOVERY__AT_START", "off")
    async with overview.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, "Welcome to Switchroom")
        for _ in range(20):
            await pilot.pause()
        assert await overview.services.registry.list() == []


async def test_a_note_about_a_file_is_a_warning(overview: SwitchroomApp) -> None:
    (Path.cwd() / ".env").write_bytes(b"A=\xff\n")
    async with overview.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, "is not UTF-8 text")


def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this is asked for anywhere."""

    async def nobody(_self: object, _slugs: object) -> None:
        return

    monkeypatch.setattr("services.discovery.Discovery.sync", nobody)
    monkeypatch.setenv("GROQ_API_KEY", "gsk_" + "a" * 48)
    monkeypatch.setenv("MISTRAL_API_KEY", "abcdefgh" * 4)
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_" + "a" * 36)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    monkeypatch.setenv("OLLAMA_HOST", "192.168.1.20")
    monkeypatch.setenv("PROVIDER_ACME_KEY", KEY)


SIZES = [(120, 40), (80, 24)]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_picture_added(
    paths: Paths, snap_compare: Any, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    _quiet(monkeypatch)

    async def shown(pilot: Pilot[Any]) -> None:
        await until(pilot, "Added 2 providers")
        await until(pilot, "untested")
        pilot.app.clear_notifications()
        for _ in range(5):
            await pilot.pause()

    assert snap_compare(SwitchroomApp(paths), terminal_size=size, run_before=shown)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_picture_welcome(
    paths: Paths, snap_compare: Any, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    _quiet(monkeypatch)
    monkeypatch.setenv("SWITCHROOM_DISCOVERY__AT_START", "ask")

    async def shown(pilot: Pilot[Any]) -> None:
        await until(pilot, "GROQ_API_KEY is set")
        await until(pilot, "today")
        pilot.app.clear_notifications()
        for _ in range(5):
            await pilot.pause()

    assert snap_compare(SwitchroomApp(paths), terminal_size=size, run_before=shown)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_picture_window(
    paths: Paths, snap_compare: Any, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    _quiet(monkeypatch)

    async def shown(pilot: Pilot[Any]) -> None:
        await until(pilot, "Added 2 providers")
        await until(pilot, "untested")
        await pilot.press("a")
        await until(pilot, "Something else")
        pilot.app.clear_notifications()
        for _ in range(5):
            await pilot.pause()

    assert snap_compare(SwitchroomApp(paths), terminal_size=size, run_before=shown)
