"""The form in which a model's price is typed in, with what last month's mix would cost as one types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.widgets import Input, Static

from catalog.errors import SwitchroomError
from tui.formatting import cents, cut_middle, rate
from tui.modals.form import Field, Form

if TYPE_CHECKING:
    from datetime import date

    from catalog.types import Price, Rates
    from services.models import ModelView
    from services.own_prices import Change, Charges
    from services.price_edits import Edit
    from tui.app import SwitchroomApp

_NEW, _ALL = "new", "all"


class PriceForm(Form):
    """The form, and under it the line that follows what is typed."""

    def __init__(self, title: str, fields: Sequence[Field], detail: str, charges: Charges) -> None:
        super().__init__(title, fields, detail)
        self._charges = charges

    def compose_body(self) -> ComposeResult:
        yield from super().compose_body()
        yield Static("", markup=False, classes="next")

    def on_mount(self) -> None:
        self._reckon()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._reckon()

    def _reckon(self) -> None:
        values = {line.name or "": line.value for line in self.query(Input)}
        self.query_one(".next", Static).update(live_words(self._charges, values))


def live_words(charges: Charges, values: Mapping[str, str]) -> str:
    """What the prices as they stand in the form would make of the last month."""
    try:
        return told(charges.change(read_edit(values)))
    except SwitchroomError as error:
        return error.message
    except (InvalidOperation, ValueError):
        return "input and output make a price"


def told(change: Change) -> str:
    """`Last month's mix: $412 → $538 (estimate)` and what it leaves out."""
    words = change.backtest.sentence(cents)
    return "; ".join([f"{words[0].upper()}{words[1:]}", *change.backtest.notes()]) + "."


def read_edit(values: Mapping[str, str]) -> Edit:
    """The filled form as a change. SwitchroomError, InvalidOperation and ValueError: it is none."""
    from services.price_edits import TypedPrice, typed_edit

    read = {key: _amount(values[key]) for key in ("cache_read", "cache_write", "per_request")}
    day = values["from"].strip()
    return typed_edit(
        TypedPrice(_decimal(values["input"]), _decimal(values["output"]), **read, from_date=_day(day))
    )


def _decimal(text: str) -> Decimal:
    return Decimal(text.strip().removeprefix("$").strip())


def _amount(text: str) -> Decimal | None:
    return _decimal(text) if text.strip() else None


def _day(text: str) -> date | None:
    from datetime import date

    return date.fromisoformat(text) if text and text != "now" else None


def _price_problem(text: str) -> str | None:
    from services.price_edits import amount_problem

    try:
        return amount_problem(_decimal(text))
    except InvalidOperation:
        return "such as 2.50; 0 is free"


def _rest_problem(text: str) -> str | None:
    return _price_problem(text) if text.strip() else None


def _fee_problem(text: str) -> str | None:
    from services.price_edits import MOST_PER_REQUEST

    try:
        fee = _amount(text)
    except InvalidOperation:
        return "such as 0.005"
    good = fee is None or (fee.is_finite() and 0 <= fee <= MOST_PER_REQUEST)
    return None if good else f"from 0 to {MOST_PER_REQUEST:,} USD for one request"


def _day_problem(text: str) -> str | None:
    try:
        _day(text.strip())
    except ValueError:
        return "a day such as 2026-12-01, or empty for now"
    return None


def _fields(rates: Rates | None, fee: Decimal | None) -> list[Field]:
    def shown(name: str) -> str:
        amount: Decimal | None = getattr(rates, name) if rates is not None else None
        return "" if amount is None else f"{amount.normalize():f}"

    request = "" if fee is None else f"{fee.scaleb(-3).normalize():f}"
    return [
        Field("input", "input, $/1M", shown("input"), "2.50; 0 is free", _price_problem),
        Field("output", "output, $/1M", shown("output"), "10.00; 0 is free", _price_problem),
        Field("cache_read", "cached input", shown("cache_read"), "as input", _rest_problem),
        Field("cache_write", "written to cache", shown("cache_write"), "as input", _rest_problem),
        Field("per_request", "per request, $", request, "none", _fee_problem),
        Field("from", "from (UTC day)", "", "now; or a day such as 2026-12-01", _day_problem),
    ]


async def edit_price(app: SwitchroomApp, view: ModelView) -> None:
    """Type a price for a model, or take a typed one back; what is refused comes back with what was typed."""
    await price_form(app, view.ref)


async def price_form(app: SwitchroomApp, ref: str) -> bool:
    """The same by reference, for a model that nobody need know yet; True when something was kept."""
    try:
        charges = await app.services.own_prices.look(ref)
    except SwitchroomError as error:
        app.tell_error(error)
        return False
    if charges.typed is not None:
        chosen = await _choose(app, charges)
        if chosen is None:
            return False
        if chosen != _NEW:
            return await _take_back(app, charges, chosen)
    price = charges.view.info.price
    fields = _fields(price, price.per_1k_requests if price is not None else None)
    while True:
        form = PriceForm(f"What {cut_middle(ref, 48)} costs", fields, _detail(charges), charges)
        values = await app.push_screen_wait(form)
        if values is None:
            return False
        try:
            change = charges.change(read_edit(values))
            if await keep(app, charges, change, read_edit(values)):
                _tell(app, change)
                return True
        except SwitchroomError as error:
            app.tell_error(error)
        fields = [Field(f.key, f.label, values[f.key], f.hint, f.check) for f in fields]


def _detail(charges: Charges) -> str:
    words = "What you really pay, discounts taken off: it goes before every list."
    if charges.view.own_cost:
        words += " Now it has no price per token."
    elif charges.view.info.price is None:
        words += " Now its price is unknown."
    if ending := _ending(charges.view.info.price):
        words += f" The list's {ending} end with it."
    return words


def _ending(price: Price | None) -> str:
    """What a list price has and a typed one has not: `tiers and batch prices`."""
    if price is None:
        return ""
    found = [
        (price.tiers, "tiers"),
        (price.batch, "batch prices"),
        (price.off_peak, "off-peak hours"),
        (price.reasoning is not None or price.cache_write_1h is not None, "special rates"),
    ]
    words = [name for there, name in found if there]
    return " and ".join((", ".join(words[:-1]), words[-1]) if len(words) > 1 else words)


async def keep(app: SwitchroomApp, charges: Charges, change: Change, edit: Edit, *others: str) -> bool:
    """Make a change, after one question where money limits count the model; False: it is not wanted."""
    from tui.modals.confirm import Confirm

    if charges.limits:
        tightest = min(charges.limits, key=lambda limit: limit.remaining)
        more = f" and {len(charges.limits) - 1} more" if len(charges.limits) > 1 else ""
        since = f" from {change.day.isoformat()} on" if change.day is not None else ""
        detail = (
            f"The {tightest.label} ({cents(tightest.limit)}, {cents(max(Decimal(0), tightest.remaining))} left){more} "
            f"will count it so{since}. What is recorded stays as it was.\n{told(change)}"
        )
        which = cut_middle(change.ref, 36) + (f" and {len(others)} more" if others else "")
        if not await app.push_screen_wait(Confirm(f"Change what {which} costs?", detail, yes="change")):
            return False
    await app.services.own_prices.save([change.ref, *others], edit)
    return True


def _tell(app: SwitchroomApp, change: Change) -> None:
    when = f" from {change.day.isoformat()} on" if change.day is not None else ""
    app.tell(
        f"{cut_middle(change.ref, 40)} priced{when}. {told(change)}",
        hint="{e:models.price|model.price} changes it or takes it back",
    )


async def _choose(app: SwitchroomApp, charges: Charges) -> str | None:
    """What to do where prices were typed before: another one, or one of them back."""
    from tui.screens.provider_actions import choose

    typed = charges.typed
    assert typed is not None
    rows = [(_NEW, "Type another price")]
    if typed.known:
        rows.append((_ALL, f"Take back {_rates(typed)} and all that follow"))
    rows += [(c.from_date, f"Take back {_rates(c)} from {c.from_date}") for c in typed.scheduled]
    return await choose(app, f"{cut_middle(charges.view.ref, 48)} has a price of yours", rows)


def _rates(rates: Rates) -> str:
    return f"{rate(rates.input)} / {rate(rates.output)}"


async def _take_back(app: SwitchroomApp, charges: Charges, chosen: str) -> bool:
    from datetime import date

    from services.price_edits import clear_edit

    edit = clear_edit(None if chosen == _ALL else date.fromisoformat(chosen))
    try:
        change = charges.change(edit)
        if not await keep(app, charges, change, edit):
            return False
    except SwitchroomError as error:
        app.tell_error(error)
        return False
    which = "Your price" if chosen == _ALL else f"Your price from {chosen}"
    app.tell(
        f"{which} of {cut_middle(change.ref, 40)} is taken back. {told(change)}",
        hint="{e:models.price|model.price} types one",
    )
    return True
