"""What vendors state of an account: used, billed, left. Apart from the dialects: one small module a vendor."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from adapters.account.ways import Way, way_of, why_none

if TYPE_CHECKING:
    from pydantic import SecretStr

    from adapters.abilities import ReportsAccount
    from adapters.base import Connection
    from adapters.fetch import Fetcher

__all__ = ["Way", "preload", "reporter", "way_of", "why_none"]


def reporter(way: Way, connection: Connection, admin: SecretStr | None, fetcher: Fetcher) -> ReportsAccount:
    """Who asks this vendor; `connection` has the usual key, `admin` is the second one. The caller closes it."""
    module = import_module(f"adapters.account.{way.vendor}")
    return cast("ReportsAccount", module.Reporter(way, connection, admin, fetcher))


def preload(way: Way) -> None:
    """Import what `reporter` needs. May run in a thread."""
    import_module(f"adapters.account.{way.vendor}")
