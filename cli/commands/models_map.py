"""`switchroom models map`: which model it is, or that its tokens have no price of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.session import Session, changes

if TYPE_CHECKING:
    from services.container import Services
    from services.price_edits import Edit


@click.command("map")
@click.argument("ref")
@click.argument("base", required=False)
@click.option("--own", is_flag=True, help="It runs on your own hardware: no price per token.")
@click.option("--gpu-hour", metavar="USD", help="With --own: what an hour of the hardware costs.")
@click.option("--flat", is_flag=True, help="It is paid by a flat rate: no price per token.")
@click.option("--metered", is_flag=True, help="It is paid by tokens after all.")
@click.option("--clear", is_flag=True, help="Neither mapped nor marked: as catalog and provider say.")
@changes
def map_model(
    session: Session,
    ref: str,
    base: str | None,
    own: bool,
    gpu_hour: str | None,
    flat: bool,
    metered: bool,
    clear: bool,
) -> int:
    """Say which model REF is (BASE: vendor/model), or how it is paid.

    The price, limits and abilities of the base fill in what the provider's own list does not say. What is said of a
    model goes before what is said of its provider; the last thing said holds.
    """
    from cli.values import read_decimal

    chosen = [base is not None, own, flat, metered, clear]
    if sum(chosen) != 1:
        raise click.UsageError("Give one of BASE, --own, --flat, --metered and --clear.")
    if gpu_hour is not None and not own:
        raise click.UsageError("--gpu-hour goes with --own.")
    hour = read_decimal(gpu_hour, "--gpu-hour", most=100_000)

    async def work(services: Services) -> None:
        from cli.commands.models_price import document
        from cli.output import dollars
        from services.price_edits import cost_edit, map_edit, plain_edit

        edit: Edit
        if base is not None:
            full = await services.own_prices.base_of(ref, base)
            edit, words = map_edit(full), f"is priced as {full}"
        elif clear:
            edit, words = plain_edit(), "is as catalog and provider say"
        else:
            edit = cost_edit("own" if own else "flat" if flat else "metered", hour)
            words = {
                "own": "runs on your own hardware",
                "flat": "has a flat rate",
                "metered": "is paid by tokens",
            }["own" if own else "flat" if flat else "metered"]
        charges = await services.own_prices.look(ref)
        change = charges.change(edit)
        await services.own_prices.save([ref], edit)
        told = change.backtest.sentence(dollars)
        told = "; ".join([f"{told[0].upper()}{told[1:]}", *change.backtest.notes()])
        if base is not None and change.after.own_cost:
            told = (
                f"{change.after.provider} as a whole has no price per token: --metered makes its tokens count"
            )
        if base is not None and change.after.info.sources.get("price") == "typed":
            told = f"Its typed price stays in force: 'switchroom models price {ref} --clear' takes it back"
        session.changed(
            document(change, charges),
            did=f"{ref} {words}. {told}.",
            would=f"say that {ref} {words}. {told}",
        )

    return session.run(work, asks=False)
