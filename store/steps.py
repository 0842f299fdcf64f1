"""The schema, as steps that are only ever appended: a step that was released is never edited or reordered."""

from __future__ import annotations

from store.histogram import BUCKETS, EDGES
from store.migrations import Step

_PROVIDERS = """
CREATE TABLE providers (
    slug TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    dialect TEXT NOT NULL,
    catalog_id TEXT,                      -- NULL: no vendor known
    endpoint TEXT NOT NULL,
    region TEXT,
    enabled INTEGER NOT NULL DEFAULT 1,
    key_ref TEXT,                         -- NULL: called without a key
    key_last4 TEXT,
    headers TEXT NOT NULL DEFAULT '{}',
    secret_headers TEXT NOT NULL DEFAULT '{}',  -- name to credential reference, never the value
    options TEXT NOT NULL DEFAULT '{}',
    labels TEXT NOT NULL DEFAULT '{}',
    timeout_s REAL,                       -- NULL: the setting
    retries INTEGER,                      -- NULL: the setting
    proxy TEXT,                           -- NULL: the environment's
    ca_file TEXT,
    allow_http INTEGER NOT NULL DEFAULT 0,
    tls_min TEXT,
    cost_mode TEXT,                       -- NULL: decided by the address
    gpu_hour_nanos INTEGER,
    discount_pct TEXT,
    default_model TEXT,
    auto_sync TEXT NOT NULL DEFAULT 'start',
    state TEXT NOT NULL DEFAULT 'unknown',
    state_message TEXT,
    state_at INTEGER,
    last_validated_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE models (
    provider TEXT NOT NULL REFERENCES providers (slug) ON DELETE CASCADE,
    id TEXT NOT NULL,
    name TEXT,
    context_window INTEGER,
    max_output INTEGER,
    price_json TEXT,
    capabilities TEXT,                    -- JSON list; NULL: the wire said nothing
    chat INTEGER,                         -- NULL: the wire said nothing
    owned_by TEXT,
    created INTEGER,
    model_status TEXT,
    shutdown_date TEXT,
    enabled INTEGER NOT NULL DEFAULT 1,
    available INTEGER NOT NULL DEFAULT 1,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    missing_since INTEGER,                -- NULL: in the last list
    map_to TEXT,                          -- catalog model whose price and abilities apply
    cost_mode TEXT,                       -- NULL: the provider's
    gpu_hour_nanos INTEGER,
    PRIMARY KEY (provider, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE sync_runs (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL REFERENCES providers (slug) ON DELETE CASCADE,
    started_at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    error_code TEXT,
    error_message TEXT,
    total INTEGER NOT NULL,
    added INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    diff_json TEXT
) STRICT;
CREATE INDEX sync_runs_by_provider ON sync_runs (provider, id);
"""

_LEDGER = """
CREATE TABLE ledger (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    final INTEGER NOT NULL,
    at INTEGER NOT NULL,                  -- start, UTC ms
    provider TEXT NOT NULL,               -- no foreign key: the ledger outlives the provider
    model TEXT NOT NULL,
    outcome TEXT NOT NULL,
    finish_reason TEXT,
    error_code TEXT,
    http_status INTEGER,
    request_id TEXT,
    retry_after_ms INTEGER,
    input INTEGER,                        -- NULL: the vendor did not say; so for every bucket
    output INTEGER,
    cache_read INTEGER,
    cache_write INTEGER,
    reasoning INTEGER,
    cost_nanos INTEGER,                   -- NULL: unknown, or no price per token (grade own)
    grade TEXT NOT NULL,
    price_json TEXT,
    ttft_ms INTEGER,
    duration_ms INTEGER,
    caller TEXT NOT NULL,
    conversation_id TEXT,
    labels_json TEXT
) STRICT;
CREATE INDEX ledger_by_run ON ledger (run_id);
CREATE INDEX ledger_by_time ON ledger (at);
"""

_BUDGETS = """
CREATE TABLE budgets (
    id INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,                  -- global, or provider:SLUG
    period TEXT NOT NULL,
    limit_nanos INTEGER NOT NULL,
    alert REAL NOT NULL,
    until INTEGER,                        -- NULL: for good
    reason TEXT,
    changed_by TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    UNIQUE (scope, period)
) STRICT;
CREATE TABLE reservations (
    id TEXT PRIMARY KEY,
    run_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    amount_nanos INTEGER,                 -- NULL: price unknown
    input_tokens INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    owner TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE ratios (
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    chars INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    n INTEGER NOT NULL,
    rel_error REAL NOT NULL,
    PRIMARY KEY (provider, model)
) STRICT, WITHOUT ROWID;
"""

_AUDIT = """
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    result TEXT NOT NULL,
    detail TEXT NOT NULL,                 -- JSON object, keys sorted
    reason TEXT,
    mac TEXT NOT NULL                     -- HMAC over the row and the mac of the row before
) STRICT;
CREATE INDEX audit_by_subject ON audit (subject, id);
CREATE INDEX audit_by_action ON audit (action, id);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TABLE audit_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    last_id INTEGER NOT NULL,
    count INTEGER NOT NULL,
    last_mac TEXT NOT NULL,
    mac TEXT NOT NULL                     -- HMAC over the three: a cut tail shows
) STRICT;
"""

