"""The demo's ninety days: who asked what of which model at which hour, what it cost, and what went wrong. Always the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from services import clock
from services.demo_habits import DEAD, DEAD_WITH, FALLBACK, HABITS, SPIKE, Habit, price_of
from services.demo_providers import PROVIDERS
from store.ledger import AttemptRow

SEED = 7
DAYS = 90
SPIKE_RUNS = 30
_BORN = {demo.slug: demo.days - 1 for demo in PROVIDERS}
"""For how many days each provider has been there."""
_SPIKE_EVERY = 5 * clock.MINUTE_MS
_SLOT_MS = 15 * clock.MINUTE_MS

_BY_HOUR = (
    2, 1, 0.5, 0.5, 0.5, 1, 3, 7, 18, 34, 40, 37, 24, 29, 38, 37, 30, 21, 13, 11, 13, 10, 6, 3,
)  # fmt: skip
"""Runs an hour of a working day, by the user's own clock."""
_WEEKEND = 0.3
_GROWTH = 0.45
"""What the first day had of the last one's runs."""
_DETAILED_DAYS, _ROUGH_DAYS = 3, 10
"""Older hours have their runs in one quarter, still older ones in one quarter of three hours: no chart of theirs
is that fine, and each quarter with runs costs a start of the demo some twenty rows of totals."""


def history(now: int) -> list[AttemptRow]:
    """The attempts up to now, in the order of time."""
    chance = random.Random(SEED)  # noqa: S311  a play, no secret
    weights = [habit.weight for habit in HABITS]
    factors = [chance.lognormvariate(0, 0.5) for _ in range(997)]
    rows: list[AttemptRow] = []
    today = clock.day_bounds(now)[0]
    for number, at in enumerate(_moments(now, chance)):
        habit = chance.choices(HABITS, weights)[0]
        ago = (today - at) / clock.DAY_MS
        if ago > _BORN[habit.provider]:
            continue
        dead = DEAD.get(habit.provider)
        if dead is not None and ago < dead:
            if habit.provider in DEAD_WITH and chance.random() < 0.3:
                rows.append(_refused(f"demo{number:06d}", at, habit))
            continue
        rows += _run(f"demo{number:06d}", at, ago, habit, chance, factors)
    for number in range(SPIKE_RUNS):
        at = spike_start(now) + number * _SPIKE_EVERY + chance.randrange(_SPIKE_EVERY)
        rows += _run(f"demoeval{number:03d}", at, 1, SPIKE, chance, factors)
    rows.sort(key=lambda row: (row.at, row.run_id, row.number))
    return rows


def spike_start(now: int) -> int:
    """When the evaluation began that made a day dear: always within the last 24 hours, and over by now."""
    today = clock.day_bounds(now)[0]
    this_morning = today + 10 * clock.HOUR_MS
    if now >= this_morning + 3 * clock.HOUR_MS:
        return this_morning
    return clock.day_bounds(now, -1)[0] + 15 * clock.HOUR_MS


def _moments(now: int, chance: random.Random) -> Iterator[int]:
    """When runs begin: busy mornings and afternoons, quiet nights and weekends, a little more every week."""
    first = now - DAYS * clock.DAY_MS
    for start in range(first - first % clock.HOUR_MS, now, clock.HOUR_MS):
        local = datetime.fromtimestamp(start / 1000, UTC).astimezone()
        days_ago = (now - start) / clock.DAY_MS
        expected = _BY_HOUR[local.hour] * (_WEEKEND if local.isoweekday() > 5 else 1)
        expected *= (1 - (1 - _GROWTH) * days_ago / DAYS) * chance.uniform(0.75, 1.25)
        count = int(expected) + (chance.random() < expected % 1)
        for at in sorted(_within(start, days_ago, count, chance)):
            if first < at < now - clock.MINUTE_MS:
                yield at


def _within(start: int, days_ago: float, count: int, chance: random.Random) -> Iterator[int]:
    if days_ago < _DETAILED_DAYS:
        return (start + chance.randrange(clock.HOUR_MS) for _ in range(count))
    if days_ago < _ROUGH_DAYS:
        begin = start + start // clock.HOUR_MS * 7 % 4 * _SLOT_MS
    else:
        begin = start - start % (3 * clock.HOUR_MS) + start // (3 * clock.HOUR_MS) * 5 % 12 * _SLOT_MS
    return (begin + chance.randrange(_SLOT_MS) for _ in range(count))


