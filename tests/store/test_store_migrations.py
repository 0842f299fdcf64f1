"""Old files are brought up to date with a copy first; newer, foreign and damaged ones are never touched."""

from __future__ import annotations

import errno
import random
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from catalog.errors import StoreError
from store.db import Database
from store.migrations import APPLICATION_ID, Step, migrate, statements
from store.steps import STEPS


def old_file(path: Path, steps: int) -> None:
    """A store as the first `steps` steps made it, with a provider in it."""
    migrate(path, STEPS[:steps])
    conn = sqlite3.connect(path)
    conn.execute(
        "INSERT INTO providers (slug, name, dialect, endpoint, created_at, updated_at)"
        " VALUES ('old', 'Old', 'openai', 'https://api.openai.com/v1', 1, 1)"
    )
    conn.commit()
    conn.close()


def schema(path: Path) -> list[tuple[str, str]]:
    conn = sqlite3.connect(path)
    rows = conn.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").fetchall()
    conn.close()
    return rows


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("steps", range(1, len(STEPS)))
async def test_every_older_schema_is_brought_up_to_date(path: Path, tmp_path: Path, steps: int) -> None:
    old_file(path, steps)
    before = path.read_bytes()  # noqa: ASYNC240
    db = await Database.open(path)
    rows = list(await db.reader.execute_fetchall("SELECT slug FROM providers"))
    await db.aclose()
    assert rows == [("old",)]
    fresh = tmp_path / "fresh.db"
    migrate(fresh, STEPS)
    assert schema(path) == schema(fresh)
    backups = list(path.parent.glob("*.bak"))
    assert [backup.name for backup in backups] == [f"switchroom.db.before-{STEPS[steps].name}.bak"]
    assert backups[0].stat().st_mode & 0o777 == 0o600
    copy = sqlite3.connect(backups[0])
    assert copy.execute("SELECT slug FROM providers").fetchall() == [("old",)]
    assert copy.execute("SELECT count(*) FROM schema_steps").fetchone() == (steps,)
    copy.close()
    assert before  # the old file was there to be copied


async def test_a_file_that_is_up_to_date_is_not_copied_or_changed(path: Path) -> None:
    migrate(path, STEPS)
    before = contents(path.parent)
    await (await Database.open(path)).aclose()
    assert contents(path.parent) == before


def test_a_failing_step_leaves_the_old_file_and_a_copy(path: Path) -> None:
    old_file(path, len(STEPS))
    before = schema(path)
    broken = Step(
        "9999-broken",
        "CREATE TABLE half (a);\nINSERT INTO half VALUES (1);\nINSERT INTO nowhere VALUES (1);\n",
    )
    with pytest.raises(StoreError, match="9999-broken") as refused:
        migrate(path, (*STEPS, broken))
    assert refused.value.hint is not None
    assert "switchroom.db.before-9999-broken.bak" in refused.value.hint
    assert schema(path) == before
    assert schema(path.parent / "switchroom.db.before-9999-broken.bak") == before
    migrate(path, STEPS)  # the old program still opens it


def test_steps_before_the_failing_one_stay(path: Path) -> None:
    good = Step("9998-good", "CREATE TABLE good (a);")
    bad = Step("9999-bad", "SELECT nothing FROM nowhere;")
    with pytest.raises(StoreError):
        migrate(path, (*STEPS, good, bad))
    migrate(path, (*STEPS, good))
    assert "good" in [name for name, _ in schema(path)]


def test_a_newer_file_is_refused_with_the_backup_and_not_touched(path: Path) -> None:
    newer = (*STEPS, Step("9999-tomorrow", "CREATE TABLE tomorrow (a);"))
    old_file(path, len(STEPS))
    migrate(path, newer)
    before = contents(path.parent)
    with pytest.raises(StoreError) as refused:
        migrate(path, STEPS)
    assert contents(path.parent) == before
    assert str(path) in refused.value.message
    assert "9999-tomorrow" in refused.value.message
    assert "switchroom.db.before-9999-tomorrow.bak" in (refused.value.hint or "")
    assert refused.value.title == "Database is newer"


