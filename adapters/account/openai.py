"""OpenAI's organization: usage by model, costs by line item, the spending limit and a project's rate limits (WIRE section 10)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Sequence
from decimal import Decimal
from urllib.parse import quote

from pydantic import SecretStr

from adapters.abilities import AccountReport, Figure, VendorBucket, VendorUsage
from adapters.account.caller import Caller
from adapters.account.read import (
    Entry,
    added_up,
    cents,
    days_ago,
    dollars,
    entries,
    inner,
    midnight,
    text,
    unix_ms,
    whole,
)
from adapters.account.ways import Way
from adapters.base import Connection
from adapters.errors import ProviderError
from adapters.fetch import Fetcher
from adapters.openai.endpoint import endpoint

_CLASSES = ("completions", "embeddings", "images", "audio_speeches", "audio_transcriptions", "moderations")
"""The kinds of usage that are told by model; files and sessions have costs alone."""
_USAGE_PAGE, _COST_PAGE = "31", "180"
_MOST_LIMITS = 200
_LINE = re.compile(r"([^\s,]+), (?:[a-z0-9]+[ _])*(?:input|output)(?:[ _]tokens)?")
"""`gpt-4o-2024-08-06, cached input`, `gpt-6-astra, input_tokens`."""


class Reporter:
    """Implements adapters.abilities.ReportsAccount; everything needs the admin key."""

    def __init__(self, way: Way, connection: Connection, admin: SecretStr | None, fetcher: Fetcher) -> None:
        self._base = connection.base_url
        self._project = connection.options.get("project")
        self._caller = Caller(way, connection, admin, fetcher, admin=True)

    async def prove(self) -> None:
        await self._caller.get(self._url("costs"), {"start_time": str(days_ago() // 1000), "limit": "1"})

    async def account(self) -> AccountReport:
        figures: list[Figure] = []
        notes: list[str] = []
        limit = await _optional(self._caller.get(self._url("spend_limit")), "The spending limit", notes)
        if limit is not None:
            figures += _limit(limit)
        project = self._project or await self._only_project(notes)
        if project is not None:
            url = self._url(f"projects/{quote(project, safe='')}/rate_limits")
            found = await _optional(self._caller.get(url, {"limit": "100"}), "The rate limits", notes)
            figures += _rates(found or {})
        return AccountReport(tuple(figures), tuple(notes))

    async def usage(self, since: int, until: int) -> VendorUsage:
        kinds: list[tuple[str, list[Entry]]] = []
        for name in _CLASSES:
            params = {
                "start_time": str(since // 1000), "bucket_width": "1d", "limit": _USAGE_PAGE, "group_by[]": "model",
            }  # fmt: skip
            try:
                pages = await self._caller.pages(self._url(f"usage/{name}"), params)
            except ProviderError as error:
                if error.status == 404 and name != _CLASSES[0]:
                    continue  # a copy of the API that does not know this kind
                raise
            kinds.append(("" if name == _CLASSES[0] else name, pages))
        params = {"start_time": str(since // 1000), "bucket_width": "1d", "limit": _COST_PAGE, "group_by[]": "line_item"}  # fmt: skip
        pages = await self._caller.pages(self._url("costs"), params)
        # a year of many models takes longer to read than the screen may wait
        return await asyncio.to_thread(_whole, kinds, pages, (since, midnight(until, 1)))

    async def aclose(self) -> None:
        await self._caller.aclose()

    async def _only_project(self, notes: list[str]) -> str | None:
        """The organization's project where it has just one."""
        page = await _optional(self._caller.get(self._url("projects"), {"limit": "2"}), "The projects", notes)
        if page is None:
            return None
        ids = [found for one in entries(page.get("data")) if (found := text(one.get("id")))]
        if len(ids) == 1 and page.get("has_more") is not True:
            return ids[0]
        notes.append("Rate limits belong to a project: set the provider's option project=proj_….")
        return None

    def _url(self, call: str) -> str:
        return endpoint(self._base, f"organization/{call}")


def _whole(kinds: Sequence[tuple[str, Sequence[Entry]]], bill: Sequence[Entry], span: tuple[int, int]) -> VendorUsage:  # fmt: skip
    used = (one for item, pages in kinds for page in pages for one in _used(page, item))
    return VendorUsage(added_up(used), added_up(one for page in bill for one in _billed(page)), span)


async def _optional(call: Awaitable[Entry], what: str, notes: list[str]) -> Entry | None:
    """What not every account or key has; None, and a note, where it is not there."""
    try:
        return await call
    except ProviderError as error:
        if error.status == 404:
            return None
        if error.status != 403:
            raise
        notes.append(f"{what} cannot be read with this key.")
        return None


def _limit(found: Entry) -> list[Figure]:
    amount = cents(found.get("threshold_amount"))
    if amount is None:
        return []
    unit = text(found.get("currency"), 8).upper() or "USD"
    status = text(inner(found, "enforcement").get("status"), 40)
    words = {"enforcing": "reached: requests are refused", "inactive": "not reached"}.get(status, status)
    return [Figure("spending limit", "limit", amount, unit, per=text(found.get("interval"), 20), text=words)]


def _rates(page: Entry) -> list[Figure]:
    figures = []
    for one in entries(page.get("data"))[:_MOST_LIMITS]:
        model = text(one.get("model"))
        for field, unit in (
            ("max_requests_per_1_minute", "requests/min"),
            ("max_tokens_per_1_minute", "tokens/min"),
        ):
            limit = whole(one, field)
            if model and limit is not None:
                figures.append(Figure(model, "rate", Decimal(limit), unit))
    return figures


def _buckets(page: Entry) -> list[tuple[int, int, Entry]]:
    """(start, end, result) of each result; a bucket without times is none."""
    found = []
    for bucket in entries(page.get("data")):
        start, end = unix_ms(bucket.get("start_time")), unix_ms(bucket.get("end_time"))
        if start is not None and end is not None and end > start:
            found += [(start, end, result) for result in entries(bucket.get("results"))]
    return found


def _used(page: Entry, item: str) -> list[VendorBucket]:
    return [
        VendorBucket(
            start, end, text(one.get("model")), item,
            requests=whole(one, "num_model_requests"),
            input=whole(one, "input_tokens"),
            output=whole(one, "output_tokens"),
            cache_read=whole(one, "input_cached_tokens"),
            cache_write=whole(one, "input_cache_write_tokens"),
        )
        for start, end, one in _buckets(page)
    ]  # fmt: skip


def _billed(page: Entry) -> list[VendorBucket]:
    found = []
    for start, end, one in _buckets(page):
        amount = inner(one, "amount")
        item, currency = text(one.get("line_item")), text(amount.get("currency"), 8).upper() or "USD"
        line = _LINE.fullmatch(item)
        cost = dollars(amount.get("value"))
        if currency != "USD":  # never added to dollars
            item, cost = f"{item} ({currency})".strip(), None
        found.append(VendorBucket(start, end, line[1] if line else "", item, cost=cost))
    return found
