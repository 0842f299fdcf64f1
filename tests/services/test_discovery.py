"""Discovery on a real store: what a start adds, what it only offers, that it does so once, and how it is taken back."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from catalog.errors import ReadOnlyError
from services.container import Services
from services.discovery import Finding, Report
from services.discovery_views import Option
from services.feed import Discovered
from services.paths import resolve
from services.registry import EnvKey, ProviderDraft

if TYPE_CHECKING:
    from conftest import Opener, Vendor

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk-canary" + "a1B2" * 8


@pytest.fixture(autouse=True)
def auto(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Looks around at the start, in a folder without a `.env`."""
    monkeypatch.setenv("SWITCHROOM_DISCOVERY__AT_START", "auto")
    monkeypatch.chdir(tmp_path)


def acme(monkeypatch: pytest.MonkeyPatch, vendor: Vendor) -> None:
    monkeypatch.setenv("PROVIDER_ACME_URL", vendor.url)
    monkeypatch.setenv("PROVIDER_ACME_KEY", KEY)


async def started(services: Services) -> Report:
    """A start, and the sync it begins."""
    report = await services.discovery.at_start()
    assert report is not None
    if services._tasks:
        await asyncio.wait(services._tasks, timeout=10)
    return report


async def slugs(services: Services) -> list[str]:
    return [row.slug for row in await services.registry.rows()]


async def test_a_first_start_migrates_what_is_set(
    opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch, written: Callable[..., list[str]]
) -> None:
    acme(monkeypatch, vendor)
    vendor.key = KEY
    async with opened() as services:
        told: list[Discovered] = []
        services.feed.subscribe(told.append, Discovered)
        report = await started(services)
        assert (report.added, report.first) == (("acme",), True)
        assert told == [Discovered(("acme",))]
        row = await services.registry.row("acme")
        assert (row.name, row.key_ref, row.key_last4) == (
            "acme (Migrated)",
            "env:PROVIDER_ACME_KEY",
            KEY[-4:],
        )
        assert row.state == "ok"
        assert vendor.requests[0][1]["authorization"] == f"Bearer {KEY}"
        assert [view.ref for view in await services.models.list("acme")] == ["acme/alpha", "acme/beta"]
        (audited,) = await services.audit.list(action="provider.add")
        assert audited.detail["found"].startswith("PROVIDER_ACME_KEY is set; PROVIDER_ACME_URL says http")  # type: ignore[attr-defined]
    assert written(KEY) == []


