"""The tables and triggers of the roll-ups, kept in the same transaction as the ledger row.

Part of a released step: a change here, or of the histogram's edges, is a new step, never an edit.
"""

# ruff: noqa: S608 - every name put into these texts is one of ours
from __future__ import annotations

from store.histogram import BUCKETS, EDGES


def _bucket_of(column: str, *, unless: str = "0") -> str:
    whens = " ".join(f"WHEN {column} < {edge} THEN {i}" for i, edge in enumerate(EDGES))
    return f"CASE WHEN {column} IS NULL OR {unless} THEN -1 {whens} ELSE {len(EDGES)} END"


_COUNTERS = (
    ("attempts", "1"),
    ("runs", "NEW.final"),
    ("failed_runs", "(NEW.final AND NEW.outcome IN ('failed', 'interrupted'))"),
    ("errors", "(NEW.outcome IN ('failed', 'interrupted'))"),
    ("input", "coalesce(NEW.input, 0)"),
    ("output", "coalesce(NEW.output, 0)"),
    ("cache_read", "coalesce(NEW.cache_read, 0)"),
    ("cache_write", "coalesce(NEW.cache_write, 0)"),
    ("reasoning", "coalesce(NEW.reasoning, 0)"),
    ("cost_nanos", "coalesce(NEW.cost_nanos, 0)"),
    ("measured_nanos", "iif(NEW.grade IN ('reported', 'computed'), coalesce(NEW.cost_nanos, 0), 0)"),
    ("estimated_nanos", "iif(NEW.grade = 'estimated', coalesce(NEW.cost_nanos, 0), 0)"),
    ("unknown_attempts", "(NEW.cost_nanos IS NULL AND NEW.grade <> 'own')"),
    *((f"t{i}", f"(NEW.ttft_bucket = {i})") for i in range(BUCKETS)),
    *((f"l{i}", f"(NEW.latency_bucket = {i})") for i in range(BUCKETS)),
)
_NAMES = ", ".join(name for name, _ in _COUNTERS)
_SLOT = f"(NEW.at / {15 * 60_000})"
_WHOLES = (
    ("NEW.provider", "NEW.model", "''", "''"),
    ("NEW.provider", "''", "''", "''"),
    ("''", "''", "NEW.outcome", "''"),
    ("''", "''", "''", "NEW.grade"),
    ("''", "''", "''", "''"),
)
_ID = "(SELECT id FROM usage_series WHERE provider = {} AND model = {} AND outcome = {} AND grade = {})"
_OWN = _ID.format("NEW.provider", "NEW.model", "NEW.outcome", "NEW.grade")
_LATE = f"EXISTS (SELECT 1 FROM rollup_current WHERE slot > {_SLOT})"
_KNOWN = (
    "INSERT OR IGNORE INTO usage_series (provider, model, outcome, grade)"
    " VALUES (NEW.provider, NEW.model, NEW.outcome, NEW.grade)"
)
_COLUMNS = "".join(f"    {name} INTEGER NOT NULL,\n" for name, _ in _COUNTERS)
_LAST = "(SELECT max(place) FROM rollup_running WHERE place >= {0} << 32 AND place <= ({0} << 32 | {1}))"

