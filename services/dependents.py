"""What would notice that a provider is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.container import Services

_LOOKED_AT = 1000
"""Conversations searched, newest first."""


async def dependents(services: Services, slug: str) -> list[str]:
    """Limits, the default model and conversations that refer to a provider, in words."""
    from store.budgets import Budgets
    from store.conversations import Conversations

    found = [
        f"the {budget.period} budget of {slug}"
        for budget in await Budgets(services.db).list()
        if budget.scope == f"provider:{slug}"
    ]
    chosen = await services.state.get("default_model")
    if isinstance(chosen, str) and chosen.startswith(f"{slug}/"):
        found.append(f"the default model {chosen}")
    conversations = await Conversations(services.db).list(_LOOKED_AT)
    count = sum(1 for row in conversations if (row.model_ref or "").startswith(f"{slug}/"))
    if count:
        found.append(f"{count} conversation{'s' if count > 1 else ''}")
    return found
