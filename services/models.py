"""Which models there are and what is known of each: live list, catalog and user's file merged, kept in memory."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from catalog.errors import NotFoundError, UsageError
from catalog.plaintext import one_line
from services.clock import now_ms
from services.feed import CatalogChanged, ModelsChanged, SettingsChanged, StoreChangedElsewhere
from services.model_lists import ModelLists, ModelView, view_of

if TYPE_CHECKING:
    from services.container import Services
    from store.providers import ProviderRow

__all__ = ["DEFAULT_KEY", "ModelService", "ModelView", "split_ref"]

DEFAULT_KEY = "default_model"
"""Where the user's default model is kept (store.state)."""


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
        self._lists = ModelLists(services, self._store)
        services.feed.subscribe(lambda event: self._lists.forget(event.provider), ModelsChanged)
        services.feed.subscribe(lambda _event: self._lists.forget(None), CatalogChanged)
        services.feed.subscribe(lambda _event: self._lists.doubt(), StoreChangedElsewhere)

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
        lists = await self._lists.load(rows)
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
        if self._lists.kept(slug):
            row = await self._services.registry.row(slug)
            view = self._lists.kept(slug).get(model_id)
            if view is not None:
                return view, row
        row, stored = await asyncio.gather(
            self._services.registry.row(slug), self._store.get(slug, model_id)
        )  # both at once: each alone costs a way to the reader's thread and back
        return view_of(self._services.catalog, row, model_id, stored), row

    async def set_enabled(self, refs: Iterable[str], enabled: bool) -> builtins.list[str]:
        """Switch models on or off; NotFoundError names the first that nobody knows, and nothing is changed then."""
        by_provider: dict[str, builtins.list[str]] = {}
        for ref in refs:
            view = await self.get(ref)
            if not view.known:
                raise await self.unknown(view)
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
        views = (await self._lists.load([row]))[row.slug]
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

    async def unknown(self, view: ModelView) -> NotFoundError:
        """The error for a model that nobody knows; its hint names the nearest one there is."""
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


def _usable(view: ModelView) -> bool:
    today = datetime.now(UTC).date().isoformat()
    gone = view.info.status == "unavailable" or view.info.retired_on(today)
    return view.chat and view.enabled and view.available and not gone
