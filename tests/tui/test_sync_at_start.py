"""The running program syncs by itself: at its start, on schedules, and only what can be reached without asking anybody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from pydantic import SecretStr
from textual.pilot import Pilot
from tui_stage import Vendor, opened, screen_text, until, vendor_on_loopback

from services import schedules
from services.clock import DAY_MS
from services.container import open_services
from services.paths import Paths
from services.registry import ProviderDraft
from tui.app import SwitchroomApp

SIZE = (120, 40)


@pytest.fixture(autouse=True)
def at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHROOM_SYNC__AT_START", "true")


@pytest.fixture
def app(paths: Paths) -> SwitchroomApp:
    return SwitchroomApp(paths, mode="sync")


async def stored(paths: Paths, key: SecretStr | None = None, **vendors: tuple[str, str]) -> None:
    """Providers as an earlier session left them: slug → address and schedule."""
    async with open_services(paths) as services:
        for slug, (url, schedule) in vendors.items():
            draft = ProviderDraft(slug=slug, url=url, auto_sync=schedule)
            await services.registry.add(draft, key, test=False)


async def happens(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    app = pilot.app
    assert isinstance(app, SwitchroomApp)
    for _ in range(400):
        await pilot.pause()
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"it never happened:\n{screen_text(app)}")


async def test_the_open_program_syncs_what_wants_it(
    app: SwitchroomApp, paths: Paths, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedules, "LOOK_S", 0.05)
    async with vendor_on_loopback() as interval, vendor_on_loopback() as by_hand:
        await stored(
            paths,
            starting=(vendor.url, "start"),
            interval=(interval.url, "1d"),
            by_hand=(by_hand.url, "off"),
        )
        async with app.run_test(size=SIZE) as pilot:
            services = await opened(pilot)
            await happens(pilot, lambda: vendor.asked == 1 and interval.asked == 1)
            await happens(pilot, lambda: services.sync.active == ())
            assert {run.state for slug in ("starting", "interval") for run in await services.sync.history(slug)} == {"ok"}  # fmt: skip
            async with services.db.transaction() as tx:  # a day goes by
                await tx.execute("UPDATE sync_runs SET started_at = started_at - ?", (DAY_MS,))
            await happens(pilot, lambda: interval.asked == 2)
            assert (vendor.asked, by_hand.asked) == (1, 0), "`start` is once for each start, `off` never"


async def test_a_vendor_that_hangs_keeps_no_frame_and_no_key_waiting(
    app: SwitchroomApp, paths: Paths, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.hold = asyncio.Event()
    await stored(paths, slow=(vendor.url, "start"))
    asked_when_painted: list[int] = []
    painted = SwitchroomApp._after_paint

    def watched(self: SwitchroomApp) -> None:
        asked_when_painted.append(vendor.asked)
        painted(self)

    monkeypatch.setattr(SwitchroomApp, "_after_paint", watched)
    async with app.run_test(size=SIZE) as pilot:
        services = await opened(pilot)
        await until(pilot, "slow")
        await happens(pilot, lambda: vendor.asked == 1)
        assert asked_when_painted == [0]
        await pilot.press("2")
        await until(pilot, "Providers")
        vendor.hold.set()
        await happens(pilot, lambda: services.sync.active == ())
        assert [run.state for run in await services.sync.history("slow")] == ["ok"]


async def test_what_is_far_waits_until_one_is_online(
    app: SwitchroomApp, paths: Paths, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loopback vendor stands for one far away."""
    await stored(paths, far=(vendor.url, "start"))
    async with open_services(paths) as services:
        await services.offline.set(True)
    monkeypatch.setattr("services.offline.Offline.reaches", lambda self, _host: not self.state)
    looked = asyncio.Event()
    fire = schedules.Schedules.fire

    async def seen(self: schedules.Schedules, *, starting: bool = False) -> object:
        found = await fire(self, starting=starting)
        looked.set()
        return found

    monkeypatch.setattr(schedules.Schedules, "fire", seen)
    async with app.run_test(size=SIZE) as pilot:
        services = await opened(pilot)
        await asyncio.wait_for(looked.wait(), 5)
        assert vendor.asked == 0
        assert await services.sync.history("far") == []
        await services.offline.set(False)  # the next look at schedules is a minute away
        await happens(pilot, lambda: vendor.asked == 1)


