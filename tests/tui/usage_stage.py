"""A store with two days of runs around a fixed moment, for the tests of the Usage mode."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tui_stage import NOW

from services.container import Services
from services.feed import StoreChangedElsewhere
from store.ledger import AttemptRow, Ledger

HOUR, DAY = 3_600_000, 86_400_000
NANO = 1_000_000_000


def fixed_time(monkeypatch: Any) -> None:
    """Everything that Usage asks the clock for says NOW, in UTC."""
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    # Not now_ms itself: a module that is first imported meanwhile would keep what stood in its place.
    monkeypatch.setattr(time, "time_ns", lambda: NOW * 1_000_000)
    for target in ("tui.screens.usage._now", "tui.screens.usage_runs._now"):
        monkeypatch.setattr(target, lambda: NOW)
    monkeypatch.setattr("tui.screens.usage.SETTLE", 0.02)


def run(ident: int, at: int, provider: str, model: str, usd: str | None, **more: Any) -> AttemptRow:
    values: dict[str, Any] = {
        "id": None, "run_id": f"run-{ident}", "number": 1, "final": True, "at": at, "provider": provider, "model": model,
        "outcome": "complete", "finish_reason": "stop", "http_status": 200, "request_id": f"req_{ident}",
        "input": 1_200, "output": 340, "cache_read": 800, "reasoning": 40,
        "cost_nanos": None if usd is None else int(Decimal(usd) * NANO), "grade": "computed" if usd else "unknown",
        "price_json": '{"input":2.5,"output":10,"cache_read":0.25}', "ttft_ms": 412, "duration_ms": 4_100, "caller": "tui",
        "labels_json": '{"project":"triage"}',
    }  # fmt: skip
    return AttemptRow(**{**values, **more})


def history() -> list[AttemptRow]:
    """Yesterday at half the pace of today; a retried run, a failed one, one on own hardware, one of unknown price."""
    rows = []
    for hour in range(47, -1, -1):
        at = NOW - hour * HOUR - 600_000
        today = hour < 24
        rows.append(run(hour, at, "openai-prod", "gpt-4o", "0.30" if today else "0.20"))
        if hour % 2 == 0:
            rows.append(
                run(100 + hour, at + 1_000, "anthropic", "claude-sonnet", "0.45" if today else "0.15")
            )
        if hour % 8 == 3:
            rows.append(
                run(
                    200 + hour,
                    at + 2_000,
                    "homelab",
                    "qwen3:8b",
                    None,
                    grade="own",
                    price_json=None,
                    caller="cli",
                )
            )
    rows += [
        run(300, NOW - 2 * HOUR, "anthropic", "claude-sonnet", "0", final=False, outcome="failed", finish_reason=None,
            error_code="rate_limited", http_status=429, retry_after_ms=2_000, input=None, output=None, cache_read=None,
            reasoning=None, ttft_ms=None, duration_ms=180, request_id="req_limited"),
        run(300, NOW - 2 * HOUR + 2_300, "openai-prod", "gpt-4o", "0.30", number=2, request_id="req_second"),
        run(301, NOW - HOUR, "azure-eu", "chat-prod", None, outcome="failed", error_code="invalid_key", http_status=401,
            input=None, output=None, cache_read=None, reasoning=None, ttft_ms=None, labels_json=None),
    ]  # fmt: skip
    return sorted(rows, key=lambda row: row.at)


async def seed(services: Services, rows: list[AttemptRow] | None = None) -> None:
    """Write the runs as another process would, and let the screens know."""
    ledger = Ledger(services.db)
    async with services.db.transaction() as tx:
        for row in history() if rows is None else rows:
            await ledger.insert(tx, row)
    services.feed.publish(StoreChangedElsewhere())
