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
    "openai": (("gpt-6.1-sol", 24, 8_000, 840, 2, 10), ("gpt-6-luna", 31, 2_600, 160, 0.1, 0.5), ("gpt-5.4-mini", 9, 4_100, 900, 0.75, 4.5)),
    "anthropic": (("claude-sonnet-5-5", 12, 15_000, 1_200, 2, 10), ("claude-opus-5-5", 3, 19_000, 2_100, 4, 20), ("claude-haiku-4-5", 5, 1_900, 210, 1, 5)),
}  # fmt: skip
"""Model, requests of a usual day, tokens in and out of one, USD per million of them."""
_REPORTS = {
    "openai": (
        Figure("spending limit", "limit", Decimal(200), per="month", text="not reached"),
        Figure("gpt-6.1-sol", "rate", Decimal(10_000), "requests/min"),
        Figure("gpt-6.1-sol", "rate", Decimal(2_000_000), "tokens/min"),
    ),
}
_WEEK = (7, 9, 10, 9, 8, 3, 2)
"""Tenths of a usual day."""


class Reporter:
    """Implements adapters.abilities.ReportsAccount."""

    def __init__(
        self,
        way: Way,  # noqa: ARG002
        connection: Connection,
        admin: SecretStr | None,  # noqa: ARG002
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
            for model, usual, sent, back, *prices in _MODELS.get(self._vendor, ()):
                requests = _WEEK[day % 7] * usual // 10 + day * usual % 5
                dear, dearer = (Decimal(str(price)).scaleb(-6) for price in prices)
                where = (start, start + DAY_MS, model)
                tokens, out = requests * sent, requests * back
                used.append(
                    VendorBucket(*where, requests=requests, input=tokens, output=out, cache_read=tokens // 4)
                )
                costs.append(VendorBucket(*where, f"{model}, input", cost=tokens * dear))
                costs.append(VendorBucket(*where, f"{model}, output", cost=out * dearer))
        return VendorUsage(tuple(used), tuple(costs), (since, end))

    async def aclose(self) -> None:
        """Nothing is open."""
