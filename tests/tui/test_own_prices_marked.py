"""What several marked models cost is said for all of them together, and every limit that counts one is named."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from models_stage import stock
from textual.pilot import Pilot
from tui_stage import NOW, opened, screen_text, type_text, until

from services.backtest import Backtest, Mix, summed
from services.container import Services
from services.paths import Paths
from store.ledger import AttemptRow, Ledger
from tui.app import SwitchroomApp


@pytest.fixture
async def pilot(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pilot[int]]:
    for module in ("tui.screens.model_columns", "services.model_records", "services.backtest"):
        monkeypatch.setattr(f"{module}.now_ms", lambda: NOW)
    async with SwitchroomApp(paths, mode="models").run_test(size=(120, 40)) as one:
        await stock(await opened(one))
        await until(one, "10 models of 4 providers")
        yield one


async def used(services: Services, slug: str, model: str) -> None:
    async with services.db.transaction() as tx:
        row = AttemptRow(
            None, f"r-{slug}-{model}", 1, True, NOW - 5_000, slug, model, "complete",
            input=1_000_000, output=0,
        )  # fmt: skip
        await Ledger(services.db).insert(tx, row)


async def test_the_marked_are_compared_together_and_each_ones_limit_is_asked_about(pilot: Pilot[Any]) -> None:
    app = pilot.app
    assert isinstance(app, SwitchroomApp)
    services = await opened(pilot)
    first, *others = [view for view in await services.models.list() if not view.own_cost and view.info.price]
    other = next(view for view in others if view.provider != first.provider)
    charged = {ref: await services.own_prices.look(ref) for ref in (first.ref, other.ref)}
    for view in (first, other):
        await used(services, view.provider, view.info.id)
    await services.budgets.set(f"provider:{other.provider}", "monthly", Decimal(50))
    from tui.screens.model_map import edit_charges

    app.run_worker(edit_charges(app, [first, other]))
    await until(pilot, "2 models: what does it cost?")
    await pilot.press("3")
    asked = await until(pilot, "and 1 more")
    assert "monthly limit" in asked, "the limit of the second model's provider"
    assert first.provider != other.provider
    prices = [charges.view.info.price for charges in charged.values()]
    least = sum(price.input for price in prices if price is not None and price.input is not None)
    shown = screen_text(app)
    amount = Decimal(shown.split("mix: $")[1].split(" ")[0].replace(",", ""))
    assert amount >= least, "the millions of tokens of both are in it"
    await type_text(pilot, "y")
    for _ in range(300):
        await pilot.pause(0.01)
        if any("2 models: flat rate" in notice.message for notice in app.notices):
            break
    [said] = [notice.message for notice in app.notices if "2 models: flat rate" in notice.message]
    assert "→ no price per token" in said


def backtest(before: str | None, after: str | None, *, own: bool = False, tokens: int = 1) -> Backtest:
    mix = Mix("last month", 0, 1, 1, 1, tokens, 0, 0, 0, 0, None, 0)
    old, new = (None if text is None else Decimal(text) for text in (before, after))
    return Backtest(mix, old, new, own_before=own, own_after=False, rough=False)


def test_a_sum_is_known_only_where_every_used_model_is() -> None:
    both = summed([backtest("1", "2"), backtest("3", "4")])
    assert (both.before, both.after, both.mix.runs, both.mix.input) == (Decimal(4), Decimal(6), 2, 2)
    assert summed([backtest("1", "2"), backtest(None, "4")]).before is None
    unused = summed([backtest("1", "2"), backtest(None, None, tokens=0)])
    assert (unused.before, unused.after) == (Decimal(1), Decimal(2)), (
        "a model nobody used makes nothing unknown"
    )
    some_own = summed([backtest("1", "2"), backtest(None, "4", own=True)])
    assert (some_own.before, some_own.after, some_own.own_before) == (Decimal(1), Decimal(6), False)
    assert summed([backtest(None, "4", own=True)]).own_before


async def test_what_cannot_be_kept_is_said_under_the_form_while_one_types(pilot: Pilot[Any]) -> None:
    """An edit that is refused by the model itself ends nothing: the line says why."""
    services = await opened(pilot)
    from services.price_edits import TypedPrice, cost_edit, typed_edit
    from tui.screens.model_price import live_words

    ref = "alpha/opus-9"
    values = {"input": "1", "output": "2", "cache_read": "", "cache_write": "", "per_request": ""}
    far = datetime.now(UTC).date() + timedelta(days=400)
    await services.own_prices.save([ref], cost_edit("flat"))
    charges = await services.own_prices.look(ref)
    assert "would never count" in live_words(charges, {**values, "from": far.isoformat()})
    await services.own_prices.save([ref], cost_edit("metered"))
    for number in range(50):
        day = far + timedelta(days=number + 1)
        typed = typed_edit(TypedPrice(Decimal(1), Decimal(2), from_date=day))
        await services.own_prices.save([ref], typed)
    charges = await services.own_prices.look(ref)
    assert "at most 50 dated prices" in live_words(charges, {**values, "from": far.isoformat()})
    assert live_words(charges, {**values, "from": "soon"}) == "input and output make a price"


async def test_a_typed_context_is_shown_as_typed_and_no_key_is_promised_for_it(pilot: Pilot[Any]) -> None:
    from services.own_facts import TypedFacts, facts_edit

    services = await opened(pilot)
    await services.own_prices.save(
        ["alpha/opus-9"], facts_edit(TypedFacts(name="Our opus", context_window=77_000))
    )
    await pilot.press("slash")
    await type_text(pilot, "opus-9")
    await pilot.press("enter")
    await until(pilot, "77k")
    await pilot.press("enter")
    text = await until(pilot, "Our opus")
    assert "typed by you" in text
    assert "e changes it" not in text, "e types prices"