async def test_a_locked_vault_is_not_asked_for_and_what_waits_follows_when_it_opens(
    app: SwitchroomApp, paths: Paths, vendor: Vendor, no_keyring: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_services(paths) as services:
        await services.credentials.init(SecretStr("correct horse battery"))
        await services.credentials.unlock(SecretStr("correct horse battery"))
        draft = ProviderDraft(slug="sealed", url=vendor.url, auto_sync="start")
        await services.registry.add(draft, SecretStr("sk-test-1234567890"), test=False, backend="vault")
    monkeypatch.setattr(schedules, "LOOK_S", 0.05)
    async with vendor_on_loopback() as other:
        await stored(paths, plain=(other.url, "start"))
        async with app.run_test(size=SIZE) as pilot:
            services = await opened(pilot)
            await happens(pilot, lambda: other.asked == 1)
            await happens(pilot, lambda: services.sync.active == ())
            assert "passphrase" not in screen_text(app)
            assert vendor.asked == 0
            await services.credentials.unlock(SecretStr("correct horse battery"))
            await happens(pilot, lambda: vendor.asked == 1)
            assert other.asked == 1


@pytest.mark.parametrize("name", ["SWITCHROOM_READ_ONLY", "SWITCHROOM_SECURITY__READ_ONLY"])
async def test_a_read_only_session_syncs_nothing(
    app: SwitchroomApp, paths: Paths, vendor: Vendor, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    await stored(paths, mine=(vendor.url, "start"), hourly=(vendor.url, "1h"))
    monkeypatch.setenv(name, "1")
    monkeypatch.setattr(schedules, "LOOK_S", 0.01)
    kept = asyncio.Event()
    keep = schedules.Schedules.keep

    async def seen(self: schedules.Schedules) -> None:
        await keep(self)
        kept.set()

    monkeypatch.setattr(schedules.Schedules, "keep", seen)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await asyncio.wait_for(kept.wait(), 5)
        assert vendor.asked == 0


async def test_a_sync_that_the_user_stops_does_not_end_the_schedules(
    app: SwitchroomApp, paths: Paths, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHROOM_SYNC__AT_START", "false")
    monkeypatch.setattr(schedules, "LOOK_S", 0.3)
    vendor.hold = asyncio.Event()
    await stored(paths, mine=(vendor.url, "1d"))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        services = await opened(pilot)
        app.sync(None)
        await happens(pilot, lambda: vendor.asked == 1)
        joined = asyncio.create_task(services.schedules.fire())
        for _ in range(20):  # the schedule waits for the user's sync
            await pilot.pause()
        await pilot.press("ctrl+c")
        await until(pilot, "Sync stopped")
        assert await asyncio.wait_for(joined, 5) == []
        async with vendor_on_loopback() as other:
            await services.registry.add(
                ProviderDraft(slug="other", url=other.url, auto_sync="1d"), None, test=False
            )
            await happens(pilot, lambda: other.asked == 1)


async def test_a_sync_by_itself_has_a_bar_and_can_be_stopped(
    app: SwitchroomApp, paths: Paths, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedules, "LOOK_S", 0.05)
    vendor.hold = asyncio.Event()
    async with vendor_on_loopback() as quick:
        await stored(paths, slow=(vendor.url, "1h"), quick=(quick.url, "start"))
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            services = await opened(pilot)
            text = await until(pilot, "1/2")
            assert "syncing" in text.splitlines()[0]
            assert "ctrl+c stops" in text.splitlines()[0]
            await pilot.press("9", "4")
            await until(pilot, "◌ fetching")
            await pilot.press("ctrl+c")
            await until(pilot, "Sync stopped")
            await until(pilot, "syncing", gone=True)
            vendor.hold.set()
            for _ in range(5):  # looks at the schedules
                await services.schedules.fire()
            assert vendor.asked == 1, "stopped, it is due in an hour"
            app.sync(["slow"])
            await happens(pilot, lambda: vendor.asked == 2)


async def test_a_list_fetched_meanwhile_leaves_the_bar_to_the_sync_at_start(
    app: SwitchroomApp, paths: Paths, vendor: Vendor
) -> None:
    vendor.hold = asyncio.Event()
    async with vendor_on_loopback() as quick:
        await stored(paths, slow=(vendor.url, "start"), quick=(quick.url, "start"))
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            services = await opened(pilot)
            await until(pilot, "1/2")
            app.sync(["quick"])
            await until(pilot, "syncing 1 provider")
            assert "◌ fetching" in screen_text(app)
            await pilot.press("ctrl+c")
            await until(pilot, "Sync stopped")
            await happens(pilot, lambda: services.sync.active == ())
            app.sync(None)
            await until(pilot, "1/2")
            vendor.hold.set()
            await happens(pilot, lambda: services.sync.active == ())
