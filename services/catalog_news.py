"""What of the catalog's changes concerns this user: told once, and kept for the Overview until somebody has looked at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from catalog.plaintext import one_line
from services import catalog_changes
from services.catalog_changes import CatalogChange, days_until, in_days
from services.feed import Alert, NewsChanged
from services.overview import NEWS
from services.sync_diff import price_dollars, price_word, usd

if TYPE_CHECKING:
    from services.container import Services
    from store.db import Tx

SOON_DAYS = 30
"""A shutdown so near is told."""
_TOLD = "catalog_told"
"""What was told already, so that it is told once (store.state)."""
_TOLD_MAX = 500
_NEWS_MAX = 50
_HINT = "4, then c shows what changed and what it affects"


@dataclass(frozen=True, slots=True)
class News:
    """One thing of the catalog that concerns a model of this user."""

    kind: str
    """`dearer`, `doubted` or `ending`."""
    ref: str
    field: str
    old: str
    new: str
    uses: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """In a sentence without its end."""
        if self.kind == "ending":
            rests = f"; it is {', '.join(self.uses[:2])}" if self.uses else ""
            return f"{self.ref} is shut down on {self.new} ({in_days(days_until(self.new))}){rests}"
        change = f"{price_word(self.field)} {_dollars(self.old)} → {_dollars(self.new)}"
        if self.kind == "doubted":
            return f"{self.ref} {change} was not believed; the price before holds"
        return f"{self.ref} {change}{self._share} per 1M tokens"

    @property
    def _share(self) -> str:
        return f" (+{self.rise * 100:.0f} %)" if self.rise else ""

    @property
    def rise(self) -> Decimal:
        old, new = usd(self.old), usd(self.new)
        return (new - old) / old if old and new is not None else Decimal(0)


_TITLES = {"dearer": "Dearer in the catalog", "doubted": "A price was not believed", "ending": "A model in use ends"}  # fmt: skip


async def tell(services: Services) -> None:
    """Raise an alert for prices that rose or were not believed, and for models in use that end, each of them once."""
    matter = [change for change in await catalog_changes.changes(services) if _matters(change)]
    if not matter:
        return
    if services.db.read_only:
        told = await _strings(services, _TOLD)
        new = [change for change in matter if _key(change) not in told]
    else:
        async with services.db.transaction() as tx:
            told = await _strings(
                services, _TOLD, tx
            )  # read where it is written: another program may tell, too
            new = [change for change in matter if _key(change) not in told]
            if new:
                await services.state.set(tx, _TOLD, [*told, *map(_key, new)][-_TOLD_MAX:])
                kept = [*map(_stored, await _news(services, tx)), *(_stored(_of(change)) for change in new)]
                await services.state.set(tx, NEWS, kept[-_NEWS_MAX:])
    if new:
        services.feed.publish(NewsChanged())
    for kind, title in _TITLES.items():
        if found := [_of(change) for change in new if change.kind == kind]:
            services.feed.publish(_alert(title, found))


async def news(services: Services) -> list[News]:
    """What was told and nobody has looked at yet, the newest last."""
    return await _news(services)


def foremost(found: Sequence[News]) -> News:
    """What is named first: of what something rests on, the steepest rise."""
    return min(found, key=lambda one: (not one.uses, one.kind != "dearer", -one.rise, one.new))


async def seen(services: Services) -> None:
    """Somebody looks at the changes."""
    if services.db.read_only or not await _news(services):
        return
    async with services.db.transaction() as tx:
        await services.state.delete(tx, NEWS)
    services.feed.publish(NewsChanged())


def _matters(change: CatalogChange) -> bool:
    """Of the user's own: a rise that is billed here, a price not believed; an end, where something rests on it and it is near."""
    if change.kind in ("dearer", "doubted"):
        return bool(change.refs) and change.in_force and change.source != "user"
    near = change.days is not None and change.days <= SOON_DAYS
    return change.kind == "ending" and bool(change.uses) and near


def _key(change: CatalogChange) -> str:
    return f"{change.kind} {change.vendor}/{change.model} {change.field} {change.new}"


def _of(change: CatalogChange) -> News:
    above = {ref for ref, _ in change.above}
    ref = next((ref for ref in change.refs if ref not in above), change.refs[0])
    new = change.ends if change.kind == "ending" else change.new
    return News(change.kind, ref, change.field, _text(change.old), _text(new), change.uses)


def _alert(title: str, found: Sequence[News]) -> Alert:
    """One for all of a kind; the steepest rise or the nearest end is named."""
    first = (
        min(found, key=lambda one: one.new)
        if found[0].kind == "ending"
        else max(found, key=lambda one: one.rise)
    )
    others = len({one.ref for one in found}) - 1
    more = f", and {others} more model{'s' if others > 1 else ''}" if others else ""
    return Alert("warning", title, f"{first.words}{more}.", hint=_HINT)


def _text(value: object) -> str:
    return "" if value is None else one_line(str(value), 40)


def _dollars(value: str) -> str:
    amount = usd(value)
    return price_dollars(amount) if amount is not None else value or "unknown"


async def _strings(services: Services, key: str, tx: Tx | None = None) -> list[str]:
    stored = await services.state.get(key, tx)
    return [item for item in stored if isinstance(item, str)] if isinstance(stored, list) else []


async def _news(services: Services, tx: Tx | None = None) -> list[News]:
    stored = await services.state.get(NEWS, tx)
    found = [_read(item) for item in stored] if isinstance(stored, list) else []
    return [one for one in found if one is not None]


def _stored(one: News) -> dict[str, object]:
    return {
        "kind": one.kind, "ref": one.ref, "field": one.field, "old": one.old, "new": one.new, "uses": list(one.uses),
    }  # fmt: skip


def _read(item: Any) -> News | None:
    try:
        kind, ref, field, old, new = (str(item[name]) for name in ("kind", "ref", "field", "old", "new"))
        return News(kind, ref, field, old, new, tuple(map(str, item["uses"])))
    except (KeyError, TypeError):
        return None
