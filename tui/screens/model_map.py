"""The windows in which a model is said to be another one, own hardware, of a flat rate, or paid by tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from tui.formatting import UNKNOWN, count, cut_middle, rate, tokens
from tui.screens.model_price import keep, told
from tui.widgets.columns import Cell, Column

if TYPE_CHECKING:
    from catalog.types import ModelInfo
    from services.models import ModelView
    from services.own_prices import Charges
    from services.price_edits import CostMode, Edit
    from tui.app import SwitchroomApp

_WAYS = (
    ("base", "Is a model of the catalog: its price, its limits"),
    ("own", "Own hardware: no price per token"),
    ("flat", "Flat rate: no price per token"),
    ("metered", "Paid by tokens after all"),
    ("plain", "Take it back: as its list and provider say"),
)


@dataclass(frozen=True, slots=True)
class Base:
    """A model of the catalog that another one may be."""

    name: str
    """`vendor/model`."""
    info: ModelInfo


def _price(base: Base, side: str) -> Cell:
    amount: Decimal | None = getattr(base.info.price, side) if base.info.price is not None else None
    return (UNKNOWN, "dim") if amount is None else rate(amount)


_COLUMNS: tuple[Column[Base], ...] = (
    Column("model", "model", lambda base: base.name, width=24, max_width=60, flex=1, cut="middle"),
    Column("input", "$in/1M", lambda base: _price(base, "input"), width=8, align="right"),
    Column("output", "$out/1M", lambda base: _price(base, "output"), width=8, align="right"),
    Column("context", "context", lambda base: tokens(base.info.context_window), width=8, align="right", priority=1),
)  # fmt: skip


async def edit_charges(app: SwitchroomApp, views: Sequence[ModelView]) -> None:
    """Say for one model, or for all of these, which model it is or how it is paid."""
    from services.own_prices import change_together
    from tui.screens.provider_actions import choose

    if not views:
        return
    whom = cut_middle(views[0].ref, 48) if len(views) == 1 else count(len(views), "model")
    try:
        charges = await app.services.own_prices.look(views[0].ref)
        now = _now(views[0], charges.stored.map_to)
        title = f"{whom}: what does it cost?"
        if len(views) == 1:
            title = f"{cut_middle(views[0].info.id, 28)}: what does it cost? {now}"
        way = await choose(app, title, _WAYS)
        if way is None:
            return
        made = await _edit(app, views[0], way, whom)
        if made is None:
            return
        edit, words = made
        charged = await _looked(app, views)
        charges, change = charged[0], change_together(charged, edit)
        if not await keep(app, charges, change, edit, *(view.ref for view in views[1:])):
            return
    except SwitchroomError as error:
        app.tell_error(error)
        return
    said = f" {told(change)}"
    if way == "base" and change.after.info.sources.get("price") == "typed":
        said = " Its typed price stays in force: {e:models.price|model.price} takes it back."
    app.tell(f"{whom}: {words}.{said}", hint="{m:models.map|model.map} changes it")


async def _looked(app: SwitchroomApp, views: Sequence[ModelView]) -> list[Charges]:
    """How each is charged now; the first one knows every money limit that counts any of them."""
    charged = [await app.services.own_prices.look(view.ref) for view in views]
    limits = {limit.id: limit for one in charged for limit in one.limits}
    return [replace(charged[0], limits=tuple(limits.values())), *charged[1:]]


async def edit_charges_one(app: SwitchroomApp, view: ModelView) -> None:
    """The same for one."""
    await edit_charges(app, [view])


def _now(view: ModelView, map_to: str | None) -> str:
    if view.own_cost:
        return "Now: own or flat."
    if map_to is not None:
        return f"Now: as {cut_middle(map_to, 32)}."
    price = view.info.price
    return "Now: unknown." if price is None else f"Now: {rate(price.input)} / {rate(price.output)}."


async def _edit(app: SwitchroomApp, view: ModelView, way: str, whom: str) -> tuple[Edit, str] | None:
    """The chosen change and what it is in words; None: left."""
    from services.price_edits import cost_edit, map_edit, plain_edit

    match way:
        case "base":
            base = await _pick(app, view, whom)
            if base is None:
                return None
            name = await app.services.own_prices.base_of(view.ref, base.name)
            return map_edit(name), f"priced as {name}"
        case "own":
            from tui.modals.ask import Ask

            hour = await app.push_screen_wait(
                Ask("What does an hour of the hardware cost?", "USD; empty: it is not counted.", placeholder="not counted", check=_hour_problem)
            )  # fmt: skip
            if hour is None:
                return None
            return cost_edit("own", Decimal(hour.strip()) if hour.strip() else None), "own hardware"
        case "plain":
            return plain_edit(), "as list and provider say"
    mode: CostMode = "flat" if way == "flat" else "metered"
    return cost_edit(mode), "flat rate" if way == "flat" else "paid by tokens"


def _hour_problem(text: str) -> str | None:
    from decimal import InvalidOperation

    try:
        good = not text.strip() or 0 <= Decimal(text.strip()) <= 100_000
    except InvalidOperation:
        good = False
    return None if good else "An amount of USD from 0 up, such as 2.50, or empty."


async def _pick(app: SwitchroomApp, view: ModelView, whom: str) -> Base | None:
    """One of the catalog's models; those whose name is most like this one's first."""
    import asyncio

    from tui.modals.pick import Pick

    rows = await asyncio.to_thread(_bases, app, view.info.id)
    window: Pick[Base] = Pick(
        f"{whom} is …",
        _COLUMNS,
        rows,
        key=lambda base: base.name,
        search=lambda base: f"{base.name} {base.info.name or ''}",
        header=True,
        wide=True,
        choose_words="is this one",
    )
    return await app.push_screen_wait(window)


def _bases(app: SwitchroomApp, name: str) -> list[Base]:
    catalog = app.services.catalog
    vendors = [known for spec in catalog.specs() if (known := catalog.provider(spec.id)) is not None]
    found = [
        Base(f"{vendor.id}/{model.id}", model)
        for vendor in vendors
        for model in vendor.models
        if model.price is not None and model.price.known
    ]
    wanted = set(_words(name))

    def likeness(base: Base) -> tuple[int, bool, int]:
        its = base.name.partition("/")[2]
        return -len(wanted & set(_words(its))), base.info.status == "retired", abs(len(its) - len(name))

    return sorted(found, key=likeness)


def _words(name: str) -> list[str]:
    import re

    return re.findall(r"[a-z]+|\d+", name.casefold())
