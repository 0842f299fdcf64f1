"""What was counted here beside what the vendor billed, by provider or model, and why the two differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from catalog.money import from_nanos
from services.billed_gap import Gap, Side, Tokens, explain
from services.billed_source import check_group, utc_days
from services.clock import DAY_MS
from services.usage_source import RollupSource, known_cost

if TYPE_CHECKING:
    from catalog.types import Price
    from services.container import Services
    from store.rollups import UsageRow
    from store.vendor_usage import VendorTotal, VendorUsage

ALL_MODELS = "*"
"""Stands for every model of a provider whose bill names none."""
_DATED = re.compile(r"(?:[-@](?:20\d\d-?\d\d-?\d\d|\d{4}|latest))$")


@dataclass(frozen=True, slots=True)
class Compared:
    """One provider or model, from both sides. Costs are USD; None: not known, or not stated."""

    key: str
    here_runs: int
    here: Tokens
    here_cost: Decimal | None
    billed: Tokens | None
    """None: the vendor states no tokens."""
    billed_cost: Decimal | None
    gap: Gap | None
    """The bill less what was counted here; None: one of the two is not known."""
    unknown: int = 0
    """Runs here whose cost nobody knows; they count as nothing in the gap."""
    also: tuple[str, ...] = ()
    """Further providers of the same account: what they used here is in it, the bill is in it once."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides of a range, over the days of which the vendors said something."""

    lines: tuple[Compared, ...]
    """The largest gap first."""
    total: Compared
    spans: Mapping[str, tuple[int, int]]
    """Provider → [first, last) of the UTC days that are compared."""
    untold: tuple[str, ...]
    """Providers that were used here and of which nothing was stated."""


async def compare(services: Services, since: int, until: int, group: str | None) -> Comparison:
    """[since, until) as the vendors' days; by `provider`, `model`, or None (one line over everything)."""
    from store.vendor_usage import VendorUsage

    check_group(group)
    first, last = utc_days([since, until])
    held = VendorUsage(services.db)
    source = RollupSource(services.db)
    sides: list[tuple[str, list[tuple[Side, int, int]]]] = []
    spans: dict[str, tuple[int, int]] = {}
    shared = await held.shared()
    for slug in await held.counted():
        span = await _told(held, slug, first, last)
        if span is not None:
            spans[slug] = span
            sides.append((slug, await _sides(services, held, source, (slug, *shared.get(slug, ())), span)))
    told = {one for slug in spans for one in (slug, *shared.get(slug, ()))}
    used = {row.key for row in await source.totals(first, last, "provider") if row.attempts}
    lines = [
        replace(line, also=shared.get(slug, ()))
        for slug, found in sides
        for line in _lines(slug, found, group)
    ]
    every = [side for _, found in sides for side in found]
    lines.sort(key=lambda line: (-abs(line.gap.total) if line.gap else Decimal(0), line.key))
    return Comparison(tuple(lines), _compared("", every), spans, tuple(sorted(used - told)))


async def told(services: Services, since: int, until: int) -> dict[str, tuple[int, int]]:
    """Provider → the UTC days of [since, until) of which its vendor told, also where another holds the bill of its account."""
    from store.vendor_usage import VendorUsage

    held = VendorUsage(services.db)
    shared = await held.shared()
    found: dict[str, tuple[int, int]] = {}
    for slug in await held.counted():
        span = await _told(held, slug, *utc_days([since, until]))
        if span is not None:
            found |= dict.fromkeys((slug, *shared.get(slug, ())), span)
    return found


