"""Transactions: what is committed stays, what fails or is cancelled is gone, and nobody else's work with it."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from pathlib import Path

import pytest

from catalog.errors import ReadOnlyError, StoreError
from store import migrations
from store.connection import StoreConnection
from store.db import Database, Tx
from store.state import State


async def _keys(db: Database) -> list[str]:
    return [row[0] for row in await db.reader.execute_fetchall("SELECT key FROM remembered ORDER BY key")]


async def _set(tx: Tx, key: str) -> None:
    await tx.execute("INSERT INTO remembered (key, value_json) VALUES (?, '1')", (key,))


async def test_an_error_undoes_the_whole_transaction(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012
        async with db.transaction() as tx:
            await _set(tx, "a")
            raise ZeroDivisionError
    assert await _keys(db) == []
    async with db.transaction() as tx:
        await _set(tx, "b")
    assert await _keys(db) == ["b"]


async def test_a_queued_statement_that_fails_undoes_what_came_before(db: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError):  # noqa: PT012
        async with db.transaction() as tx:
            await _set(tx, "a")
            tx.later("INSERT INTO remembered (key, value_json) VALUES ('a', '2')")
    assert await _keys(db) == []


async def test_one_tasks_rollback_leaves_the_others_rows(db: Database) -> None:
    async def good(number: int) -> None:
        async with db.transaction() as tx:
            await _set(tx, f"good-{number:02}")
            await asyncio.sleep(0)
            await _set(tx, f"more-{number:02}")

    async def bad(number: int) -> None:
        async with db.transaction() as tx:
            await _set(tx, f"bad-{number:02}")
            await asyncio.sleep(0)
            raise RuntimeError("no")

    jobs = [job(n) for n in range(15) for job in (good, bad)]
    results = await asyncio.gather(*jobs, return_exceptions=True)
    assert sum(isinstance(result, RuntimeError) for result in results) == 15
    assert await _keys(db) == sorted([f"{kind}-{n:02}" for n in range(15) for kind in ("good", "more")])


@pytest.mark.parametrize("turns", range(8))
async def test_a_cancelled_task_leaves_nothing_and_the_writer_usable(db: Database, turns: int) -> None:
    started = asyncio.Event()

    async def work() -> None:
        async with db.transaction(durable=True) as tx:
            for number in range(1000):
                await _set(tx, f"c-{number}")
                started.set()

    task = asyncio.create_task(work())
    await started.wait()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()  # twice: the second one must not catch the clean-up half-way
    with pytest.raises(asyncio.CancelledError):
        await task
    async with db.transaction() as tx:
        await _set(tx, "after")
        assert (await tx.fetchone("PRAGMA synchronous")) == (1,)
    assert await _keys(db) == ["after"]


async def test_cancelling_while_waiting_for_the_lock_leaves_it_free(db: Database) -> None:
    async with db.transaction() as tx:
        waiting = asyncio.create_task(State(db).get("x"))

        async def second() -> None:
            async with db.transaction():
                raise AssertionError("must not get in")

        task = asyncio.create_task(second())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await _set(tx, "first")
        assert await waiting is None
    assert await _keys(db) == ["first"]


async def test_the_reader_sees_committed_work_only_and_cannot_write(db: Database) -> None:
    async with db.transaction() as tx:
        await _set(tx, "a")
        assert await _keys(db) == []
    assert await _keys(db) == ["a"]
    with pytest.raises(StoreError):
        await db.reader.execute("DELETE FROM remembered")


async def test_durable_transactions_are_full_and_the_next_one_is_normal_again(db: Database) -> None:
    async with db.transaction(durable=True) as tx:
        assert await tx.fetchone("PRAGMA synchronous") == (2,)
    async with db.transaction() as tx:
        assert await tx.fetchone("PRAGMA synchronous") == (1,)


async def test_read_only_refuses_and_dry_run_undoes(path: Path) -> None:
    await (await Database.open(path)).aclose()
    db = await Database.open(path, read_only=True)
    with pytest.raises(ReadOnlyError):
        async with db.transaction():
            raise AssertionError("must not get in")
    await db.aclose()
    db = await Database.open(path, dry_run=True)
    async with db.transaction(durable=True) as tx:
        await _set(tx, "a")
        assert await tx.fetchall("SELECT key FROM remembered") == [("a",)]
    assert await _keys(db) == []
    await db.aclose()


async def test_a_transaction_cannot_be_used_after_its_end(db: Database) -> None:
    async with db.transaction() as tx:
        await _set(tx, "a")
    with pytest.raises(RuntimeError):
        await _set(tx, "b")


async def test_files_are_for_the_owner_only(db: Database, path: Path) -> None:
    async with db.transaction() as tx:
        await _set(tx, "a")
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["switchroom.db", "switchroom.db-shm", "switchroom.db-wal"]
    assert [oct(file.stat().st_mode & 0o777) for file in files] == ["0o600"] * 3
    assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_a_full_disk_says_what_to_do_and_undoes(db: Database, path: Path) -> None:
    async with db.transaction() as tx:
        pages = (await tx.fetchall("PRAGMA page_count"))[0][0]
    with pytest.raises(StoreError) as refused:  # noqa: PT012
        async with db.transaction() as tx:
            await tx.execute(f"PRAGMA max_page_count={pages + 1}")
            await _set(tx, "small")
            await tx.execute("INSERT INTO remembered VALUES ('big', ?)", (f'"{"x" * 100_000}"',))
    assert refused.value.title == "Disk full"
    assert str(path) in refused.value.message
    assert refused.value.hint
    assert await _keys(db) == []
    async with db.transaction() as tx:
        await tx.execute("PRAGMA max_page_count=1000000")
        await _set(tx, "later")
    assert await _keys(db) == ["later"]


async def test_a_disk_that_is_full_when_the_connection_is_made_is_called_full(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = sqlite3.OperationalError("disk I/O error")
    problem.sqlite_errorname = "SQLITE_IOERR_SHMSIZE"  # what a file of shared memory meets

    def connect() -> sqlite3.Connection:
        raise problem

    path.parent.mkdir(exist_ok=True)
    usage = shutil.disk_usage(path.parent)
    for free, title in ((usage.free, "Disk trouble"), (4096, "Disk full")):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: usage._replace(free=free))
        with pytest.raises(StoreError) as refused:
            await StoreConnection.opened(path, connect)
        assert refused.value.title == title
        assert str(path) in refused.value.message


async def test_a_database_held_by_another_program_says_so(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "BUSY_SECONDS", 0.05)
    db = await Database.open(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError) as refused:
        async with db.transaction() as tx:
            await _set(tx, "a")
    assert refused.value.title == "Database busy"
    other.execute("ROLLBACK")
    other.close()
    async with db.transaction() as tx:
        await _set(tx, "a")
    assert await _keys(db) == ["a"]
    await db.aclose()


async def test_a_file_that_cannot_be_written_says_which(db: Database, path: Path) -> None:
    with pytest.raises(StoreError) as refused:  # noqa: PT012
        async with db.transaction() as tx:
            await tx.execute("PRAGMA query_only=ON")
            await _set(tx, "a")
    assert refused.value.title == "Database not writable"
    assert f"chmod u+w {path.parent}" in (refused.value.hint or "")


async def test_a_folder_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(StoreError, match="cannot be opened"):
        await Database.open(tmp_path / "data" / "switchroom.db")


async def test_own_changes_are_not_changes_elsewhere(db: Database, path: Path) -> None:
    other = await Database.open(path)
    assert not await db.changed_elsewhere()
    async with db.transaction() as tx:
        await _set(tx, "mine")
    assert not await db.changed_elsewhere()
    assert await other.changed_elsewhere()
    assert not await other.changed_elsewhere()
    async with other.transaction() as tx:
        await _set(tx, "theirs")
    assert await db.changed_elsewhere()
    assert await _keys(db) == ["mine", "theirs"]
    await other.aclose()


async def test_closing_waits_for_a_transaction_and_twice_is_once(path: Path) -> None:
    db = await Database.open(path)
    inside = asyncio.Event()

    async def work() -> None:
        async with db.transaction() as tx:
            inside.set()
            await asyncio.sleep(0)
            await _set(tx, "a")

    task = asyncio.create_task(work())
    await inside.wait()
    await db.aclose()
    await task
    await db.aclose()
    again = await Database.open(path)
    assert await _keys(again) == ["a"]
    await again.aclose()
