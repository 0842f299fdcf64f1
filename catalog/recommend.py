"""Which models suit a task and a budget, in which order, and why: a ranking that leaves nobody out without a word.

Nobody's opinion of quality goes in. First come models whose abilities somebody states, then those only guessed from a
name; among equals the cheaper typical run, then the faster. Everything else keeps its place below, with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from catalog.capabilities import Ability, source_words
from catalog.usage import Usage

Standing = Literal["fits", "unsure", "unpriced", "over_budget", "unhealthy", "unavailable", "unfit"]
STANDINGS: tuple[Standing, ...] = (
    "fits", "unsure", "unpriced", "over_budget", "unhealthy", "unavailable", "unfit",
)  # fmt: skip
"""In the order in which they are told."""
STANDING_WORDS: Mapping[Standing, str] = MappingProxyType(
    {
        "fits": "fits",
        "unsure": "nobody says it can",
        "unpriced": "price unknown",
        "over_budget": "over budget",
        "unhealthy": "not healthy",
        "unavailable": "not in use",
        "unfit": "does not fit",
    }
)

ENOUGH_RUNS = 5
"""Fewer runs say nothing about a model's errors."""
FEW_ERRORS = 0.02
"""Up to this share of failed runs they speak for a model."""
TOO_MANY_ERRORS = 0.25
"""The share of failed runs from which on a model is not healthy."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a run of one kind takes."""

    name: str
    words: str
    needs: tuple[str, ...]
    """Capabilities it cannot do without."""
    run: Usage
    """A typical run."""


