"""Names that are used from outside: by Textual, httpx, pytest, or the contract of later issues."""

# ruff: noqa: B018, F821

# What httpx and the loader call by name.
async_auth_flow, FakeAdapter

# Facts of the catalog that its files state and tests read.
reasoning_levels, reasoning_default, fallback

# Columns that are written and summed in SQL: rows are whole.
first_seen, missing_since, estimated_nanos

# Hooks that logging and click call by name.
handleError, format_commands

# Screens that tui/keymap.py names in words, and what Textual reads of a screen.
OverviewScreen, ModelsScreen, SyncScreen, UsageScreen
HORIZONTAL_BREAKPOINTS, VERTICAL_BREAKPOINTS

# What Textual reads of the app, and the parameters by which it asks a widget for its height.
_workers, container, viewport

# What huggingface_hub reads of its own constants.
DOWNLOAD_CHUNK_SIZE
