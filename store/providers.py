"""The configured providers: one row per connection, secrets only by reference."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Any

from catalog.errors import UsageError
from store.db import Database, Tx
from store.rows import columns, load_map, marks, values


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """One configured connection."""

    slug: str
    name: str
    dialect: str
    endpoint: str
    created_at: int
    updated_at: int
    catalog_id: str | None = None
    """None: no vendor of the catalog."""
    region: str | None = None
    enabled: bool = True
    key_ref: str | None = None
    """`keyring:…`, `vault:…`, `file:…`, `env:NAME`; None: called without a key."""
    key_last4: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    secret_headers: dict[str, str] = field(default_factory=dict)
    """Header name → credential reference."""
    options: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    timeout_s: float | None = None
    """None: the setting."""
    retries: int | None = None
    """None: the setting."""
    proxy: str | None = None
    """A URL without password or a credential reference; None: the environment's."""
    ca_file: str | None = None
    allow_http: bool = False
    tls_min: str | None = None
    cost_mode: str | None = None
    """`metered`, `own` or `flat`; None: decided by the address."""
    gpu_hour_nanos: int | None = None
    discount_pct: str | None = None
    default_model: str | None = None
    auto_sync: str = "start"
    """`off`, `start`, an interval or a cron line."""
    state: str = "unknown"
    state_message: str | None = None
    state_at: int | None = None
    last_validated_at: int | None = None
    admin_ref: str | None = None
    """A second credential, for the account's own figures; as `key_ref`."""
    admin_last4: str | None = None
    sign_in_ref: str | None = None
    """The kept tokens of a sign-in; as `key_ref`."""


_NAMES = columns(ProviderRow)
_SELECT = f"SELECT {', '.join(_NAMES)} FROM providers"  # noqa: S608 - our own column names
_INSERT = f"INSERT INTO providers ({', '.join(_NAMES)}) VALUES ({marks(len(_NAMES))})"  # noqa: S608
_UPDATE = f"UPDATE providers SET {', '.join(f'{n} = ?' for n in _NAMES[1:])} WHERE slug = ?"  # noqa: S608
_MAPS = ("headers", "secret_headers", "options", "labels")


def _row(record: tuple[Any, ...]) -> ProviderRow:
    named = dict(zip(_NAMES, record, strict=True))
    named |= {name: load_map(named[name]) for name in _MAPS}
    named |= {"enabled": bool(named["enabled"]), "allow_http": bool(named["allow_http"])}
    return ProviderRow(**named)


class Providers:
    """Reads and writes provider rows."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def list(self, tx: Tx | None = None) -> list[ProviderRow]:
        sql = f"{_SELECT} ORDER BY slug"
        rows = await (tx.fetchall(sql) if tx else self._db.reader.execute_fetchall(sql))
        return [_row(tuple(row)) for row in rows]

    async def get(self, slug: str, tx: Tx | None = None) -> ProviderRow | None:
        sql = f"{_SELECT} WHERE slug = ?"
        rows = list(
            await (tx.fetchall(sql, (slug,)) if tx else self._db.reader.execute_fetchall(sql, (slug,)))
        )
        return _row(tuple(rows[0])) if rows else None

    async def insert(self, tx: Tx, row: ProviderRow) -> None:
        """Adds a provider; a slug that is taken is refused."""
        try:
            await tx.execute(_INSERT, values(row, _NAMES))
        except sqlite3.IntegrityError as error:
            raise UsageError(
                f"There is a provider named {row.slug} already.",
                hint="Choose another name, or edit that one.",
            ) from error

    async def update(self, tx: Tx, row: ProviderRow) -> None:
        """Writes all fields of the provider with the row's slug."""
        params = values(row, _NAMES)
        await tx.execute(_UPDATE, (*params[1:], params[0]))

    async def delete(self, tx: Tx, slug: str) -> None:
        """Removes the provider, its models and sync history; its ledger rows stay."""
        await tx.execute("DELETE FROM providers WHERE slug = ?", (slug,))

    async def set_sign_in(self, tx: Tx, slug: str, ref: str | None) -> None:
        """Notes where the tokens of its sign-in are kept. That is no change of the provider."""
        await tx.execute("UPDATE providers SET sign_in_ref = ? WHERE slug = ?", (ref, slug))

    async def set_state(
        self, tx: Tx, slug: str, state: str, message: str | None, at: int, validated: bool = False
    ) -> None:
        """Notes what was last seen of the provider; `validated` when its key was proven then."""
        await tx.execute(
            "UPDATE providers SET state = ?, state_message = ?, state_at = ?,"
            " last_validated_at = CASE WHEN ? THEN ? ELSE last_validated_at END WHERE slug = ?",
            (state, message, at, int(validated), at, slug),
        )
