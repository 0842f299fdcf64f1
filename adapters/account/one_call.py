"""An account that one call with the usual key tells all of; no bills by day."""

from __future__ import annotations

from pydantic import SecretStr

from adapters.abilities import AccountReport, Figure
from adapters.account.caller import Caller
from adapters.account.read import Entry
from adapters.account.ways import Way
from adapters.base import Connection
from adapters.fetch import Fetcher


class OneCall:
    """Implements adapters.abilities.ReportsAccount. A vendor gives the address and reads the figures."""

    def __init__(
        self,
        way: Way,
        connection: Connection,
        admin: SecretStr | None,  # noqa: ARG002
        fetcher: Fetcher,
    ) -> None:
        self._url = self.address(connection.base_url)
        self._caller = Caller(way, connection, connection.key, fetcher, admin=False)

    @staticmethod
    def address(base_url: str) -> str:
        raise NotImplementedError

    def figures(self, found: Entry) -> list[Figure]:
        raise NotImplementedError

    async def prove(self) -> None:
        await self._caller.get(self._url)

    async def account(self) -> AccountReport:
        return AccountReport(tuple(self.figures(await self._caller.get(self._url))))

    async def usage(self, since: int, until: int) -> None:  # noqa: ARG002
        return None

    async def aclose(self) -> None:
        await self._caller.aclose()
