"""Typing a price, naming the model it is, marking own hardware: by keys, and what the screens say afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import pytest
from models_stage import stock
from textual.pilot import Pilot
from tui_stage import NOW, opened, screen_text, type_text, until

from services.container import Services
from services.paths import Paths
from tui.app import SwitchroomApp
from tui.widgets.line import Line

Compare = Callable[..., bool]


@pytest.fixture
def app(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> SwitchroomApp:
    for module in (
        "tui.screens.model_columns", "tui.screens.model_detail", "services.model_records", "services.backtest",
    ):  # fmt: skip
        monkeypatch.setattr(f"{module}.now_ms", lambda: NOW)
    return SwitchroomApp(paths, mode="models")


async def ready(pilot: Pilot[Any]) -> Services:
    services = await opened(pilot)
    await stock(services)
    await until(pilot, "10 models of 4 providers")
    return services


@pytest.fixture
async def pilot(app: SwitchroomApp) -> AsyncIterator[Pilot[int]]:
    async with app.run_test(size=(120, 40)) as one:
        await ready(one)
        yield one


async def told(pilot: Pilot[Any], words: str) -> None:
    """Wait until the user was told so."""
    app = pilot.app
    assert isinstance(app, SwitchroomApp)
    for _ in range(400):
        await pilot.pause(0.01)
        if any(words in notice.message for notice in app.notices):
            return
    raise AssertionError(f"{words!r} was never told: {[one.message for one in app.notices]}")


def app_lines(pilot: Pilot[Any]) -> list[Line]:
    return list(pilot.app.screen.query(Line))


async def on_model(pilot: Pilot[Any], name: str) -> None:
    await pilot.press("slash")
    await type_text(pilot, name)
    await pilot.press("enter")
    await until(pilot, f"/ {name}")


async def test_the_form_begins_with_the_present_price_and_the_line_follows_what_is_typed(
    pilot: Pilot[int],
) -> None:
    await on_model(pilot, "opus-9")
    await pilot.press("e")
    text = await until(pilot, "What alpha/opus-9 costs")
    assert "The last 30 days’ mix: $0.90 → $0.90 (estimate)." in text
    await pilot.press("backspace", "backspace", "3", "0")
    await until(pilot, "mix: $0.90 → $1.20 (estimate)")
    await pilot.press("backspace", "backspace")
    await until(pilot, "input and output make a price")


async def test_what_is_typed_on_the_next_line_takes_the_place_of_what_stood_there(pilot: Pilot[int]) -> None:
    await on_model(pilot, "opus-9")
    await pilot.press("e")
    await until(pilot, "What alpha/opus-9 costs")
    await pilot.press("tab", "9", "9")
    await until(pilot, "99")
    assert [line.value for line in app_lines(pilot)][1] == "99"


async def test_a_typed_price_is_kept_shown_and_taken_back(pilot: Pilot[int]) -> None:
    app = pilot.app
    assert isinstance(app, SwitchroomApp)
    await on_model(pilot, "日本語")
    await pilot.press("e")
    assert "is unknown." in await until(pilot, "What beta/")
    await type_text(pilot, "2.5")
    await pilot.press("tab")
    await type_text(pilot, "10")
    await pilot.press("enter")
    text = await until(pilot, "$2.50")
    assert "$10.00" in text
    await pilot.press("enter")
    assert "typed by you" in await until(pilot, "$2.50")
    await pilot.press("e")
    await until(pilot, "has a price of yours")
    await pilot.press("2")
    await told(pilot, "is taken back")
    await until(pilot, "e types a price in")


async def test_a_later_price_stands_on_the_page_and_can_be_taken_back(pilot: Pilot[int]) -> None:
    await on_model(pilot, "opus-9")
    await pilot.press("enter")
    await until(pilot, "Models › alpha/opus-9")
    await pilot.press("e")
    await until(pilot, "What alpha/opus-9 costs")
    await pilot.press(*["tab"] * 5)
    await type_text(pilot, "2099-13-01")
    await pilot.press("enter")
    await until(pilot, "a day such as")
    await pilot.press(*["backspace"] * 5)
    await type_text(pilot, "12-01")
    await pilot.press("enter")
    await told(pilot, "more than ten years ahead")
    await pilot.press("escape")
    await until(pilot, "What alpha", gone=True)
    services = await opened(pilot)
    from datetime import UTC, datetime, timedelta

    from services.price_edits import TypedPrice, typed_edit

    soon = datetime.now(UTC).date() + timedelta(days=30)
    edit = typed_edit(TypedPrice(Decimal(3), Decimal(15), from_date=soon))
    await services.own_prices.save(["alpha/opus-9"], edit)
    text = await until(pilot, f"from {soon}")
    assert "input $3.00, output $15.00" in text
    assert "typed by you; e takes it back" in text
    await pilot.press("e")
    await until(pilot, f"Take back $3.00 / $15.00 from {soon}")
    await pilot.press("2")
    await told(pilot, "is taken back")
    await until(pilot, "from 20", gone=True)


async def test_a_limit_is_asked_about_once(pilot: Pilot[int]) -> None:
    services = await opened(pilot)
    await services.budgets.set("global", "monthly", Decimal(50))
    await on_model(pilot, "opus-9")
    await pilot.press("e")
    await until(pilot, "What alpha/opus-9 costs")
    await pilot.press("enter")
    assert "monthly limit ($50.00" in await until(pilot, "Change what ")
    await pilot.press("n")
    await until(pilot, "What alpha/opus-9 costs")
    await pilot.press("enter")
    await until(pilot, "Change what ")
    await pilot.press("y")
    await told(pilot, "alpha/opus-9 priced")
    assert (await services.models.get("alpha/opus-9")).info.sources["price"] == "typed"


def test_the_form_says_what_of_the_list_ends() -> None:
    from catalog.types import Price, Rates, Tier
    from tui.screens.model_price import _ending

    one = Decimal(1)
    rates = Price(input=one, output=one)
    assert [_ending(None), _ending(rates)] == ["", ""]
    tiers = (Tier(over_input_tokens=9, input=one),)
    assert _ending(rates.model_copy(update={"tiers": tiers})) == "tiers"
    assert (
        _ending(rates.model_copy(update={"tiers": tiers, "batch": Rates(input=one)}))
        == "tiers and batch prices"
    )
    more = {"tiers": tiers, "batch": Rates(input=one), "reasoning": one}
    assert _ending(rates.model_copy(update=more)) == "tiers, batch prices and special rates"


async def test_a_slip_of_the_unit_stays_in_the_form(pilot: Pilot[int]) -> None:
    await on_model(pilot, "opus-9")
    await pilot.press("e")
    await until(pilot, "What alpha/opus-9 costs")
    await pilot.press("backspace", "backspace")
    await type_text(pilot, "0.000015")
    await pilot.press("enter")
    await until(pilot, "per 1M it is 15")


async def test_a_model_is_said_to_be_another_and_is_priced(pilot: Pilot[int]) -> None:
    await on_model(pilot, "日本語")
    await pilot.press("m")
    assert "Now: unknown." in await until(pilot, "what does it cost?")
    await pilot.press("1")
    await until(pilot, "is this one")
    await type_text(pilot, "openai/gpt-4o-mini")
    await pilot.press("enter")
    await told(pilot, "priced as openai/gpt-4o-mini")
    await until(pilot, "$0.15")
    await pilot.press("enter")
    assert "as openai/gpt-4o-mini" in await until(pilot, "Models ›")


async def test_the_marked_become_own_hardware_and_tokens_again(pilot: Pilot[int]) -> None:
    services = await opened(pilot)
    await on_model(pilot, "alpha")
    await pilot.press("asterisk")
    await until(pilot, "marked")
    await pilot.press("m")
    await until(pilot, "what does it cost?")
    await pilot.press("2")
    await until(pilot, "What does an hour of the hardware cost?")
    await type_text(pilot, "2.5")
    await pilot.press("enter")
    await told(pilot, "4 models: own hardware")
    assert all(view.own_cost for view in await services.models.list("alpha"))
    await pilot.press("m")
    await until(pilot, "what does it cost?")
    await pilot.press("5")
    await told(pilot, "as list and provider say")
    assert not any(view.own_cost for view in await services.models.list("alpha"))


async def test_a_price_typed_elsewhere_is_seen_in_the_table(pilot: Pilot[int]) -> None:
    from services.price_edits import TypedPrice, typed_edit

    services = await opened(pilot)
    await services.own_prices.save(["alpha/opus-9"], typed_edit(TypedPrice(Decimal("7.77"), Decimal(8))))
    await until(pilot, "$7.77")
    assert "7.77" in screen_text(pilot.app)  # type: ignore[arg-type]


SIZES = pytest.mark.parametrize(
    "size", [(60, 20), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}"
)


@SIZES
def test_picture_of_the_form(app: SwitchroomApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def press(pilot: Pilot[Any]) -> None:
        await ready(pilot)
        await on_model(pilot, "opus-9")
        await pilot.press("e")
        await until(pilot, "What alpha/opus-9 costs")
        await pilot.press("backspace", "9")
        await until(pilot, "→ $0.98")

    assert snap_compare(app, terminal_size=size, run_before=press)


@SIZES
def test_picture_of_the_ways(app: SwitchroomApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def press(pilot: Pilot[Any]) -> None:
        await ready(pilot)
        await on_model(pilot, "opus-9")
        await pilot.press("m")
        await until(pilot, "what does it cost?")

    assert snap_compare(app, terminal_size=size, run_before=press)
