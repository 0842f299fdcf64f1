"""What changed in the catalog and what it affects: price rises first, models that end, new ones; and what is told once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from catalog.errors import NotFoundError
from catalog.plaintext import one_line
from services.clock import DAY_MS, now_ms
from services.feed import Alert
from services.sync_diff import SyncChange, price_word, usd

if TYPE_CHECKING:
    from services.container import Services
    from services.models import ModelView

Kind = Literal["dearer", "ending", "new", "cheaper", "price", "changed", "gone"]
_ORDER: tuple[Kind, ...] = ("dearer", "ending", "new", "cheaper", "price", "changed", "gone")

DAYS = 30
"""How far back changes are shown."""
SOON_DAYS = 30
"""A shutdown so near is told."""
_QUIET = frozenset(
    {"name", "family", "release_date", "knowledge_cutoff", "open_weights", "modalities_in", "modalities_out"}
)
"""Fields whose changes nobody acts on; the models' pages have them."""
_TOLD = "catalog_told"
"""What was told already, so that it is told once (store.state)."""
_TOLD_MAX = 500


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
    found: dict[tuple[str, str, str], CatalogChange] = {}
    for run in await CatalogRuns(services.db).changed(since):  # newest first
        for change in _read(run.diff_json, run.started_at, run.source):
            found.setdefault((change.vendor, change.model, change.field), change)
    views = await _by_model(services)
    ending = {(change.vendor, change.model): change for change in _ending(views)}
    rest = [
        change
        for change in found.values()
        if change.field not in ("status", "shutdown_date") or (change.vendor, change.model) not in ending
    ]
    told = await _affected(services, [*ending.values(), *rest], views)
    return sorted(told, key=_rank)


def _rank(change: CatalogChange) -> tuple[bool, int, bool, Decimal, str, str, str]:
    return (
        not change.refs, _ORDER.index(change.kind), not change.uses, -(change.rise or Decimal(0)),
        change.ends or "", f"{change.vendor}/{change.model}", change.field,
    )  # fmt: skip


def _read(text: str | None, at: int, source: str) -> Iterable[CatalogChange]:
    """The changes of a stored diff."""
    stored: Mapping[str, Mapping[str, Any]] = json.loads(text or "{}")
    for vendor, diff in stored.items():
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


async def _by_model(services: Services) -> dict[tuple[str, str], list[ModelView]]:
    """(vendor, model id) → the models of the providers that are on."""
    vendors = {row.slug: row.catalog_id for row in await services.registry.rows() if row.enabled}
    found: dict[tuple[str, str], list[ModelView]] = {}
    for view in await services.models.list():
        vendor = vendors.get(view.provider)
        if vendor is not None:
            found.setdefault((vendor, view.info.id), []).append(view)
    return found


def _ending(views: Mapping[tuple[str, str], Sequence[ModelView]]) -> Iterable[CatalogChange]:
    """The models of this user's providers whose end is announced, or which are deprecated."""
    for (vendor, model), seen in views.items():
        info = seen[0].info
        alive = any(view.enabled and view.available for view in seen)
        if alive and (info.status == "deprecated" or (info.shutdown_date and info.status != "retired")):
            yield CatalogChange(
                "ending", vendor, model, "shutdown_date" if info.shutdown_date else "status", new=info.shutdown_date or info.status,
                source=info.sources.get("shutdown_date") or info.sources.get("status", ""),
                ends=info.shutdown_date, days=days_until(info.shutdown_date),
            )  # fmt: skip


