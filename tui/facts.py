"""What the status line knows, and when it asks the services again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from tui.messages import StatusFacts

if TYPE_CHECKING:
    from services.container import Services
    from tui.life import Life

_REFRESHERS = frozenset(
    {"RunEnded", "BudgetsChanged", "ProvidersChanged", "StoreChangedElsewhere", "OfflineChanged"}
)
"""Feed events after which spend and limits are asked for again."""


def needs_gathering(event: object) -> bool:
    """True when the event may have changed spend, limits or offline."""
    return type(event).__name__ in _REFRESHERS


async def gather(services: Services, current: Callable[[], StatusFacts]) -> StatusFacts:
    """The current facts with those from the store brought up to date: spend, limits, offline.

    `current` is asked after the store has answered: what changed meanwhile is kept.
    """
    limits = {view.period: view.limit for view in await services.budgets.list() if view.scope == "global"}
    today, month = await services.usage.today(), await services.usage.month()
    return replace(
        current(),
        offline=services.offline.state,
        asked=True,
        today=today,
        month=month,
        day_limit=limits.get("daily"),
        month_limit=limits.get("monthly"),
    )


class Speeds:
    """Tokens per second of the runs in flight, from the feed."""

    def __init__(self) -> None:
        self._by_run: dict[str, float | None] = {}

    def apply(self, event: object) -> bool:
        """Take the event in; True when the numbers changed."""
        kind = type(event).__name__
        if kind == "RunStarted":
            self._by_run[event.run_id] = None  # type: ignore[attr-defined]
        elif kind == "RunProgress":
            speed = event.tok_per_s  # type: ignore[attr-defined]
            self._by_run[event.run_id] = None if speed is None else round(speed)  # type: ignore[attr-defined]
        elif kind == "RunEnded":
            self._by_run.pop(event.result.run_id, None)  # type: ignore[attr-defined]
        else:
            return False
        return True

    @property
    def runs(self) -> int:
        return len(self._by_run)

    @property
    def total(self) -> float | None:
        known = [speed for speed in self._by_run.values() if speed]
        return sum(known) if known else None


class Gatherer:
    """Asks the services for the facts, one question at a time; what happens meanwhile is asked about once more."""

    def __init__(self, app: Life, speeds: Speeds) -> None:
        self._app, self._speeds = app, speeds
        self._task: asyncio.Task[None] | None = None
        self._old = False

    def soon(self) -> None:
        """The facts may have changed."""
        self._old = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._gather())
            self._task.add_done_callback(self._app.task_ended)

    def cancel(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()

    async def _gather(self) -> None:
        app = self._app
        while self._old:
            await asyncio.sleep(0)  # several events of one moment are one question
            self._old = False
            try:
                gathered = await gather(app.services, lambda: app.facts)
            except SwitchroomError as error:
                app.tell_error(error)
                return
            app.set_facts(replace(gathered, tok_per_s=self._speeds.total))
