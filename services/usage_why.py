"""Why a sum of money is not what it was before: more runs, longer prompts or answers, prices, other models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from services.exact_parts import exact_parts

if TYPE_CHECKING:
    from services.usage_table import Used

Reason = Literal["runs", "prompts", "answers", "price", "mix"]
REASONS: tuple[Reason, ...] = ("runs", "prompts", "answers", "price", "mix")


@dataclass(frozen=True, slots=True)
class Why:
    """What the difference is made of. The reasons always add up to it, to the nano-dollar."""

    total: Decimal
    """USD more than before."""
    parts: Mapping[Reason, Decimal]
    movers: tuple[tuple[str, Decimal], ...]
    """(model ref, USD more than before), the largest change first; they add up to the total too."""
    unpriced: int
    """Runs without a known cost, in both periods: no part of the sum."""


def why(
    now: Mapping[str, Used],
    before: Mapping[str, Used],
    ratios: Mapping[str, Fraction] | None = None,
    *,
    unpriced: int = 0,
) -> Why:
    """Out of what each model used then and now.

    `unpriced`: runs that are left out of both already. `ratios`: what a token of the answer costs in tokens of the prompt, per model (1 where nothing is said); with it
    a change of the cost that comes from longer answers is not taken for one of the price. In this order: as many
    runs as now at the old cost per run (`runs`), spread over the models as now (`mix`), as long as now (`prompts`,
    `answers`), and what is left is `price`: dearer or cheaper tokens, caching included.
    """
    keys = sorted({key for side in (now, before) for key, used in side.items() if used.cost is not None})
    old = {key: _Model.of(before.get(key), (ratios or {}).get(key, Fraction(1))) for key in keys}
    new = {key: _Model.of(now.get(key), (ratios or {}).get(key, Fraction(1))) for key in keys}
    runs0, runs1 = sum(one.runs for one in old.values()), sum(one.runs for one in new.values())
    cost0, cost1 = sum(one.cost for one in old.values()), sum(one.cost for one in new.values())
    found: dict[Reason, Fraction] = dict.fromkeys(REASONS, Fraction(0))
    if not runs0 or not runs1:
        found["runs"] = Fraction(cost1 - cost0)
    else:
        found["runs"] = (runs1 - runs0) * Fraction(cost0) / runs0
        for key in keys:
            _explain(found, old[key], new[key], Fraction(runs1, runs0))
    total = _exact(now, before, keys)
    movers = [(key, _cost(now.get(key)) - _cost(before.get(key))) for key in keys]
    unpriced += sum(used.runs for side in (now, before) for used in side.values() if used.cost is None)
    ordered = sorted((one for one in movers if one[1]), key=lambda one: (-abs(one[1]), one[0]))
    return Why(total, exact_parts(found, total), tuple(ordered), unpriced)


@dataclass(frozen=True, slots=True)
class _Model:
    runs: int
    prompt: Fraction
    """Tokens per run."""
    answer: Fraction
    """Tokens per run, as prompt tokens of the same price."""
    cost: Fraction

    @classmethod
    def of(cls, used: Used | None, ratio: Fraction) -> _Model:
        if used is None or not used.runs or used.cost is None:
            return cls(0, Fraction(0), Fraction(0), Fraction(0) if used is None else Fraction(used.cost or 0))
        return cls(
            used.runs,
            Fraction(used.input, used.runs),
            Fraction(used.output, used.runs) * ratio,
            Fraction(used.cost),
        )

    @property
    def per_run(self) -> Fraction:
        return self.cost / self.runs

    @property
    def size(self) -> Fraction:
        return self.prompt + self.answer


def _explain(found: dict[Reason, Fraction], old: _Model, new: _Model, growth: Fraction) -> None:
    """Adds what one model contributes to every reason but the number of runs."""
    if not old.runs or not new.runs:  # it came or went: all of it is the mix
        found["mix"] += new.cost - old.cost * growth
        return
    found["mix"] += (new.runs - old.runs * growth) * old.per_run
    rest = new.cost - new.runs * old.per_run
    if old.size:
        token = old.per_run / old.size
        found["prompts"] += new.runs * token * (new.prompt - old.prompt)
        found["answers"] += new.runs * token * (new.answer - old.answer)
        rest -= new.runs * token * (new.size - old.size)
    found["price"] += rest


def _exact(now: Mapping[str, Used], before: Mapping[str, Used], keys: list[str]) -> Decimal:
    return sum((_cost(now.get(key)) - _cost(before.get(key)) for key in keys), Decimal(0))


def _cost(used: Used | None) -> Decimal:
    return Decimal(0) if used is None or used.cost is None else used.cost
