"""Hugging Face: whose token it is, whether it can pay, and when its period ends (WIRE sections 7, 10)."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import SecretStr

from adapters.abilities import AccountReport, Figure
from adapters.account.caller import Caller, root
from adapters.account.read import day, text, unix_ms
from adapters.account.ways import Way
from adapters.base import Connection
from adapters.fetch import Fetcher

_HUB = "https://huggingface.co"


class Reporter:
    """Implements adapters.abilities.ReportsAccount with the usual key."""

    def __init__(
        self,
        way: Way,
        connection: Connection,
        admin: SecretStr | None,  # noqa: ARG002
        fetcher: Fetcher,
    ) -> None:
        host = urlsplit(connection.base_url).hostname or ""
        hub = _HUB if f".{host}".endswith(".huggingface.co") else root(connection.base_url)
        self._url = f"{hub}/api/whoami-v2"
        self._caller = Caller(way, connection, connection.key, fetcher, admin=False)

    async def prove(self) -> None:
        await self._caller.get(self._url)

    async def account(self) -> AccountReport:
        found = await self._caller.get(self._url)
        figures = []
        if name := text(found.get("name")):
            figures.append(Figure("account", "fact", None, unit="", text=name))
        if isinstance(found.get("canPay"), bool):
            words = "yes" if found["canPay"] else "no: only what is free"
            figures.append(Figure("can pay", "fact", None, unit="", text=words))
        if (end := unix_ms(found.get("periodEnd"))) is not None:
            figures.append(Figure("period ends", "fact", None, unit="", text=day(end)))
        return AccountReport(tuple(figures))

    async def usage(self, since: int, until: int) -> None:  # noqa: ARG002
        return None

    async def aclose(self) -> None:
        await self._caller.aclose()
