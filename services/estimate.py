"""What a run will use and cost, said before it is sent: input tokens, likely and worst output, low and high money."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.types import ModelInfo
from catalog.usage import Usage
from services.ratios import PromptSize, TokenHabit, TokenHabits, prompt_size
from services.tariff import Tariff, WorstCase, tariff_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.container import Services
    from services.models import ModelView
    from services.run_events import RunRequest
    from store.providers import ProviderRow

FALLBACK_MAX_OUTPUT = 4_096
"""The worst output where neither the request nor the catalog names one."""
LIKELY_OUTPUT = 400
"""Tokens of a usual answer, until a model's own answers tell."""
SPARE_TOKENS = 16
"""Added to the worst input: what a chat template may put around a prompt."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A run before it is sent. Money is USD; None where unknown, and where `own`."""

    model: str
    input_tokens: int
    exact: bool
    """True when the vendor counted the input itself."""
    likely_output: int
    max_output: int
    low: Decimal | None
    """With the likely output."""
    high: Decimal | None
    """With the longest output."""
    own: bool
    """Own hardware or flat rate: no price per token."""
    error_band: float
    """Relative error of `input_tokens` that is taken for possible; 0 where the vendor counted."""
    context_window: int | None = None
    """Tokens the model reads and writes in one run; None: unknown."""
    longest: int = FALLBACK_MAX_OUTPUT
    """The longest answer the model gives to any prompt."""

    @property
    def too_long(self) -> bool:
        """True when the input alone is probably more than the model reads."""
        return self.context_window is not None and self.input_tokens > self.context_window

    @property
    def longest_answer(self) -> int:
        """What a vendor that must be told a limit is told: room for the answer though the input be guessed too high.

        A limit that is too high is refused with the right one; one that is too low cuts the answer unasked.
        """
        if self.context_window is None:
            return self.longest
        room = self.context_window - math.floor(self.input_tokens * (1 - self.error_band))
        return min(self.longest, max(room, FALLBACK_MAX_OUTPUT))

    @property
    def worst_input(self) -> int:
        """Input tokens at the far end of the error band: what money is set aside for."""
        return math.ceil(self.input_tokens * (1 + self.error_band)) + SPARE_TOKENS


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that is known of a run's model before it is sent."""

    view: ModelView
    row: ProviderRow
    tariff: Tariff
    habit: TokenHabit
    size: PromptSize
    estimate: Estimate
    by_tokens: bool = True
    """False for a task: nobody counts its tokens, and it is not billed by them."""
    stand_ins: Mapping[str, Tariff] = field(default_factory=dict)
    """What the vendor may answer with in this model's place (OpenRouter's `models`), by id."""

    def tariff_of(self, served: str | None) -> Tariff:
        """What an answer by `served` is charged by; a stranger's price is not known."""
        if not self.stand_ins or served is None:
            return self.tariff
        from services.billed import matching

        known = {**self.stand_ins, self.view.info.id: self.tariff}
        return known.get(matching(served, known), Tariff(None, own=self.tariff.own))

    @property
    def unpriced(self) -> str | None:
        """A model that may answer in this one's place at a price nobody knows; None: there is none."""
        if self.tariff.own:
            return None
        return next((name for name, tariff in self.stand_ins.items() if not tariff.known), None)

    def worst(self, at: datetime) -> WorstCase | None:
        """The most it can cost, whichever of them answers; None where there is no price per token."""
        size = self.estimate.worst_input
        cases = [tariff.worst(size, at) for tariff in (self.tariff, *self.stand_ins.values())]
        if cases[0] is None:
            return None
        known = [case for case in cases if case is not None]
        return WorstCase(max(case.prompt for case in known), max(case.per_output_token for case in known))


def longest_output(info: ModelInfo, input_tokens: int) -> int:
    """The longest answer a model gives: its maximum, else its default, else 4,096; never beyond its window."""
    longest = info.max_output or info.default_max_tokens or FALLBACK_MAX_OUTPUT
    if info.context_window:
        longest = min(longest, max(1, info.context_window - input_tokens))
    return longest


