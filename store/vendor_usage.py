"""What vendors say was used and billed, in buckets as they cut them, and the last word on each account."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from store.db import Database, Tx
from store.rows import columns, marks, values

Kind = Literal["usage", "cost"]
By = Literal["provider", "model", "day", "item", "source"]

API = "api"
"""The source of what came from the vendor's own API; everything else is the name of an imported file."""
DAY_MS = 86_400_000
_SLICE = 500
"""Rows that are written at once."""


@dataclass(frozen=True, slots=True)
class VendorRow:
    """One bucket as a vendor states it. None: not stated."""

    provider: str
    start_at: int
    """UTC ms. Vendors cut their days at midnight UTC."""
    kind: Kind
    model: str
    """The vendor's own id; empty: not told by model."""
    item: str
    """The vendor's line item or class; empty: all together."""
    source: str
    end_at: int
    requests: int | None = None
    input: int | None = None
    """Includes `cache_read` and `cache_write`."""
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cost_nanos: int | None = None
    """USD; may be negative: the vendor gave money back."""
    fetched_at: int = 0


@dataclass(frozen=True, slots=True)
class VendorTotal:
    """The sums over one key. A sum is None when no bucket states that figure: unknown, never zero."""

    key: str
    """The provider, `provider/model`, the UTC day (`2026-11-20`), `provider/model` and item, or the source."""
    requests: int | None
    input: int | None
    output: int | None
    cache_read: int | None
    cache_write: int | None
    cost_nanos: int | None


@dataclass(frozen=True, slots=True)
class VendorDay:
    """The sums of one key over one UTC day. None: not stated."""

    start_at: int
    key: str
    requests: int | None
    input: int | None
    output: int | None
    cost_nanos: int | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is held of one kind from one source."""

    provider: str
    source: str
    kind: Kind
    first_at: int
    last_end: int
    rows: int
    fetched_at: int
    """The newest of them."""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """The last word on a provider's account."""

    provider: str
    tried_at: int
    report_at: int | None = None
    report_json: str | None = None
    pulled_at: int | None = None
    error_code: str | None = None
    error_message: str | None = None
    error_hint: str | None = None
    read_from: int | None = None
    """From which day on everything that was stated is held; None: never read."""


_NAMES = columns(VendorRow)
_ACCOUNT = columns(AccountRow)
_PUT = f"INSERT OR REPLACE INTO vendor_usage ({', '.join(_NAMES)}) VALUES ({marks(len(_NAMES))})"  # noqa: S608
_PUT_ACCOUNT = (
    f"INSERT OR REPLACE INTO vendor_accounts ({', '.join(_ACCOUNT)}) VALUES ({marks(len(_ACCOUNT))})"  # noqa: S608
)
_SUMS = "SUM(requests), SUM(input), SUM(output), SUM(cache_read), SUM(cache_write), SUM(cost_nanos)"
_KEYS: dict[By, tuple[str, str]] = {
    "provider": ("provider", "provider"),
    "model": ("provider, model", "provider || '/' || model"),
    "item": ("provider, model, item", "provider || '/' || model || char(9) || item"),
    "day": (f"start_at / {DAY_MS}", f"date(start_at / {DAY_MS} * 86400, 'unixepoch')"),
    "source": ("source", "source"),
}
"""What is grouped by, and how its key is written; both are ours, never a caller's text."""
_DAY_KEYS: dict[By | None, tuple[str, str]] = {
    None: ("", "''"),
    "provider": _KEYS["provider"],
    "model": _KEYS["model"],
    "day": ("day", "date(day * 86400, 'unixepoch')"),
}
"""The same over whole days, where neither item nor source matters."""
_ADD_UP = f"""
INSERT INTO vendor_days
SELECT provider, start_at / {DAY_MS}, model, {_SUMS} FROM vendor_usage
WHERE provider = ? AND start_at >= ? AND start_at < ? GROUP BY start_at / {DAY_MS}, model
"""  # noqa: S608
_PROVIDERS = """
WITH RECURSIVE known (name) AS (
    SELECT MIN(provider) FROM vendor_usage
    UNION ALL SELECT (SELECT MIN(provider) FROM vendor_usage WHERE provider > name) FROM known WHERE name IS NOT NULL
) SELECT name FROM known WHERE name IS NOT NULL
"""
"""The providers there are, one look each: a plain DISTINCT would read every row."""

_ACCOUNTS = """
SELECT slug, endpoint, COALESCE(admin_last4, admin_ref) FROM providers WHERE admin_ref IS NOT NULL ORDER BY slug
"""
"""Whose accounts are opened by which key: the same end of it at the same address is the same key."""


