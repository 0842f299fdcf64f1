"""The end of a run: one transaction that writes its attempts, frees its reservation, learns, and says so in the audit log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from adapters.errors import ProviderError
from catalog.money import usd_string
from catalog.plaintext import one_line
from catalog.usage import Grade
from services import clock
from services.attempt import Attempt, Bill
from services.estimate import Prepared
from services.feed import ProvidersChanged
from services.run_events import RunRequest
from store.ledger import AttemptRow, Ledger
from store.providers import Providers
from store.reservations import Reservations

if TYPE_CHECKING:
    from services.container import Services
    from store.db import Tx

_ORDER: tuple[Grade, ...] = ("reported", "computed", "estimated", "unknown")


class Settlement:
    """Writes what runs leave behind."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._ledger = Ledger(services.db)
        self._reservations = Reservations(services.db)
        self._providers = Providers(services.db)

    async def settle(
        self, run_id: str, request: RunRequest, prepared: Prepared, attempts: Sequence[tuple[Attempt, Bill]]
    ) -> None:
        """Write it all, or nothing."""
        services = self._services
        state = _state_after(attempts[-1][0])
        row = prepared.row
        changed = state is not None and state != (row.state, row.state_message)
        async with services.db.transaction() as tx:
            for attempt, bill in attempts:
                await self._ledger.insert(tx, _row(run_id, request, prepared, attempt, bill, attempts[-1][0]))
            await self._reservations.delete(tx, run_id)
            await self._learn(tx, prepared, attempts[-1][0])
            if changed and state is not None:
                word, message = state
                await self._providers.set_state(tx, row.slug, word, message, clock.now_ms(), word == "ok")
            if services.settings.audit.interactions:
                last = attempts[-1][0]
                detail = _detail(run_id, request, attempts)
                await services.audit.record(
                    tx, "run", request.model, result=last.state or "failed", detail=detail
                )
        await services.estimates.habits.refresh(prepared.view.provider, prepared.view.info.id)
        if changed:
            services.feed.publish(ProvidersChanged((row.slug,)))
        if any(bill.cost for _, bill in attempts):
            await services.budgets.alert_crossed(row.slug)

    async def release(self, run_id: str) -> None:
        """Free the reservation of a run that was never sent."""
        async with self._services.db.transaction() as tx:
            await self._reservations.delete(tx, run_id)

    async def refused(self, run_id: str, request: RunRequest, code: str) -> None:
        """Say in the audit log that a run was not sent, and free what was set aside for it."""
        services = self._services
        async with services.db.transaction() as tx:
            await self._reservations.delete(tx, run_id)
            if services.settings.audit.interactions:
                detail = {"run_id": run_id, "code": code, "caller": request.caller}
                await services.audit.record(tx, "run", request.model, result="refused", detail=detail)

    async def _learn(self, tx: Tx, prepared: Prepared, attempt: Attempt) -> None:
        tokens = attempt.usage.input
        if attempt.state == "complete" and tokens is not None:
            view = prepared.view
            await self._services.estimates.habits.learn(
                tx, view.provider, view.info.id, prepared.size, tokens
            )


def total(bills: Sequence[Bill]) -> tuple[Decimal | None, Grade]:
    """Cost and grade of a whole run: the sum, known only as well as its least known part."""
    last = bills[-1]
    if last.grade == "own":
        return None, "own"
    told = [bill for bill in bills if bill is last or bill.cost != 0]
    grade = max((bill.grade for bill in told), key=_ORDER.index)
    if grade == "unknown":
        return None, "unknown"
    return sum((bill.cost for bill in told if bill.cost is not None), Decimal(0)), grade


def milliseconds(start: float, end: float | None) -> int | None:
    """The time between two readings of the monotonic clock."""
    return None if end is None else max(0, round((end - start) * 1000))


def _row(
    run_id: str, request: RunRequest, prepared: Prepared, attempt: Attempt, bill: Bill, last: Attempt
) -> AttemptRow:
    error, usage = attempt.error, bill.usage
    return AttemptRow(
        id=None,
        run_id=run_id,
        number=attempt.number,
        final=attempt is last,
        at=attempt.at,
        provider=prepared.row.slug,
        model=prepared.view.info.id,
        outcome=attempt.state or "failed",
        finish_reason=attempt.finish_reason,
        error_code=error.code if error is not None else None,
        http_status=attempt.status,
        request_id=one_line(attempt.request_id) if attempt.request_id else None,
        retry_after_ms=error.retry_after_ms if isinstance(error, ProviderError) else None,
        input=usage.input,
        output=usage.output,
        cache_read=usage.cache_read,
        cache_write=usage.cache_write,
        reasoning=usage.reasoning,
        cost_nanos=bill.nanos,
        grade=bill.grade,
        price_json=bill.tariff.snapshot(),
        ttft_ms=milliseconds(attempt.started, attempt.first),
        duration_ms=milliseconds(attempt.started, attempt.ended) or 0,
        caller=request.caller,
        conversation_id=request.conversation_id,
        labels_json=json.dumps(dict(request.labels), sort_keys=True) if request.labels else None,
    )


def _detail(run_id: str, request: RunRequest, attempts: Sequence[tuple[Attempt, Bill]]) -> dict[str, object]:
    """Metadata only, never content."""
    last = attempts[-1][0]
    cost, grade = total([bill for _, bill in attempts])
    usage = attempts[-1][1].usage
    return {
        "run_id": run_id,
        "attempts": len(attempts),
        "status": last.status,
        **({"served_by": last.served_by} if last.served_by else {}),
        "error": last.error.code if last.error is not None else None,
        "input": usage.input,
        "output": usage.output,
        "cost_usd": usd_string(cost),
        "grade": grade,
        "caller": request.caller,
    }


def _state_after(attempt: Attempt) -> tuple[str, str | None] | None:
    """The provider's state as this attempt shows it, with a sentence; None: it shows nothing."""
    error = attempt.error
    if isinstance(error, ProviderError):
        return (error.state, None if error.state == "ok" else one_line(error.message))
    if attempt.has_content or attempt.state == "complete":
        return ("ok", None)
    return None
