"""The money of one run: set aside before it is sent, anew before a retry, and watched while it streams."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from adapters.events import Event, TextDelta, ThinkingDelta, ToolCallDelta, UsageUpdate
from catalog.errors import BudgetExceededError, UnpricedError
from catalog.money import to_nanos
from services.admission import Admission, Claim, Grant
from services.alternatives import with_way_on
from services.attempt import SLACK_TOKENS, Attempt
from services.estimate import Prepared
from services.run_events import RunRequest

if TYPE_CHECKING:
    from services.container import Services


class Purse:
    """What one run may spend."""

    def __init__(
        self,
        services: Services,
        run_id: str,
        request: RunRequest,
        prepared: Prepared,
        waiting: Callable[[str, float], Awaitable[None]],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._services = services
        self._run_id = run_id
        self._request = request
        self._prepared = prepared
        self._waiting = waiting
        self._sleep = sleep
        self._grant: Grant | None = None
        self._overdrawn = False

    @property
    def note(self) -> str | None:
        """What the user must know; None: the run is sent as it was asked for."""
        return self._grant.note if self._grant is not None else None

    @property
    def max_tokens(self) -> int | None:
        """What is sent: under a limit always a number."""
        grant = self._grant
        return grant.max_output if grant is not None and grant.limited else self._request.max_tokens

    async def open(self) -> None:
        """Set the money aside. BudgetExceededError and UnpricedError when the run may not be sent."""
        try:
            self._grant = await self._admitted(0)
        except BudgetExceededError as refusal:
            await with_way_on(self._services, self._prepared.view, refusal)
            raise
        except UnpricedError as refusal:
            if self._request.ask_unpriced:
                refusal.hint = "It can be sent all the same; its cost will stay unknown."
            raise

    async def renew(self, spent_nanos: int) -> bool:
        """Set money aside for another attempt, after attempts that may be billed; False: there is not enough."""
        if not spent_nanos or self._grant is None or not self._grant.limited:
            return True
        try:
            self._grant = await self._admitted(spent_nanos)
        except BudgetExceededError:
            return False
        return True

    def exceeded(self, attempt: Attempt, event: Event) -> bool:
        """True when more content comes although the money is used up: from a vendor that goes on regardless.

        Usage that says so does not stop an answer that is already complete.
        """
        grant = self._grant
        if grant is None or not grant.limited or grant.amount_nanos is None:
            return False
        if isinstance(event, UsageUpdate):
            cost = self._prepared.tariff.cost(attempt.usage.updated(event.usage), datetime.now(UTC))
            self._overdrawn = cost is not None and to_nanos(cost) > grant.amount_nanos
            return False
        if not isinstance(event, TextDelta | ThinkingDelta | ToolCallDelta):
            return False
        most = grant.max_output + max(SLACK_TOKENS, grant.max_output // 20)
        return self._overdrawn or attempt.surely_sent(self._prepared.habit.bytes_per_token) > most

    async def _admitted(self, spent_nanos: int) -> Grant:
        prepared, estimate = self._prepared, self._prepared.estimate
        claim = Claim(
            run_id=self._run_id,
            provider=prepared.row.slug,
            model=prepared.view.info.id,
            input_tokens=estimate.input_tokens,
            output_tokens=estimate.max_output,
            worst=prepared.worst(datetime.now(UTC)),
            own=prepared.tariff.own,
            allow_unpriced=self._request.allow_unpriced,
            unpriced=prepared.unpriced,
            spent_nanos=spent_nanos,
        )
        return await Admission(self._services).admit(claim, self._waiting, self._sleep)
