"""The roll-ups by caller and by label, beside those by provider and model.

Part of a released step, as `store.rollup_schema`: a change here is a new step, never an edit.
"""

# ruff: noqa: S608 - every name put into these texts is one of ours
from __future__ import annotations

from store import rollup_schema as schema

_COUNTERS = schema._COUNTERS  # noqa: SLF001
_NAMES = ", ".join(name for name, _ in _COUNTERS)
_SLOT_MS = 15 * 60_000
_LABEL = "'label:' || coalesce(j.key || '=' || j.value, '')"
_KIND = "provider, model, outcome, grade, caller, labels"
_OF_LEDGER = "l.provider, l.model, l.outcome, l.grade, l.caller, coalesce(l.labels_json, '{}')"
_OF_NEW = _OF_LEDGER.replace("l.", "NEW.")
_ID = f"(SELECT id FROM usage_kinds WHERE ({_KIND}) = ({_OF_NEW}))"
_WHOLES = (
    "NEW.provider, NEW.model, NEW.outcome, NEW.grade",
    "NEW.provider, NEW.model, '', ''",
    "NEW.provider, '', '', ''",
    "'', '', NEW.outcome, ''",
    "'', '', '', NEW.grade",
    "'', '', '', ''",
    "'', 'caller:' || NEW.caller, '', ''",
)
_LABELS = f"SELECT '', {_LABEL}, '', '' FROM (SELECT 1) LEFT JOIN json_each(NEW.labels) AS j"
_NEWEST = f"(SELECT max(at) FROM ledger) / {_SLOT_MS} * {_SLOT_MS}"

# What a row counts in is decided once for its kind: provider × model × outcome × grade × caller × labels. So one row
# of `rollup_current` is written per attempt, however many wholes there are. `usage_members.series` is a kind since.
# A tag is a whole of its own over all providers: provider '', model `caller:tui` or `label:team=red`; a row without
# any label counts under `label:`, one with two under each.
TAGS = f"""
DROP TRIGGER ledger_now;
DROP TRIGGER ledger_late;
DROP TRIGGER usage_series_members;
DELETE FROM usage_members;
DELETE FROM rollup_current;
CREATE TABLE usage_kinds (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    outcome TEXT NOT NULL,
    grade TEXT NOT NULL,
    caller TEXT NOT NULL,
    labels TEXT NOT NULL,                 -- JSON object
    UNIQUE ({_KIND})
) STRICT;
CREATE TRIGGER usage_kinds_members AFTER INSERT ON usage_kinds
BEGIN
    INSERT OR IGNORE INTO usage_series (provider, model, outcome, grade)
    VALUES {", ".join(f"({names})" for names in _WHOLES)};
    INSERT OR IGNORE INTO usage_series (provider, model, outcome, grade) {_LABELS};
    INSERT OR IGNORE INTO usage_members (series, whole)
    SELECT NEW.id, id FROM usage_series
     WHERE (provider, model, outcome, grade) IN (VALUES {", ".join(f"({names})" for names in _WHOLES)})
        OR (provider, model, outcome, grade) IN ({_LABELS});
END;
CREATE TRIGGER ledger_now AFTER INSERT ON ledger WHEN NOT {schema._LATE}
BEGIN
    INSERT OR IGNORE INTO usage_kinds ({_KIND}) VALUES ({_OF_NEW});
    INSERT INTO rollup_current (slot, series, {_NAMES})
    SELECT {schema._SLOT}, {_ID}, {", ".join(value for _, value in _COUNTERS)} WHERE true
    ON CONFLICT DO UPDATE SET {", ".join(f"{name} = {name} + excluded.{name}" for name, _ in _COUNTERS)};
END;
CREATE TRIGGER ledger_late AFTER INSERT ON ledger WHEN {schema._LATE}
BEGIN
    INSERT OR IGNORE INTO usage_kinds ({_KIND}) VALUES ({_OF_NEW});
    INSERT OR IGNORE INTO rollup_running (place, {_NAMES})
    SELECT m.whole << 32 | {schema._SLOT}, {", ".join(f"coalesce(r.{name}, 0)" for name, _ in _COUNTERS)}
      FROM usage_members AS m
      LEFT JOIN rollup_running AS r ON r.place = {schema._LAST.format("m.whole", schema._SLOT)}
     WHERE m.series = {_ID};
    UPDATE rollup_running SET {", ".join(f"{name} = {name} + {value}" for name, value in _COUNTERS)}
     WHERE place IN (SELECT r.place FROM usage_members AS m CROSS JOIN rollup_running AS r
                      WHERE m.series = {_ID}
                        AND r.place >= (m.whole << 32 | {schema._SLOT}) AND r.place < (m.whole + 1) << 32);
END;
"""  # noqa: SLF001

# Whatever the ledger holds already is counted anew, once: the newest slot by kind, all before it by tag.
_SUMS = ", ".join(f"sum({value.replace('NEW.', 'l.')}) AS {name}" for name, value in _COUNTERS)
_PAST_CURRENT = f"""
INSERT OR IGNORE INTO usage_kinds ({_KIND}) SELECT DISTINCT {_OF_LEDGER} FROM ledger AS l WHERE l.at >= {_NEWEST};
INSERT INTO rollup_current (slot, series, {_NAMES})
SELECT l.at / {_SLOT_MS}, k.id, {_SUMS} FROM ledger AS l CROSS JOIN usage_kinds AS k
    ON (k.provider, k.model, k.outcome, k.grade, k.caller, k.labels) = ({_OF_LEDGER})
 WHERE l.at >= {_NEWEST} GROUP BY k.id;
"""


def _past(tag: str, source: str) -> str:
    # The LIMIT keeps the places in the histograms from being worked out again for each of their counters.
    return f"""
INSERT OR IGNORE INTO usage_series (provider, model, outcome, grade) SELECT DISTINCT '', {tag}, '', '' FROM {source};
INSERT INTO rollup_running (place, {_NAMES})
SELECT n.series << 32 | n.slot, {", ".join(f"sum(n.{name}) OVER w" for name, _ in _COUNTERS)}
  FROM (SELECT s.id AS series, l.at / {_SLOT_MS} AS slot, {_SUMS}
          FROM (SELECT {tag} AS tag, l.* FROM {source} WHERE l.at < {_NEWEST} LIMIT -1) AS l
         CROSS JOIN usage_series AS s ON s.provider = '' AND s.model = l.tag AND s.outcome = '' AND s.grade = ''
         GROUP BY 1, 2) AS n
WINDOW w AS (PARTITION BY n.series ORDER BY n.slot);
"""


PAST_TAGS = (
    _PAST_CURRENT
    + _past("'caller:' || l.caller", "ledger AS l")
    + _past(_LABEL, "ledger AS l LEFT JOIN json_each(l.labels_json) AS j")
)