def _run(
    run_id: str, at: int, ago: float, habit: Habit, chance: random.Random, factors: list[float]
) -> list[AttemptRow]:
    """One run: mostly an answer, now and then a limit first, another provider, a cut or a change of mind."""
    pick = int(chance.random() * 990)
    sent = int(habit.input * factors[pick]) + 1
    back = int(habit.output * factors[pick + 3]) + 1
    row = attempt(
        run_id,
        at,
        habit,
        tokens=(sent, back),
        ttft=int(habit.ttft * (0.6 + 0.4 * factors[pick + 5])) + (2_600 if _slow(habit, ago) else 0),
        cached=sent * 6 // 10 if habit.caches and chance.random() < 0.3 else None,
        days_ago=ago,
    )
    fate = chance.random()
    if fate > 0.1:
        return [row]
    return _unlucky(row, habit, fate, factors[pick])


def _refused(run_id: str, at: int, habit: Habit) -> AttemptRow:
    """What the few who still ask a dead provider get."""
    code, status = DEAD_WITH[habit.provider]
    row = attempt(run_id, at, habit, tokens=(0, 0), ttft=0, cached=None)
    return replace(_failed(row, code, status), final=True)


def _slow(habit: Habit, ago: float) -> bool:
    """Mistral has been slow since yesterday."""
    return habit.provider == "mistral" and ago < 1


def _unlucky(row: AttemptRow, habit: Habit, fate: float, factor: float) -> list[AttemptRow]:
    """What a tenth of the runs may meet, by provider."""
    if habit.provider == "anthropic" and fate < 0.012:
        return [replace(_failed(row, "rate_limited", 429, wait=30_000), final=True)]
    if habit.provider == "anthropic" and fate < 0.08:
        return [_failed(row, "rate_limited", 429, wait=1_500), replace(row, number=2, at=row.at + 2_100)]
    if habit.provider == "openai-prod" and fate < 0.008:
        refused = _failed(row, "rate_limited", 503, wait=None)
        other = attempt(
            row.run_id,
            row.at + 400,
            FALLBACK,
            tokens=(row.input or 0, row.output or 0),
            ttft=810,
            cached=None,
        )
        return [refused, replace(other, number=2, caller=row.caller, labels_json=row.labels_json)]
    if habit.provider == "homelab" and fate < 0.05:
        return [replace(_failed(row, "network", None), final=True)]
    if habit.provider == "together" and fate < 0.04:
        return [_failed(row, "timeout", None), replace(row, number=2, at=row.at + 11_000)]
    if fate < 0.014:
        return [_part(row, habit, "cancelled", None, factor)]
    if fate < 0.024:
        return [_part(row, habit, "interrupted", "interrupted", factor)]
    if fate < 0.03:
        return [replace(_failed(row, "unexpected_response", 500), final=True)]
    if fate < 0.033:
        return [replace(_failed(row, "context_too_long", 400), final=True)]
    return [row]


def attempt(
    run_id: str,
    at: int,
    habit: Habit,
    *,
    tokens: tuple[int, int],
    ttft: int,
    cached: int | None,
    days_ago: float = 0,
) -> AttemptRow:
    """A complete answer. `tokens` in and out."""
    sent, back = tokens
    price = price_of(habit, days_ago)
    cost = None
    if price is not None:
        hits = cached or 0
        cost = (sent - hits) * price.input + hits * price.cached + back * price.output
    thought = back * 2 // 5 if habit.thinks else None
    return AttemptRow(
        None, run_id, 1, True, at, habit.provider, habit.model, "complete", "stop", None, 200, f"req_{run_id}", None,
        sent, back, cached, None, thought, cost, habit.grade, price.text if price is not None else None,
        ttft, ttft + back * 1000 // habit.pace, habit.caller, None, habit.labels,
    )  # fmt: skip


def _part(row: AttemptRow, habit: Habit, outcome: str, code: str | None, factor: float) -> AttemptRow:
    """Part of an answer, counted here."""
    output = int((row.output or 0) * min(0.9, factor / 2))
    price = price_of(habit, 0)
    cost = None if price is None else (row.input or 0) * price.input + output * price.output
    return replace(
        row,
        outcome=outcome,
        finish_reason=None,
        error_code=code,
        output=output,
        reasoning=None,
        cache_read=None,
        cost_nanos=cost,
        grade="estimated" if price is not None else row.grade,
        duration_ms=(row.duration_ms or 0) // 2,
    )


def _failed(row: AttemptRow, code: str, status: int | None, wait: int | None = None) -> AttemptRow:
    """Refused, and tried again: nothing was used, nothing is billed."""
    return replace(
        row,
        final=False,
        outcome="failed",
        finish_reason=None,
        error_code=code,
        http_status=status,
        request_id=row.request_id if status else None,
        retry_after_ms=wait,
        input=0,
        output=0,
        cache_read=None,
        reasoning=None,
        cost_nanos=None if row.grade == "own" else 0,
        grade="own" if row.grade == "own" else "computed",
        ttft_ms=None,
        duration_ms=180,
    )
