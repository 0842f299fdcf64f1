"""How a long past is written at once into an empty ledger: the roll-ups are added up in one pass, not by trigger.

What comes out is what the triggers would have made of the same rows (a test compares the tables), at a fifth of
the time: a trigger reads and writes some sixty counters for every row and whole, this writes each total once.
"""

# ruff: noqa: S608 - every name put into these texts is one of ours
from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter

from store.db import Tx
from store.histogram import bucket
from store.ledger import AttemptRow
from store.rollup_sql import SLOT_MS
from store.rows import columns, marks

_NAMES = columns(AttemptRow)
_INSERT = f"INSERT INTO ledger ({', '.join(_NAMES)}) VALUES ({marks(len(_NAMES))})"
_values = attrgetter(*_NAMES)
_TRIGGERS = ("ledger_now", "ledger_late")
"""Those that keep the roll-ups; any other goes on watching the ledger."""
_KIND = "provider, model, outcome, grade, caller, labels"
_Kind = tuple[str, ...]


async def write_history(tx: Tx, rows: Sequence[AttemptRow]) -> None:
    """Write these attempts, in the order of time, with their roll-ups. ValueError where anything was counted before."""
    if await tx.fetchone("SELECT 1 FROM usage_series"):
        raise ValueError("history is only written into an empty ledger")
    if not rows:
        return
    newest = rows[-1].at // SLOT_MS
    past = next((i for i, row in enumerate(rows) if row.at // SLOT_MS == newest), 0)
    triggers = await tx.fetchall(
        f"SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND name IN ({marks(len(_TRIGGERS))})",
        _TRIGGERS,
    )
    for name, _ in triggers:
        tx.later(f"DROP TRIGGER {name}")
    await tx.executemany(_INSERT, map(_values, rows[:past]))
    await _write_totals(tx, rows[:past])
    for _, sql in triggers:
        tx.later(sql)
    await tx.executemany(_INSERT, map(_values, rows[past:]))  # the slot that may still grow


async def _write_totals(tx: Tx, rows: Sequence[AttemptRow]) -> None:
    await tx.executemany(
        f"INSERT OR IGNORE INTO usage_kinds ({_KIND}) VALUES ({marks(6)})",
        dict.fromkeys(map(_kind, rows)),
    )
    members: dict[_Kind, list[int]] = {kind: [] for kind in map(_kind, rows)}
    for *kind, whole in await tx.fetchall(
        f"SELECT {_KIND}, whole FROM usage_members JOIN usage_kinds ON id = series"
    ):
        members[tuple(kind)].append(whole)
    counters = [row[1] for row in await tx.fetchall("PRAGMA table_info(rollup_running)") if row[1] != "place"]
    insert = f"INSERT INTO rollup_running ({', '.join(counters)}, place) VALUES ({marks(len(counters) + 1)})"
    await tx.executemany(insert, _totals(rows, members, counters))


def _totals(
    rows: Sequence[AttemptRow], members: dict[_Kind, list[int]], counters: list[str]
) -> Iterator[list[int]]:
    """The running totals, place last, of every slot and whole in which something happened."""
    at = {name: place for place, name in enumerate(counters)}
    running = {whole: [0] * len(counters) for wholes in members.values() for whole in wholes}
    touched: set[int] = set()
    slot = 0
    for row in rows:
        if row.at // SLOT_MS != slot:
            for whole in touched:
                yield [*running[whole], whole << 32 | slot]
            touched.clear()
            slot = row.at // SLOT_MS
        counted = _counted(row, at)
        for whole in members[_kind(row)]:
            total = running[whole]
            for place, much in counted:
                total[place] += much
            touched.add(whole)
    for whole in touched:
        yield [*running[whole], whole << 32 | slot]


def _kind(row: AttemptRow) -> _Kind:
    """What decides where it counts, see `store.rollup_tags`."""
    return row.provider, row.model, row.outcome, row.grade, row.caller, row.labels_json or "{}"


def _counted(row: AttemptRow, at: dict[str, int]) -> list[tuple[int, int]]:
    """(place of the counter, what this row adds), as `store.rollup_schema` counts."""
    broken = row.outcome in ("failed", "interrupted")
    measured = row.grade in ("reported", "computed")
    cost = row.cost_nanos or 0
    counted = {
        "attempts": 1,
        "runs": row.final,
        "failed_runs": row.final and broken,
        "errors": broken,
        "input": row.input,
        "output": row.output,
        "cache_read": row.cache_read,
        "cache_write": row.cache_write,
        "reasoning": row.reasoning,
        "cost_nanos": cost,
        "measured_nanos": cost if measured else 0,
        "estimated_nanos": cost if row.grade == "estimated" else 0,
        "unknown_attempts": row.cost_nanos is None and row.grade != "own",
    }
    found = [(at[name], int(much)) for name, much in counted.items() if much]
    if row.ttft_ms is not None:
        found.append((at[f"t{bucket(row.ttft_ms)}"], 1))
    if row.duration_ms is not None and row.outcome == "complete":
        found.append((at[f"l{bucket(row.duration_ms)}"], 1))
    return found
