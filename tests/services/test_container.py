"""Opening, closing, two processes at once, a killed process, the log, and what never leaks."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from catalog.errors import NotFoundError, StoreError, SwitchroomError, UsageError
from services import logs, process
from services.container import Services
from services.feed import Feed, FeedEvent, OfflineChanged, RunStarted, SettingsChanged, StoreChangedElsewhere
from services.registry import ProviderDraft
from store.ledger import Ledger
from store.reservations import ReservationRow, Reservations

ROOT = Path(__file__).parents[2]
KEY = "sk-canary-7f3a9b2c1d4e5f60718293a4b5c6vX2Q"


def another_process(code: str, *arguments: str) -> str:
    """Runs Python with the same home; gives what it printed."""
    program = f"import asyncio, sys\nfrom services.container import open_services\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


ADD = """
from services.registry import ProviderDraft
async def main():
    async with open_services() as services:
        await services.registry.add(ProviderDraft(slug=sys.argv[1], url=sys.argv[2]), None, test=False)
asyncio.run(main())
"""


async def test_another_process_is_seen_within_two_seconds(opened: Any, vendor: Any) -> None:
    async with opened(watch=True) as services:
        assert await services.models.list() == []
        seen = asyncio.Event()
        services.feed.subscribe(lambda _: seen.set(), StoreChangedElsewhere)
        await asyncio.to_thread(another_process, ADD, "theirs", vendor.url)
        async with asyncio.timeout(2):
            await seen.wait()
        assert [row.slug for row in await services.registry.rows()] == ["theirs"]


async def test_offline_chosen_elsewhere_holds_here(opened: Any) -> None:
    code = """
async def main():
    async with open_services() as services:
        await services.offline.set(True)
asyncio.run(main())
"""
    async with opened(watch=True) as services:
        told: asyncio.Queue[OfflineChanged] = asyncio.Queue()
        services.feed.subscribe(told.put_nowait, OfflineChanged)
        await asyncio.to_thread(another_process, code)
        async with asyncio.timeout(3):
            assert (await told.get()).offline
        assert services.offline.state
        with pytest.raises(SwitchroomError):
            services.offline.gate("api.openai.com")
        services.offline.gate("127.0.0.1")


async def test_our_own_writes_are_not_news(opened: Any, vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.container.POLL_SECONDS", 0.01)
    async with opened(watch=True) as services:
        told: list[FeedEvent] = []
        services.feed.subscribe(told.append, StoreChangedElsewhere)
        await services.registry.add(ProviderDraft(slug="mine", url=vendor.url), None, test=False)
        await asyncio.sleep(0.1)
        assert told == []


RESERVE = """
import os, signal
from services import logs, process
from store.reservations import ReservationRow, Reservations
async def main():
    async with open_services() as services:
        async with services.db.transaction() as tx:
            row = ReservationRow("res", "run", "mine", "alpha", 5_000_000, 40, 1_795_000_000_000, process.identity())
            await Reservations(services.db).insert(tx, row)
        os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


async def test_a_killed_process_is_settled_once_at_the_next_start(opened: Any) -> None:
    async with opened() as services:
        pass
    with pytest.raises(subprocess.CalledProcessError) as caught:
        await asyncio.to_thread(another_process, RESERVE)
    assert caught.value.returncode == -9
    for _ in ("settled", "left alone"):
        async with opened() as services:
            assert await Reservations(services.db).all() == []
            rows = await Ledger(services.db).run("run")
            assert [(row.outcome, row.final, row.cost_nanos, row.grade) for row in rows] == [
                ("interrupted", True, 5_000_000, "estimated")
            ]
            [entry] = await services.audit.list(action="run.recovered")
            assert (entry.subject, entry.result, entry.detail["run_id"]) == (
                "mine/alpha",
                "interrupted",
                "run",
            )


async def test_a_living_process_keeps_its_reservation(opened: Any) -> None:
    async with opened() as services:
        row = ReservationRow("res", "run", "mine", "alpha", 5, 4, 1_795_000_000_000, process.identity())
        async with services.db.transaction() as tx:
            await Reservations(services.db).insert(tx, row)
    count = """
from store.reservations import Reservations
async def main():
    async with open_services() as services:
        print(len(await Reservations(services.db).all()))
asyncio.run(main())
"""
    assert await asyncio.to_thread(another_process, count) == "1"


