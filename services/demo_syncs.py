"""The demo's sync history: what each list brought, a price that rose, and the providers that no longer answer."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalog.merge import FieldChange, ModelDiff
from services import clock
from services.demo_audit import Entry
from services.demo_habits import DEAD, RISE_DAYS
from services.demo_providers import PROVIDERS, Demo

if TYPE_CHECKING:
    from store.sync_runs import SyncRunRow

_DAYS = 30
_SCHEDULE = "scheduler@studio tui[4182]"
_RISE = ModelDiff(
    updated=(
        FieldChange("mistral-large-3", "price.input", "2.00", "2.40"),
        FieldChange("mistral-large-3", "price.output", "6.00", "7.20"),
    )
)
_DIFFS: dict[tuple[str, int], ModelDiff] = {
    ("mistral", RISE_DAYS): _RISE,
    ("mistral", 18): ModelDiff(
        added=("codestral-3",),
        updated=(FieldChange("pixtral-12b", "shutdown_date", None, "2027-02-28"),),
    ),
    ("openai-prod", 22): ModelDiff(removed=("gpt-4.1-mini",)),
    ("openai-prod", 16): ModelDiff(
        added=("gpt-6-luna",),
        updated=(FieldChange("gpt-6.1-sol", "context_window", 400_000, 1_050_000),),
    ),
    ("anthropic", 26): ModelDiff(added=("claude-haiku-4-5",)),
    ("groq", 8): ModelDiff(
        added=("qwen-3.5-32b",),
        updated=(FieldChange("llama-4.1-8b-instant", "price.output", "0.10", "0.08"),),
    ),
    ("groq", 3): ModelDiff(added=("whisper-large-v4",)),
    ("homelab", 11): ModelDiff(added=("llama3.2:3b",), removed=("llama3.1:8b",)),
    ("homelab", 4): ModelDiff(updated=(FieldChange("qwen3:8b", "created", 1_745_884_800, 1_794_700_800),)),
    ("together", 29): ModelDiff(added=("moonshotai/Kimi-K3-Instruct",)),
}
"""By provider, and how many days ago."""
_ERRORS = {
    "azure-eu": ("invalid_credentials", "azure-eu does not accept the key: Incorrect API key provided."),
    "together": ("network", "Nothing answers at together."),
}


def sync_runs(now: int) -> list[SyncRunRow]:
    """A sync of each provider every morning, oldest first."""
    from adapters.fake_scripts import script

    chance = random.Random(19)  # noqa: S311  a play, no secret
    runs = [
        run
        for demo in PROVIDERS
        for run in _of_one(demo, now, len(script(demo.script).models), script(demo.script).latency, chance)
    ]
    return sorted(runs, key=lambda run: run.started_at)


def sync_entries(runs: list[SyncRunRow]) -> Iterator[Entry]:
    """What the audit log says of them: the changes, and the failures."""
    for run in runs:
        if run.diff_json is None and run.error_code is None:
            continue
        detail: dict[str, object] = {
            "total": run.total, "added": run.added, "updated": run.updated, "removed": run.removed,
            "duration_ms": run.duration_ms, "error": run.error_code,
        }  # fmt: skip
        result = run.error_code or "ok"
        yield Entry(
            run.started_at + run.duration_ms, _SCHEDULE, "provider.sync", run.provider, detail, result=result
        )


def _of_one(demo: Demo, now: int, models: int, latency: float, chance: random.Random) -> Iterator[SyncRunRow]:
    dead = DEAD.get(demo.slug, -1)
    for days in range(min(_DAYS, demo.days), -1, -1):
        at = clock.day_bounds(now, -days)[0] + 6 * clock.HOUR_MS + chance.randrange(9_000)
        if at >= now or (demo.slug == "ollama" and days <= dead):
            continue
        duration = round(latency * 1000 * chance.uniform(0.9, 1.4)) + 12
        if days <= dead:  # dead from the midnight before
            yield _failed(demo, at, duration, models)
        else:
            yield _good(demo, at, duration, models, _DIFFS.get((demo.slug, days)))


def _good(demo: Demo, at: int, duration: int, models: int, diff: ModelDiff | None) -> SyncRunRow:
    from services.sync_rows import document
    from store.sync_runs import SyncRunRow

    diff = diff or ModelDiff()
    return SyncRunRow(
        id=None,
        provider=demo.slug,
        started_at=at,
        duration_ms=duration,
        state="ok",
        total=models,
        added=len(diff.added),
        updated=len({change.id for change in diff.updated}),
        removed=len(diff.removed),
        diff_json=None if diff.empty else json.dumps(document(diff)),
    )


def _failed(demo: Demo, at: int, duration: int, models: int) -> SyncRunRow:
    from store.sync_runs import SyncRunRow

    code, message = _ERRORS[demo.slug]
    return SyncRunRow(
        id=None,
        provider=demo.slug,
        started_at=at,
        duration_ms=duration,
        state="error",
        error_code=code,
        error_message=message,
        total=models,
    )
