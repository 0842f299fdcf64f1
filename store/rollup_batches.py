"""The newest rows are counted in batches: an insert mostly looks at one row of state and is done.

Part of a released step, as `store.rollup_schema`: a change here is a new step, never an edit.
"""

# ruff: noqa: S608 - every name put into these texts is one of ours
from __future__ import annotations

from store import rollup_schema as schema
from store.histogram import BUCKETS, EDGES

BATCH = 32
"""So many rows wait to be counted at most; a query adds them up itself."""


def _within(column: str, place: int) -> str:
    """1 where a time lies in a bucket of the histogram. Not by the ledger's own bucket columns: they would be
    worked out again for each of the 80 buckets."""
    low = EDGES[place - 1] if place else "-9e18"
    return f"{column} >= {low}" + (f" AND {column} < {EDGES[place]}" if place < len(EDGES) else "")


_COUNTERS = (
    *((name, value.replace("NEW.", "l.")) for name, value in schema._COUNTERS[: -2 * BUCKETS]),  # noqa: SLF001
    *((f"t{i}", f"(({_within('l.ttft_ms', i)}) IS TRUE)") for i in range(BUCKETS)),
    *(
        (f"l{i}", f"((l.outcome = 'complete' AND {_within('l.duration_ms', i)}) IS TRUE)")
        for i in range(BUCKETS)
    ),
)
_NAMES = ", ".join(name for name, _ in _COUNTERS)
_VALUES = ", ".join(f"{value} AS {name}" for name, value in _COUNTERS)
_SUMS = ", ".join(f"sum(p.{name})" for name, _ in _COUNTERS)
_ADDED = ", ".join(f"{name} = {name} + excluded.{name}" for name, _ in _COUNTERS)
_SLOT_MS = 15 * 60_000
_STATE = "(SELECT slot FROM rollup_state)"
_LABEL = "'label:' || coalesce(j.key || '=' || j.value, '')"


def _counted(tag: str, source: str) -> str:
    # One statement for each kind of tag: out of a compound, all counters of every row would be copied first.
    return f"""    INSERT INTO rollup_current (slot, series, {_NAMES})
    SELECT p.slot, s.id, {_SUMS} FROM {source} CROSS JOIN usage_series AS s
        ON s.provider = '' AND s.model = {tag} AND s.outcome = '' AND s.grade = ''
     GROUP BY s.id
    ON CONFLICT DO UPDATE SET {_ADDED};"""


_FLUSH = f"""
    INSERT OR IGNORE INTO usage_series (provider, model, outcome, grade)
    SELECT DISTINCT provider, model, outcome, grade FROM rollup_pending;
    INSERT OR IGNORE INTO usage_series (provider, model, outcome, grade)
    SELECT DISTINCT '', 'caller:' || caller, '', '' FROM rollup_pending;
    INSERT OR IGNORE INTO usage_series (provider, model, outcome, grade)
    SELECT DISTINCT '', {_LABEL}, '', '' FROM rollup_pending AS p LEFT JOIN json_each(p.labels_json) AS j;
    INSERT INTO rollup_current (slot, series, {_NAMES})
    SELECT p.slot, s.id, {_SUMS} FROM rollup_pending AS p CROSS JOIN usage_series AS s
        ON s.provider = p.provider AND s.model = p.model AND s.outcome = p.outcome AND s.grade = p.grade
     GROUP BY s.id
    ON CONFLICT DO UPDATE SET {_ADDED};
{_counted("'caller:' || p.caller", "rollup_pending AS p")}
{_counted(_LABEL, "rollup_pending AS p LEFT JOIN json_each(p.labels_json) AS j")}"""

_OF_NEW = f"""(SELECT {schema._OWN} UNION ALL
    SELECT id FROM usage_series WHERE provider = '' AND model = 'caller:' || NEW.caller AND outcome = '' AND grade = ''
    UNION ALL SELECT s.id FROM (SELECT 1) LEFT JOIN json_each(NEW.labels_json) AS j JOIN usage_series AS s
        ON s.provider = '' AND s.model = {_LABEL} AND s.outcome = '' AND s.grade = '')"""  # noqa: SLF001

