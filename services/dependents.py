"""What would notice that a provider is gone, or that one of its models is no longer what it was."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.container import Services


async def dependents(services: Services, slug: str) -> list[str]:
    """Limits, the default model and conversations that refer to a provider, in words."""
    found = await _limits(services, slug)
    chosen = await services.state.get("default_model")
    if isinstance(chosen, str) and chosen.startswith(f"{slug}/"):
        found.append(f"the default model {chosen}")
    talks = await _conversations(services)
    if total := sum(count for ref, count in talks.items() if ref.startswith(f"{slug}/")):
        found.append(_counted(total))
    return found


@dataclass(frozen=True, slots=True)
class Affected:
    """What rests on the models of a provider."""

    models: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Model id → what uses it, in words; models that nothing uses are absent."""
    off: frozenset[str] = frozenset()
    """Ids of the models that are switched off."""
    limits: tuple[str, ...] = ()
    """The limits that the models' prices count against, in words."""


async def affected(services: Services, slug: str, models: Collection[str]) -> Affected:
    """What a change of these models touches: defaults, conversations, limits."""
    from store.models import Models

    row = await services.registry.row(slug)
    chosen = await services.state.get("default_model")
    talks = await _conversations(services)
    uses: dict[str, tuple[str, ...]] = {}
    for model in models:
        ref = f"{slug}/{model}"
        words = [
            *(["default for new chats"] if chosen == ref else []),
            *([f"default of {slug}"] if row.default_model == model else []),
            *([_counted(talks[ref])] if ref in talks else []),
        ]
        if words:
            uses[model] = tuple(words)
    wanted = set(models)
    off = frozenset(
        stored.id
        for stored in await Models(services.db).list(slug)
        if not stored.enabled and stored.id in wanted
    )
    return Affected(uses, off, tuple(await _limits(services, slug, shared=True)))


async def _limits(services: Services, slug: str, *, shared: bool = False) -> list[str]:
    from store.budgets import Budgets

    budgets = await Budgets(services.db).list()
    found = [
        f"the {budget.period} budget of {slug}" for budget in budgets if budget.scope == f"provider:{slug}"
    ]
    if shared:
        found += [f"the {budget.period} budget of all" for budget in budgets if budget.scope == "global"]
    return found


async def _conversations(services: Services) -> dict[str, int]:
    """Model reference → conversations that go on with it."""
    from store.conversations import Conversations

    return await Conversations(services.db).by_model()


def _counted(count: int) -> str:
    return f"{count} conversation{'s' if count > 1 else ''}"
