"""The models each provider's live list named: the last good list is kept, the missing are marked."""

from __future__ import annotations

import asyncio
import builtins
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from store.db import Database, Tx
from store.rows import columns, flag, marks, values


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model of one provider, as the wire told it. None: the wire said nothing."""

    provider: str
    id: str
    name: str | None = None
    context_window: int | None = None
    max_output: int | None = None
    price_json: str | None = None
    capabilities: tuple[str, ...] | None = None
    chat: bool | None = None
    owned_by: str | None = None
    created: int | None = None
    model_status: str | None = None
    shutdown_date: str | None = None
    max_input: int | None = None
    fingerprint: str | None = None
    """What the server says the weights are (a digest, a file); another one under the same name is another model."""
    details_json: str | None = None
    """Further facts from the wire, name → text or number: quantization, parameters, size, loaded, …"""
    enabled: bool = True
    available: bool = True
    first_seen: int = 0
    last_seen: int = 0
    missing_since: int | None = None
    """None: named by the last good list."""
    map_to: str | None = None
    """A catalog model whose price and abilities apply; None: its own."""
    cost_mode: str | None = None
    """None: the provider's."""
    gpu_hour_nanos: int | None = None
    typed_price_json: str | None = None
    """The price the user typed in, later ones with their dates (catalog.types.Price); None: none."""
    probed_json: str | None = None
    """What asking the model showed: capability → {"can": bool, "at": UTC ms}; None: never asked."""
    typed_facts_json: str | None = None
    """Name, context_window and max_output as the user typed them in; None: none."""


_NAMES = columns(ModelRow)
_SELECT = f"SELECT {', '.join(_NAMES)} FROM models"  # noqa: S608 - our own column names
_LIVE = _NAMES[2 : _NAMES.index("enabled")]
_CAPABILITIES, _CHAT, _ENABLED, _AVAILABLE = map(
    _NAMES.index, ("capabilities", "chat", "enabled", "available")
)
_TURN = 1_000
"""Rows read between two turns of the event loop: a few milliseconds."""
_MARKS = (
    "SELECT provider, count(*), sum(last_seen), group_concat(CASE WHEN enabled AND available"
    " AND coalesce(map_to, cost_mode, gpu_hour_nanos, typed_price_json, probed_json, typed_facts_json) IS NULL THEN NULL ELSE"
    " printf('%d%d %s %s %s %s %s %s %s', enabled, available, id, map_to, cost_mode, gpu_hour_nanos,"
    " typed_price_json, probed_json, typed_facts_json) END, x'0a')"
    " FROM models"
)
_UPSERT = (
    f"INSERT INTO models ({', '.join(_NAMES)}) VALUES ({marks(len(_NAMES))})"  # noqa: S608
    f" ON CONFLICT DO UPDATE SET {', '.join(f'{n} = excluded.{n}' for n in _LIVE)},"
    " available = 1, missing_since = NULL, last_seen = excluded.last_seen"
)


def _row(record: Any) -> ModelRow:
    values_of = list(record)
    if (capabilities := values_of[_CAPABILITIES]) is not None:
        values_of[_CAPABILITIES] = _capabilities(capabilities)
    values_of[_CHAT] = flag(values_of[_CHAT])
    values_of[_ENABLED] = bool(values_of[_ENABLED])
    values_of[_AVAILABLE] = bool(values_of[_AVAILABLE])
    return ModelRow(*values_of)


