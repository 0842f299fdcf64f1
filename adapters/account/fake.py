"""The accounts of the demo: limits made up here and asked of nobody; what was billed lies in the demo's store."""

from __future__ import annotations

from decimal import Decimal

from pydantic import SecretStr

from adapters.abilities import AccountReport, Figure, VendorUsage
from adapters.account.ways import Way
from adapters.base import Connection
from adapters.fetch import Fetcher

_REPORTS = {
    "openai": (
        Figure("spending limit", "limit", Decimal(200), per="month", text="not reached"),
        Figure("gpt-6.1-sol", "rate", Decimal(10_000), "requests/min"),
        Figure("gpt-6.1-sol", "rate", Decimal(2_000_000), "tokens/min"),
    ),
}


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

    async def usage(self, since: int, until: int) -> VendorUsage | None:  # noqa: ARG002
        """Nothing new: what its runs were billed is there from the start."""
        return None

    async def aclose(self) -> None:
        """Nothing is open."""