async def test_a_second_start_adds_nothing_and_a_later_variable_is_found(
    opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme(monkeypatch, vendor)
    async with opened() as services:
        await started(services)
    async with opened() as services:
        assert (await started(services)).added == ()
    monkeypatch.setenv("PROVIDER_LATER_URL", vendor.url)
    monkeypatch.setenv("PROVIDER_LATER_KEY", KEY + "x")
    async with opened() as services:
        report = await started(services)
        assert (report.added, report.first) == (("later",), False)
        assert (await services.registry.row("later")).name == "later"


async def test_a_key_only_in_our_file_is_used_from_there(
    opened: Opener, vendor: Vendor, home: Path, written: Callable[..., list[str]]
) -> None:
    vendor.key = KEY
    paths = resolve()
    paths.ensure()
    paths.env_file.write_text(f"PROVIDER_ACME_URL={vendor.url}\nPROVIDER_ACME_KEY='{KEY}'\n")
    async with opened() as services:
        report = await started(services)
        assert [one.source for one in report.findings] == ["config"]
        assert (await services.registry.row("acme")).state == "ok"
    assert written(KEY) == [str(paths.env_file.relative_to(home))]


async def test_what_is_taken_back_stays_away(
    opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme(monkeypatch, vendor)
    async with opened() as services:
        await started(services)
        assert services.discovery.can_take_back
        assert (await services.discovery.take_back()).removed == ("acme",)
        assert not services.discovery.can_take_back
        assert await slugs(services) == []
        (audited,) = await services.audit.list(action="provider.remove")
        assert audited.subject == "acme"
    async with opened() as services:
        report = await started(services)
        assert report.added == ()
        assert [(one.name, one.declined, one.open) for one in report.findings] == [("acme", True, True)]
        view = await services.discovery.add(report.findings[0], report.findings[0].options[0])
        assert view.row.key_ref == "env:PROVIDER_ACME_KEY"


async def test_what_was_deleted_by_hand_stays_away_too(
    opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme(monkeypatch, vendor)
    async with opened() as services:
        await started(services)
        await services.registry.remove("acme")
    async with opened() as services:
        assert (await started(services)).added == ()


async def test_what_was_changed_or_used_is_kept(
    opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme(monkeypatch, vendor)
    for name in ("LIMITED", "UNTOUCHED"):
        monkeypatch.setenv(f"PROVIDER_{name}_URL", vendor.url)
        monkeypatch.setenv(f"PROVIDER_{name}_KEY", KEY + name)
    async with opened() as services:
        from decimal import Decimal

        await started(services)
        await services.registry.edit("acme", ProviderDraft(name="Mine"))
        await services.budgets.set("provider:limited", "monthly", Decimal(5))
        done = await services.discovery.take_back()
        assert (done.removed, done.kept) == (("untouched",), ("acme", "limited"))
        assert await slugs(services) == ["acme", "limited"]


async def test_a_sync_is_no_change(opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    acme(monkeypatch, vendor)
    async with opened() as services:
        await started(services)
        await services.sync.sync(["acme"])
        await services.registry.test("acme")
        assert (await services.discovery.take_back()).removed == ("acme",)


@pytest.mark.parametrize("mode", ["ask", "off"])
async def test_nothing_is_added_unasked(
    opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    acme(monkeypatch, vendor)
    monkeypatch.setenv("SWITCHROOM_DISCOVERY__AT_START", mode)
    async with opened() as services:
        report = await services.discovery.at_start()
        assert await slugs(services) == []
        if mode == "off":
            assert report is None
        else:
            assert report is not None
            assert [one.name for one in report.offers] == ["acme"]
            assert report.new == (report.offers[0].id,)
    assert vendor.requests == []


async def test_an_offer_is_told_of_once(
    opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme(monkeypatch, vendor)
    monkeypatch.setenv("SWITCHROOM_DISCOVERY__AT_START", "ask")
    async with opened() as services:
        assert len((await started(services)).new) == 1
    async with opened() as services:
        report = await started(services)
        assert (len(report.offers), report.new) == (1, ())


async def test_read_only_looks_and_adds_nothing(
    opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme(monkeypatch, vendor)
    async with opened() as services:
        pass
    async with opened(read_only=True) as services:
        report = await services.discovery.at_start()
        assert report is not None
        assert (report.added, [one.name for one in report.offers]) == ((), ["acme"])
        with pytest.raises(ReadOnlyError):
            await services.discovery.apply(report.adds, first=True)
        with pytest.raises(ReadOnlyError):
            await services.discovery.take_back()
    async with opened() as services:
        assert (await started(services)).added == ("acme",), "a look is no first start"


async def test_offline_adds_and_fetches_nothing_far_away(
    opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme(monkeypatch, vendor)
    monkeypatch.setenv("GROQ_API_KEY", "gsk_" + "a" * 48)
    monkeypatch.setenv("SWITCHROOM_OFFLINE", "1")
    async with opened() as services:
        report = await started(services)
        assert report.added == ("groq", "acme")
        assert (await services.registry.row("groq")).state == "untested"
        assert (await services.registry.row("acme")).state == "ok"


async def test_a_folders_file_is_only_offered_and_its_key_moves_when_the_user_says_so(
    opened: Opener, vendor: Vendor, tmp_path: Path, written: Callable[..., list[str]]
) -> None:
    vendor.key = KEY
    (tmp_path / ".env").write_text(f"PROVIDER_ACME_URL={vendor.url}\nPROVIDER_ACME_KEY={KEY}\n")
    async with opened() as services:
        report = await started(services)
        assert report.added == ()
        (one,) = report.offers
        assert (one.kind, one.source, one.path) == ("offered", "folder", str(tmp_path / ".env"))
        assert one.key_ref is None
        assert written(KEY) == []
        view = await services.discovery.add(one, one.options[0])
        assert view.row.key_ref == "file:acme"
        (tmp_path / ".env").unlink()
        assert (await services.registry.test("acme")).ok
        assert (await services.discovery.look()).offers == ()


async def test_a_folders_file_that_says_what_the_environment_says_adds_nothing(
    opened: Opener, vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme(monkeypatch, vendor)
    (tmp_path / ".env").write_text(f"PROVIDER_ACME_URL={vendor.url}\nPROVIDER_ACME_KEY={KEY}\n")
    async with opened() as services:
        report = await services.discovery.look()
        assert [one.source for one in report.findings] == ["environment"]


async def test_a_key_that_is_gone_from_the_file_meanwhile(
    opened: Opener, vendor: Vendor, tmp_path: Path
) -> None:
    from catalog.errors import MissingKeyError

    (tmp_path / ".env").write_text(f"PROVIDER_ACME_URL={vendor.url}\nPROVIDER_ACME_KEY={KEY}\n")
    async with opened() as services:
        (one,) = (await services.discovery.look()).offers
        (tmp_path / ".env").write_text("")
        with pytest.raises(MissingKeyError, match="no longer in"):
            await services.discovery.add(one, one.options[0])


async def test_an_offer_whose_test_fails_is_not_added(
    opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from catalog.errors import SwitchroomError

    acme(monkeypatch, vendor)
    vendor.key = "another"
    async with opened() as services:
        (one,) = (await services.discovery.look()).offers
        with pytest.raises(SwitchroomError):
            await services.discovery.add(one, one.options[0])
        assert await slugs(services) == []


async def test_the_same_reference_or_key_is_there_already(
    opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pydantic import SecretStr

    acme(monkeypatch, vendor)
    async with opened() as services:
        await services.registry.add(ProviderDraft(slug="mine", url=vendor.url), SecretStr(KEY))
        report = await started(services)
        assert (report.added, report.findings[0].configured) == ((), "mine")


async def test_another_key_for_what_is_there_is_offered(
    opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pydantic import SecretStr

    acme(monkeypatch, vendor)
    async with opened() as services:
        await services.registry.add(
            ProviderDraft(slug="mine", url=vendor.url), SecretStr("another-key-entirely")
        )
        report = await started(services)
        assert report.added == ()
        assert report.offers[0].why.endswith("mine has another key")


async def test_a_slug_that_is_taken_gets_a_number(
    opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme(monkeypatch, vendor)
    async with opened() as services:
        await services.registry.add(ProviderDraft(slug="acme", url="http://127.0.0.1:9"), None, test=False)
        assert (await started(services)).added == ("acme-2",)


async def test_a_server_on_this_machine_is_offered_by_its_fingerprint(
    opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.models = [{"id": "tiny", "owned_by": "llamacpp"}]
    monkeypatch.setenv("SWITCHROOM_DISCOVERY__LOOPBACK", "true")
    monkeypatch.setenv("OPENAI_BASE_URL", vendor.url)
    monkeypatch.setattr("adapters.local_servers.PORTS", ())
    monkeypatch.setattr("adapters.local_servers.local_servers", _elsewhere)
    async with opened() as services:
        report = await started(services)
        assert report.added == ()
        (one,) = report.offers
        assert (one.source, one.catalog_id, one.name) == ("loopback", "llamacpp", "llama.cpp server")
        assert "with tiny" in one.why
        view = await services.discovery.add(one, one.options[0])
        assert (view.row.catalog_id, view.row.key_ref, view.row.name) == (
            "llamacpp",
            None,
            "llama.cpp server",
        )
        assert (await services.discovery.look()).offers == ()
        found = await services.discovery.identify(vendor.url)
        assert found is not None
        assert found.title == "llama.cpp server"
        assert await services.discovery.identify("https://api.openai.com/v1") is None


def _elsewhere() -> tuple[object, ...]:
    """The known servers, without their usual ports: what else this machine runs is none of the test's business."""
    from catalog.discoverable import local_servers

    return tuple(replace(one, port=1) for one in local_servers())


async def test_a_dry_run_says_it_and_leaves_nothing(
    opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme(monkeypatch, vendor)
    async with opened(dry_run=True) as services:
        report = await services.discovery.look()
        assert await services.discovery.apply(report.adds, first=report.first) == ("acme",)
    async with opened() as services:
        assert await slugs(services) == []
        assert (await services.discovery.look()).first


_CHILD = """
import asyncio, os, signal, sys
from services.container import open_services
import store.providers as store
left = [2]
real = store.Providers.insert
async def insert(self, tx, row):
    await real(self, tx, row)
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
if "kill" in sys.argv:
    store.Providers.insert = insert
async def main():
    async with open_services() as services:
        report = await services.discovery.look()
        print("ready", flush=True)
        sys.stdin.readline()
        print(",".join(await services.discovery.apply(report.adds, first=report.first)), flush=True)
asyncio.run(main())
"""


def child(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD, *words], cwd=ROOT, env=dict(os.environ), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def several(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    for place in range(5):
        monkeypatch.setenv(f"PROVIDER_P{place}_URL", f"http://127.0.0.1:{9 + place}")
    return [f"p{place}" for place in range(5)]


async def test_processes_at_once_add_once(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = several(monkeypatch)
    async with opened():
        pass
    children = [child() for _ in range(3)]
    for one in children:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    answers = []
    for one in children:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in children:
        out, _ = one.communicate(timeout=30)
        answers.append(out.strip())
    assert sorted(answers) == ["", "", ",".join(expected)]
    async with opened() as services:
        assert await slugs(services) == expected
        assert len(await services.audit.list(action="provider.add")) == 5


async def test_killed_in_the_middle_nothing_is_half_done(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = several(monkeypatch)
    one = child("kill")
    assert one.communicate("go\n", timeout=30)[0] == "ready\n"
    assert one.returncode == -signal.SIGKILL
    async with opened() as services:
        assert await slugs(services) == []
        assert (await services.audit.verify()).intact
        report = await started(services)
        assert (list(report.added), report.first) == (expected, True)


async def test_a_memory_that_is_damaged_is_none(
    opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme(monkeypatch, vendor)
    async with opened() as services:
        async with services.db.transaction() as tx:
            await services.state.set(tx, "discovery", {"seen": 5, "told": ["x", None]})
        assert (await started(services)).added == ("acme",)


def test_a_finding_shows_no_key() -> None:
    one = Finding("clear", "folder", "x", "why", (Option("x", None, "http://127.0.0.1:1", "x"),), key_name="K", path="/p/.env")  # fmt: skip
    assert one.key_ref is None
    assert one.commands == ()


async def test_what_was_there_and_was_deleted_stays_away(
    opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme(monkeypatch, vendor)
    vendor.key = KEY
    async with opened() as services:
        draft = ProviderDraft(slug="mine", url=vendor.url)
        await services.registry.add(draft, EnvKey("PROVIDER_ACME_KEY"), test=False)
        assert (await started(services)).added == ()
        await services.registry.remove("mine")
    async with opened() as services:
        assert (await started(services)).added == ()
        assert await services.registry.list() == []


async def test_one_that_another_program_changed_at_the_last_moment_is_kept(
    opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme(monkeypatch, vendor)
    vendor.key = KEY
    async with opened() as services, opened() as other:
        await started(services)
        asked = services.registry.dependents

        async def slow(slug: str) -> list[str]:
            found = await asked(slug)
            await other.registry.edit(slug, ProviderDraft(name="Mine now"))
            return found

        monkeypatch.setattr(services.registry, "dependents", slow)
        done = await services.discovery.take_back()
        assert (done.removed, done.kept) == ((), ("acme",))
        assert (await other.registry.get("acme")).row.name == "Mine now"


async def test_what_was_found_says_at_once_that_it_was_added_otherwise(
    opened: Opener, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHROOM_DISCOVERY__AT_START", "ask")
    acme(monkeypatch, vendor)
    vendor.key = KEY
    async with opened() as services:
        told: list[Discovered] = []
        assert (await started(services)).offers
        services.feed.subscribe(told.append, Discovered)
        await services.registry.add(
            ProviderDraft(slug="mine", url=vendor.url), EnvKey("PROVIDER_ACME_KEY"), test=False
        )
        for _ in range(200):
            if told:
                break
            await asyncio.sleep(0.005)
        assert services.discovery.report is not None
        assert services.discovery.report.offers == ()
