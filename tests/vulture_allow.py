"""Names that are used from outside: by Textual, httpx, pytest, or the contract of later issues."""

# ruff: noqa: B018, F821

# What httpx and the loader call by name.
auth_flow, async_auth_flow, FakeAdapter

# Facts of the catalog that are read from its files and shown by the catalog screens and the model tests.
(
    audio_input,
    per_1k_web_searches,
    max_input,
    modalities_in,
    reasoning_levels,
    reasoning_default,
    release_date,
    family,
)
models_endpoint, fallback

# Columns that are written now and read by usage, charts and history: rows are whole, and roll-ups count them.
final, http_status, labels_json, first_seen, missing_since, state_at, diff_json, estimated_nanos
latency_p50, latency_p95, latency_p99, ttft_p99, points

# Settings and views whose screens follow: discovery at the start, limits that have ended.
discovery, in_force

# Hooks that logging and click call by name.
handleError, format_commands

# Screens that tui/keymap.py names in words, and what Textual reads of a screen.
OverviewScreen, ModelsScreen, SyncScreen, UsageScreen
HORIZONTAL_BREAKPOINTS, VERTICAL_BREAKPOINTS

# What Textual reads of the app, and the parameters by which it asks a widget for its height.
_workers, container, viewport

# What huggingface_hub reads of its own constants.
DOWNLOAD_CHUNK_SIZE
