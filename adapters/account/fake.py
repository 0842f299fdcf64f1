"""The accounts of the demo: the same figures for the same days, made up here and asked of nobody."""

from __future__ import annotations

from decimal import Decimal

from pydantic import SecretStr

from adapters.abilities import AccountReport, Figure, VendorBucket, VendorUsage
from adapters.account.read import DAY_MS, midnight
from adapters.account.ways import Way
from adapters.base import Connection
from adapters.fetch import Fetcher

_MODELS = {
    "openai": (("gpt-4o", 61), ("gpt-4o-mini", 37)),
    "anthropic": (("claude-sonnet-4-5", 53), ("claude-haiku-4-5", 29)),
}
_REPORTS = {
    "openai": (
        Figure("spending limit", "limit", Decimal(200), per="month", text="not reached"),
        Figure("gpt-4o", "rate", Decimal(10_000), "requests/min"),
        Figure("gpt-4o", "rate", Decimal(2_000_000), "tokens/min"),
    ),
}
_WEEK = (7, 9, 10, 9, 8, 3, 2)


class Reporter:
    """Implements adapters.abilities.ReportsAccount."""

    def __init__(
        self,
        way: Way,
        connection: Connection,
        admin: SecretStr | None,
        fetcher: Fetcher,  # noqa: ARG002
    ) -> None:
        self._vendor = connection.catalog_id or ""

    async def prove(self) -> None:
        """The demo takes any key."""

    async def account(self) -> AccountReport:
        return AccountReport(_REPORTS.get(self._vendor, ()))

    async def usage(self, since: int, until: int) -> VendorUsage:
        used: list[VendorBucket] = []
        costs: list[VendorBucket] = []
        end = midnight(until, 1)
        for start in range(midnight(since), end, DAY_MS):
            day = start // DAY_MS
            for model, share in _MODELS.get(self._vendor, ()):
                requests = _WEEK[day % 7] * share // 10 + day * share % 5
                tokens = requests * 1_900
                where = (start, start + DAY_MS, model)
                used.append(
                    VendorBucket(
                        *where, requests=requests, input=tokens, output=tokens // 6, cache_read=tokens // 4
                    )
                )
                costs += [
                    VendorBucket(*where, f"{model}, input", cost=Decimal(tokens * share).scaleb(-8)),
                    VendorBucket(*where, f"{model}, output", cost=Decimal(tokens * share).scaleb(-8) * 4 / 6),
                ]
        return VendorUsage(tuple(used), tuple(costs), (since, end))

    async def aclose(self) -> None:
        """Nothing is open."""
