"""`switchroom models price`: what a model costs here, typed in, from a date on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from cli.session import Session, changes

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from services.backtest import Backtest
    from services.container import Services
    from services.own_facts import TypedFacts
    from services.own_prices import Change, Charges
    from services.price_edits import Edit


@click.command("price")
@click.argument("ref")
@click.option("--in", "given_in", metavar="X", help="USD per 1M tokens of input; 0 is free.")
@click.option("--out", "given_out", metavar="Y", help="USD per 1M tokens of output; 0 is free.")
@click.option("--cache-read", metavar="X", help="USD per 1M cached tokens; without it, as input.")
@click.option(
    "--cache-write", metavar="X", help="USD per 1M tokens written to a cache; without it, as input."
)
@click.option("--per-request", metavar="USD", help="A fee for each request, on top of the tokens.")
@click.option("--context", type=click.IntRange(0), metavar="N", help="Tokens it reads and writes in one run.")
@click.option("--max-output", type=click.IntRange(0), metavar="N", help="Tokens of its longest answer.")
@click.option("--name", metavar="TEXT", help="What it is called.")
@click.option(
    "--from", "since", metavar="DATE", help="The UTC day it comes into force; without it, or past: now."
)
@click.option(
    "--clear", is_flag=True, help="Take back all that was typed; with --from, only the price of that day."
)
@changes
def price_model(
    session: Session,
    ref: str,
    given_in: str | None,
    given_out: str | None,
    cache_read: str | None,
    cache_write: str | None,
    per_request: str | None,
    context: int | None,
    max_output: int | None,
    name: str | None,
    since: str | None,
    clear: bool,
) -> int:
    """Say what a model costs, from now or from a date on.

    A typed price is a whole price and what you pay: it goes before lists and catalogs, no discount of the provider
    is taken off it, and a sync keeps it. What the ledger has recorded stays as it was. A model that nobody knows is
    added. Its context, longest answer and name may be typed as well, with a price or alone: they go before what its
    list says, and 0 (or an empty name) takes one back.
    """
    amounts = {
        "--in": given_in,
        "--out": given_out,
        "--cache-read": cache_read,
        "--cache-write": cache_write,
        "--per-request": per_request,
    }
    from services.own_facts import TypedFacts

    day, facts = _day(since), TypedFacts(name, context, max_output)
    given = {option: text for option, text in amounts.items() if text is not None}
    edit = _edit(given, facts, day, clear=clear)

    async def work(services: Services) -> None:
        from cli.output import dollars

        charges = await services.own_prices.look(ref)
        change = charges.change(edit)
        await services.own_prices.save([ref], edit)
        when = f" from {edit.day.isoformat()} on (UTC)" if edit.day is not None else ""
        if clear:
            what = f"the typed price of {ref}{when}" if edit.day is not None else f"what was typed of {ref}"
            did, would = f"Took {what} back.", f"take {what} back"
        elif not given:
            did, would = f"{ref}: {_facts(facts)}.", f"say of {ref}: {_facts(facts)}"
        else:
            words = f"{_amount(given_in)} in, {_amount(given_out)} out per 1M tokens"
            more = f"; {_facts(facts)}" if facts.said else ""
            did, would = f"{ref} costs {words}{when}{more}.", f"price {ref} at {words}{when}{more}"
        told = change.backtest.sentence(dollars)
        told = "; ".join([f"{told[0].upper()}{told[1:]}", *change.backtest.notes()])
        session.changed(
            {**document(change, charges), "from": None if day is None else day.isoformat()},
            did=f"{did} {told}." if given or clear else did,
            would=f"{would}. {told}" if given or clear else would,
        )

    return session.run(work, asks=False)


def _edit(given: Mapping[str, str], facts: TypedFacts, day: date | None, *, clear: bool) -> Edit:
    from cli.values import read_decimal
    from services.own_facts import clear_all_edit, facts_edit
    from services.price_edits import TypedPrice, clear_edit, typed_edit

    if clear:
        if given or facts.said:
            raise click.UsageError("Give what is to be typed or --clear, not both.")
        return clear_all_edit() if day is None else clear_edit(day)
    if facts.said and not given:
        if day is not None:
            raise click.UsageError("--from goes with --in and --out.")
        return facts_edit(facts)
    if "--in" not in given or "--out" not in given:
        raise click.UsageError("Give --in and --out, in USD per 1M tokens (0 is free), or --clear.")
    read: dict[str, Decimal | None] = {
        name: read_decimal(text, name, most=None) for name, text in given.items()
    }
    price = typed_edit(
        TypedPrice(
            input=read["--in"],  # type: ignore[arg-type]
            output=read["--out"],  # type: ignore[arg-type]
            cache_read=read.get("--cache-read"),
            cache_write=read.get("--cache-write"),
            per_request=read.get("--per-request"),
            from_date=day,
        )
    )
    return facts_edit(facts, price) if facts.said else price


def _facts(facts: TypedFacts) -> str:
    """`context 128,000, longest answer as listed`."""
    shown = {"name": "called", "context_window": "context", "max_output": "longest answer"}
    words = [
        f"{shown[field]} {value or 'as listed'}"
        if isinstance(value, str) or not value
        else f"{shown[field]} {value:,}"
        for field, value in facts.said.items()
    ]
    return ", ".join(words)


def _day(text: str | None) -> date | None:
    from datetime import date

    if text is None:
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise click.UsageError("--from takes a day: 2026-12-01.") from None


def _amount(text: str | None) -> str:
    from decimal import Decimal

    amount = Decimal((text or "0").removeprefix("$"))
    if amount == 0:
        return "free"
    whole, _, rest = f"{amount:f}".partition(".")
    return f"${whole}.{rest.ljust(2, '0')}"


def document(change: Change, charges: Charges) -> dict[str, object]:
    """What a change of what a model costs is, as JSON: before, after, and what late use would have cost."""
    from catalog.money import from_nanos, usd_string
    from cli import documents

    hour = change.row.gpu_hour_nanos
    month, days = change.both
    return {
        "ref": change.ref,
        "charged": _charged(change.after.own_cost, change.row.cost_mode or charges.provider.cost_mode),
        "map_to": change.row.map_to,
        "gpu_hour_usd": None if hour is None else usd_string(from_nanos(hour)),
        "before": None if change.before.own_cost else documents.price(change.before.info.price),
        "after": None if change.after.own_cost else documents.price(change.after.info.price),
        "backtest": {"last_month": _backtest(month), "last_30_days": _backtest(days)},
        "model": documents.model(change.after),
    }


def _charged(own: bool, mode: str | None) -> str:
    """`tokens`, `own` or `flat`."""
    return ("flat" if mode == "flat" else "own") if own else "tokens"


def _backtest(one: Backtest) -> dict[str, object]:
    from catalog.money import usd_string
    from services.clock import iso

    mix = one.mix
    return {
        "since": iso(mix.since),
        "until": iso(mix.until),
        "runs": mix.runs,
        "input": mix.input,
        "output": mix.output,
        "cache_read": mix.cache_read,
        "cache_write": mix.cache_write,
        "recorded_usd": usd_string(mix.recorded),
        "unpriced_requests": mix.dark,
        "before_usd": usd_string(one.before) if mix.used else None,
        "after_usd": usd_string(one.after) if mix.used else None,
        "cost_grade": "own" if one.own_after else "unknown" if one.after is None else "estimated",
    }
