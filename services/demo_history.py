"""The demo's week: who asked what of which model at which hour, what it cost, and what went wrong. Always the same."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from catalog.money import to_nanos
from catalog.usage import Usage
from services import clock
from services.tariff import Tariff, tariff_of
from store.ledger import AttemptRow

if TYPE_CHECKING:
    from services.container import Services

SEED = 7
DAYS = 7
SLOT_MS = 15 * clock.MINUTE_MS

_BY_HOUR = (
    0.4, 0.2, 0.1, 0.1, 0.1, 0.2, 0.6, 1.6, 4.4, 8.4, 10, 9.2, 6, 7.2, 9.6, 9.2, 7.6, 5.2, 3.2, 2.8, 3.2, 2.6, 1.6, 0.8,
)  # fmt: skip
"""Runs an hour of a working day, by the user's own clock."""
_WEEKEND = 0.35


@dataclass(frozen=True, slots=True)
class _Habit:
    """How one model is used. Tokens and milliseconds are medians."""

    provider: str
    model: str
    weight: float
    input: int
    output: int
    ttft: int
    pace: int
    """Tokens a second."""
    caller: str
    label: str


_HABITS = (
    _Habit("openai-prod", "gpt-6.1-sol", 30, 1_400, 420, 520, 82, "tui", "docs"),
    _Habit("openai-prod", "gpt-6-luna", 32, 2_600, 160, 310, 118, "cli", "triage"),
    _Habit("openai-prod", "gpt-5.4-mini", 7, 900, 900, 1_300, 92, "cli", "review"),
    _Habit("anthropic", "claude-sonnet-5-5", 16, 6_200, 620, 760, 72, "tui", "docs"),
    _Habit("anthropic", "claude-opus-5-5", 3, 9_000, 1_100, 1_150, 54, "tui", "planning"),
    _Habit("anthropic", "claude-haiku-4-5", 4, 1_900, 210, 390, 136, "cli", "triage"),
    _Habit("homelab", "qwen3:8b", 8, 700, 380, 280, 37, "tui", "private"),
)


async def tariffs(services: Services) -> dict[tuple[str, str], Tariff]:
    """What each model of the demo costs."""
    found = {}
    for habit in _HABITS:
        view = await services.models.get(f"{habit.provider}/{habit.model}")
        found[(habit.provider, habit.model)] = tariff_of(view, await services.registry.row(habit.provider))
    return found


async def history(services: Services, now: int) -> list[AttemptRow]:
    """A week of attempts up to now."""
    prices = await tariffs(services)
    chance = random.Random(SEED)  # noqa: S311  a play, no secret
    rows: list[AttemptRow] = []
    for number, at in enumerate(_moments(now, chance)):
        habit = chance.choices(_HABITS, [habit.weight for habit in _HABITS])[0]
        tariff = prices[(habit.provider, habit.model)]
        rows += _run(f"demo{number:06d}", at, habit, tariff, chance)
    return rows


def _moments(now: int, chance: random.Random) -> Iterator[int]:
    """When runs begin: busy mornings and afternoons, quiet nights and weekends."""
    for start in range(now - DAYS * clock.DAY_MS, now, SLOT_MS):
        local = datetime.fromtimestamp(start / 1000, UTC).astimezone()
        expected = _BY_HOUR[local.hour] / 4 * (_WEEKEND if local.isoweekday() > 5 else 1)
        count = int(expected) + (chance.random() < expected % 1) + (chance.random() < 0.1)
        for offset in sorted(chance.randrange(SLOT_MS) for _ in range(count)):
            if start + offset < now - clock.MINUTE_MS:
                yield start + offset


def _run(run_id: str, at: int, habit: _Habit, tariff: Tariff, chance: random.Random) -> list[AttemptRow]:
    """One run: mostly an answer, now and then a limit first, a cut or a change of mind."""
    row = attempt(
        run_id,
        at,
        (habit.provider, habit.model),
        tariff,
        tokens=(_around(habit.input, chance), _around(habit.output, chance)),
        pace=(_around(habit.ttft, chance, 0.25), habit.pace),
        cached=chance.random() < 0.3,
    )
    row = replace(row, caller=habit.caller, labels_json=json.dumps({"project": habit.label}))
    fate = chance.random()
    if habit.provider == "anthropic" and fate < 0.09:
        later = replace(row, number=2, at=at + 2_100)
        return [_limited(row), later]
    if fate < 0.012:
        return [_part(row, tariff, "cancelled", None)]
    if fate < 0.022:
        return [_part(row, tariff, "interrupted", "interrupted")]
    if habit.provider == "homelab" and fate < 0.07:
        return [_failed(row, "network", None)]
    if fate < 0.028:
        return [_failed(row, "unexpected_response", 500)]
    return [row]


def attempt(
    run_id: str,
    at: int,
    model: tuple[str, str],
    tariff: Tariff,
    *,
    tokens: tuple[int, int],
    pace: tuple[int, int],
    cached: bool = False,
) -> AttemptRow:
    """A complete answer. `tokens` in and out; `pace`: ms to the first, then tokens a second."""
    usage = Usage(
        input=tokens[0],
        output=tokens[1],
        cache_read=tokens[0] * 6 // 10 if cached and not tariff.own else None,
    )
    row = AttemptRow(
        id=None,
        run_id=run_id,
        number=1,
        final=True,
        at=at,
        provider=model[0],
        model=model[1],
        outcome="complete",
        finish_reason="stop",
        http_status=200,
        request_id=f"req_{run_id}",
        price_json=tariff.snapshot(),
        ttft_ms=pace[0],
        duration_ms=pace[0] + tokens[1] * 1000 // pace[1],
    )
    return _priced(row, usage, tariff, "computed")


def _priced(row: AttemptRow, usage: Usage, tariff: Tariff, grade: str) -> AttemptRow:
    cost = tariff.cost(usage, datetime.fromtimestamp(row.at / 1000, UTC))
    return replace(
        row,
        input=usage.input,
        output=usage.output,
        cache_read=usage.cache_read,
        cost_nanos=None if cost is None else to_nanos(cost),
        grade="own" if tariff.own else grade,
    )


def _part(row: AttemptRow, tariff: Tariff, outcome: str, code: str | None) -> AttemptRow:
    """Half an answer, counted here."""
    output = (row.output or 0) // 2
    kept = replace(
        row, outcome=outcome, finish_reason=None, error_code=code, duration_ms=(row.duration_ms or 0) // 2
    )
    return _priced(kept, Usage(input=row.input, output=output), tariff, "estimated")


def _limited(row: AttemptRow) -> AttemptRow:
    return replace(_failed(row, "rate_limited", 429), final=False, retry_after_ms=1_500)


def _failed(row: AttemptRow, code: str, status: int | None) -> AttemptRow:
    """Refused: nothing was used, nothing is billed."""
    return replace(
        row,
        outcome="failed",
        finish_reason=None,
        error_code=code,
        http_status=status,
        input=0,
        output=0,
        cache_read=None,
        cost_nanos=None if row.grade == "own" else 0,
        ttft_ms=None,
        duration_ms=180,
    )


def _around(median: int, chance: random.Random, spread: float = 0.5) -> int:
    return max(1, round(median * chance.lognormvariate(0, spread)))
