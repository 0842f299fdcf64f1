"""The schema, as steps that are only ever appended: a step that was released is never edited or reordered."""

from __future__ import annotations

from store.migrations import Step
from store.rollup_schema import ROLLUPS
from store.rollup_tags import PAST_TAGS, TAGS

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


_RESERVATION_GRADE = """
ALTER TABLE reservations ADD COLUMN grade TEXT NOT NULL DEFAULT 'estimated';  -- should its process be killed
"""

_CATALOG = """
ALTER TABLE models ADD COLUMN max_input INTEGER;
ALTER TABLE models ADD COLUMN fingerprint TEXT;           -- what the server says its weights are
ALTER TABLE models ADD COLUMN details_json TEXT;          -- further facts from the wire: name -> text or number
ALTER TABLE models ADD COLUMN typed_price_json TEXT;      -- the user's own price, with its dates
ALTER TABLE models ADD COLUMN probed_json TEXT;           -- capability -> {"can": true, "at": UTC ms}
CREATE TABLE catalog_runs (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,                 -- catwalk, modelsdev, genai, openrouter, user
    started_at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    state TEXT NOT NULL,                  -- ok, unchanged, error
    error_code TEXT,
    error_message TEXT,
    providers INTEGER NOT NULL,
    models INTEGER NOT NULL,
    added INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    diff_json TEXT
) STRICT;
CREATE INDEX catalog_runs_by_source ON catalog_runs (source, id);
CREATE TABLE schedule_claims (
    job TEXT PRIMARY KEY,                 -- a provider's slug, or catalog
    claimed_at INTEGER NOT NULL,
    process TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

_TYPED_FACTS = """
ALTER TABLE models ADD COLUMN typed_facts_json TEXT;      -- name, context_window, max_output as the user says
"""

_DIALECTS = """
ALTER TABLE messages ADD COLUMN keepsake_json TEXT;       -- what the vendor wants back with this answer
ALTER TABLE providers ADD COLUMN admin_ref TEXT;          -- a second credential, for the account's own figures
ALTER TABLE providers ADD COLUMN admin_last4 TEXT;
ALTER TABLE providers ADD COLUMN sign_in_ref TEXT;        -- where the tokens of a sign-in are kept; NULL: none are
"""

_ATTACHMENTS = """
CREATE TABLE attachments (
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    name TEXT NOT NULL,                   -- the file's own name, without its folder
    data BLOB NOT NULL,
    PRIMARY KEY (message_id, position)
) STRICT;
"""

_VENDOR_USAGE = """
CREATE TABLE vendor_usage (
    provider TEXT NOT NULL,               -- no foreign key: what was billed outlives the provider, as the ledger does
    start_at INTEGER NOT NULL,            -- UTC ms, as the vendor cuts its days or hours
    kind TEXT NOT NULL,                   -- usage (tokens, requests) or cost (money): a vendor states them apart
    model TEXT NOT NULL,                  -- the vendor's own id; empty: not told by model
    item TEXT NOT NULL,                   -- the vendor's line item or class; empty: all together
    source TEXT NOT NULL,                 -- api, or the name of an imported file
    end_at INTEGER NOT NULL,
    requests INTEGER,                     -- NULL: not stated; so for every figure
    input INTEGER,                        -- includes cache_read and cache_write
    output INTEGER,
    cache_read INTEGER,
    cache_write INTEGER,
    cost_nanos INTEGER,                   -- USD; may be negative: the vendor gave money back
    fetched_at INTEGER NOT NULL,
    PRIMARY KEY (provider, start_at, kind, model, item, source, end_at)
) STRICT, WITHOUT ROWID;
CREATE TABLE vendor_accounts (
    provider TEXT PRIMARY KEY,
    tried_at INTEGER NOT NULL,            -- the last time the vendor was asked, whatever it answered
    report_at INTEGER,                    -- when the report was stated; NULL: never
    report_json TEXT,                     -- the last good report: balances, limits, credits
    pulled_at INTEGER,                    -- the last whole pull of usage and costs; NULL: never
    error_code TEXT,                      -- of the last attempt; NULL: it went well
    error_message TEXT,
    error_hint TEXT
) STRICT, WITHOUT ROWID;
"""

_VENDOR_DAYS = """
ALTER TABLE vendor_accounts ADD COLUMN read_from INTEGER;  -- from which day on all that was stated is held
CREATE TABLE vendor_days (                -- sums of vendor_usage over kinds, items and sources: a year is read at once
    provider TEXT NOT NULL,
    day INTEGER NOT NULL,                 -- UTC days since 1970
    model TEXT NOT NULL,
    requests INTEGER,
    input INTEGER,
    output INTEGER,
    cache_read INTEGER,
    cache_write INTEGER,
    cost_nanos INTEGER,
    PRIMARY KEY (day, provider, model)
) STRICT, WITHOUT ROWID;
INSERT INTO vendor_days
SELECT provider, start_at / 86400000, model,
    SUM(requests), SUM(input), SUM(output), SUM(cache_read), SUM(cache_write), SUM(cost_nanos)
FROM vendor_usage GROUP BY provider, start_at / 86400000, model;
"""

STEPS: tuple[Step, ...] = (
    Step("0001-providers", _PROVIDERS),
    Step("0002-ledger", _LEDGER),
    Step("0003-rollups", ROLLUPS),
    Step("0004-budgets", _BUDGETS),
    Step("0005-audit", _AUDIT),
    Step("0006-conversations", _CONVERSATIONS),
    Step("0007-reservation-grade", _RESERVATION_GRADE),
    Step("0008-rollup-tags", TAGS + PAST_TAGS),
    Step("0009-catalog", _CATALOG),
    Step("0010-typed-facts", _TYPED_FACTS),
    Step("0011-dialects", _DIALECTS),
    Step("0012-attachments", _ATTACHMENTS),
    Step("0013-vendor-usage", _VENDOR_USAGE),
    Step("0014-vendor-days", _VENDOR_DAYS),
)
