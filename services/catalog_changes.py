"""What changed in the catalog and what it affects: price rises first, models that end, new ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from catalog.errors import NotFoundError
from catalog.lookup import plain
from services.clock import DAY_MS, now_ms
from services.sync_diff import SyncChange, usd

if TYPE_CHECKING:
    from services.container import Services
    from services.dependents import Affected
    from services.models import ModelView
    from store.catalog_runs import CatalogRunRow

Kind = Literal["dearer", "doubted", "ending", "new", "cheaper", "price", "changed", "gone"]
"""`doubted`: a price that a source sent and that was not believed."""
_ORDER: tuple[Kind, ...] = ("dearer", "doubted", "ending", "new", "cheaper", "price", "changed", "gone")

DAYS = 30
"""How far back changes are shown."""
_QUIET = frozenset(
    {"name", "family", "release_date", "knowledge_cutoff", "open_weights", "modalities_in", "modalities_out"}
)
"""Fields whose changes nobody acts on; the models' pages have them."""
_ABOVE = {"typed": "the price you typed in", "live": "the provider's own list", "user": "your catalog file"}
"""Whose price stands over the catalog's, in words."""


@dataclass(frozen=True, slots=True)
class CatalogChange:
    """One thing that is different, or about to be."""

    kind: Kind
    vendor: str
    model: str
    field: str = ""
    old: object = None
    """As JSON has it; None: unknown."""
    new: object = None
    at: int | None = None
    """UTC ms when it was found; None: it stands in the catalog now."""
    source: str = ""
    """The list that said so."""
    ends: str | None = None
    """The shutdown date, ISO; None: not announced."""
    days: int | None = None
    """Until then; negative: it has passed."""
    refs: tuple[str, ...] = ()
    """The model under each provider that has it."""
    uses: tuple[str, ...] = ()
    """What rests on it, in words."""
    above: tuple[tuple[str, str], ...] = ()
    """(model, whose price is billed there instead), of a changed price that is not in force everywhere."""

    @property
    def in_force(self) -> bool:
        """False: no model of the user's is billed by it."""
        return len(self.above) < len(self.refs)

    @property
    def rise(self) -> Decimal | None:
        """The change of a price as a share of the old one; None where there is none to tell."""
        return SyncChange("price", self.model, self.field, self.old, self.new).rise if self.field.startswith("price") else None  # fmt: skip


async def changes(services: Services, since: int | None = None) -> list[CatalogChange]:
    """What changed since then (default: 30 days), and which models of this user's providers end.

    The user's own come first, price rises before all else.
    """
    from store.catalog_runs import CatalogRuns

    since = now_ms() - DAYS * DAY_MS if since is None else since
    found = await asyncio.to_thread(_newest, await CatalogRuns(services.db).changed(since))
    views = await _by_model(services)
    ending = {(change.vendor, change.model): change for change in _ending(views)}
    rest = [
        change
        for change in found
        if change.field not in ("status", "shutdown_date") or (change.vendor, change.model) not in ending
    ]
    return await _affected(services, [*ending.values(), *rest], views)


def _rank(change: CatalogChange) -> tuple[bool, int, bool, Decimal, str, str, str]:
    return (
        not change.refs, _ORDER.index(change.kind), not change.uses, -(change.rise or Decimal(0)),
        change.ends or "", f"{change.vendor}/{change.model}", change.field,
    )  # fmt: skip


def _newest(runs: Sequence[CatalogRunRow]) -> list[CatalogChange]:
    """Of each field the last change, and a doubt where the price did not change after it. The newest run is first."""
    found: dict[tuple[str, str, str, bool], CatalogChange] = {}
    for run in runs:
        for change in _read(run.diff_json, run.started_at, run.source):
            doubted = change.kind == "doubted"
            if not doubted or (change.vendor, change.model, change.field, False) not in found:
                found.setdefault((change.vendor, change.model, change.field, doubted), change)
    return list(found.values())


def _read(text: str | None, at: int, source: str) -> Iterable[CatalogChange]:
    """The changes of a stored diff."""
    stored: Mapping[str, Mapping[str, Any]] = json.loads(text or "{}")
    for vendor, diff in stored.items():
        for doubt in diff.get("doubted", ()):
            yield CatalogChange(
                "doubted", vendor, doubt["id"], doubt["field"], doubt["old"], doubt["new"], at, source
            )
        yield from (CatalogChange("new", vendor, model, at=at, source=source) for model in diff["added"])
        yield from (CatalogChange("gone", vendor, model, at=at, source=source) for model in diff["removed"])
        for change in diff["updated"]:
            name, old, new = change["field"], change["old"], change["new"]
            if name in _QUIET:
                continue
            yield CatalogChange(
                _kind(name, old, new), vendor, change["id"], name, old, new, at, source,
                ends=new if name == "shutdown_date" and isinstance(new, str) else None,
                days=days_until(new) if name == "shutdown_date" else None,
            )  # fmt: skip


def _kind(name: str, old: object, new: object) -> Kind:
    if name.startswith("price"):
        before, after = usd(old), usd(new)
        if before is None or after is None or before == after:
            return "price"
        return "dearer" if after > before else "cheaper"
    if name == "shutdown_date" or (name == "status" and new in ("deprecated", "retired")):
        return "ending"
    return "changed"


