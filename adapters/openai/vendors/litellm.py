"""LiteLLM's proxy: `/key/info` says how a virtual key stands (WIRE sections 9 and 10)."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.counts import money
from adapters.errors import InvalidCredentialsError, NoCreditError
from adapters.openai.vendors import AboutKey, Vendor

MARK = "x-litellm"
"""How the headers begin that tell this server from others."""


def read(slug: str, answer: Mapping[str, object]) -> str:
    """`$3.20 of $10.00 spent`; raises for a key that is blocked, or whose budget is spent."""
    info = answer.get("info")
    if not isinstance(info, dict):
        return ""
    if info.get("blocked") is True:
        raise InvalidCredentialsError(
            f"The key of {slug} is blocked.",
            hint="Ask who runs the proxy, or enter another key.",
            provider=slug,
            status=200,
        )
    spent, budget = money(info.get("spend")), money(info.get("max_budget"))
    if spent is None or budget is None:
        return ""
    if spent >= budget:
        raise NoCreditError(
            f"The budget of the key is spent: ${budget:,.2f}.",
            hint="Ask who runs the proxy, or use another key.",
            provider=slug,
            status=200,
        )
    return f"${spent:,.2f} of ${budget:,.2f} spent"


VENDOR = Vendor(about_key=AboutKey("/key/info", read))
