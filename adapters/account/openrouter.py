"""OpenRouter: the key's own limit and spending; with a management key the credits and 30 days by model (WIRE sections 8, 10)."""

from __future__ import annotations

from decimal import Decimal

from pydantic import SecretStr

from adapters.abilities import AccountReport, Figure, VendorBucket, VendorUsage
from adapters.account.caller import Caller
from adapters.account.read import (
    DAY_MS,
    Entry,
    added_up,
    dollars,
    entries,
    inner,
    iso_ms,
    midnight,
    text,
    unexpected,
    whole,
)
from adapters.account.ways import Way
from adapters.base import Connection
from adapters.fetch import Fetcher
from adapters.openai.endpoint import endpoint

_DAYS = 30
_SPENT = (("usage", ""), ("usage_daily", "day"), ("usage_weekly", "week"), ("usage_monthly", "month"))


class Reporter:
    """Implements adapters.abilities.ReportsAccount."""

    def __init__(self, way: Way, connection: Connection, admin: SecretStr | None, fetcher: Fetcher) -> None:
        self._base = connection.base_url
        self._own = Caller(way, connection, connection.key, fetcher, admin=False) if connection.key else None
        self._admin = Caller(way, connection, admin, fetcher, admin=True) if admin else None

    async def prove(self) -> None:
        if self._admin is not None:
            await self._admin.get(self._url("credits"))

    async def account(self) -> AccountReport:
        figures: list[Figure] = []
        if self._admin is not None:
            figures += _credits(inner(await self._admin.get(self._url("credits")), "data"))
        if self._own is not None:
            figures += _key(inner(await self._own.get(self._url("key")), "data"))
        return AccountReport(tuple(figures))

    async def usage(self, since: int, until: int) -> VendorUsage | None:
        if self._admin is None:
            return None
        page = await self._admin.get(self._url("activity"))
        if not isinstance(page.get("data"), list):
            raise unexpected(self._admin.origin.slug, "something that is no list of figures")
        today = midnight(until)
        span = (max(since, today - _DAYS * DAY_MS), today)
        used: list[VendorBucket] = []
        costs: list[VendorBucket] = []
        for one in entries(page.get("data")):
            start = iso_ms(str(one.get("date", ""))[:10])
            if start is None:
                continue
            model, served = text(one.get("model")), text(one.get("provider_name"), 60)
            used.append(
                VendorBucket(
                    start, start + DAY_MS, model, served,
                    requests=whole(one, "requests"),
                    input=whole(one, "prompt_tokens"),
                    output=whole(one, "completion_tokens"),
                )
            )  # fmt: skip
            costs.append(VendorBucket(start, start + DAY_MS, model, served, cost=dollars(one.get("usage"))))
        return VendorUsage(added_up(used), added_up(costs), span)

    async def aclose(self) -> None:
        for caller in (self._own, self._admin):
            if caller is not None:
                await caller.aclose()

    def _url(self, call: str) -> str:
        return endpoint(self._base, call)


def _credits(data: Entry) -> list[Figure]:
    bought, used = dollars(data.get("total_credits")), dollars(data.get("total_usage"))
    left: Decimal | None = None if bought is None or used is None else bought - used
    return [
        Figure("credit left", "balance", left),
        Figure("credits bought", "fact", bought),
        Figure("credits used", "spent", used),
    ]


def _key(data: Entry) -> list[Figure]:
    """A limit of null is none: the key may use all the credit there is."""
    figures = [
        Figure("spent with this key", "spent", amount, per=per)
        for name, per in _SPENT
        if (amount := dollars(data.get(name))) is not None
    ]
    limit = dollars(data.get("limit"))
    if limit is not None:
        figures.append(Figure("limit of this key", "limit", limit, per=text(data.get("limit_reset"), 20)))
        figures.append(Figure("left to this key", "balance", dollars(data.get("limit_remaining"))))
    elif "limit" in data:
        figures.append(Figure("limit of this key", "limit", None, text="none"))
    if data.get("is_free_tier") is True:
        figures.append(Figure("free tier", "fact", None, unit="", text="no credit was ever bought"))
    if ends := text(data.get("expires_at"), 40):
        figures.append(Figure("this key ends", "fact", None, unit="", text=ends))
    return figures