_CONVERSATIONS = """
CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    model_ref TEXT,
    system TEXT,
    params_json TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX conversations_by_age ON conversations (updated_at);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    role TEXT NOT NULL,
    text TEXT NOT NULL,
    thinking TEXT,
    tool_calls_json TEXT,
    tool_call_id TEXT,
    state TEXT NOT NULL,
    run_id TEXT,
    model_ref TEXT,
    at INTEGER NOT NULL,
    finish_reason TEXT,
    cost_nanos INTEGER,
    grade TEXT,
    input INTEGER,
    output INTEGER,
    ttft_ms INTEGER,
    duration_ms INTEGER,
    UNIQUE (conversation_id, position)
) STRICT;
CREATE TABLE remembered (
    key TEXT PRIMARY KEY,
    value_json TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""


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
_SLOT = f"(NEW.at - NEW.at % {15 * 60_000})"
_WHOLES = (
    ("NEW.provider", "NEW.model", "''", "''"),
    ("NEW.provider", "''", "''", "''"),
    ("''", "''", "NEW.outcome", "''"),
    ("''", "''", "''", "NEW.grade"),
    ("''", "''", "''", "''"),
)
_ID = "(SELECT id FROM usage_series WHERE provider = {} AND model = {} AND outcome = {} AND grade = {})"
_OWN = _ID.format("NEW.provider", "NEW.model", "NEW.outcome", "NEW.grade")
_LATE = f"EXISTS (SELECT 1 FROM rollup_current WHERE start > {_SLOT})"  # noqa: S608 - names of ours
_KNOWN = (
    "INSERT OR IGNORE INTO usage_series (provider, model, outcome, grade)"
    " VALUES (NEW.provider, NEW.model, NEW.outcome, NEW.grade)"
)
_COLUMNS = "".join(f"    {name} INTEGER NOT NULL,\n" for name, _ in _COUNTERS)
_LAST = "(SELECT max(start) FROM rollup_running WHERE series = {} AND start <= {})"

# A series is one provider × model × outcome × grade, or a whole of many, where a name is empty: one per model,
# provider, outcome, grade and one for everything, so that a chart reads few rows. `usage_members` says which
# wholes a series counts in (itself included).
# `rollup_current` counts the newest 15-minute UTC slot in which anything happened. When a newer one begins it is
# emptied into `rollup_running`, which holds running totals: per series and slot in which something happened, all
# that the series had counted from the beginning to the end of that slot. What a range used, however long it is
# and wherever a local day begins, is then the difference of two rows per series, histograms included.
# A row that arrives late is added to every later slot of its series: write history in the order of time.
_ROLLUPS = f"""
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
    start INTEGER NOT NULL,
    series INTEGER NOT NULL,
{_COLUMNS}    PRIMARY KEY (start, series)
) STRICT, WITHOUT ROWID;
CREATE TABLE rollup_running (
    series INTEGER NOT NULL,
    start INTEGER NOT NULL,
{_COLUMNS}    PRIMARY KEY (series, start)
) STRICT, WITHOUT ROWID;
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
    INSERT INTO rollup_current (start, series, {_NAMES})
    SELECT {_SLOT}, {_OWN}, {", ".join(value for _, value in _COUNTERS)} WHERE true
    ON CONFLICT DO UPDATE SET {", ".join(f"{name} = {name} + excluded.{name}" for name, _ in _COUNTERS)};
END;
CREATE TRIGGER rollup_next AFTER INSERT ON rollup_current
    WHEN EXISTS (SELECT 1 FROM rollup_current WHERE start < NEW.start)
BEGIN
    INSERT INTO rollup_running (series, start, {_NAMES})
    SELECT n.whole, n.start, {", ".join(f"n.{name} + coalesce(r.{name}, 0)" for name, _ in _COUNTERS)}
      FROM (SELECT m.whole, c.start, {", ".join(f"sum(c.{name}) AS {name}" for name, _ in _COUNTERS)}
              FROM rollup_current AS c JOIN usage_members AS m ON m.series = c.series
             WHERE c.start < NEW.start GROUP BY m.whole) AS n
      LEFT JOIN rollup_running AS r ON r.series = n.whole AND r.start = {_LAST.format("n.whole", "n.start")};
    DELETE FROM rollup_current WHERE start < NEW.start;
END;
CREATE TRIGGER ledger_late AFTER INSERT ON ledger WHEN {_LATE}
BEGIN
    {_KNOWN};
    INSERT OR IGNORE INTO rollup_running (series, start, {_NAMES})
    SELECT m.whole, {_SLOT}, {", ".join(f"coalesce(r.{name}, 0)" for name, _ in _COUNTERS)}
      FROM usage_members AS m
      LEFT JOIN rollup_running AS r ON r.series = m.whole AND r.start = {_LAST.format("m.whole", _SLOT)}
     WHERE m.series = {_OWN};
    UPDATE rollup_running SET {", ".join(f"{name} = {name} + {value}" for name, value in _COUNTERS)}
     WHERE series IN (SELECT whole FROM usage_members WHERE series = {_OWN}) AND start >= {_SLOT};
END;
"""  # noqa: S608 - names of ours

STEPS: tuple[Step, ...] = (
    Step("0001-providers", _PROVIDERS),
    Step("0002-ledger", _LEDGER),
    Step("0003-rollups", _ROLLUPS),
    Step("0004-budgets", _BUDGETS),
    Step("0005-audit", _AUDIT),
    Step("0006-conversations", _CONVERSATIONS),
)
