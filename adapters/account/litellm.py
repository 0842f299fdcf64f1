"""A LiteLLM gateway: what this key spent by the gateway's price list, and its limits (WIRE section 10)."""

from __future__ import annotations

from pydantic import SecretStr

from adapters.abilities import AccountReport, Figure
from adapters.account.caller import Caller, beside
from adapters.account.read import dollars, inner, number, text
from adapters.account.ways import Way
from adapters.base import Connection
from adapters.fetch import Fetcher


class Reporter:
    """Implements adapters.abilities.ReportsAccount with the usual key."""

    def __init__(
        self,
        way: Way,
        connection: Connection,
        admin: SecretStr | None,  # noqa: ARG002
        fetcher: Fetcher,
    ) -> None:
        self._url = f"{beside(connection.base_url)}/key/info"
        self._caller = Caller(way, connection, connection.key, fetcher, admin=False)

    async def prove(self) -> None:
        await self._caller.get(self._url)

    async def account(self) -> AccountReport:
        info = inner(await self._caller.get(self._url), "info")
        limit = dollars(info.get("max_budget"))
        figures = [Figure("spent with this key", "spent", dollars(info.get("spend")))]
        if limit is not None:
            figures.append(
                Figure("limit of this key", "limit", limit, per=text(info.get("budget_duration"), 20))
            )
        elif "max_budget" in info:
            figures.append(Figure("limit of this key", "limit", None, text="none"))
        for field, unit in (("rpm_limit", "requests/min"), ("tpm_limit", "tokens/min")):
            if (rate := number(info.get(field))) is not None:
                figures.append(Figure("this key", "rate", rate, unit))
        for field, name in (("budget_reset_at", "limit starts anew"), ("expires", "this key ends")):
            if when := text(info.get(field), 40):
                figures.append(Figure(name, "fact", None, unit="", text=when))
        return AccountReport(tuple(figures))

    async def usage(self, since: int, until: int) -> None:  # noqa: ARG002
        return None

    async def aclose(self) -> None:
        await self._caller.aclose()