def days_until(day: object, today: date | None = None) -> int | None:
    """Days until an ISO date; negative: it has passed; None: no date."""
    if not isinstance(day, str) or len(day) < 10:
        return None
    try:
        return (date.fromisoformat(day[:10]) - (today or date.today())).days  # noqa: DTZ011 - the user's own day
    except ValueError:
        return None


async def own_models(services: Services) -> dict[str, list[str]]:
    """Vendor → the ids of its models as this user's providers have them."""
    found: dict[str, list[str]] = {}
    for vendor, model in await _by_model(services):
        found.setdefault(vendor, []).append(model)
    return found


async def _by_model(services: Services) -> dict[tuple[str, str], list[ModelView]]:
    """(vendor, model id) → the models of the providers that are on, also those mapped to it or named a little otherwise."""
    vendors = {row.slug: row.catalog_id for row in await services.registry.rows() if row.enabled}
    found: dict[tuple[str, str], list[ModelView]] = {}
    for view in await services.models.list():
        if view.provider not in vendors:
            continue
        for key in _keys(services, vendors[view.provider], view):
            found.setdefault(key, []).append(view)
    return found


def _keys(services: Services, vendor: str | None, view: ModelView) -> Iterable[tuple[str, str]]:
    source, _, base = view.info.sources.get("price", "").partition(":")
    if source == "map":
        other, slash, model = base.partition("/")
        if slash and services.catalog.spec(other) is not None:
            yield other, model
        elif vendor is not None:
            yield vendor, base
    if vendor is not None:
        yield from ((vendor, name) for name in dict.fromkeys((view.info.id, plain(view.info.id))))


def _ending(views: Mapping[tuple[str, str], Sequence[ModelView]]) -> Iterable[CatalogChange]:
    """The models of this user's providers whose end is announced, or which are deprecated."""
    for (vendor, model), every in views.items():
        seen = _itself(model, every)
        if not seen or model != plain(model):
            continue
        info = seen[0].info
        alive = any(view.enabled and view.available for view in seen)
        if alive and (info.status == "deprecated" or (info.shutdown_date and info.status != "retired")):
            yield CatalogChange(
                "ending", vendor, model, "shutdown_date" if info.shutdown_date else "status", new=info.shutdown_date or info.status,
                source=info.sources.get("shutdown_date") or info.sources.get("status", ""),
                ends=info.shutdown_date, days=days_until(info.shutdown_date),
            )  # fmt: skip


def _itself(model: str, views: Sequence[ModelView]) -> list[ModelView]:
    """Without the models that are only priced as this one: where they run, somebody else decides on them."""
    return [view for view in views if plain(view.info.id) == plain(model)]


async def _affected(
    services: Services, found: Sequence[CatalogChange], views: Mapping[tuple[str, str], Sequence[ModelView]]
) -> list[CatalogChange]:
    """The changes with the user's models that they are about, and what rests on those, in their order."""
    from services.dependents import affected

    about = {
        id(change): every if change.field.startswith("price") else _itself(change.model, every)
        for change in found
        if (every := views.get((change.vendor, change.model), ()))
    }
    wanted: dict[str, set[str]] = {}
    for change in found:
        for view in about.get(id(change), ()):
            wanted.setdefault(view.provider, set()).add(view.info.id)
    touched = {}
    for slug, models in wanted.items():
        try:
            touched[slug] = await affected(services, slug, models)
        except NotFoundError:  # removed meanwhile
            continue
    return await asyncio.to_thread(_told, found, about, touched)


def _told(
    found: Sequence[CatalogChange],
    about: Mapping[int, Sequence[ModelView]],
    touched: Mapping[str, Affected],
) -> list[CatalogChange]:
    """The changes with what they are about filled in, in their order."""
    told = []
    for change in found:
        seen = about.get(id(change), ())
        uses = [
            word
            for view in seen
            if view.provider in touched
            for word in touched[view.provider].models.get(view.info.id, ())
        ]
        if uses and change.field.startswith("price"):
            uses += [limit for view in seen if view.provider in touched for limit in touched[view.provider].limits]  # fmt: skip
        above = tuple(_above(seen)) if change.field.startswith("price") and change.source != "user" else ()
        told.append(
            replace(
                change, refs=tuple(view.ref for view in seen), uses=tuple(dict.fromkeys(uses)), above=above
            )
        )
    return sorted(told, key=_rank)


def _above(views: Sequence[ModelView]) -> Iterable[tuple[str, str]]:
    """The models among these that are billed otherwise than the catalog says, and whose word that is."""
    for view in views:
        source = view.info.sources.get("price", "")
        if view.own_cost:
            yield view.ref, "own hardware or flat rate"
        elif source in _ABOVE:
            yield view.ref, _ABOVE[source]


def in_days(days: int | None) -> str:
    """`in 12 days`, `today`, `3 days ago`; empty without a date."""
    if days is None:
        return ""
    if days == 0:
        return "today"
    words = f"{abs(days)} day{'s' if abs(days) > 1 else ''}"
    return f"in {words}" if days > 0 else f"{words} ago"
