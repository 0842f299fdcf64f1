"""How old each fact about a model is: the moment of the live list, of the fetched list, or of the bundled facts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from services.clock import to_ms

if TYPE_CHECKING:
    from services.container import Services
    from services.models import ModelView


def as_of(services: Services, view: ModelView) -> dict[str, int]:
    """Field → UTC ms of what says it; fields whose source has no date (the user's own, a guess) are absent."""
    from catalog.bundled import facts_date

    dates = services.catalog.refreshed.dates
    bundled = to_ms(datetime.fromisoformat(facts_date()).replace(tzinfo=UTC))
    found: dict[str, int] = {}
    for field, said in view.info.sources.items():
        source, _, name = said.partition(":")
        when = {"live": view.seen, "refreshed": dates.get(name), "catalog": bundled}.get(source)
        if when:
            found[field] = when
    return found
