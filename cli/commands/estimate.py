"""`switchroom estimate`: what a prompt would cost with each of some models, before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from cli.session import Session, reads

if TYPE_CHECKING:
    from services.container import Services
    from services.estimate import Estimate


@click.command()
@click.option("-m", "--model", "models", multiple=True, metavar="REF", help="A model; repeat to compare.")
@click.option("--system", metavar="TEXT", help="The system prompt.")
@click.option(
    "--max-tokens", type=click.IntRange(1, 1_000_000_000), metavar="N", help="The longest answer asked for."
)
@click.argument("prompt", required=False)
@reads
def command(
    session: Session, models: tuple[str, ...], system: str | None, max_tokens: int | None, prompt: str | None
) -> int:
    """What a prompt would cost, before it is sent.

    Without PROMPT it is read from standard input. The differences are to the first model. Tokens with a ~ are
    estimated here; the others were counted by the vendor, for free (chat.exact_counts = off keeps the prompt here).
    """
    from cli.values import read_prompt

    text = read_prompt(prompt)

    async def work(services: Services) -> None:
        from adapters.events import Message
        from cli.commands.chat import chosen_model
        from services.run_events import RunRequest

        refs = models or (await chosen_model(services, None),)
        estimates = await services.estimates.counted(
            [
                RunRequest(model=ref, messages=(Message("user", text),), system=system, max_tokens=max_tokens)
                for ref in refs
            ]
        )
        session.emit(
            {"estimates": [estimate_document(one, estimates[0]) for one in estimates]},
            lambda: _table(estimates),
        )

    return session.run(work)


def estimate_document(estimate: Estimate, first: Estimate | None = None) -> dict[str, object]:
    """One model's estimate; `delta_usd` is its difference to another's, None for the first or unknown."""
    delta = None
    if first is not None and first is not estimate:
        delta = _span(_minus(estimate.low, first.low), _minus(estimate.high, first.high))
    return {
        "model": estimate.model,
        "input_tokens": estimate.input_tokens,
        "exact": estimate.exact,
        "output_tokens": {"likely": estimate.likely_output, "max": estimate.max_output},
        "cost_usd": _span(estimate.low, estimate.high),
        "delta_usd": delta,
        "cost_grade": "own" if estimate.own else "unknown" if estimate.high is None else "estimated",
    }


def _minus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one - other


def _span(low: Decimal | None, high: Decimal | None) -> dict[str, object] | None:
    from cli.documents import usd

    return None if low is None or high is None else {"low": usd(low), "high": usd(high)}


def _table(estimates: Sequence[Estimate]) -> str:
    from cli.output import count, dollars, table

    titles = ("MODEL", "IN", "LIKELY OUT", "MAX OUT", "LOW", "HIGH")
    rows = [
        (
            one.model,
            f"{'' if one.exact else '~'}{count(one.input_tokens)}",
            count(one.likely_output),
            count(one.max_output),
            dollars(one.low, "own" if one.own else None),
            dollars(one.high, "own" if one.own else None),
        )
        for one in estimates
    ]
    return table(titles, rows, right=titles[1:])
