"""What was used, out of the roll-ups: totals, series and percentiles without touching the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from store.db import Database
from store.histogram import BUCKETS, percentile

Group = Literal["provider", "model", "grade", "outcome"]
Bucket = Literal["slot", "hour", "day"]
SLOT_MS = 15 * 60_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What was used under one key (and in one bucket of time, for a series). Sums of known figures."""

    key: str
    """A provider's slug, a model ref, a grade, an outcome; empty for everything."""
    start_ms: int
    """Start of the bucket, or of the range asked for."""
    attempts: int
    runs: int
    """Runs that ended, each counted once (by its final attempt)."""
    failed_runs: int
    """Runs that ended failed or interrupted."""
    errors: int
    """Attempts that failed or were interrupted, the retried ones included."""
    input: int
    output: int
    cache_read: int
    cache_write: int
    reasoning: int
    cost_nanos: int
    """Money known, of whatever grade."""
    measured_nanos: int
    """The part of it that was reported or computed from reported tokens."""
    estimated_nanos: int
    unknown_attempts: int
    """Attempts whose cost nobody knows: never counted as free."""


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds; None where nothing was measured. Latency counts complete attempts only."""

    key: str
    count: int
    """Attempts with a measured latency."""
    latency_p50: int | None
    latency_p95: int | None
    latency_p99: int | None
    ttft_p50: int | None
    ttft_p95: int | None
    ttft_p99: int | None
