"""Recommendations for a task: the models at hand, what each typical run would cost here, and what was measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from catalog.capabilities import Ability, ability
from catalog.errors import UsageError
from catalog.patterns import hears
from catalog.plaintext import one_line
from catalog.recommend import TASKS, Candidate, Verdict, rank
from catalog.types import CAPABILITIES
from catalog.usage import Usage
from services.model_records import ModelRecord, model_records
from services.tariff import tariff_of

if TYPE_CHECKING:
    from services.container import Services
    from services.models import ModelView
    from store.providers import ProviderRow

OWN_RUNS = 10
"""From so many runs in 30 days on, a chat is priced as the user's own typical run."""
MOST_USD = Decimal(1_000_000)
_WELL = frozenset({"ok", "unknown", "untested", "offline"})
"""States of a provider that say nothing against using it."""
_STRAINED = frozenset({"limited", "slow"})
"""States that pass by themselves."""
_TURN_S = 0.004
"""So long is worked between two turns of the event loop."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a model is wanted for."""

    task: str
    budget: Decimal | None
    """USD for a run; None: any."""
    needs: tuple[str, ...] = ()
    """Capabilities on top of those of the task."""

    @property
    def wanted(self) -> tuple[str, ...]:
        """All capabilities that are needed."""
        return tuple(dict.fromkeys((*TASKS[self.task].needs, *self.needs)))

    @property
    def extra(self) -> tuple[str, ...]:
        """Those that the task would not need by itself."""
        return tuple(name for name in self.wanted if name not in TASKS[self.task].needs)


@dataclass(frozen=True, slots=True)
class Advice:
    """The answer: every model of every provider, the best first."""

    wish: Wish
    run: Usage
    """The run that was priced."""
    yours: bool
    """True: it is the mean of the user's own runs, not the task's typical one."""
    verdicts: tuple[Verdict, ...]

    @property
    def fitting(self) -> int:
        """How many are recommended."""
        return sum(verdict.rank is not None for verdict in self.verdicts)


def wish_of(task: str, budget: str, needs: str = "") -> Wish:
    """A wish as people write it: `code`, `0.01` (empty: any), `tools, vision`. UsageError says what is wrong."""
    name = task.strip().lower() or "chat"
    if name not in TASKS:
        raise UsageError(f"There is no task {one_line(task, 40)}.", hint=f"One of {', '.join(TASKS)}.")
    return Wish(name, budget_of(budget), needs_of(needs))


def budget_of(text: str) -> Decimal | None:
    """USD for a run; None for an empty text."""
    text = text.strip().removeprefix("$").strip()
    if not text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or not 0 <= amount <= MOST_USD:
        raise UsageError(
            "The budget is no amount in USD.", hint="Write what a run may cost: 0.01; 0 is free only."
        )
    return amount


def needs_of(text: str) -> tuple[str, ...]:
    """Capabilities by name, between commas or spaces."""
    names = tuple(dict.fromkeys(text.lower().replace(",", " ").split()))
    if unknown := [name for name in names if name not in CAPABILITIES]:
        raise UsageError(
            f"There is no capability {one_line(unknown[0], 40)}.", hint=f"Some of {', '.join(CAPABILITIES)}."
        )
    return names


async def recommend(services: Services, wish: Wish) -> Advice:
    """Judge every model of every provider."""
    rows = {row.slug: row for row in await services.registry.rows()}
    views = await services.models.list()
    records = await model_records(services)
    run, yours = _typical(wish, records)
    at = datetime.now(UTC)
    keyless = {slug: words for slug, row in rows.items() if (words := _keyless(services, row))}
    candidates = []
    turn = time.monotonic()
    for view in views:
        if (row := rows.get(view.provider)) is None:
            continue  # deleted since
        found = _candidate(view, row, wish, run, at, records.get(view.ref))
        candidates.append(replace(found, ill=keyless[row.slug]) if row.slug in keyless else found)
        if time.monotonic() - turn > _TURN_S:
            await asyncio.sleep(0)
            turn = time.monotonic()
    verdicts = await asyncio.to_thread(rank, candidates, run, wish.budget)
    return Advice(wish, run, yours, tuple(verdicts))


def _keyless(services: Services, row: ProviderRow) -> str | None:
    """Why a provider cannot answer for want of a key, before anybody tried; None: it has one, or needs none."""
    from services.transfer_keys import variable_set, wants_key

    if row.dialect == "fake":
        return None
    if row.key_ref is None:
        return "its provider has no key yet" if wants_key(services, row) else None
    kind, _, name = row.key_ref.partition(":")
    return (
        f"its key's variable {name} is not set"
        if kind == "env" and not variable_set(services, name)
        else None
    )


def _typical(wish: Wish, records: Mapping[str, ModelRecord]) -> tuple[Usage, bool]:
    """The task's run; for a chat the mean of the user's own runs, where there are enough."""
    runs = sum(record.runs for record in records.values())
    if wish.task != "chat" or runs < OWN_RUNS:
        return TASKS[wish.task].run, False
    given = sum(record.input for record in records.values())
    made = sum(record.output for record in records.values())
    return Usage(input=max(1, round(given / runs)), output=max(1, round(made / runs))), True


def _candidate(
    view: ModelView,
    row: ProviderRow,
    wish: Wish,
    run: Usage,
    at: datetime,
    record: ModelRecord | None,
) -> Candidate:
    info = view.info
    tariff = tariff_of(view)
    return Candidate(
        ref=view.ref,
        abilities=tuple(_ability(view, name, wish) for name in wish.wanted),
        context_window=info.context_window,
        cost=tariff.cost(run, at),
        own=tariff.own,
        out_of_use=_out_of_use(view, row, at.date().isoformat()),
        ill=None if row.state in _WELL | _STRAINED else _state_words(row),
        strained=_state_words(row) if row.state in _STRAINED else None,
        unfit=None if view.chat or _hears(view, wish) else "does not answer in words",
        ends=info.shutdown_date
        if info.shutdown_date and not info.retired_on(at.date().isoformat())
        else None,
        runs=record.runs if record else 0,
        failed=record.failed if record else 0,
        ttft_ms=record.ttft_p50 if record else None,
        tok_per_s=record.tok_per_s if record else None,
    )


def _state_words(row: ProviderRow) -> str:
    return f"its provider: {row.state.replace('_', ' ')}"


def _ability(view: ModelView, name: str, wish: Wish) -> Ability:
    """What is said of one ability; that a speech model hears is told by its name where nobody says."""
    found = ability(view.info, name, view.asked)
    if name == "audio" and found.source in ("", "pattern") and not view.chat and _hears(view, wish):
        return Ability(name, True, "pattern")
    return found


def _hears(view: ModelView, wish: Wish) -> bool:
    """Speech models chat with nobody, and are wanted all the same where speech is to become text."""
    if wish.task != "transcribe":
        return False
    made, given = view.info.modalities_out or (), view.info.modalities_in or ()
    return hears(view.info.id) if not given else "audio" in given and (not made or "text" in made)


def _out_of_use(view: ModelView, row: ProviderRow, today: str) -> str | None:
    from adapters.loader import speaks

    if not speaks(row.dialect):
        return f"nothing installed here speaks {one_line(row.dialect, 40)}"
    if not row.enabled:
        return "its provider is switched off"
    if not view.available:
        return "its provider no longer lists it"
    if view.info.retired_on(today):
        return "retired"
    return None if view.enabled else "switched off"
