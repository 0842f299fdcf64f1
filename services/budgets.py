"""Limits on money: what they are, what is left of them, and who is told when one runs low."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.errors import NotFoundError, UsageError
from catalog.money import from_nanos, to_nanos
from services import clock
from services.feed import Alert, BudgetsChanged
from store.budgets import BudgetRow, Budgets, Standing
from store.providers import Providers

if TYPE_CHECKING:
    from services.container import Services
    from store.db import Tx

GLOBAL = "global"
PROVIDER = "provider:"
PERIODS = ("daily", "monthly")
DEFAULT_ALERT = 0.8
"""Share of a limit at which the user is told."""


@dataclass(frozen=True, slots=True)
class BudgetView:
    """One limit and where it stands. Money is USD; moments are UTC milliseconds."""

    id: int
    scope: str
    """`global`, or `provider:SLUG`."""
    period: str
    """`daily` or `monthly`: the calendar day or month of the user's own zone."""
    limit: Decimal
    spent: Decimal
    reserved: Decimal
    """Set aside for runs in flight."""
    remaining: Decimal
    """Below 0 when more was spent than the limit allows (it was lowered, or an estimate was wrong)."""
    resets_at: int
    alert: float
    until: int | None
    """The limit ends then; None: it has no end."""
    changed_by: str
    changed_at: int
    reason: str | None
    in_force: bool
    """False when `until` has passed."""

    @property
    def label(self) -> str:
        """The limit in words: `daily limit`, `monthly limit of openai-prod`."""
        slug = provider_of(self.scope)
        return f"{self.period} limit of {slug}" if slug else f"{self.period} limit"


@dataclass(frozen=True, slots=True)
class Headroom:
    """What may still be spent."""

    remaining: Decimal | None
    """USD, never below 0; None: no limit is in force."""
    binding: BudgetView | None
    """The limit with the least left; None: no limit is in force."""


def provider_of(scope: str) -> str | None:
    """The slug of a provider's limit; None for the global one."""
    return scope.removeprefix(PROVIDER) if scope.startswith(PROVIDER) else None


def period_bounds(period: str, now: int) -> tuple[int, int]:
    """First moment of the user's calendar day or month that holds `now`, and of the next one."""
    return clock.day_bounds(now) if period == "daily" else clock.month_bounds(now)


def dollars(amount: Decimal) -> str:
    """Money in a sentence: two decimals, more where the amount is small; what is left of a limit is no rounded-away zero."""
    if 0 < amount < Decimal("0.000001"):
        return "less than $0.000001"
    if amount == 0 or abs(amount) >= Decimal("0.1"):
        return f"${amount:.2f}"
    return f"${amount:.6f}".rstrip("0")


