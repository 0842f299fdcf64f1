"""How a run gets its money before it is sent: set aside, lowered to fit, waited for, or refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.errors import BudgetExceededError, UnpricedError
from catalog.money import to_nanos
from services import clock, process
from services.budgets import BudgetView, dollars
from services.recovery import settle_orphans
from services.tariff import WorstCase
from store.reservations import ReservationRow, Reservations

if TYPE_CHECKING:
    from services.container import Services
    from store.db import Tx

LEAST_OUTPUT = 16
"""Fewer affordable tokens of answer than this, and the run is refused."""
USEFUL_OUTPUT = 256
"""A run that would be cut below this first waits for the runs in flight to settle."""
WAIT_S = 30.0
POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class Claim:
    """What one run may come to use."""

    run_id: str
    provider: str
    model: str
    input_tokens: int
    """As estimated."""
    output_tokens: int
    """The longest answer wanted."""
    worst: WorstCase | None
    """None: no price per token."""
    own: bool
    allow_unpriced: bool
    unpriced: str | None = None
    """A model that may answer in its place and whose price is unknown."""
    spent_nanos: int = 0
    """What earlier attempts of the same run have cost: it stays set aside."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The money is set aside."""

    amount_nanos: int | None
    """None: no price per token."""
    max_output: int
    limited: bool
    """True when a limit is in force and `max_output` must be sent."""
    note: str | None
    """What the user must know: the answer was shortened."""


@dataclass(frozen=True, slots=True)
class _Offer:
    """What the limits leave. `affordable` None: an answer of any length."""

    affordable: int | None
    when_settled: int | None
    """The same, were no run in flight."""
    tightest: BudgetView


class Admission:
    """Reserves, in one write transaction that no other process can come between."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._reservations = Reservations(services.db)

    async def admit(
        self,
        claim: Claim,
        waiting: Callable[[str, float], Awaitable[None]],
        sleep: Callable[[float], Awaitable[None]],
    ) -> Grant:
        """Set the money aside. BudgetExceededError or UnpricedError when the run may not be sent."""
        left = WAIT_S
        while True:
            granted = await self._try(claim, patient=left > 0)
            if isinstance(granted, Grant):
                return granted
            if await settle_orphans(self._services):
                continue  # a killed process held it
            if left == int(left):
                await waiting(
                    f"for running answers to settle: the {granted.label} is set aside for them", left
                )
            await sleep(POLL_S)
            left -= POLL_S

    async def _try(self, claim: Claim, *, patient: bool) -> Grant | BudgetView:
        """A grant, or the limit that has to be waited for."""
        async with self._services.db.transaction() as tx:
            await self._reservations.delete(tx, claim.run_id)
            limits: Sequence[BudgetView] = (
                () if claim.own else await self._services.budgets.binding(claim.provider, tx)
            )
            if not limits:
                return await self._reserve(tx, claim, limited=False)
            if (claim.worst is None or claim.unpriced is not None) and not claim.allow_unpriced:
                raise _unpriced(claim, limits[0])
            if claim.worst is None:
                return await self._reserve(tx, claim, limited=True)
            offer = _offer(claim, claim.worst, limits)
            if offer.affordable is None or offer.affordable >= claim.output_tokens:
                return await self._reserve(tx, claim, limited=True)
            if offer.affordable < USEFUL_OUTPUT and patient and _worth_waiting(offer):
                if claim.spent_nanos:
                    await self._hold(tx, claim, claim.spent_nanos, limited=True)
                return offer.tightest
            if offer.affordable < LEAST_OUTPUT:
                raise _refused(offer.tightest)
            shorter = replace(claim, output_tokens=offer.affordable)
            return await self._reserve(tx, shorter, limited=True, note=_note(offer, claim.output_tokens))

    async def _reserve(self, tx: Tx, claim: Claim, *, limited: bool, note: str | None = None) -> Grant:
        amount = None
        if claim.worst is not None:
            amount = claim.spent_nanos + claim.worst.nanos(claim.output_tokens)
        await self._hold(tx, claim, amount, limited=limited)
        return Grant(amount, claim.output_tokens, limited, note)

    async def _hold(self, tx: Tx, claim: Claim, amount: int | None, *, limited: bool) -> None:
        row = ReservationRow(
            id=claim.run_id,
            run_id=claim.run_id,
            provider=claim.provider,
            model=claim.model,
            amount_nanos=amount,
            input_tokens=claim.input_tokens,
            created_at=clock.now_ms(),
            owner=process.identity(),
            grade="own" if claim.own else "estimated" if limited and amount is not None else "unknown",
        )
        await self._reservations.insert(tx, row)


def _offer(claim: Claim, worst: WorstCase, limits: Sequence[BudgetView]) -> _Offer:
    tightest = min(limits, key=lambda view: view.remaining)
    settled = min(view.remaining + view.reserved for view in limits)
    return _Offer(
        worst.affordable(to_nanos(tightest.remaining) - claim.spent_nanos),
        worst.affordable(to_nanos(settled) - claim.spent_nanos),
        tightest,
    )


def _worth_waiting(offer: _Offer) -> bool:
    """True when runs in flight hold money that would make a longer answer possible."""
    if offer.when_settled is None:
        return True
    return offer.when_settled >= LEAST_OUTPUT and offer.when_settled > (offer.affordable or 0)


def _note(offer: _Offer, wanted: int) -> str:
    view = offer.tightest
    return (
        f"The answer is limited to {offer.affordable} tokens instead of {wanted}: "
        f"the {view.label} leaves {dollars(max(Decimal(0), view.remaining))}."
    )


def _refused(view: BudgetView) -> BudgetExceededError:
    left = dollars(max(Decimal(0), view.remaining))
    resets = clock.local_date(view.resets_at).isoformat()
    return BudgetExceededError(
        f"The {view.label} of {dollars(view.limit)} leaves {left}: not enough for {LEAST_OUTPUT} tokens of answer.",
        hint=f"Raise the limit, take a cheaper model, or wait until {resets}.",
    )


def _unpriced(claim: Claim, view: BudgetView) -> UnpricedError:
    model = claim.model if claim.worst is None else claim.unpriced
    return UnpricedError(
        f"The price of {claim.provider}/{model} is unknown, and the {view.label} of {dollars(view.limit)} cannot count it.",
        hint="Say what it costs (switchroom models price, models map), or send it all the same with --allow-unpriced.",
        provider=claim.provider,
    )
