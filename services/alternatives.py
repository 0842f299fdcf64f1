"""Which other models an error may name as the way on: “Try openai-prod/gpt-4o-mini, or anthropic/claude-….”"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError

if TYPE_CHECKING:
    from services.container import Services
    from services.models import ModelView

log = logging.getLogger(__name__)

AT_MOST = 2
_ELSEWHERE = frozenset(
    {"rate_limited", "no_credit", "network", "timeout", "interrupted", "unexpected_response"}
)
"""The provider is the problem: only other providers help."""
_WORKING = frozenset({"ok", "unknown", "untested", "slow"})


async def with_way_on(services: Services, view: ModelView, error: SwitchroomError) -> None:
    """Add the alternatives that there are to the error's hint."""
    try:
        refs = await _alternatives(services, view, error.code)
    except SwitchroomError:
        log.exception("no alternatives could be looked up")
        return
    if refs:
        error.hint = f"{error.hint or ''} Try {', or '.join(refs)}.".strip()


async def _alternatives(services: Services, view: ModelView, code: str) -> list[str]:
    if code not in _ELSEWHERE | {"model_unavailable", "context_too_long", "budget"}:
        return []
    rows = {row.slug: row for row in await services.registry.rows()}
    usable = [
        other
        for other in await services.models.list(enabled=True)
        if other.chat
        and other.available
        and other.ref != view.ref
        and (row := rows.get(other.provider)) is not None
        and row.enabled
        and (row.state in _WORKING or other.provider == view.provider)
        and _helps(other, view, code)
    ]
    # The same provider first, then a provider's default model before its others: one of each provider.
    usable.sort(
        key=lambda other: (
            other.provider != view.provider,
            rows[other.provider].default_model != other.info.id,
        )
    )
    first: dict[str, str] = {}
    for other in usable:
        first.setdefault(other.provider, other.ref)
    return list(first.values())[:AT_MOST]


def _helps(other: ModelView, view: ModelView, code: str) -> bool:
    """Whether this model gets round the error."""
    if code == "budget":
        return other.own_cost
    if code == "context_too_long":
        return (other.info.context_window or 0) > (view.info.context_window or 0)
    return code == "model_unavailable" or other.provider != view.provider
