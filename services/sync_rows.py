"""What a sync leaves behind: the models it found as rows, its result, and the record of the run."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from catalog.errors import SwitchroomError
from catalog.merge import FieldChange, ModelDiff, diff_models
from catalog.plaintext import one_line
from catalog.redact import redact
from services.merging import live_info
from services.sync_diff import Rise, Rises, rises

if TYPE_CHECKING:
    from adapters.base import RemoteModel
    from store.models import ModelRow
    from store.sync_runs import SyncRunRow

log = logging.getLogger(__name__)

KEPT_CHANGES = 5000
"""Changes of each kind that a stored diff names."""

_TURN = 200
"""Models looked at between two turns of the event loop: a few milliseconds."""
_STAMPED_MS = 120_000
"""A server that says it made a model within this time of being asked stamps its answers: that says nothing."""


@dataclass(frozen=True, slots=True)
class SyncResult:
    """How one provider's sync ended."""

    slug: str
    state: Literal["ok", "error"]
    total: int
    """Models of the last good list."""
    added: int
    updated: int
    """Models with at least one changed field."""
    removed: int
    duration_ms: int
    error: SwitchroomError | None
    """None exactly when `state` is `ok`."""
    diff: ModelDiff
    rises: Rises | None = None
    """Prices that went up, of models that are on; None: none did."""
    listed: bool = True
    """False: the provider works but has no list; `total` counts the catalog's models."""
    refused: ModelDiff | None = None
    """What a list would have changed that was not believed; `error` says so."""


def document(diff: ModelDiff, limit: int | None = None) -> dict[str, object]:
    """A diff as `sync --json` shows it: added, removed, updated (id, field, old, new)."""
    return {
        "added": list(diff.added[:limit]),
        "removed": list(diff.removed[:limit]),
        "updated": [
            {"id": change.id, "field": change.field, "old": change.old, "new": change.new}
            for change in diff.updated[:limit]
        ],
    }


async def model_rows(
    slug: str, remote: Sequence[RemoteModel], stored: Sequence[ModelRow], now: int
) -> list[ModelRow]:
    """The rows of a live list: each id once; a model that cannot be kept is logged and left out."""
    rows: dict[str, ModelRow] = {}
    before: dict[str, ModelRow] | None = None
    for place, model in enumerate(remote):
        if place % _TURN == _TURN - 1:
            await asyncio.sleep(0)
        try:
            row = _model_row(slug, model, now)
        except (AttributeError, TypeError, ValueError):
            log.warning("a model of %s could not be read and was left out", slug)
            continue
        if model.partial:
            before = {row.id: row for row in stored} if before is None else before
            row = _filled(row, before.get(row.id))
        rows[model.id] = row
    return list(rows.values())


_FILLED = (
    "name", "context_window", "max_output", "price_json", "capabilities", "chat", "max_input", "fingerprint", "details_json",
)  # fmt: skip


def _filled(row: ModelRow, before: ModelRow | None) -> ModelRow:
    """What could not be asked this time is as it was."""
    if before is None:
        return row
    missing = {name: getattr(before, name) for name in _FILLED if getattr(row, name) is None}
    return replace(row, **missing)


def _model_row(slug: str, model: RemoteModel, now: int) -> ModelRow:
    from store.models import ModelRow

    if not model.id:
        raise ValueError("a model without an id")
    return ModelRow(
        provider=slug,
        id=model.id,
        name=model.name,
        context_window=model.context_window,
        max_output=model.max_output,
        price_json=model.price.model_dump_json(exclude_none=True, exclude_defaults=True)
        if model.price
        else None,
        capabilities=model.capabilities,
        chat=model.chat,
        owned_by=model.owned_by,
        created=model.created,
        model_status=model.status,
        shutdown_date=model.shutdown_date,
        max_input=model.max_input,
        fingerprint=model.fingerprint,
        details_json=json.dumps(dict(model.details), sort_keys=True) if model.details else None,
        first_seen=now,
        last_seen=now,
    )


async def compared(stored: Sequence[ModelRow], rows: Sequence[ModelRow]) -> ModelDiff:
    """What changed between the last good list and this one; only models that differ are looked at closely."""
    old = {row.id: row for row in stored if row.available and row.last_seen}
    changes: list[FieldChange] = []
    swapped: list[FieldChange] = []
    for start in range(0, len(rows), _TURN):
        await asyncio.sleep(0)
        both = [(old[row.id], row) for row in rows[start : start + _TURN] if row.id in old]
        differing = [(before, after) for before, after in both if _live(before) != _live(after)]
        found = diff_models(
            {before.id: live_info(before) for before, _ in differing},
            {after.id: live_info(after) for _, after in differing},
        )
        changes += found.updated
        swapped += _swapped(both)
    changes.sort(key=lambda change: (not change.field.startswith("price"), change.id, change.field))
    new = {row.id for row in rows}
    return ModelDiff(
        added=tuple(sorted(new - old.keys())),
        removed=tuple(sorted(old.keys() - new)),
        updated=(*changes, *swapped),
    )


def _swapped(both: Sequence[tuple[ModelRow, ModelRow]]) -> list[FieldChange]:
    """Same name, different model: other weights, another owner, or another day on which they were made."""
    changes = []
    for before, after in both:
        if before.fingerprint and after.fingerprint and before.fingerprint != after.fingerprint:
            changes.append(FieldChange(after.id, "fingerprint", before.fingerprint, after.fingerprint))
        if before.owned_by and after.owned_by and before.owned_by != after.owned_by:
            changes.append(FieldChange(after.id, "owned_by", before.owned_by, after.owned_by))
        stamped = after.created is not None and abs(after.created * 1000 - after.last_seen) < _STAMPED_MS
        if before.created and after.created and before.created != after.created and not stamped:
            changes.append(FieldChange(after.id, "created", before.created, after.created))
    return changes


def _live(row: ModelRow) -> tuple[object, ...]:
    """What the wire said of a model."""
    return (
        row.name,
        row.context_window,
        row.max_output,
        row.price_json,
        row.capabilities,
        row.model_status,
        row.shutdown_date,
        row.max_input,
    )


async def dearer(slug: str, diff: ModelDiff, enabled: Collection[str]) -> Rises | None:
    """The prices that went up of the models that are on."""
    steepest: Rise | None = None
    models: set[str] = set()
    for start in range(0, len(diff.updated), _TURN):
        await asyncio.sleep(0)
        for rise in rises(slug, diff.updated[start : start + _TURN], enabled):
            models.add(rise.model)
            if steepest is None or rise.steepness > steepest.steepness:
                steepest = rise
    return None if steepest is None else Rises(steepest, len(models))


async def run_row(result: SyncResult, started: int) -> SyncRunRow:
    """The record of one sync; its error in words, without secrets."""
    from store.sync_runs import NO_LIST, SyncRunRow

    error = result.error
    code = error.code if error else None if result.listed else NO_LIST
    diff = result.refused or result.diff
    await asyncio.sleep(0)  # what comes takes some milliseconds for thousands of changes
    return SyncRunRow(
        id=None,
        provider=result.slug,
        started_at=started,
        duration_ms=result.duration_ms,
        state=result.state,
        error_code=code,
        error_message=redact(one_line(error.message, 400)) if error else None,
        total=result.total,
        added=result.added,
        updated=result.updated,
        removed=result.removed,
        diff_json=None if diff.empty else json.dumps(document(diff, KEPT_CHANGES)),
    )