async def _told(held: VendorUsage, slug: str, first: int, last: int) -> tuple[int, int] | None:
    """The days in the range of which a vendor stated costs; where it states none, its usage."""
    found = await held.coverage(slug)
    for kind in ("cost", "usage"):
        of_kind = [one for one in found if one.kind == kind]
        if of_kind:
            start = max(first, min(one.first_at for one in of_kind) // DAY_MS * DAY_MS)
            end = min(last, -(-max(one.last_end for one in of_kind) // DAY_MS) * DAY_MS)
            return (start, end) if start < end else None
    return None


async def _sides(
    services: Services, held: VendorUsage, source: RollupSource, slugs: tuple[str, ...], span: tuple[int, int]
) -> list[tuple[Side, int, int]]:
    """(both sides, runs here, runs here of unknown cost) of each model; a line of the bill without a model is one, too.

    The first of the providers holds the bill; the others have the same account.
    """
    slug = slugs[0]
    prefix = f"{slug}/"
    here: dict[str, UsageRow] = {}
    own: dict[str, int] = {}
    every_own = await source.own(*span, "model")
    for used in await source.totals(*span, "model"):
        whose, _, model = used.key.partition("/")
        if whose in slugs and used.attempts:
            here[model] = _together(here[model], used) if model in here else used
            own[model] = own.get(model, 0) + every_own.get(used.key, 0)
    billed: dict[str, list[VendorTotal]] = {}
    for total in await held.totals(*span, "model", provider=slug):
        name = total.key.removeprefix(prefix)
        billed.setdefault(matching(name, here) if name else "", []).append(total)
    found = []
    for model in sorted({*here, *billed}):
        row, totals = here.get(model), billed.get(model, [])
        side = Side(
            model,
            here=_tokens(row),
            here_cost=Decimal(0) if row is None else known_cost(row, own.get(model, 0)),
            billed=_stated(totals),
            billed_cost=_money(totals),
        )
        if model and totals:
            side = replace(side, price=await _price(services, f"{slug}/{model}"))
        elif not totals:  # a model that the bill does not name: nothing was billed of it
            side = replace(side, billed=Tokens(), billed_cost=Decimal(0))
        found.append((side, row.runs if row else 0, row.unknown_attempts if row else 0))
    by_model = any(side.model and side.billed_cost for side, _, _ in found)
    return found if by_model or not any(side.billed_cost for side, _, _ in found) else [_folded(found)]


def _folded(found: list[tuple[Side, int, int]]) -> tuple[Side, int, int]:
    """All models as one, where a bill names none: nothing can be told apart then."""
    line = _compared("", found)
    side = Side(ALL_MODELS, line.here, line.here_cost, line.billed, line.billed_cost)
    return side, line.here_runs, line.unknown


def matching(billed: str, here: Iterable[str]) -> str:
    """The model of here that a vendor's id means: itself, or the one that it is a dated edition of."""
    known = set(here)
    if billed in known:
        return billed
    bare = _DATED.sub("", billed)
    return next((name for name in sorted(known) if _DATED.sub("", name) == bare), billed)


async def _price(services: Services, ref: str) -> Price | None:
    from services.tariff import tariff_of

    try:
        return tariff_of(await services.models.get(ref)).price
    except SwitchroomError:
        return None  # the provider is gone


def _together(one: UsageRow, other: UsageRow) -> UsageRow:
    """The same model used through two providers."""
    sums = {
        name: getattr(one, name) + getattr(other, name)
        for name in one.__slots__
        if name not in ("key", "start_ms")
    }
    return replace(one, **sums)


def _tokens(row: UsageRow | None) -> Tokens:
    if row is None:
        return Tokens(requests=0)
    return Tokens(row.input, row.output, row.cache_read, row.cache_write, row.runs)


def _stated(totals: list[VendorTotal]) -> Tokens | None:
    if all(one.input is None and one.output is None for one in totals):
        return None
    requests = [one.requests for one in totals if one.requests is not None]
    return Tokens(
        sum(one.input or 0 for one in totals),
        sum(one.output or 0 for one in totals),
        sum(one.cache_read or 0 for one in totals),
        sum(one.cache_write or 0 for one in totals),
        sum(requests) if requests else None,
    )


def _money(totals: list[VendorTotal]) -> Decimal | None:
    known = [one.cost_nanos for one in totals if one.cost_nanos is not None]
    return from_nanos(sum(known)) if known else None


def _lines(slug: str, found: list[tuple[Side, int, int]], group: str | None) -> list[Compared]:
    if group == "provider":
        return [_compared(slug, found)]
    if group == "model":
        return [_compared(f"{slug}/{one[0].model}", [one]) for one in found]
    return []


def _compared(key: str, found: list[tuple[Side, int, int]]) -> Compared:
    sides = [side for side, _, _ in found]
    here = [side.here_cost for side in sides if side.here_cost is not None]
    billed = [side.billed_cost for side in sides if side.billed_cost is not None]
    stated = [side.billed for side in sides if side.billed is not None]
    whole = sum(billed, Decimal(0)) if billed else None
    return Compared(
        key=key,
        here_runs=sum(runs for _, runs, _ in found),
        here=_added([side.here for side in sides]),
        here_cost=sum(here, Decimal(0)) if here else None,
        billed=_added(stated) if stated else None,
        billed_cost=whole,
        gap=explain(sides) if whole is not None else None,
        unknown=sum(unknown for _, _, unknown in found),
    )


def _added(parts: list[Tokens]) -> Tokens:
    requests = [one.requests for one in parts if one.requests is not None]
    return Tokens(
        sum(one.input for one in parts),
        sum(one.output for one in parts),
        sum(one.cache_read for one in parts),
        sum(one.cache_write for one in parts),
        sum(requests) if requests else None,
    )