TASKS: Mapping[str, Task] = MappingProxyType(
    {
        task.name: task
        for task in (
            Task("chat", "a question and its answer", (), Usage(input=1_500, output=400)),
            Task("code", "some files and a change to them", (), Usage(input=12_000, output=1_500)),
            Task("vision", "a picture and a question about it", ("vision",), Usage(input=1_500, output=300)),
            Task(
                "reasoning",
                "a hard question, thought through",
                ("reasoning",),
                Usage(input=1_000, output=4_000, reasoning=3_000),
            ),
            Task("translate", "three pages of text", (), Usage(input=2_000, output=2_200)),
            Task(
                "transcribe",
                "ten minutes of speech",
                ("audio",),
                Usage(input=15_200, output=1_800, audio_input=15_000),
            ),
        )
    }
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model, with everything that decides about it."""

    ref: str
    abilities: tuple[Ability, ...]
    """Of what is needed, each with who says so."""
    context_window: int | None
    cost: Decimal | None
    """USD of the typical run; None: unknown, or `own`."""
    own: bool
    """Own hardware or flat rate: no price per token."""
    out_of_use: str | None = None
    """Why it cannot be used now, in words."""
    ill: str | None = None
    """What is wrong with its provider, in words."""
    strained: str | None = None
    """What its provider has to cope with just now, in words: it passes."""
    unfit: str | None = None
    """Why it is no model for this at all, in words."""
    ends: str | None = None
    """Its announced last day, ISO."""
    runs: int = 0
    failed: int = 0
    ttft_ms: int | None = None
    tok_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for a model, against it, or for neither."""

    about: Literal["state", "health", "fit", "context", "capability", "price", "speed", "errors", "end"]
    text: str
    good: bool | None = None
    """None: to be known, no more."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is thought of one model."""

    ref: str
    standing: Standing
    rank: int | None
    """1 is the best; None: not recommended."""
    reasons: tuple[Reason, ...]
    """What decided first."""
    candidate: Candidate

    @property
    def why(self) -> str:
        """On one line: what decided against it; for a recommended one all but price and speed, which are figures."""
        if self.rank is None:
            return self.reasons[0].text
        told = [reason for about in _TELLING for reason in self.reasons if reason.about == about]
        return "; ".join(reason.text for reason in told)


_TELLING = ("end", "health", "capability", "errors", "context")


def rank(candidates: Iterable[Candidate], run: Usage, budget: Decimal | None) -> list[Verdict]:
    """All candidates, the best first. `budget`: USD for a run; None: any."""
    judged = [(candidate, *_judge(candidate, run, budget)) for candidate in candidates]
    judged.sort(key=lambda one: (STANDINGS.index(one[1]), *_order(one[0])))
    verdicts = []
    place = 0
    for candidate, standing, reasons in judged:
        place += standing == "fits"
        verdicts.append(
            Verdict(candidate.ref, standing, place if standing == "fits" else None, reasons, candidate)
        )
    return verdicts


def _order(one: Candidate) -> tuple[int, bool, Decimal, float, str]:
    guessed = sum(found.guessed for found in one.abilities)
    cost = Decimal(0) if one.own else one.cost
    return guessed, cost is None, cost or Decimal(0), -(one.tok_per_s or 0), one.ref


def _judge(one: Candidate, run: Usage, budget: Decimal | None) -> tuple[Standing, tuple[Reason, ...]]:
    against: list[tuple[Standing, Reason]] = []
    if one.unfit:
        against.append(("unfit", Reason("fit", one.unfit, good=False)))
    abilities = [_ability(found) for found in one.abilities]
    against += [
        ("unfit" if found.can is False else "unsure", told)
        for found, told in zip(one.abilities, abilities, strict=True)
        if not found.can
    ]
    context = _context(one, run)
    if context.good is False:
        against.append(("unfit", context))
    if one.out_of_use:
        against.append(("unavailable", Reason("state", one.out_of_use, good=False)))
    if one.ill:
        against.append(("unhealthy", Reason("health", one.ill, good=False)))
    errors = _errors(one)
    if errors is not None and errors.good is False:
        against.append(("unhealthy", errors))
    price, standing = _price(one, budget)
    if standing != "fits":
        against.append((standing, price))
    worst: Standing = max((found for found, _ in against), key=STANDINGS.index, default="fits")
    against.sort(key=lambda found: -STANDINGS.index(found[0]))
    reasons = [reason for _, reason in against]
    strain = None if one.strained is None else Reason("health", one.strained)
    rest = [price, context, *abilities, errors, _speed(one), strain, _end(one)]
    reasons += [reason for reason in rest if reason is not None and reason not in reasons]
    return worst, tuple(reasons)


def _ability(found: Ability) -> Reason:
    # Which of a catalog's sources it was says the page of the model; here it would only stand in the way.
    words = source_words(replace(found, source=found.source.partition(":")[0]))
    if found.can is None:
        return Reason("capability", f"nobody says it can do {found.title}")
    if found.can:
        return Reason("capability", f"{found.title}: {words}", good=None if found.guessed else True)
    return Reason("capability", f"cannot do {found.title}: {words}", good=False)


def _context(one: Candidate, run: Usage) -> Reason:
    wanted = (run.input or 0) + (run.output or 0)
    if one.context_window is None:
        return Reason("context", "context unknown")
    if one.context_window < wanted:
        return Reason(
            "context", f"{wanted:,} tokens do not fit its context of {one.context_window:,}", good=False
        )
    return Reason("context", f"fits its context of {one.context_window:,} tokens", good=True)


def _price(one: Candidate, budget: Decimal | None) -> tuple[Reason, Standing]:
    if one.own:
        return Reason("price", "own hardware or flat rate: no price per token", good=True), "fits"
    if one.cost is None:
        words = "price unknown" if budget is None else "price unknown, so no budget can be kept"
        return Reason("price", words, good=False), "unpriced"
    if budget is None:
        return Reason("price", "price known"), "fits"
    if one.cost <= budget:
        return Reason("price", "within the budget", good=True), "fits"
    return Reason("price", _over(one.cost, budget), good=False), "over_budget"


def _over(cost: Decimal, budget: Decimal) -> str:
    if not budget:
        return "not free"
    times = cost / budget
    if times >= Decimal("1.1"):
        return f"{times:,.1f} times the budget"
    percent = (times - 1) * 100
    return f"{percent:.1f}% over the budget" if percent >= Decimal("0.05") else "a trifle over the budget"


def _errors(one: Candidate) -> Reason | None:
    if not one.runs:
        return None
    words = f"{one.failed:,} of {one.runs:,} runs failed in 30 days"
    if one.runs < ENOUGH_RUNS:
        return Reason("errors", words)
    share = one.failed / one.runs
    return Reason(
        "errors", words, good=True if share <= FEW_ERRORS else False if share > TOO_MANY_ERRORS else None
    )


def _speed(one: Candidate) -> Reason | None:
    if one.tok_per_s is None:
        return Reason("speed", "never timed here") if one.ttft_ms is None else None
    return Reason("speed", f"{one.tok_per_s:.0f} tok/s measured here", good=True)


def _end(one: Candidate) -> Reason | None:
    return None if one.ends is None else Reason("end", f"ends on {one.ends}", good=False)
