"""Which models there are and what is known of each: live list, catalog and user's file merged, kept in memory."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.errors import NotFoundError, UsageError
from catalog.plaintext import one_line
from catalog.types import ModelInfo
from services.clock import now_ms
from services.feed import ModelsChanged, SettingsChanged, StoreChangedElsewhere
from services.merging import can_chat, known, merged_info, own_cost

if TYPE_CHECKING:
    from services.container import Services
    from store.models import ModelRow
    from store.providers import ProviderRow

DEFAULT_KEY = "default_model"
"""Where the user's default model is kept (store.state)."""
_TURN = 200
"""Models merged between two turns of the event loop: a few milliseconds."""


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


def split_ref(ref: str) -> tuple[str, str]:
    """`provider/model` at the first slash (model ids may hold slashes)."""
    slug, slash, model_id = ref.partition("/")
    if not slash or not slug or not model_id:
        raise UsageError(
            f"{one_line(ref, 80) or 'That'} is no model reference.",
            hint="Write provider/model: openai/gpt-4o.",
        )
    return slug, model_id


class ModelService:
    """The models of all providers."""

    def __init__(self, services: Services) -> None:
        from store.models import Models

        self._services = services
        self._store = Models(services.db)
        self._lists: dict[str, dict[str, ModelView]] = {}
        """Provider → model id → view, as far as it was asked for."""
        self._age = 0
        """Counts invalidations, so that a list read before one is not kept after it."""
        services.feed.subscribe(self._changed, ModelsChanged)
        services.feed.subscribe(self._all_changed, StoreChangedElsewhere)

    async def list(
        self,
        provider: str | None = None,
        *,
        capability: str | None = None,
        enabled: bool | None = None,
        text: str | None = None,
    ) -> builtins.list[ModelView]:
        """Models by provider and id. `text` must be found in the reference or the name, case ignored."""
        if provider is not None:
            rows = [await self._services.registry.row(provider)]
        else:
            rows = await self._services.registry.rows()
        lists = await self._load(rows)
        views = [view for row in rows for view in lists[row.slug].values()]
        wanted = (text or "").lower()
        return [
            view
            for view in views
            if (enabled is None or view.enabled == enabled)
            and (capability is None or capability in (view.info.capabilities or ()))
            and (not wanted or wanted in view.ref.lower() or wanted in (view.info.name or "").lower())
        ]

    async def get(self, ref: str) -> ModelView:
        """One model. The provider must exist; a model nobody knows comes back with `known` False."""
        return (await self.found(ref))[0]

    async def found(self, ref: str) -> tuple[ModelView, ProviderRow]:
        """The same with the provider's row."""
        slug, model_id = split_ref(ref)
        if slug in self._lists:
            row = await self._services.registry.row(slug)
            view = self._lists.get(slug, {}).get(model_id)
            if view is not None:
                return view, row
        row, stored = await asyncio.gather(
            self._services.registry.row(slug), self._store.get(slug, model_id)
        )  # both at once: each alone costs a way to the reader's thread and back
        return self._view(row, model_id, stored), row

    async def set_enabled(self, refs: Iterable[str], enabled: bool) -> builtins.list[str]:
        """Switch models on or off; NotFoundError names the first that nobody knows, and nothing is changed then."""
        by_provider: dict[str, builtins.list[str]] = {}
        for ref in refs:
            view = await self.get(ref)
            if not view.known:
                raise await self._unknown(view)
            by_provider.setdefault(view.provider, []).append(view.info.id)
        async with self._services.db.transaction(durable=True) as tx:
            for slug, ids in by_provider.items():
                await self._store.ensure(tx, slug, ids, now_ms())
                await self._store.set_enabled(tx, slug, ids, enabled)
                action = "model.enable" if enabled else "model.disable"
                await self._services.audit.record(tx, action, slug, detail={"models": ids})
        for slug in by_provider:
            self._services.feed.publish(ModelsChanged(slug))
        return [f"{slug}/{model_id}" for slug, ids in by_provider.items() for model_id in ids]

    async def default(self) -> str | None:
        """The user's choice, else the first provider's default; None: there is no model to talk to."""
        chosen = await self._services.state.get(DEFAULT_KEY)
        rows = await self._services.registry.rows()
        if isinstance(chosen, str) and chosen.partition("/")[0] in {row.slug for row in rows}:
            return chosen
        for row in sorted(rows, key=lambda row: (row.created_at, row.slug)):
            if row.enabled and (ref := await self.default_of(row)) is not None:
                return ref
        return None

    async def default_of(self, row: ProviderRow) -> str | None:
        """A provider's own default: its row's, else its vendor's, else its first usable chat model."""
        views = (await self._load([row]))[row.slug]
        spec = self._services.catalog.spec(row.catalog_id)
        for model_id in (row.default_model, spec.default_model if spec else None):
            if model_id is not None and (view := views.get(model_id)) is not None and _usable(view):
                return view.ref
        if row.default_model is not None:
            return f"{row.slug}/{row.default_model}"
        return next((view.ref for view in views.values() if _usable(view)), None)

    async def set_default(self, ref: str | None) -> str | None:
        """Choose the model of new chats; None goes back to the first provider's default."""
        if ref is not None:
            await self.get(ref)
        async with self._services.db.transaction(durable=True) as tx:
            before = await self._services.state.get(DEFAULT_KEY)
            if ref is None:
                await self._services.state.delete(tx, DEFAULT_KEY)
            else:
                await self._services.state.set(tx, DEFAULT_KEY, ref)
            detail = {"before": before, "after": ref}
            await self._services.audit.record(tx, "model.default", ref or "none", detail=detail)
        self._services.feed.publish(SettingsChanged())
        return ref

    # inside

    async def _load(self, rows: Sequence[ProviderRow]) -> dict[str, dict[str, ModelView]]:
        """The lists of these providers; those not in memory are merged and kept."""
        found = {row.slug: self._lists[row.slug] for row in rows if row.slug in self._lists}
        missing = [row for row in rows if row.slug not in found]
        if not missing:
            return found
        age = self._age
        only = missing[0].slug if len(missing) == 1 else None
        stored: dict[str, builtins.list[ModelRow]] = {}
        for model in await self._store.list(only):
            stored.setdefault(model.provider, []).append(model)
        for row in missing:
            found[row.slug] = await self._merged(row, stored.get(row.slug, []))
        if age == self._age:  # else something changed while reading: good for this answer, not for the next
            self._lists.update({row.slug: found[row.slug] for row in missing})
        return found

    async def _merged(self, row: ProviderRow, stored: Sequence[ModelRow]) -> dict[str, ModelView]:
        by_id: dict[str, ModelRow | None] = {model.id: model for model in stored}
        for model_id in self._listed_by_catalog(row, synced=any(model.last_seen for model in stored)):
            by_id.setdefault(model_id, None)
        views: dict[str, ModelView] = {}
        for number, model_id in enumerate(sorted(by_id)):
            if number % _TURN == _TURN - 1:
                await asyncio.sleep(0)
            views[model_id] = self._view(row, model_id, by_id[model_id])
        return views

    def _listed_by_catalog(self, row: ProviderRow, *, synced: bool) -> builtins.list[str]:
        """Ids that belong in the list without being in the live one: the user's always, the vendor's until a sync."""
        catalog = self._services.catalog
        provider = catalog.provider(row.catalog_id)
        return [
            model.id
            for model in (provider.models if provider else ())
            if (not synced and model.status != "retired")
            or catalog.model(row.catalog_id, model.id)[0] is not None
        ]

    def _view(self, row: ProviderRow, model_id: str, stored: ModelRow | None) -> ModelView:
        info = merged_info(self._services.catalog, row, model_id, stored)
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
        )

    async def _unknown(self, view: ModelView) -> NotFoundError:
        import difflib

        ids = [other.info.id for other in await self.list(view.provider)]
        close = difflib.get_close_matches(view.info.id, ids, n=1, cutoff=0.5)
        hint = (
            f"Did you mean {view.provider}/{close[0]}?"
            if close
            else f"switchroom sync {view.provider} asks again."
        )
        return NotFoundError(
            f"{view.provider} has no model {one_line(view.info.id, 80)}.", hint=hint, provider=view.provider
        )

    def _changed(self, event: ModelsChanged) -> None:
        self._age += 1
        if event.provider is None:
            self._lists.clear()
        else:
            self._lists.pop(event.provider, None)

    def _all_changed(self, _event: StoreChangedElsewhere) -> None:
        self._age += 1
        self._lists.clear()


def _usable(view: ModelView) -> bool:
    return (
        view.chat and view.enabled and view.available and view.info.status not in ("retired", "unavailable")
    )
