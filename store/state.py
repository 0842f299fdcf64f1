"""Small remembered values: one JSON document per key."""

from __future__ import annotations

import json

from store.db import Database, Tx
from store.rows import dump


class State:
    """Reads and writes remembered values (`default_model`, `offline`, `secrets_backend`, `keyring_probe`)."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, key: str, tx: Tx | None = None) -> object | None:
        """The value; None when nothing was remembered."""
        sql = "SELECT value_json FROM remembered WHERE key = ?"
        rows = await (tx.fetchall(sql, (key,)) if tx else self._db.reader.execute_fetchall(sql, (key,)))
        return next((json.loads(row[0]) for row in rows), None)

    async def set(self, tx: Tx, key: str, value: object) -> None:
        tx.later(
            "INSERT INTO remembered (key, value_json) VALUES (?, ?)"
            " ON CONFLICT DO UPDATE SET value_json = excluded.value_json",
            (key, dump(value)),
        )

    async def delete(self, tx: Tx, key: str) -> None:
        tx.later("DELETE FROM remembered WHERE key = ?", (key,))