@lru_cache(maxsize=1024)
def _capabilities(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


class Models:
    """Reads and writes model rows."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def list(self, provider: str | None = None) -> list[ModelRow]:
        """All models, or one provider's, ordered by provider and id."""
        where, params = (" WHERE provider = ?", (provider,)) if provider is not None else ("", ())
        rows = list(await self._db.reader.execute_fetchall(f"{_SELECT}{where} ORDER BY provider, id", params))
        found: builtins.list[ModelRow] = []
        for start in range(0, len(rows), _TURN):
            found += map(_row, rows[start : start + _TURN])
            await asyncio.sleep(0)
        return found

    async def get(self, provider: str, model_id: str, tx: Tx | None = None) -> ModelRow | None:
        sql, params = f"{_SELECT} WHERE provider = ? AND id = ?", (provider, model_id)
        rows = await (tx.fetchall(sql, params) if tx else self._db.reader.execute_fetchall(sql, params))
        return next((_row(row) for row in rows), None)

    async def set_charges(self, tx: Tx, row: ModelRow) -> None:
        """What the user says of a known model, as the row has it: its base, way of paying, typed price and facts."""
        tx.later(
            "UPDATE models SET map_to = ?, cost_mode = ?, gpu_hour_nanos = ?, typed_price_json = ?,"
            " typed_facts_json = ? WHERE provider = ? AND id = ?",
            (
                row.map_to,
                row.cost_mode,
                row.gpu_hour_nanos,
                row.typed_price_json,
                row.typed_facts_json,
                row.provider,
                row.id,
            ),
        )

    async def counts(self) -> dict[str, tuple[int, int]]:
        """Provider → (enabled and available, all known)."""
        rows = await self._db.reader.execute_fetchall(
            "SELECT provider, sum(enabled AND available), count(*) FROM models GROUP BY provider"
        )
        return {row[0]: (row[1], row[2]) for row in rows}

    async def listed(self, provider: str) -> tuple[int, bool]:
        """(models of the last good list, whether any list ever named one)."""
        rows = await self._db.reader.execute_fetchall(
            "SELECT coalesce(sum(available AND last_seen > 0), 0), coalesce(max(last_seen), 0) > 0"
            " FROM models WHERE provider = ?",
            (provider,),
        )
        return next(((row[0], bool(row[1])) for row in rows), (0, False))

    async def marks(self, provider: str | None = None) -> dict[str, tuple[object, ...]]:
        """Provider → what differs whenever any of its models does: when and how many, and each choice of the user.

        What the wire told changes only with a sync, which moves `last_seen`.
        """
        where, params = (" WHERE provider = ?", (provider,)) if provider is not None else ("", ())
        rows = await self._db.reader.execute_fetchall(f"{_MARKS}{where} GROUP BY provider", params)
        return {row[0]: tuple(row[1:]) for row in rows}

    async def replace_live(
        self, tx: Tx, provider: str, rows: Sequence[ModelRow], *, at: int | None = None
    ) -> None:
        """Takes over a provider's complete live list.

        New models are added as the rows say; known ones take the live fields and keep the user's choices
        (enabled, map_to, cost_mode, gpu_hour_nanos) and first_seen; those not listed become unavailable.
        `at`: time of the list, UTC ms (default: the newest `last_seen`, else now).
        """
        when = at or max((row.last_seen for row in rows), default=0) or time.time_ns() // 1_000_000
        tx.later(
            "UPDATE models SET available = 0, missing_since = coalesce(missing_since, ?) WHERE provider = ?",
            (when, provider),
        )
        await tx.executemany(_UPSERT, (values(row, _NAMES) for row in rows))

    async def ensure(self, tx: Tx, provider: str, ids: Iterable[str], at: int) -> None:
        """Adds rows for models that only a catalog knows (`last_seen` 0: in no live list yet); others stay."""
        rows = (ModelRow(provider, model_id, first_seen=at) for model_id in ids)
        await tx.executemany(
            f"INSERT OR IGNORE INTO models ({', '.join(_NAMES)}) VALUES ({marks(len(_NAMES))})",  # noqa: S608
            [values(row, _NAMES) for row in rows],
        )

    async def locked(self, tx: Tx, provider: str, model_id: str) -> ModelRow:
        """A row that is there, as it is inside a transaction: nobody else changes it before its end."""
        return _row(await tx.fetchone(f"{_SELECT} WHERE provider = ? AND id = ?", (provider, model_id)))

    async def set_probed(self, tx: Tx, provider: str, model_id: str, text: str | None) -> None:
        """Keeps what asking the model showed (`probed_json`)."""
        await tx.execute(
            "UPDATE models SET probed_json = ? WHERE provider = ? AND id = ?", (text, provider, model_id)
        )

    async def set_enabled(self, tx: Tx, provider: str, ids: Iterable[str], enabled: bool) -> int:
        """Switches models on or off; gives how many of the ids are known."""
        return await tx.executemany(
            "UPDATE models SET enabled = ? WHERE provider = ? AND id = ?",
            [(int(enabled), provider, model_id) for model_id in ids],
        )