def test_who_is_alive() -> None:
    assert process.is_alive(process.identity())
    machine, pid, started = process.identity().rsplit(":", 2)
    assert not process.is_alive(f"{machine}:{pid}:{int(started) + 1}")
    assert not process.is_alive(f"{machine}:999999999:5")
    assert process.is_alive("elsewhere:1:5", age_ms=1000)
    assert not process.is_alive("elsewhere:1:5", age_ms=2 * process.FOREIGN_HOST_MS)
    assert not process.is_alive("nonsense")


def test_the_actor_names_person_machine_way_and_face() -> None:
    assert process.actor("cli", {}).endswith(f"@{process.host()} cli[{os.getpid()}]")
    assert "(ssh 10.0.0.1) tui[" in process.actor("tui", {"SSH_CONNECTION": "10.0.0.1 5 10.0.0.2 22"})


async def test_reason_and_actor_reach_the_audit_log(opened: Any, vendor: Any) -> None:
    async with opened(reason="ticket 42", actor="tui") as services:
        await services.registry.add(ProviderDraft(slug="mine", url=vendor.url), None)
        rows = await services.audit.list()
        assert {row.reason for row in rows} == {"ticket 42"}
        assert all(row.actor.endswith(f"tui[{os.getpid()}]") for row in rows)
        assert (await services.audit.verify()).intact


async def test_the_audit_log_is_exported_and_verified(
    services: Services, vendor: Any, tmp_path: Path
) -> None:
    await services.registry.add(ProviderDraft(slug="mine", url=vendor.url), None)
    file = tmp_path / "audit.jsonl"
    count = await services.audit.export(file)
    text = await asyncio.to_thread(file.read_text)
    assert json.loads(text.splitlines()[0])["action"] == "provider.add"
    assert services.audit.verify_file(file).intact
    await asyncio.to_thread(file.write_text, text.replace("provider.add", "provider.edit"))
    assert services.audit.verify_file(file).first_broken == 1
    assert count >= 1