# A series is one provider × model × outcome × grade, or a whole of many, where a name is empty: one per model,
# provider, outcome, grade and one for everything, so that a chart reads few rows. `usage_members` says which
# wholes a series counts in (itself included).
# `rollup_current` counts the newest 15-minute UTC slot in which anything happened. When a newer one begins it is
# emptied into `rollup_running`, which holds running totals: per series and slot in which something happened, all
# that the series had counted from the beginning to the end of that slot. What a range used, however long it is
# and wherever a local day begins, is then the difference of two rows per series, histograms included.
# `place` is the series' id in the upper half and the slot's number in the lower: as a rowid it keeps the tree
# shallow, which rows so wide would not in a table WITHOUT ROWID.
# A row that arrives late is added to every later slot of its series: write history in the order of time.
ROLLUPS = f"""
ALTER TABLE ledger ADD COLUMN ttft_bucket INTEGER AS ({_bucket_of("ttft_ms")}) VIRTUAL;
ALTER TABLE ledger ADD COLUMN latency_bucket INTEGER
    AS ({_bucket_of("duration_ms", unless="outcome <> 'complete'")}) VIRTUAL;
CREATE TABLE usage_series (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    outcome TEXT NOT NULL,
    grade TEXT NOT NULL,
    UNIQUE (provider, model, outcome, grade)
) STRICT;
CREATE TABLE usage_members (
    series INTEGER NOT NULL,
    whole INTEGER NOT NULL,
    PRIMARY KEY (series, whole)
) STRICT, WITHOUT ROWID;
CREATE TABLE rollup_current (
    slot INTEGER NOT NULL,                -- quarters of an hour since 1970
    series INTEGER NOT NULL,
{_COLUMNS}    PRIMARY KEY (slot, series)
) STRICT, WITHOUT ROWID;
CREATE TABLE rollup_running (
{_COLUMNS}    place INTEGER PRIMARY KEY
) STRICT;
CREATE TRIGGER usage_series_members AFTER INSERT ON usage_series WHEN NEW.outcome <> '' AND NEW.grade <> ''
BEGIN
    INSERT OR IGNORE INTO usage_series (provider, model, outcome, grade)
    VALUES {", ".join(f"({', '.join(names)})" for names in _WHOLES)};
    INSERT INTO usage_members (series, whole)
    VALUES (NEW.id, NEW.id), {", ".join(f"(NEW.id, {_ID.format(*names)})" for names in _WHOLES)};
END;
CREATE TRIGGER ledger_now AFTER INSERT ON ledger WHEN NOT {_LATE}
BEGIN
    {_KNOWN};
    INSERT INTO rollup_current (slot, series, {_NAMES})
    SELECT {_SLOT}, {_OWN}, {", ".join(value for _, value in _COUNTERS)} WHERE true
    ON CONFLICT DO UPDATE SET {", ".join(f"{name} = {name} + excluded.{name}" for name, _ in _COUNTERS)};
END;
CREATE TRIGGER rollup_next AFTER INSERT ON rollup_current
    WHEN EXISTS (SELECT 1 FROM rollup_current WHERE slot < NEW.slot)
BEGIN
    INSERT INTO rollup_running (place, {_NAMES})
    SELECT n.whole << 32 | n.slot, {", ".join(f"n.{name} + coalesce(r.{name}, 0)" for name, _ in _COUNTERS)}
      FROM (SELECT m.whole, c.slot, {", ".join(f"sum(c.{name}) AS {name}" for name, _ in _COUNTERS)}
              FROM rollup_current AS c JOIN usage_members AS m ON m.series = c.series
             WHERE c.slot < NEW.slot GROUP BY m.whole, c.slot) AS n
      LEFT JOIN rollup_running AS r ON r.place = {_LAST.format("n.whole", "n.slot")};
    DELETE FROM rollup_current WHERE slot < NEW.slot;
END;
CREATE TRIGGER ledger_late AFTER INSERT ON ledger WHEN {_LATE}
BEGIN
    {_KNOWN};
    INSERT OR IGNORE INTO rollup_running (place, {_NAMES})
    SELECT m.whole << 32 | {_SLOT}, {", ".join(f"coalesce(r.{name}, 0)" for name, _ in _COUNTERS)}
      FROM usage_members AS m
      LEFT JOIN rollup_running AS r ON r.place = {_LAST.format("m.whole", _SLOT)}
     WHERE m.series = {_OWN};
    UPDATE rollup_running SET {", ".join(f"{name} = {name} + {value}" for name, value in _COUNTERS)}
     WHERE place IN (SELECT r.place FROM usage_members AS m CROSS JOIN rollup_running AS r
                      WHERE m.series = {_OWN}
                        AND r.place >= (m.whole << 32 | {_SLOT}) AND r.place < (m.whole + 1) << 32);
END;
"""
