"""What the demo's vendors billed: the demo's own runs, a few that came another way, a dearer model, a line that is no tokens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.clock import DAY_MS

if TYPE_CHECKING:
    from store.ledger import AttemptRow
    from store.vendor_usage import VendorRow

DAYS = 35
_BILLED = {"openai-prod": 100, "anthropic": 112}
"""Provider → per cent of its counted tokens that were billed: a colleague uses the same account of one."""
_DEARER = {("openai-prod", "gpt-6.1-sol"): 104}
"""Per cent of the list price that is billed: a price that rose and is not in the lists yet."""
_SEARCHES = 12_000_000
"""Nano-dollars for the web searches of a working day, at openai-prod."""


@dataclass(slots=True)
class _Sum:
    requests: int = 0
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cost: int = 0


def bills(rows: Iterable[AttemptRow], now: int) -> list[VendorRow]:
    """Usage by model and costs by line item per UTC day, as the API of each vendor would have stated them."""
    from store.vendor_usage import API, VendorRow

    since = (now // DAY_MS - DAYS + 1) * DAY_MS
    days: dict[tuple[str, int, str], _Sum] = {}
    for row in rows:
        if row.provider in _BILLED and row.at >= since and row.cost_nanos:
            one = days.setdefault((row.provider, row.at // DAY_MS * DAY_MS, row.model), _Sum())
            one.requests += 1
            one.input += row.input or 0
            one.output += row.output or 0
            one.cache_read += row.cache_read or 0
            one.cost += row.cost_nanos
    found: list[VendorRow] = []
    for (slug, start, model), one in sorted(days.items()):
        share, end = _BILLED[slug], start + DAY_MS
        found.append(
            VendorRow(slug, start, "usage", model, "", API, end, requests=-(-one.requests * share // 100),
                      input=one.input * share // 100, output=one.output * share // 100,
                      cache_read=one.cache_read * share // 100, fetched_at=now)
        )  # fmt: skip
        cost = one.cost * share // 100 * _DEARER.get((slug, model), 100) // 100
        part = cost * one.input // max(1, one.input + 5 * one.output)
        found += [
            VendorRow(slug, start, "cost", model, item, API, end, cost_nanos=nanos, fetched_at=now)
            for item, nanos in ((f"{model}, input", part), (f"{model}, output", cost - part))
        ]
    working = {
        start for slug, start, _ in days if slug == "openai-prod" and start // DAY_MS % 7 not in (2, 3)
    }
    return found + [
        VendorRow("openai-prod", start, "cost", "", "web search tool calls", API, start + DAY_MS,
                  cost_nanos=_SEARCHES, fetched_at=now)
        for start in sorted(working)
    ]  # fmt: skip