async def test_interactions_are_not_recorded_when_not_wanted(
    opened: Any, vendor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHROOM_AUDIT__INTERACTIONS", "false")
    async with opened() as services:
        await services.registry.add(ProviderDraft(slug="mine", url=vendor.url), None)
        await services.registry.test("mine")
        assert [row.action for row in await services.audit.list()] == ["provider.add"]


async def test_offline_by_variable_cannot_be_ended_by_a_key(
    opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHROOM_OFFLINE", "1")
    async with opened() as services:
        assert (services.offline.state, services.offline.source) == (True, "SWITCHROOM_OFFLINE")
        with pytest.raises(UsageError, match="SWITCHROOM_OFFLINE"):
            await services.offline.set(False)


async def test_offline_is_remembered_and_audited(opened: Any) -> None:
    async with opened() as services:
        await services.offline.set(True)
    async with opened() as services:
        assert services.offline.state
        assert not services.offline.reaches("192.168.1.5")
        await services.offline.set(False)
        assert services.offline.reaches("api.openai.com")
        assert [row.action for row in await services.audit.list(action="offline")] == [
            "offline.off",
            "offline.on",
        ]


async def test_private_networks_while_offline_by_setting(
    opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHROOM_NETWORK__OFFLINE", "true")
    monkeypatch.setenv("SWITCHROOM_NETWORK__OFFLINE_PRIVATE", "true")
    async with opened() as services:
        assert services.offline.reaches("192.168.1.5")
        assert not services.offline.reaches("example.com")


async def test_no_secret_is_written_anywhere_but_its_own_place(
    opened: Any, vendor: Any, written: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SWITCHROOM_LOG_LEVEL", "debug")
    vendor.key = KEY
    async with opened() as services:
        await services.registry.add(ProviderDraft(slug="mine", url=vendor.url), SecretStr(KEY))
        await services.sync.sync()
        vendor.key = "rotated"
        await services.registry.test("mine")
        await services.sync.sync()
        vendor.body, vendor.key = f"<html>{KEY}</html>", None
        failed = await services.sync.sync()
        logging.getLogger("services.test").error("a key %s and %s", KEY, vendor.url, exc_info=ValueError(KEY))
        logging.getLogger("httpx").info("GET https://example.com/?key=%s", KEY)
        assert KEY not in str(failed)
        assert KEY not in repr(await services.registry.list())
    assert written(KEY) == ["config/credentials/mine.json"]
    log = await asyncio.to_thread((Path(os.environ["SWITCHROOM_HOME"]) / "logs" / "switchroom.log").read_text)
    assert "a key [redacted]" in log
    assert "example.com" not in log


async def test_the_log_is_private_and_turns_over(
    opened: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.logs.LIMIT_BYTES", 2000)
    async with opened():
        for number in range(100):
            logging.getLogger("services.test").warning("line %d \x1b[31mred\x1b[0m", number)
    files = await asyncio.to_thread(lambda: sorted((home / "logs").iterdir()))
    assert [file.name for file in files] == [f"switchroom.log{end}" for end in ("", ".1", ".2", ".3")]
    for file in files:
        assert file.stat().st_mode & 0o777 == 0o600
        assert b"\x1b" not in file.read_bytes()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_stops_nobody_who_logs(tmp_path: Path) -> None:
    for nowhere in (Path("/dev/full"), tmp_path / "gone" / "switchroom.log"):
        stop = logs.start(nowhere, "warning")
        logging.getLogger("services.test").error("this cannot be written")
        logging.getLogger("services.test").error("nor can this")
        stop()


@pytest.mark.parametrize("first", [0, 1])
def test_logs_that_overlap_end_in_any_order(tmp_path: Path, first: int) -> None:
    """While one of them writes, its level holds; after the last, the one from before the first."""
    ours = logging.getLogger("services")
    before = ours.level
    stops = [logs.start(tmp_path / "a.log", "debug"), logs.start(tmp_path / "b.log", "error")]
    stops[first]()
    assert ours.level == (logging.ERROR, logging.DEBUG)[first]
    stops[1 - first]()
    assert ours.level == before


async def test_a_damaged_store_is_refused_and_left_alone(opened: Any, home: Path) -> None:
    (home / "data").mkdir()
    file = home / "data" / "switchroom.db"
    file.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError) as caught:
        async with opened():
            pass
    assert str(file) in caught.value.message
    assert caught.value.hint
    assert file.read_bytes() == b"not a database at all" * 100


def test_a_subscriber_that_fails_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    feed = Feed()
    told: list[FeedEvent] = []

    def broken(_: FeedEvent) -> None:
        raise ValueError("no")

    feed.subscribe(broken)
    end = feed.subscribe(told.append, RunStarted)
    feed.publish(RunStarted("r", "m"))
    feed.publish(SettingsChanged())
    end()
    feed.publish(RunStarted("r", "m"))
    assert told == [RunStarted("r", "m")]
    assert "a subscriber failed" in caplog.text


async def test_conversations(services: Services) -> None:
    from store.conversations import MessageRow

    row = await services.conversations.create(model_ref="mine/alpha")
    await services.conversations.append(
        MessageRow(None, row.id, -1, "user", "What is\nthe time? \x1b[31m" + "x" * 90)
    )
    answer = await services.conversations.append(
        MessageRow(None, row.id, -1, "assistant", "Noon.", state="streaming")
    )
    assert answer.id is not None
    await services.conversations.update_message(row.id, answer.id, text="Noon!", state="complete")
    opened = await services.conversations.open(row.id)
    assert opened.title.startswith("What is the time? ␛[31mxxx")
    assert (len(opened.title), opened.messages) == (60, 2)
    assert [one.text for one in await services.conversations.messages(row.id)][1] == "Noon!"
    await services.conversations.rename(row.id, "Time")
    assert [one.title for one in await services.conversations.list(search="noon")] == ["Time"]
    await services.conversations.delete(row.id)
    assert await services.conversations.list() == []
    with pytest.raises(NotFoundError):  # another session deleted it while this one was typing
        await services.conversations.append(MessageRow(None, row.id, -1, "user", "Still there?"))


def test_starting_imports_nothing_heavy(home: Path) -> None:
    code = """
async def main():
    async with open_services() as services:
        await services.registry.list()
asyncio.run(main())
heavy = ("httpx", "httpcore", "keyring", "cryptography", "textual", "rich", "click", "difflib", "adapters.fetch")
print([name for name in heavy if name in sys.modules])
"""
    assert another_process(code) == "[]"
