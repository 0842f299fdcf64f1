"""DeepSeek's balance, in each currency apart: texts that are never added up (WIRE section 10)."""

from __future__ import annotations

from pydantic import SecretStr

from adapters.abilities import AccountReport, Figure
from adapters.account.caller import Caller, root
from adapters.account.read import entries, number, text, unexpected
from adapters.account.ways import Way
from adapters.base import Connection
from adapters.fetch import Fetcher

_PARTS = (("total_balance", "balance"), ("granted_balance", "of it granted"), ("topped_up_balance", "of it topped up"))  # fmt: skip


class Reporter:
    """Implements adapters.abilities.ReportsAccount with the usual key."""

    def __init__(
        self,
        way: Way,
        connection: Connection,
        admin: SecretStr | None,  # noqa: ARG002
        fetcher: Fetcher,
    ) -> None:
        self._url = f"{root(connection.base_url)}/user/balance"
        self._caller = Caller(way, connection, connection.key, fetcher, admin=False)

    async def prove(self) -> None:
        await self._caller.get(self._url)

    async def account(self) -> AccountReport:
        found = await self._caller.get(self._url)
        if not isinstance(found.get("balance_infos"), list):
            raise unexpected(self._caller.origin.slug, "something that is no balance")
        figures = [
            Figure(name, "balance" if field == "total_balance" else "fact", number(one.get(field)), currency)
            for one in entries(found.get("balance_infos"))
            if (currency := text(one.get("currency"), 8).upper())
            for field, name in _PARTS
        ]
        if found.get("is_available") is False:
            figures.append(
                Figure("usable", "fact", None, unit="", text="no: the balance does not suffice for calls")
            )
        return AccountReport(tuple(figures))

    async def usage(self, since: int, until: int) -> None:  # noqa: ARG002
        return None

    async def aclose(self) -> None:
        await self._caller.aclose()
