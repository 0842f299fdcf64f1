"""Whoever changes, removes, adds or reorders an audit row without the key is found out, and the row is named."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.errors import StoreError
from store.audit import AuditLog, load_key
from store.db import Database

KEY = bytes(range(32))
COLUMNS = ("id", "at", "actor", "action", "subject", "result", "detail", "reason", "mac")


@pytest.fixture
async def log(db: Database) -> AuditLog:
    """Six entries, Polish and emoji among them."""
    audit = AuditLog(db, KEY)
    for number in range(1, 7):
        async with db.transaction() as tx:
            await audit.append(
                tx,
                at=1_000_000 + number,
                actor="ada@host (ssh 10.0.0.1) cli[7]",
                action="budget.set" if number % 2 else "provider.add",
                subject=f"provider:źródło-{number}",
                detail={"after": number, "b": [1, None, "🙂"]},
                reason="month end" if number == 3 else None,
            )
    return audit


def tamper(db: Database, *statements: str) -> None:
    """What someone does who can write the file but does not have the key."""
    conn = sqlite3.connect(db.path)
    conn.execute("DROP TRIGGER audit_no_update")
    conn.execute("DROP TRIGGER audit_no_delete")
    for statement in statements:
        conn.execute(statement)
    conn.commit()
    conn.close()


async def test_an_untouched_log_is_intact(log: AuditLog) -> None:
    seen: list[tuple[int, int]] = []
    found = await log.verify(lambda done, total: seen.append((done, total)))
    assert (found.rows, found.intact, found.first_broken) == (6, True, None)
    assert seen == [(6, 6)]


async def test_an_empty_log_is_intact(db: Database) -> None:
    assert (await AuditLog(db, KEY).verify()).intact


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit WHERE id = 6"])
async def test_sql_may_not_change_or_delete(db: Database, log: AuditLog, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        async with db.transaction() as tx:
            await tx.execute(statement)
    assert (await log.verify()).intact


@pytest.mark.parametrize("row", range(1, 7))
@pytest.mark.parametrize("column", COLUMNS)
async def test_any_column_of_any_row(db: Database, log: AuditLog, row: int, column: str) -> None:
    value = {
        "id": "100",
        "at": "at + 1",
        "reason": "coalesce(reason || '.', '')",
        "detail": "replace(detail, 'after', 'After')",
    }.get(column, f"{column} || ' '")
    tamper(db, f"UPDATE audit SET {column} = {value} WHERE id = {row}")
    found = await log.verify()
    assert not found.intact
    assert found.first_broken == row


@pytest.mark.parametrize("row", range(1, 7))
async def test_a_missing_row(db: Database, log: AuditLog, row: int) -> None:
    tamper(db, f"DELETE FROM audit WHERE id = {row}")
    found = await log.verify()
    assert not found.intact
    assert found.first_broken == row


@pytest.mark.parametrize("row", range(1, 6))
async def test_a_missing_row_with_the_rest_moved_up(db: Database, log: AuditLog, row: int) -> None:
    moves = [f"UPDATE audit SET id = {later - 1} WHERE id = {later}" for later in range(row + 1, 7)]
    tamper(db, f"DELETE FROM audit WHERE id = {row}", *moves, "UPDATE sqlite_sequence SET seq = 5")
    found = await log.verify()
    assert not found.intact
    assert found.first_broken == row


async def test_two_rows_exchanged(db: Database, log: AuditLog) -> None:
    tamper(
        db,
        "UPDATE audit SET id = 100 WHERE id = 2",
        "UPDATE audit SET id = 2 WHERE id = 3",
        "UPDATE audit SET id = 3 WHERE id = 100",
    )
    assert (await log.verify()).first_broken == 2


@pytest.mark.parametrize("left", range(6))
async def test_a_tail_cut_off(db: Database, log: AuditLog, left: int) -> None:
    tamper(db, f"DELETE FROM audit WHERE id > {left}", f"UPDATE sqlite_sequence SET seq = {left}")
    found = await log.verify()
    assert not found.intact
    assert found.first_broken == left + 1
    assert found.rows == left


@pytest.mark.parametrize("left", [3, 5])
async def test_a_tail_cut_off_with_the_head_made_to_fit(db: Database, log: AuditLog, left: int) -> None:
    tamper(
        db,
        f"DELETE FROM audit WHERE id > {left}",
        f"UPDATE sqlite_sequence SET seq = {left}",
        f"UPDATE audit_head SET last_id = {left}, count = {left},"
        f" last_mac = (SELECT mac FROM audit WHERE id = {left})",
    )
    assert (await log.verify()).first_broken == left + 1


async def test_the_head_removed(db: Database, log: AuditLog) -> None:
    tamper(db, "DELETE FROM audit_head")
    assert not (await log.verify()).intact


async def test_everything_removed(db: Database, log: AuditLog) -> None:
    tamper(db, "DELETE FROM audit", "DELETE FROM audit_head")
    found = await log.verify()
    assert not found.intact
    assert found.first_broken == 1


async def test_a_row_made_up_at_the_end(db: Database, log: AuditLog) -> None:
    tamper(
        db,
        "INSERT INTO audit (at, actor, action, subject, result, detail, mac)"
        " SELECT at, actor, action, subject, result, detail, mac FROM audit WHERE id = 6",
    )
    found = await log.verify()
    assert (found.rows, found.first_broken) == (7, 7)


async def test_what_is_appended_after_tampering_does_not_heal_it(db: Database, log: AuditLog) -> None:
    tamper(db, "UPDATE audit SET actor = 'mallory' WHERE id = 2")
    async with db.transaction() as tx:
        await log.append(tx, at=9, actor="a", action="b", subject="c")
    assert (await log.verify()).first_broken == 2


async def test_appending_after_a_cut_tail_does_not_hide_it(db: Database, log: AuditLog) -> None:
    tamper(db, "DELETE FROM audit WHERE id > 4")
    async with db.transaction() as tx:
        await log.append(tx, at=9, actor="a", action="b", subject="c")
    assert (await log.verify()).first_broken == 5


async def test_another_key_breaks_at_the_first_row(db: Database, log: AuditLog) -> None:
    assert (await AuditLog(db, b"x" * 32).verify()).first_broken == 1


async def test_the_list_filters_and_pages(log: AuditLog) -> None:
    assert [row.id for row in await log.list(limit=2)] == [6, 5]
    assert [row.id for row in await log.list(limit=2, before_id=5)] == [4, 3]
    assert [row.id for row in await log.list(action="provider")] == [6, 4, 2]
    assert [row.id for row in await log.list(action="budget.set", since=1_000_003)] == [5, 3]
    [row] = await log.list(subject="provider:źródło-3")
    assert (row.reason, row.detail, row.result) == ("month end", {"after": 3, "b": [1, None, "🙂"]}, "ok")


async def test_a_row_in_an_undone_transaction_is_not_in_the_chain(db: Database, log: AuditLog) -> None:
    with pytest.raises(RuntimeError):  # noqa: PT012
        async with db.transaction() as tx:
            await log.append(tx, at=1, actor="a", action="b", subject="c")
            raise RuntimeError
    async with db.transaction() as tx:
        row = await log.append(tx, at=1, actor="a", action="b", subject="c")
        more = await log.append(tx, at=1, actor="a", action="b", subject="d")
    assert (row.id, more.id) == (7, 8)
    assert (await log.verify()).intact


# An export


@pytest.fixture
async def export(log: AuditLog, tmp_path: Path) -> Path:
    target = tmp_path / "audit.jsonl"
    assert await log.export(target) == 6
    return target


def edited(export: Path, change: Callable[[list[str]], list[str]]) -> Path:
    export.write_text(
        "".join(change(export.read_text(encoding="utf-8").splitlines(keepends=True))), encoding="utf-8"
    )
    return export


async def test_a_long_log_is_exported_piece_by_piece(
    log: AuditLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.audit._CHUNK", 4)
    pieces = tmp_path / "pieces.jsonl"
    assert await log.export(pieces) == 6
    found = log.verify_file(pieces)
    assert (found.rows, found.intact) == (6, True)


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE sqlite_sequence SET seq = 4",
        "UPDATE audit_head SET last_id = 4, count = 4, last_mac = (SELECT mac FROM audit WHERE id = 4)",
        "DELETE FROM audit_head",
    ],
)
async def test_an_export_does_not_prove_a_log_whose_end_is_cut_off(
    db: Database, log: AuditLog, tmp_path: Path, end: str
) -> None:
    tamper(db, "DELETE FROM audit WHERE id > 4", end)
    target = tmp_path / "cut.jsonl"
    assert await log.export(target) == 4
    found = log.verify_file(target)
    assert (found.intact, found.first_broken) == (False, 5)


async def test_entries_that_come_while_the_log_is_written_are_in_the_file(
    db: Database, log: AuditLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = AuditLog._end, [3]

    async def late(self: AuditLog, chain: object) -> object:
        if left[0]:
            left[0] -= 1
            async with db.transaction() as tx:
                await log.append(tx, at=9, actor="a", action="b", subject="c")
        return await real(self, chain)  # type: ignore[arg-type]

    monkeypatch.setattr(AuditLog, "_end", late)
    target = tmp_path / "live.jsonl"
    assert await log.export(target) == 9
    found = log.verify_file(target)
    assert (found.rows, found.intact) == (9, True)


async def test_an_export_that_is_stopped_leaves_the_file_as_it_was(
    log: AuditLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("before")

    def stop(_done: int, _total: int) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await log.export(path, stop)
    assert path.read_text() == "before"
    assert _names(tmp_path) == {"log.jsonl"}


async def test_an_export_goes_into_a_pipe(log: AuditLog, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(pipe.read_text().splitlines()))
    reader.start()
    rows = await log.export(pipe)
    reader.join(10)
    assert len(lines) == rows + 1
    assert _is_pipe(pipe)


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.suffix in (".jsonl", ".part")}


def _is_pipe(path: Path) -> bool:
    return path.is_fifo()


def test_an_export_verifies_and_is_private(log: AuditLog, export: Path) -> None:
    found = log.verify_file(export)
    assert (found.rows, found.intact, found.first_broken) == (6, True, None)
    assert export.stat().st_mode & 0o777 == 0o600
    first = json.loads(export.read_text(encoding="utf-8").splitlines()[0])
    assert first["at"] == "1970-01-01T00:16:40.001Z"
    assert first["detail"] == {"after": 1, "b": [1, None, "🙂"]}


@pytest.mark.parametrize("row", range(6))
@pytest.mark.parametrize("column", COLUMNS)
def test_any_field_of_an_exported_row(log: AuditLog, export: Path, row: int, column: str) -> None:
    def change(lines: list[str]) -> list[str]:
        shown = json.loads(lines[row])
        shown[column] = {"id": 77, "at": "1970-01-01T00:16:40.999Z", "detail": {"x": 1}}.get(column, "other")
        return [*lines[:row], json.dumps(shown) + "\n", *lines[row + 1 :]]

    found = log.verify_file(edited(export, change))
    assert not found.intact
    assert found.first_broken == row + 1


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (lambda lines: lines[:-1], 7),
        (lambda lines: lines[:-3], 5),
        (lambda lines: [*lines[:3], lines[-1]], 4),
        (lambda lines: lines[1:], 1),
        (lambda lines: [lines[1], lines[0], *lines[2:]], 1),
        (lambda lines: [*lines, lines[0]], 7),
        (lambda lines: [*lines[:2], "{ no json\n", *lines[3:]], 3),
        (lambda lines: [*lines[:2], "[1]\n", *lines[3:]], 3),
        (lambda _: [], 1),
    ],
)
def test_lines_of_an_export_removed_moved_or_spoilt(
    log: AuditLog, export: Path, change: Callable[[list[str]], list[str]], broken: int
) -> None:
    found = log.verify_file(edited(export, change))
    assert not found.intact
    assert found.first_broken == broken


def test_a_missing_export_is_named(log: AuditLog, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"nowhere\.jsonl"):
        log.verify_file(tmp_path / "nowhere.jsonl")


# The key


def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "data" / "audit.key"
    key = load_key(path)
    assert len(key) == 32
    assert load_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["audit.key"]


def test_a_spoilt_key_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "audit.key"
    path.write_text("not a key")
    with pytest.raises(StoreError, match=r"audit\.key"):
        load_key(path)
    assert path.read_text() == "not a key"


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    path = tmp_path / "data" / "audit.key"
    code = f"import pathlib; from store.audit import load_key; print(load_key(pathlib.Path({str(path)!r})).hex())"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        for _ in range(4)
    ]
    keys = {process.communicate()[0].strip() for process in running}
    assert keys == {load_key(path).hex()}