class VendorUsage:
    """Reads and writes what vendors state."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def replace(
        self,
        tx: Tx,
        provider: str,
        source: str,
        kind: Kind,
        span: tuple[int, int],
        rows: Sequence[VendorRow],
    ) -> int:
        """Whole buckets of [since, until): what was held there goes, so a bucket that shrank or vanished does too.

        Nothing is held twice: what the vendor's API says takes the place of imported files. A file takes the place of
        what it said before and, for the days it tells of, of other files; of it only the days are taken of which the
        API said nothing. Rows of something else, or outside the span, are left out; returns how many are held now.
        """
        since, until = span
        where = "provider = ? AND start_at >= ? AND start_at < ? AND kind = ?"
        params = (provider, since, until, kind)
        told: set[int] = set()
        if source == API:
            await tx.execute(f"DELETE FROM vendor_usage WHERE {where}", params)  # noqa: S608 - our own words
        else:
            days = json.dumps(sorted({row.start_at // DAY_MS for row in rows}))
            await tx.execute(
                f"DELETE FROM vendor_usage WHERE {where} AND source <> ?"  # noqa: S608
                f" AND (source = ? OR start_at / {DAY_MS} IN (SELECT value FROM json_each(?)))",
                (*params, API, source, days),
            )
            known = f"SELECT DISTINCT start_at / {DAY_MS} FROM vendor_usage WHERE {where} AND source = ?"  # noqa: S608
            told = {row[0] for row in await tx.fetchall(known, (*params, API))}
        count = 0
        for place in range(0, len(rows), _SLICE):  # between slices others have their turn
            held = [
                values(row, _NAMES)
                for row in rows[place : place + _SLICE]
                if (row.provider, row.source, row.kind) == (provider, source, kind)
                and since <= row.start_at < until
                and row.start_at // DAY_MS not in told
            ]
            await tx.executemany(_PUT, held)
            count += len(held)
        await self._add_up(tx, provider, since // DAY_MS, -(-until // DAY_MS))
        return count

    async def insert(self, tx: Tx, rows: Sequence[VendorRow]) -> None:
        """Add buckets beside what is held; of the same bucket the new one stays."""
        await tx.executemany(_PUT, [values(row, _NAMES) for row in rows])
        for provider in {row.provider for row in rows}:
            days = [row.start_at // DAY_MS for row in rows if row.provider == provider]
            await self._add_up(tx, provider, min(days), max(days) + 1)

    async def forget_source(self, tx: Tx, provider: str, source: str) -> None:
        """Take back what came from one file."""
        ends = "SELECT MIN(start_at), MAX(start_at) FROM vendor_usage WHERE provider = ? AND source = ?"
        [(first, last)] = await tx.fetchall(ends, (provider, source))
        if first is not None:
            await tx.execute("DELETE FROM vendor_usage WHERE provider = ? AND source = ?", (provider, source))
            await self._add_up(tx, provider, first // DAY_MS, last // DAY_MS + 1)

    async def _add_up(self, tx: Tx, provider: str, first: int, last: int) -> None:
        """Sum the days [first, last) anew."""
        await tx.execute(
            "DELETE FROM vendor_days WHERE provider = ? AND day >= ? AND day < ?", (provider, first, last)
        )
        await tx.execute(_ADD_UP, (provider, first * DAY_MS, last * DAY_MS))

    async def totals(
        self,
        since: int,
        until: int,
        by: By | None = None,
        *,
        provider: str | None = None,
        model: str | None = None,
        source: str | None = None,
        kind: Kind | None = None,
    ) -> list[VendorTotal]:
        """Sums of the buckets that begin in [since, until), by key; `by` None: one row over everything."""
        wanted = [provider] if provider is not None else await self.counted()
        if not wanted:
            return []
        by_day = (
            source is None and kind is None and by in _DAY_KEYS and not since % DAY_MS and not until % DAY_MS
        )
        table, column, unit = ("vendor_days", "day", DAY_MS) if by_day else ("vendor_usage", "start_at", 1)
        where = [f"provider IN ({marks(len(wanted))})", f"{column} >= ?", f"{column} < ?"]
        params: list[object] = [*wanted, since // unit, until // unit]
        for name, value in (("model", model), ("source", source), ("kind", kind)):
            if value is not None:
                where.append(f"{name} = ?")
                params.append(value)
        group, key = _DAY_KEYS[by] if by_day or by is None else _KEYS[by]
        sql = f"SELECT {key}, {_SUMS} FROM {table} WHERE {' AND '.join(where)}"  # noqa: S608 - our own names
        sql += f" GROUP BY {group} ORDER BY 1" if group else " HAVING COUNT(*) > 0"
        return [VendorTotal(*row) for row in await self._db.reader.execute_fetchall(sql, params)]

    async def days(
        self, since: int, until: int, by: By | None = None, keys: Sequence[str] | None = None
    ) -> list[VendorDay]:
        """Sums per UTC day of the days that begin in [since, until), oldest first; by provider or model, of `keys` only."""
        wanted = await self.counted()
        if not wanted:
            return []
        group, key = _DAY_KEYS[by]
        where = f"provider IN ({marks(len(wanted))}) AND day >= ? AND day < ?"
        params: list[object] = [*wanted, -(-since // DAY_MS), -(-until // DAY_MS)]
        if keys is not None and by is not None:
            where += f" AND {key} IN ({marks(len(keys))})"
            params += keys
        sql = (
            f"SELECT day * {DAY_MS}, {key}, SUM(requests), SUM(input), SUM(output), SUM(cost_nanos) FROM vendor_days"  # noqa: S608
            f" WHERE {where} GROUP BY {', '.join(filter(None, ('day', group)))} ORDER BY 1"
        )
        return [VendorDay(*row) for row in await self._db.reader.execute_fetchall(sql, params)]

    async def rows(
        self, provider: str, since: int, until: int, *, source: str | None = None
    ) -> list[VendorRow]:
        """The buckets themselves, oldest first."""
        sql = f"SELECT {', '.join(_NAMES)} FROM vendor_usage WHERE provider = ? AND start_at >= ? AND start_at < ?"  # noqa: S608
        params: list[object] = [provider, since, until]
        if source is not None:
            sql, params = f"{sql} AND source = ?", [*params, source]
        found = await self._db.reader.execute_fetchall(f"{sql} ORDER BY start_at, kind, model, item", params)
        return [VendorRow(*row) for row in found]

    async def providers(self) -> list[str]:
        """Of which providers anything is held, gone ones included."""
        return [row[0] for row in await self._db.reader.execute_fetchall(_PROVIDERS)]

    async def counted(self) -> list[str]:
        """Of which providers anything is held, those left out whose account another one tells of: nothing is summed twice."""
        twice = {name for others in (await self.shared()).values() for name in others}
        return [name for name in await self.providers() if name not in twice]

    async def shared(self) -> dict[str, tuple[str, ...]]:
        """Provider that tells of an account → the others whose key opens the same one. It is the one that tells of most days."""
        of_account: dict[tuple[str, str], list[str]] = {}
        for slug, *account in await self._db.reader.execute_fetchall(_ACCOUNTS):
            of_account.setdefault((account[0], account[1]), []).append(slug)
        found: dict[str, tuple[str, ...]] = {}
        for slugs in of_account.values():
            if len(slugs) > 1:
                days = "SELECT MAX(day) - MIN(day) FROM vendor_days WHERE provider = ?"
                told = [
                    (days_told, slug)
                    for slug in slugs
                    for (days_told,) in await self._db.reader.execute_fetchall(days, (slug,))
                    if days_told is not None
                ]
                most = min(told, key=lambda one: (-one[0], one[1]), default=None)
                if most is not None:
                    found[most[1]] = tuple(slug for slug in slugs if slug != most[1])
        return found

    async def coverage(self, provider: str) -> list[Coverage]:
        """What is held of a provider, by source and kind."""
        sql = (
            "SELECT provider, source, kind, MIN(start_at), MAX(end_at), COUNT(*), MAX(fetched_at)"
            " FROM vendor_usage WHERE provider = ? GROUP BY source, kind ORDER BY source, kind"
        )
        return [Coverage(*row) for row in await self._db.reader.execute_fetchall(sql, (provider,))]

    # the account itself

    async def account(self, provider: str, tx: Tx | None = None) -> AccountRow | None:
        """The last word on a provider's account; None: it was never asked."""
        sql = f"SELECT {', '.join(_ACCOUNT)} FROM vendor_accounts WHERE provider = ?"  # noqa: S608
        found = await (
            tx.fetchall(sql, (provider,)) if tx else self._db.reader.execute_fetchall(sql, (provider,))
        )
        row = next(iter(found), None)
        return None if row is None else AccountRow(*row)

    async def accounts(self, tx: Tx | None = None) -> dict[str, AccountRow]:
        """Every provider's."""
        sql = f"SELECT {', '.join(_ACCOUNT)} FROM vendor_accounts"  # noqa: S608
        found = await (tx.fetchall(sql) if tx else self._db.reader.execute_fetchall(sql))
        return {row[0]: AccountRow(*row) for row in found}

    async def put_account(self, tx: Tx, row: AccountRow) -> None:
        """Write the last word; what was said before is replaced."""
        await tx.execute(_PUT_ACCOUNT, values(row, _ACCOUNT))

    async def forget_account(self, tx: Tx, provider: str) -> None:
        """The connection leads to another account now, or nowhere: its balance goes, what was billed stays."""
        await tx.execute("DELETE FROM vendor_accounts WHERE provider = ?", (provider,))