# `rollup_state` has one row: the newest slot in which anything happened, and up to which ledger row it was counted
# in `rollup_current`. Rows of that slot written since then are `rollup_pending`; every query adds them up itself.
# A whole has further series, one per caller and label over all providers: provider '', model `caller:tui` or
# `label:team=red`; a row without any label counts under `label:`.
BATCHES = f"""
DROP TRIGGER ledger_now;
DROP TRIGGER rollup_next;
DROP TRIGGER ledger_late;
CREATE TABLE rollup_state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    slot INTEGER NOT NULL,                -- 0: nothing was counted yet
    counted INTEGER NOT NULL
) STRICT;
INSERT INTO rollup_state
SELECT 1, coalesce((SELECT max(slot) FROM rollup_current), 0), coalesce((SELECT max(id) FROM ledger), 0);
CREATE VIEW rollup_pending AS
SELECT t.slot AS slot, l.provider, l.model, l.outcome, l.grade, l.caller, l.labels_json, {_VALUES}
  FROM rollup_state AS t CROSS JOIN ledger AS l NOT INDEXED
    ON l.id > t.counted AND l.at >= t.slot * {_SLOT_MS} AND l.at < (t.slot + 1) * {_SLOT_MS};
CREATE VIEW rollup_tagged AS
SELECT 'caller:' || p.caller AS tag, p.* FROM rollup_pending AS p
 UNION ALL
SELECT {_LABEL}, p.* FROM rollup_pending AS p LEFT JOIN json_each(p.labels_json) AS j;
CREATE VIEW usage_pending AS
SELECT slot, provider, model, outcome, grade, {_NAMES} FROM rollup_pending UNION ALL
SELECT slot, provider, model, '', '', {_NAMES} FROM rollup_pending UNION ALL
SELECT slot, provider, '', '', '', {_NAMES} FROM rollup_pending UNION ALL
SELECT slot, '', '', outcome, '', {_NAMES} FROM rollup_pending UNION ALL
SELECT slot, '', '', '', grade, {_NAMES} FROM rollup_pending UNION ALL
SELECT slot, '', '', '', '', {_NAMES} FROM rollup_pending UNION ALL
SELECT slot, '', tag, '', '', {_NAMES} FROM rollup_tagged;
CREATE TRIGGER usage_series_tags AFTER INSERT ON usage_series WHEN NEW.provider = '' AND NEW.model <> ''
BEGIN
    INSERT INTO usage_members (series, whole) VALUES (NEW.id, NEW.id);
END;
CREATE TRIGGER ledger_batch AFTER INSERT ON ledger
    WHEN NEW.id % {BATCH} = 0 AND NEW.at / {_SLOT_MS} = {_STATE}
BEGIN{_FLUSH}
    UPDATE rollup_state SET counted = NEW.id;
END;
CREATE TRIGGER ledger_next AFTER INSERT ON ledger WHEN NEW.at / {_SLOT_MS} > {_STATE}
BEGIN{_FLUSH}
    INSERT INTO rollup_running (place, {_NAMES})
    SELECT n.whole << 32 | n.slot, {", ".join(f"n.{name} + coalesce(r.{name}, 0)" for name, _ in _COUNTERS)}
      FROM (SELECT m.whole, c.slot, {", ".join(f"sum(c.{name}) AS {name}" for name, _ in _COUNTERS)}
              FROM rollup_current AS c JOIN usage_members AS m ON m.series = c.series
             GROUP BY m.whole, c.slot) AS n
      LEFT JOIN rollup_running AS r ON r.place = {schema._LAST.format("n.whole", "n.slot")};
    DELETE FROM rollup_current;
    UPDATE rollup_state SET slot = NEW.at / {_SLOT_MS}, counted = NEW.id - 1;
END;
CREATE TRIGGER ledger_late AFTER INSERT ON ledger WHEN NEW.at / {_SLOT_MS} < {_STATE}
BEGIN
    {schema._KNOWN};
    INSERT OR IGNORE INTO usage_series (provider, model, outcome, grade) VALUES ('', 'caller:' || NEW.caller, '', '');
    INSERT OR IGNORE INTO usage_series (provider, model, outcome, grade)
    SELECT '', {_LABEL}, '', '' FROM (SELECT 1) LEFT JOIN json_each(NEW.labels_json) AS j;
    INSERT OR IGNORE INTO rollup_running (place, {_NAMES})
    SELECT m.whole << 32 | {schema._SLOT}, {", ".join(f"coalesce(r.{name}, 0)" for name, _ in _COUNTERS)}
      FROM usage_members AS m
      LEFT JOIN rollup_running AS r ON r.place = {schema._LAST.format("m.whole", schema._SLOT)}
     WHERE m.series IN {_OF_NEW};
    UPDATE rollup_running SET {", ".join(f"{name} = {name} + {value}" for name, value in schema._COUNTERS)}
     WHERE place IN (SELECT r.place FROM usage_members AS m CROSS JOIN rollup_running AS r
                      WHERE m.series IN {_OF_NEW}
                        AND r.place >= (m.whole << 32 | {schema._SLOT}) AND r.place < (m.whole + 1) << 32);
END;
"""  # noqa: SLF001

_OF_PAST = {
    "'caller:' || l.caller": "FROM ledger AS l",
    _LABEL: "FROM ledger AS l LEFT JOIN json_each(l.labels_json) AS j",
}


def _past(tag: str, source: str) -> str:
    sums = ", ".join(f"sum({value}) AS {name}" for name, value in _COUNTERS)
    joined = f"{source} CROSS JOIN usage_series AS s ON s.provider = '' AND s.model = {tag} AND s.outcome = '' AND s.grade = ''"
    return f"""
INSERT OR IGNORE INTO usage_series (provider, model, outcome, grade) SELECT DISTINCT '', {tag}, '', '' {source};
INSERT INTO rollup_current (slot, series, {_NAMES})
SELECT l.at / {_SLOT_MS}, s.id, {sums} {joined}
 WHERE l.at >= {_STATE} * {_SLOT_MS} GROUP BY s.id;
INSERT INTO rollup_running (place, {_NAMES})
SELECT n.id << 32 | n.slot, {", ".join(f"sum(n.{name}) OVER w" for name, _ in _COUNTERS)}
  FROM (SELECT s.id, l.at / {_SLOT_MS} AS slot, {sums} {joined}
         WHERE l.at < {_STATE} * {_SLOT_MS} GROUP BY s.id, slot) AS n
WINDOW w AS (PARTITION BY n.id ORDER BY n.slot);
"""


# Whatever the ledger holds already is counted by caller and label too, once.
PAST_TAGS = "".join(_past(tag, source) for tag, source in _OF_PAST.items())
