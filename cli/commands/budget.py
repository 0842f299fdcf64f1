"""`switchroom budget`: daily and monthly limits, for everything or one provider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cli.lazy import Nouns
from cli.session import Session, changes, reads

if TYPE_CHECKING:
    from services.budgets import BudgetView
    from services.container import Services


@click.group(cls=Nouns)
def command() -> None:
    """Daily and monthly limits that hold."""


@command.command("set")
@click.option("--provider", metavar="SLUG", help="Limit this provider; without it, everything together.")
@click.option("--daily", metavar="USD", help="The limit of a day.")
@click.option("--monthly", metavar="USD", help="The limit of a calendar month.")
@click.option(
    "--alert",
    type=click.FloatRange(0, 1),
    default=0.8,
    show_default=True,
    metavar="SHARE",
    help="Warn from this share of the limit on.",
)
@click.option("--until", metavar="D", help="The limit ends then.")
@changes
def set_budget(
    session: Session,
    provider: str | None,
    daily: str | None,
    monthly: str | None,
    alert: float,
    until: str | None,
) -> int:
    """Set limits, or change those of the same scope and period."""
    from cli.values import read_decimal

    given = {"daily": read_decimal(daily, "--daily"), "monthly": read_decimal(monthly, "--monthly")}
    limits = {period: limit for period, limit in given.items() if limit is not None}
    if not limits:
        raise click.UsageError("Give --daily, --monthly or both.")
    from services.clock import now_ms, parse_when

    ends = parse_when(until) if until is not None else None
    if ends is not None and ends <= now_ms():
        raise click.UsageError("--until must lie ahead.")

    async def work(services: Services) -> None:
        from cli.output import dollars

        if provider is not None:
            await services.registry.get(provider)
        scope = "global" if provider is None else f"provider:{provider}"
        views = [
            await services.budgets.set(scope, period, limit, alert=alert, until=ends, reason=session.reason)
            for period, limit in limits.items()
        ]
        words = " and ".join(f"{dollars(limit)} {period}" for period, limit in limits.items())
        whom = provider or "everything"
        session.changed(
            {"budgets": [_document(view) for view in views]},
            did=f"Limited {whom} to {words}.",
            would=f"limit {whom} to {words}",
        )

    return session.run(work, asks=False)


@command.command("list")
@reads
def list_budgets(session: Session) -> int:
    """All limits, what is spent and set aside, and what is left."""

    async def work(services: Services) -> None:
        views = await services.budgets.list()
        session.emit({"budgets": [_document(view) for view in views]}, lambda: _table(views))

    return session.run(work, asks=False)


def _document(view: BudgetView) -> dict[str, object]:
    from cli.documents import moment, usd

    return {
        "id": view.id,
        "scope": view.scope,
        "period": view.period,
        "limit_usd": usd(view.limit),
        "spent_usd": usd(view.spent),
        "reserved_usd": usd(view.reserved),
        "remaining_usd": usd(view.remaining),
        "resets_at": moment(view.resets_at),
        "alert": view.alert,
        "changed_by": view.changed_by,
        "changed_at": moment(view.changed_at),
        "reason": view.reason,
    }


def _table(views: Sequence[BudgetView]) -> str:
    from cli.documents import moment
    from cli.output import dollars, table

    if not views:
        return "No limits. Set one: switchroom budget set --monthly 50"
    titles = ("ID", "SCOPE", "PERIOD", "LIMIT", "SPENT", "RESERVED", "LEFT", "RESETS")
    rows = [
        (
            str(view.id),
            view.scope,
            view.period,
            dollars(view.limit),
            dollars(view.spent),
            dollars(view.reserved),
            dollars(view.remaining),
            moment(view.resets_at) or "",
        )
        for view in views
    ]
    return table(titles, rows, right=("ID", *titles[3:7]))


@command.command("remove")
@click.argument("number", type=int, metavar="ID")
@changes
def remove_budget(session: Session, number: int) -> int:
    """Remove one limit by its number."""

    async def work(services: Services) -> None:
        await services.budgets.remove(number)
        session.changed({"removed": number}, did=f"Removed limit {number}.", would=f"remove limit {number}")

    return session.run(work, asks=False)
