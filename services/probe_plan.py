"""What asking some models would cost, said before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.capabilities import PROBED
from catalog.errors import NotFoundError, UsageError
from catalog.usage import Usage
from services.probe_questions import MAX_TOKENS, question

if TYPE_CHECKING:
    from services.container import Services
    from services.models import ModelView


@dataclass(frozen=True, slots=True)
class Price:
    """What something costs in USD; None: unknown, or (`own`) no price per token."""

    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """What one model will be asked."""

    view: ModelView
    prices: dict[str, Price]
    """Capability → what asking for it costs, in the order in which it is asked."""
    own: bool
    limited: bool
    """The price is unknown while a money limit is in force: it is only asked where the user allows it."""

    @property
    def unknown(self) -> bool:
        """The price is unknown."""
        return not self.own and any(price.high is None for price in self.prices.values())


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """Everything that will be asked."""

    models: tuple[ModelPlan, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    """(model ref, why it is not asked)."""

    @property
    def questions(self) -> int:
        return sum(len(model.prices) for model in self.models)

    @property
    def cost(self) -> Price:
        """Of what has a known price, together."""
        prices = [price for model in self.models if not model.own for price in model.prices.values()]
        return Price(
            sum((price.low for price in prices if price.low is not None), Decimal(0)),
            sum((price.high for price in prices if price.high is not None), Decimal(0)),
        )

    @property
    def unknown(self) -> tuple[str, ...]:
        """Models whose price is unknown."""
        return tuple(model.view.ref for model in self.models if model.unknown)

    @property
    def own(self) -> int:
        """Models without a price per token."""
        return sum(model.own for model in self.models)

    @property
    def limited(self) -> tuple[str, ...]:
        """Models whose price is unknown while a money limit is in force."""
        return tuple(model.view.ref for model in self.models if model.limited)

    def only(self, capabilities: Sequence[str]) -> ProbePlan:
        """The same with fewer questions."""
        return ProbePlan(
            tuple(
                ModelPlan(
                    model.view,
                    {name: price for name, price in model.prices.items() if name in capabilities},
                    model.own,
                    model.limited,
                )
                for model in self.models
                if any(name in capabilities for name in model.prices)
            ),
            self.skipped,
        )


async def plan(services: Services, refs: Sequence[str], capabilities: Sequence[str] = PROBED) -> ProbePlan:
    """What asking these models for these capabilities costs. NotFoundError: no sync and no catalog knows one."""
    unknown = [name for name in capabilities if name not in PROBED]
    if unknown or not capabilities:
        asked = f"Nobody can be asked for {', '.join(unknown)}." if unknown else "Nothing is asked for."
        raise UsageError(asked, hint=f"There are: {', '.join(PROBED)}.")
    wanted = [name for name in PROBED if name in capabilities]
    models: list[ModelPlan] = []
    skipped: list[tuple[str, str]] = []
    limited: dict[str, bool] = {}
    for ref in dict.fromkeys(refs):
        view, row = await services.models.found(ref)
        if not view.known:
            raise NotFoundError(
                f"No sync and no catalog knows the model {view.info.id} at {view.provider}.",
                hint=f"See them with: switchroom models list --provider {view.provider}",
                provider=view.provider,
            )
        if why := _not_asked(view, on=row.enabled):
            skipped.append((ref, why))
            continue
        await services.estimates.prepare(ref)
        found = {name: _price(services, view, name) for name in wanted}
        unpriced = not view.own_cost and any(price.high is None for price in found.values())
        if unpriced and view.provider not in limited:
            limited[view.provider] = bool(await services.budgets.binding(view.provider))
        models.append(ModelPlan(view, found, view.own_cost, unpriced and limited[view.provider]))
    return ProbePlan(tuple(models), tuple(skipped))


def _not_asked(view: ModelView, *, on: bool) -> str:
    if not view.chat:
        return "it does not chat"
    if not on:
        return f"{view.provider} is switched off"
    if not view.available:
        return f"{view.provider} no longer offers it"
    return "the vendor has shut it down" if view.info.status == "retired" else ""


def _price(services: Services, view: ModelView, capability: str) -> Price:
    asked = question(capability)
    size = asked.size
    estimate = services.estimates.quick(
        view, size.weight, messages=size.messages, images=size.images, max_tokens=MAX_TOKENS
    )
    if estimate.own:
        return Price(None, None)
    likely = Usage(input=estimate.input_tokens, output=min(asked.likely, estimate.max_output))
    low, high = services.estimates.price_of(view, likely), estimate.high
    if capability == "reasoning" and high is not None:
        high *= 2  # asked once more with effort
    return Price(low, high)