class BudgetService:
    """The limits. The run path reserves against them through `services.admission`."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._budgets = Budgets(services.db)

    async def list(self) -> Sequence[BudgetView]:
        """Every limit, the global ones first."""
        views = await self._views()
        return sorted(views, key=lambda view: (view.scope != GLOBAL, view.scope, PERIODS.index(view.period)))

    async def set(
        self,
        scope: str,
        period: str,
        limit: Decimal,
        *,
        alert: float = DEFAULT_ALERT,
        until: int | None = None,
        reason: str | None = None,
    ) -> BudgetView:
        """Set the limit of a scope and period, or change it."""
        self._services.require_writable()
        await self._check(scope, period, limit, alert)
        now = clock.now_ms()
        services = self._services
        async with services.db.transaction(durable=True) as tx:
            before = next(
                (b for b in await self._budgets.list(tx) if (b.scope, b.period) == (scope, period)), None
            )
            row = await self._budgets.upsert(
                tx,
                scope=scope,
                period=period,
                limit_nanos=to_nanos(limit),
                alert=alert,
                until=until,
                reason=reason or services.reason,
                changed_by=services.actor,
                changed_at=now,
            )
            await services.state.delete(tx, alert_key(row.id))
            detail = {"before": _stated(before), "after": _stated(row)}
            await services.audit.record(tx, "budget.set", f"{scope} {period}", detail=detail, reason=reason)
            view = await self._one(row.id, tx)
        services.feed.publish(BudgetsChanged())
        return view

    async def remove(self, budget_id: int) -> BudgetView:
        """Take a limit away; returns what it was."""
        self._services.require_writable()
        services = self._services
        async with services.db.transaction(durable=True) as tx:
            row = next((b for b in await self._budgets.list(tx) if b.id == budget_id), None)
            if row is None:
                raise NotFoundError(
                    f"There is no limit {budget_id}.", hint="See them with: switchroom budget list"
                )
            view = await self._one(row.id, tx)
            await self._budgets.delete(tx, budget_id)
            await services.state.delete(tx, alert_key(budget_id))
            detail = {"before": _stated(row), "after": None}
            await services.audit.record(tx, "budget.remove", f"{row.scope} {row.period}", detail=detail)
        services.feed.publish(BudgetsChanged())
        return view

    async def headroom(self, provider: str | None = None) -> Headroom:
        """What may still be spent on this provider (None: on any that has no limit of its own)."""
        views = await self.binding(provider)
        if not views:
            return Headroom(None, None)
        tightest = min(views, key=lambda view: view.remaining)
        return Headroom(max(Decimal(0), tightest.remaining), tightest)

    async def binding(self, provider: str | None, tx: Tx | None = None) -> Sequence[BudgetView]:
        """The limits in force that a run on this provider counts against."""
        scopes = (GLOBAL,) if provider is None else (GLOBAL, PROVIDER + provider)
        return [view for view in await self._views(tx) if view.in_force and view.scope in scopes]

    async def alert_crossed(self, provider: str) -> None:
        """Tell once a period when a limit's alert share, and when the whole limit, is spent."""
        for view in await self.binding(provider):
            level = 1.0 if view.spent >= view.limit else view.alert
            if view.spent < view.limit * Decimal(str(level)):
                continue
            start = period_bounds(view.period, clock.now_ms())[0]
            if await self._first_time(view.id, start, level):
                self._services.feed.publish(_alert(view, level))

    async def _first_time(self, budget_id: int, period_start: int, level: float) -> bool:
        key, state = alert_key(budget_id), self._services.state
        told = await state.get(key)
        if _was_told(told, period_start, level):
            return False
        async with self._services.db.transaction() as tx:
            if _was_told(await state.get(key, tx), period_start, level):
                return False  # another process was quicker
            await state.set(tx, key, {"period": period_start, "level": level})
        return True

    async def _check(self, scope: str, period: str, limit: Decimal, alert: float) -> None:
        if period not in PERIODS:
            raise UsageError(f"“{period}” is no period.", hint="Use daily or monthly.")
        if not limit.is_finite() or not 0 <= limit < Decimal(1_000_000_000):
            raise UsageError("A limit is an amount of USD from 0 on.", hint="For example 5 or 0.50.")
        if not 0 < alert <= 1:
            raise UsageError("The alert share lies between 0 and 1.", hint="For example 0.8.")
        if scope == GLOBAL:
            return
        slug = provider_of(scope)
        if slug is None:
            raise UsageError(f"“{scope}” cannot have a limit.", hint="Use global or provider:SLUG.")
        if await Providers(self._services.db).get(slug) is None:
            raise NotFoundError(
                f"There is no provider “{slug}”.", hint="See them with: switchroom providers list"
            )

    async def _one(self, budget_id: int, tx: Tx) -> BudgetView:
        [view] = [view for view in await self._views(tx) if view.id == budget_id]
        return view

    async def _views(self, tx: Tx | None = None) -> Sequence[BudgetView]:
        now = clock.now_ms()
        bounds = {period: period_bounds(period, now) for period in PERIODS}
        found = await self._budgets.standing(bounds["daily"], bounds["monthly"], tx)
        return [_view(standing, bounds[standing.row.period][1], now) for standing in found]


def _view(standing: Standing, end: int, now: int) -> BudgetView:
    row, spent, reserved = standing.row, standing.spent_nanos, standing.reserved_nanos
    return BudgetView(
        id=row.id,
        scope=row.scope,
        period=row.period,
        limit=from_nanos(row.limit_nanos),
        spent=from_nanos(spent),
        reserved=from_nanos(reserved),
        remaining=from_nanos(row.limit_nanos - spent - reserved),
        resets_at=end,
        alert=row.alert,
        until=row.until,
        changed_by=row.changed_by,
        changed_at=row.changed_at,
        reason=row.reason,
        in_force=_in_force(row, now),
    )


def _in_force(row: BudgetRow, now: int) -> bool:
    return row.until is None or now < row.until


def _stated(row: BudgetRow | None) -> dict[str, object] | None:
    if row is None:
        return None
    return {"limit_usd": str(from_nanos(row.limit_nanos)), "alert": row.alert, "until": clock.iso(row.until)}


def alert_key(budget_id: int) -> str:
    """Where it is kept (store.state) that a limit's alert was told."""
    return f"budget_alert:{budget_id}"


def _was_told(told: object, period_start: int, level: float) -> bool:
    match told:
        case {"period": int(start), "level": int() | float() as before}:
            return start == period_start and before >= level
        case _:
            return False


def _alert(view: BudgetView, level: float) -> Alert:
    resets = clock.local_date(view.resets_at).isoformat()
    spent = f"{dollars(view.spent)} of {dollars(view.limit)}"
    if level >= 1:
        return Alert(
            "error",
            "Limit reached",
            f"The {view.label} is spent: {spent}. Priced runs are refused until {resets}.",
            hint="Raise the limit, or use a model on your own hardware.",
            amount=view.spent,
        )
    return Alert(
        "warning",
        "Limit runs low",
        f"{spent} of the {view.label} is spent; it starts anew on {resets}.",
        hint="See the limits with: switchroom budget list",
        amount=view.spent,
    )
