"""Which lists of models are kept in memory, merged, and which of them must be read anew."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from catalog.capabilities import NOTHING, Asked
from catalog.types import ModelInfo
from services.merging import asked, can_chat, known, merged_info, own_cost

if TYPE_CHECKING:
    from catalog.lookup import Catalog
    from services.container import Services
    from store.models import ModelRow, Models
    from store.providers import ProviderRow

NAMED_BY_CUSTOMERS = ("azure",)
"""Dialects whose models have names that their customers gave them: those of the catalog cannot be called."""
_TURN_S = 0.004
"""Merging goes on this long between two turns of the event loop."""
_STEP = 16
"""Models merged between two looks at the clock."""
_MANY = 2_000
"""Of so many models together the garbage collector is told that they stay: a full collection over 50,000 of them
would hold the screen up for a quarter of a second."""


class Turn:
    """How long the loop has been held: over many small lists as over a long one."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    async def end_when_long(self) -> None:
        """Let others have their turn where this one has been long enough."""
        if time.perf_counter() - self._began > _TURN_S:
            await asyncio.sleep(0)
            self._began = time.perf_counter()


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model as it is listed. `info.price` is the list price: a provider's discount is not taken off."""

    ref: str
    provider: str
    info: ModelInfo
    """Merged, with the source of each field."""
    enabled: bool
    available: bool
    """False: the provider's last good list no longer names it."""
    chat: bool
    own_cost: bool
    """Own hardware or flat rate: no price per token."""
    known: bool
    """False: no sync and no catalog knows it; it is sent as it is named."""
    seen: int | None = None
    """UTC ms of the last live list that named it; None: none did."""
    wire_details: str | None = None
    """What else the live list says, name → text or number as JSON (store.models); None: nothing."""
    asked: Mapping[str, Asked] = field(default_factory=lambda: NOTHING)
    """Capability → what asking the model showed, and when; empty: it was never asked."""
    discount_pct: str | None = None
    """What its provider takes off the list price, in percent; None: nothing."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A list in memory, and what it was made of."""

    views: dict[str, ModelView]
    basis: tuple[object, ...]
    """Equal as long as merging again would give the same."""


class ModelLists:
    """Provider → model id → view, as far as it was asked for."""

    def __init__(self, services: Services, store: Models) -> None:
        self._services, self._store = services, store
        self._lists: dict[str, _Kept] = {}
        self._doubted: set[str] = set()
        """Providers whose lists another process may have changed."""
        self._age = 0
        """Counts what made lists old, so that one read before is not kept after it."""
        self._day = _today()
        """UTC day of the lists: a dated price comes into force with the next one."""
        self._merging = asyncio.Lock()
        """Several who ask at once wait for one merge."""

    def forget(self, provider: str | None) -> None:
        """The models of a provider changed; None: of any."""
        self._age += 1
        if provider is None:
            self._lists.clear()
        else:
            self._lists.pop(provider, None)

    def doubt(self) -> None:
        """Another process wrote to the store: a list is used again once it is known to be the same."""
        self._age += 1
        self._doubted = set(self._lists)

    def kept(self, slug: str) -> Mapping[str, ModelView]:
        """The list of a provider as far as it is in memory and sure; else empty."""
        self._turn_of_day()
        return self._lists[slug].views if slug in self._lists and slug not in self._doubted else {}

    async def load(self, rows: Sequence[ProviderRow]) -> dict[str, dict[str, ModelView]]:
        """The lists of these providers; those not in memory are merged and kept."""
        self._turn_of_day()
        if any(self._unsure(row.slug) for row in rows):
            async with self._merging:
                return await self._load(rows)
        return {row.slug: self._lists[row.slug].views for row in rows}

    def _turn_of_day(self) -> None:
        if (today := _today()) != self._day:
            self._day = today
            self.doubt()

    def _unsure(self, slug: str) -> bool:
        return slug not in self._lists or slug in self._doubted

    async def _load(self, rows: Sequence[ProviderRow]) -> dict[str, dict[str, ModelView]]:
        age = self._age
        unsure = [row for row in rows if self._unsure(row.slug)]
        found = {row.slug: self._lists[row.slug].views for row in rows if not self._unsure(row.slug)}
        if not unsure:
            return found
        only = unsure[0].slug if len(unsure) == 1 else None
        marks = await self._store.marks(only)
        basis = {
            row.slug: (
                self._day,
                row.catalog_id,
                row.endpoint,
                row.cost_mode,
                row.discount_pct,
                marks.get(row.slug),
            )
            for row in unsure
        }
        fresh: dict[str, _Kept] = {}
        missing = []
        for row in unsure:
            kept = self._lists.get(row.slug)
            if kept is not None and kept.basis == basis[row.slug]:
                fresh[row.slug] = kept
            else:
                missing.append(row)
        if missing:
            for slug, views in (await self._merge(missing)).items():
                fresh[slug] = _Kept(views, basis[slug])
        if age == self._age:  # else something changed while reading: good for this answer, not for the next
            self._lists |= fresh
            self._doubted -= fresh.keys()
        return found | {slug: kept.views for slug, kept in fresh.items()}

    async def _merge(self, rows: Sequence[ProviderRow]) -> dict[str, dict[str, ModelView]]:
        stored: dict[str, list[ModelRow]] = {}
        gc.collect(1)
        gc.disable()  # all that is made here stays: looking for rubbish in it would stall the screen, again and again
        try:
            for model in await self._store.list(rows[0].slug if len(rows) == 1 else None):
                stored.setdefault(model.provider, []).append(model)
            turn = Turn()
            found = {row.slug: await self._merged(row, stored.pop(row.slug, []), turn) for row in rows}
            if sum(map(len, found.values())) >= _MANY:
                gc.freeze()
        finally:
            gc.enable()
        return found

    async def _merged(self, row: ProviderRow, stored: Sequence[ModelRow], turn: Turn) -> dict[str, ModelView]:
        await turn.end_when_long()  # what comes may read the vendor's file
        catalog = self._services.catalog
        own = frozenset(catalog.own_ids(row.catalog_id))
        synced = any(model.last_seen for model in stored)
        by_id: dict[str, ModelRow | None] = {model.id: model for model in stored}
        ours = synced or row.dialect in NAMED_BY_CUSTOMERS
        for model_id in own if ours else catalog.ids(row.catalog_id):  # the vendor's own only until a sync
            by_id.setdefault(model_id, None)
        views: dict[str, ModelView] = {}
        for number, model_id in enumerate(sorted(by_id)):
            if number % _STEP == 0:
                await turn.end_when_long()
            view = view_of(catalog, row, model_id, by_id[model_id])
            if by_id[model_id] is not None or model_id in own or view.info.status != "retired":
                views[model_id] = view
        return views


def _today() -> int:
    return int(time.time() // 86_400)


def view_of(catalog: Catalog, row: ProviderRow, model_id: str, stored: ModelRow | None) -> ModelView:
    """A model as it is listed."""
    info = merged_info(catalog, row, model_id, stored)
    return ModelView(
        ref=f"{row.slug}/{model_id}",
        provider=row.slug,
        info=info,
        enabled=stored.enabled if stored is not None else True,
        available=stored.available if stored is not None else True,
        chat=can_chat(info, stored),
        own_cost=own_cost(info, row, stored),
        known=known(info, stored),
        seen=(stored.last_seen or None) if stored is not None else None,
        wire_details=stored.details_json if stored is not None else None,
        asked=asked(stored),
        discount_pct=row.discount_pct,
    )
