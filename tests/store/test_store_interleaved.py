"""Two programs that write in turns, undo, write into the past and compact the file: the roll-ups say what the ledger says."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from test_store_tags import SLOT, T0, agree

from store.db import Database
from store.ledger import AttemptRow, Ledger

TODAY, TOMORROW = T0 - 4 * SLOT, T0 + 200 * SLOT

rows = st.builds(
    AttemptRow,
    id=st.none(),
    run_id=st.just("r"),
    number=st.just(1),
    final=st.booleans(),
    at=st.integers(T0, T0 + 5 * SLOT)
    | st.sampled_from([T0, T0 + SLOT - 1, T0 + SLOT, T0 + 2 * SLOT, T0 + 150 * SLOT]),
    provider=st.sampled_from(["a", "b"]),
    model=st.sampled_from(["m", "x/y"]),
    outcome=st.sampled_from(["complete", "interrupted", "cancelled", "failed"]),
    input=st.none() | st.integers(0, 9_000),
    output=st.none() | st.integers(0, 9_000),
    cost_nanos=st.none() | st.integers(0, 10**12),
    grade=st.sampled_from(["reported", "computed", "estimated", "unknown", "own"]),
    ttft_ms=st.none() | st.integers(0, 600_000),
    duration_ms=st.none() | st.integers(0, 600_000),
    caller=st.sampled_from(["tui", "cli"]),
    labels_json=st.sampled_from([None, "{}", '{"team":"red"}', '{"env":"dev","team":"blue"}']),
)


@dataclass(frozen=True)
class Turn:
    """One transaction of one of the two programs."""

    program: int
    rows: tuple[AttemptRow, ...]
    keep: bool
    compact: bool


turns = st.lists(
    st.builds(
        Turn,
        program=st.sampled_from([0, 1]),
        rows=st.lists(rows, min_size=1, max_size=6).map(tuple),
        keep=st.booleans() | st.just(value=True),
        compact=st.booleans(),
    ),
    max_size=6,
)


@settings(max_examples=30, deadline=None)
@given(turns=turns)
def test_no_row_is_missed(turns: list[Turn]) -> None:
    asyncio.run(_play(turns))


async def _play(turns: list[Turn]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "s.db"
        programs = [await Database.open(path), await Database.open(path)]
        kept = 0
        try:
            for turn in turns:
                kept += await _write(programs, turn, kept)
                await agree(programs[1 - turn.program])
                assert await Ledger(programs[1 - turn.program]).spent(TODAY, TOMORROW) == kept
                if turn.compact:
                    conn = sqlite3.connect(path)
                    conn.execute("VACUUM")
                    conn.close()
            await agree(programs[0])
        finally:
            for program in programs:
                await program.aclose()


async def _write(programs: list[Database], turn: Turn, kept: int) -> int:
    """What was added to the money spent."""
    mine, others = programs[turn.program], programs[1 - turn.program]
    added = sum(row.cost_nanos or 0 for row in turn.rows)
    try:
        async with mine.transaction() as tx:
            for row in turn.rows:
                await Ledger(mine).insert(tx, row)
            assert await Ledger(mine).spent(TODAY, TOMORROW, tx=tx) == kept + added, (
                "a limit counts its own row"
            )
            assert await Ledger(others).spent(TODAY, TOMORROW) == kept, "nobody else sees it yet"
            if not turn.keep:
                raise _UndoneError
    except _UndoneError:
        return 0
    return added


class _UndoneError(Exception):
    """The transaction is to be undone."""


async def test_a_clock_that_was_wrong_once_hides_nothing(db: Database) -> None:
    """A row from the future makes every row after it a late one; they are counted as they come."""
    base = AttemptRow(None, "r", 1, True, T0, "a", "m", "complete", cost_nanos=5, grade="computed")
    async with db.transaction() as tx:
        await Ledger(db).insert(tx, replace(base, at=T0 + 150 * SLOT))
        for number in range(100):
            await Ledger(db).insert(tx, replace(base, at=T0 + number * 1_000))
    await agree(db)
    assert await Ledger(db).spent(T0, T0 + SLOT) == 500
