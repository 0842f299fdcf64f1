"""Anthropic's organization: messages by model and costs by description, the latter in cents as text (WIRE section 10)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pydantic import SecretStr

from adapters.abilities import AccountReport, VendorBucket, VendorUsage
from adapters.account.caller import Caller
from adapters.account.read import (
    Entry,
    added_up,
    cents,
    days_ago,
    entries,
    inner,
    iso_ms,
    midnight,
    rfc3339,
    text,
    whole,
)
from adapters.account.ways import Way
from adapters.base import Connection
from adapters.fetch import Fetcher
from adapters.openai.endpoint import endpoint

VERSION = "2023-06-01"
_PAGE = "31"


class Reporter:
    """Implements adapters.abilities.ReportsAccount; everything needs the admin key, and no balance is stated."""

    def __init__(self, way: Way, connection: Connection, admin: SecretStr | None, fetcher: Fetcher) -> None:
        self._base = connection.base_url
        self._caller = Caller(
            way, connection, admin, fetcher, admin=True, header="x-api-key", prefix="",
            headers={"anthropic-version": VERSION},
        )  # fmt: skip

    async def prove(self) -> None:
        asked = {"starting_at": rfc3339(days_ago()), "limit": "1"}
        await self._caller.get(self._url("usage_report/messages"), asked)

    async def account(self) -> AccountReport:
        return AccountReport(notes=("Anthropic states neither a balance nor limits.",))

    async def usage(self, since: int, until: int) -> VendorUsage:
        asked = {"starting_at": rfc3339(since), "bucket_width": "1d", "limit": _PAGE}
        used = await self._caller.pages(self._url("usage_report/messages"), {**asked, "group_by[]": "model"})
        bill = await self._caller.pages(self._url("cost_report"), {**asked, "group_by[]": "description"})
        # a year of many models takes longer to read than the screen may wait
        return await asyncio.to_thread(_whole, used, bill, (since, midnight(until, 1)))

    async def aclose(self) -> None:
        await self._caller.aclose()

    def _url(self, call: str) -> str:
        return endpoint(self._base, f"organizations/{call}")


def _whole(used: Sequence[Entry], bill: Sequence[Entry], span: tuple[int, int]) -> VendorUsage:
    return VendorUsage(
        added_up(one for page in used for one in _used(page)),
        added_up(one for page in bill for one in _billed(page)),
        span,
    )


def _buckets(page: Entry) -> list[tuple[int, int, Entry]]:
    found = []
    for bucket in entries(page.get("data")):
        start, end = iso_ms(bucket.get("starting_at")), iso_ms(bucket.get("ending_at"))
        if start is not None and end is not None and end > start:
            found += [(start, end, result) for result in entries(bucket.get("results"))]
    return found


def _used(page: Entry) -> list[VendorBucket]:
    """Its `uncached_input_tokens` leave out both cache buckets; ours is the whole input."""
    found = []
    for start, end, one in _buckets(page):
        plain, read = whole(one, "uncached_input_tokens"), whole(one, "cache_read_input_tokens")
        made = inner(one, "cache_creation")
        written = [count for name in made if (count := whole(made, name)) is not None]
        write = sum(written) if written else None
        found.append(
            VendorBucket(
                start, end, text(one.get("model")),
                input=None if plain is None else plain + (read or 0) + (write or 0),
                output=whole(one, "output_tokens"),
                cache_read=read,
                cache_write=write,
            )
        )  # fmt: skip
    return found


def _billed(page: Entry) -> list[VendorBucket]:
    found = []
    for start, end, one in _buckets(page):
        item = text(one.get("description")) or text(one.get("token_type")) or text(one.get("cost_type"))
        currency = text(one.get("currency"), 8).upper() or "USD"
        cost = cents(one.get("amount"))
        if currency != "USD":  # never added to dollars
            item, cost = f"{item} ({currency})".strip(), None
        found.append(VendorBucket(start, end, text(one.get("model")), item, cost=cost))
    return found