def test_another_programs_database_is_refused(path: Path) -> None:
    path.parent.mkdir()
    conn = sqlite3.connect(path)
    conn.execute("CREATE TABLE bookmarks (url)")
    conn.commit()
    conn.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        migrate(path, STEPS)
    assert path.read_bytes() == before


def _damage(data: bytes, how: str) -> bytes:
    noise = random.Random(7).randbytes
    if how == "text":
        return b"this is no database\n" * 500
    if how == "header":
        return noise(100) + data[100:]
    if how == "middle":
        return data[:4096] + noise(len(data) - 8192) + data[-4096:]
    if how == "first page":
        return data[:100] + noise(3996) + data[4096:]
    return data[: len(data) // 2]


@pytest.mark.parametrize("how", ["text", "header", "first page", "middle", "cut"])
async def test_a_damaged_file_is_named_and_not_touched(path: Path, how: str) -> None:
    old_file(path, 2)
    migrate(path, STEPS)  # leaves a backup
    path.write_bytes(_damage(path.read_bytes(), how))  # noqa: ASYNC240
    before = contents(path.parent)
    with pytest.raises(StoreError) as refused:
        await Database.open(path)
    assert {name: data for name, data in contents(path.parent).items() if not name.endswith("-shm")} == before
    assert str(path) in refused.value.message
    assert f"before-{STEPS[2].name}.bak" in (refused.value.hint or "")


async def test_damage_found_later_is_reported_as_damage(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "store.migrations._SMALL", 0
    )  # as with a big file, which is not read whole at the start
    migrate(path, STEPS)
    conn = sqlite3.connect(path)
    root = conn.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'remembered'").fetchone()[0]
    conn.close()
    data = bytearray(path.read_bytes())  # noqa: ASYNC240
    data[(root - 1) * 4096 : root * 4096] = b"\xff" * 4096
    path.write_bytes(data)  # noqa: ASYNC240
    db = await Database.open(path)
    with pytest.raises(StoreError, match="damaged"):
        await db.reader.execute_fetchall("SELECT * FROM remembered")
    await db.aclose()


def test_two_programs_starting_at_once_make_one_store(path: Path) -> None:
    failures: list[BaseException] = []
    start = threading.Barrier(4)

    def begin() -> None:
        start.wait()
        try:
            migrate(path, STEPS)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    conn = sqlite3.connect(path)
    assert conn.execute("SELECT count(*) FROM schema_steps").fetchone() == (len(STEPS),)
    assert conn.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    conn.close()


def test_a_disk_too_full_for_the_copy_leaves_all_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_file(path, 7)
    before = schema(path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        with pytest.raises(StoreError, match="No space left"):
            migrate(path, STEPS)
    assert schema(path) == before
    assert [file.name for file in path.parent.iterdir() if "before" in file.name] == []
    migrate(path, STEPS)
    assert schema(path) != before


def test_a_program_killed_while_it_brings_a_store_up_to_date_does_no_harm(path: Path) -> None:
    old_file(path, 7)
    before = schema(path)
    script = (
        "import os, sys; from pathlib import Path; from store import migrations, steps\n"
        "last = migrations.Step(steps.STEPS[7].name, steps.STEPS[7].sql + 'SELECT die();\\n')\n"
        "real = migrations.connect\n"
        "def connect(path, **how):\n"
        "    conn = real(path, **how)\n"
        "    conn.create_function('die', 0, lambda: os.kill(os.getpid(), 9))\n"
        "    return conn\n"
        "migrations.connect = connect\n"
        "migrations.migrate(Path(sys.argv[1]), (*steps.STEPS[:7], last))\n"
    )
    root = Path(__file__).parents[2]
    killed = subprocess.run([sys.executable, "-c", script, str(path)], cwd=root, check=False)
    assert killed.returncode == -9
    assert schema(path) == before
    migrate(path, STEPS)
    assert schema(path) != before
    assert len(list(path.parent.glob("*.bak"))) == 1


def test_step_names_are_unique_and_in_order() -> None:
    names = [step.name for step in STEPS]
    assert names == sorted(set(names))


def test_a_trigger_is_one_statement() -> None:
    script = (
        "CREATE TABLE a (b);\nCREATE TRIGGER t AFTER INSERT ON a\nBEGIN\n  SELECT 1;\n  SELECT 2;\nEND;\n"
    )
    assert len(list(statements(script))) == 2