async def _affected(
    services: Services, found: Sequence[CatalogChange], views: Mapping[tuple[str, str], Sequence[ModelView]]
) -> list[CatalogChange]:
    """The changes with the user's models that they are about, and what rests on those."""
    from services.dependents import affected

    wanted: dict[str, set[str]] = {}
    for change in found:
        for view in views.get((change.vendor, change.model), ()):
            wanted.setdefault(view.provider, set()).add(change.model)
    touched = {}
    for slug, models in wanted.items():
        try:
            touched[slug] = await affected(services, slug, models)
        except NotFoundError:  # removed meanwhile
            continue
    told = []
    for change in found:
        seen = views.get((change.vendor, change.model), ())
        uses = [
            word
            for view in seen
            if view.provider in touched
            for word in touched[view.provider].models.get(change.model, ())
        ]
        if uses and change.field.startswith("price"):
            uses += [limit for view in seen if view.provider in touched for limit in touched[view.provider].limits]  # fmt: skip
        told.append(replace(change, refs=tuple(view.ref for view in seen), uses=tuple(dict.fromkeys(uses))))
    return told


# -- told once -----------------------------------------------------------------------------------


async def tell(services: Services) -> None:
    """Raise an alert for prices that rose and models in use that end, each of them once."""
    fresh = [change for change in await changes(services) if _matters(change)]
    stored = await services.state.get(_TOLD)
    told = [key for key in stored if isinstance(key, str)] if isinstance(stored, list) else []
    new = [change for change in fresh if _key(change) not in told]
    if not new:
        return
    if not services.db.read_only:
        async with services.db.transaction() as tx:
            keys = [*told, *map(_key, new)]
            await services.state.set(tx, _TOLD, keys[-_TOLD_MAX:])
    views = {view.ref: view for view in await services.models.list()}
    dearer = [change for change in new if change.kind == "dearer" and _in_force(change, views)]
    ending = [change for change in new if change.kind == "ending"]
    if dearer:
        services.feed.publish(_dearer(dearer))
    if ending:
        services.feed.publish(_ends(ending))


def _matters(change: CatalogChange) -> bool:
    """Of the user's own: any rise; an end, where something rests on the model and it is near."""
    if change.kind == "dearer":
        return bool(change.refs)
    near = change.days is not None and change.days <= SOON_DAYS
    return change.kind == "ending" and bool(change.uses) and near


def _in_force(change: CatalogChange, views: Mapping[str, ModelView]) -> bool:
    """The catalog's price is the one that is billed here: no list of the provider and no price of the user's stands over it."""
    return any(
        view.enabled and view.available and not view.own_cost and view.info.sources.get("price", "").startswith(("refreshed", "catalog"))
        for ref in change.refs if (view := views.get(ref)) is not None
    )  # fmt: skip


def _key(change: CatalogChange) -> str:
    return f"{change.kind} {change.vendor}/{change.model} {change.field} {change.new}"


def _dearer(found: Sequence[CatalogChange]) -> Alert:
    first = max(found, key=lambda change: change.rise or Decimal(0))
    share = f" (+{first.rise * 100:.0f} %)" if first.rise else ""
    word = price_word(first.field)
    return Alert(
        "warning",
        "Dearer in the catalog",
        f"{first.refs[0]} {word} ${one_line(str(first.old), 20)} → ${one_line(str(first.new), 20)}{share} per 1M tokens{_more(found)}.",
        hint="4, then c shows what changed and what it affects",
    )


def _ends(found: Sequence[CatalogChange]) -> Alert:
    first = min(found, key=lambda change: change.days if change.days is not None else 10**6)
    return Alert(
        "warning",
        "A model in use ends",
        f"{first.refs[0]} is shut down on {first.ends} ({in_days(first.days)}); it is {', '.join(first.uses[:2])}{_more(found)}.",
        hint="4, then c shows what changed and what it affects",
    )


def _more(found: Sequence[CatalogChange]) -> str:
    models = len({(change.vendor, change.model) for change in found})
    return "" if models == 1 else f", and {models - 1} more model{'s' if models > 2 else ''}"


def in_days(days: int | None) -> str:
    """`in 12 days`, `today`, `3 days ago`; empty without a date."""
    if days is None:
        return ""
    if days == 0:
        return "today"
    words = f"{abs(days)} day{'s' if abs(days) > 1 else ''}"
    return f"in {words}" if days > 0 else f"{words} ago"