class Estimates:
    """Estimates for the faces and for the run path."""

    def __init__(self, services: Services) -> None:
        self.habits = TokenHabits(services.db)
        self._services = services
        self._tariffs: dict[str, tuple[ModelView, Tariff]] = {}
        """Ref → what was worked out from the newest view."""

    async def estimate(self, request: RunRequest) -> Estimate:
        """The estimate of a whole request."""
        return (await self.prepared(request)).estimate

    async def prepared(self, request: RunRequest) -> Prepared:
        """The estimate with all it was made from. NotFoundError: no such provider."""
        view, row = await self._services.models.found(request.model)
        tariff = self._tariff(view)
        if request.task is not None:
            tariff = Tariff(None, own=tariff.own)
        habit = await self.habits.load(view.provider, view.info.id)
        size = prompt_size(request.messages, request.system, request.tools, request.json_schema)
        counted = self._services.counting.known(request)
        estimate = _estimate(view, tariff, habit, size, request.max_tokens, counted)
        return Prepared(
            view, row, tariff, habit, size, estimate,
            by_tokens=request.task is None, stand_ins=await self._stand_ins(row, view.info.id),
        )  # fmt: skip

    async def _stand_ins(self, row: ProviderRow, asked: str) -> dict[str, Tariff]:
        """The tariffs of the models that OpenRouter is told to fall back on."""
        names = row.options.get("models", "").split(",") if row.dialect == "openrouter" else []
        return {
            name: self._tariff((await self._services.models.found(f"{row.slug}/{name}"))[0])
            for name in names
            if name and name != asked
        }

    async def counted(self, requests: Sequence[RunRequest]) -> list[Estimate]:
        """Their estimates, exact where the vendor counts within a few seconds."""
        await self._services.counting.count_all(requests)
        return [await self.estimate(request) for request in requests]

    async def prepare(self, ref: str) -> None:
        """Load what `quick` uses, once when a model is chosen."""
        from services.run_events import RunRequest

        await self.prepared(RunRequest(ref, ()))

    def price_of(self, view: ModelView, used: Usage) -> Decimal | None:
        """What these tokens would cost with a model; 0 on own hardware, None: unknown."""
        tariff = self._tariff(view)
        return Decimal(0) if tariff.own else tariff.cost(used, datetime.now(UTC))

    def _tariff(self, view: ModelView) -> Tariff:
        known = self._tariffs.get(view.ref)
        if known is None or known[0] is not view:  # its price may be another one by now
            known = self._tariffs[view.ref] = (view, tariff_of(view))
        return known[1]

    def quick(
        self,
        view: ModelView,
        weight: int,
        *,
        messages: int = 1,
        images: int = 0,
        max_tokens: int | None = None,
        counted: int | None = None,
    ) -> Estimate:
        """The same without any waiting, for every key press. `weight` is `services.ratios.weigh` of the text.

        `counted` is what the vendor counted of this very prompt; None: it did not.
        """
        tariff = self._tariff(view)
        habit = self.habits.known(view.provider, view.info.id)
        return _estimate(view, tariff, habit, PromptSize(weight, messages, images), max_tokens, counted)


def _estimate(
    view: ModelView,
    tariff: Tariff,
    habit: TokenHabit,
    size: PromptSize,
    max_tokens: int | None,
    counted: int | None,
) -> Estimate:
    tokens = size.tokens(habit) if counted is None else counted
    longest = max_tokens or longest_output(view.info, tokens)
    likely = min(longest, habit.likely_output or LIKELY_OUTPUT)
    at = datetime.now(UTC)
    return Estimate(
        model=view.ref,
        input_tokens=tokens,
        exact=counted is not None,
        likely_output=likely,
        max_output=longest,
        low=tariff.cost(Usage(input=tokens, output=likely), at),
        high=tariff.cost(Usage(input=tokens, output=longest), at),
        own=tariff.own,
        error_band=habit.band if counted is None else 0.0,
        context_window=view.info.context_window,
        longest=longest_output(view.info, 0),
    )
