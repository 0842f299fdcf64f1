"""What the user says a model costs: a typed price from a date on, the model that it is, own hardware, or a flat rate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from catalog.errors import NotFoundError, UsageError
from catalog.money import EXACT, from_nanos, to_nanos, usd_string
from catalog.plaintext import one_line
from catalog.pricing import price_at
from catalog.types import Price, Scheduled
from services.backtest import Backtest, Mix, compared, mixes, summed, telling
from services.clock import now_ms
from services.feed import ModelsChanged
from services.merging import base_facts, parse_facts, parse_price, price_now
from services.model_lists import view_of
from services.models import split_ref
from services.tariff import tariff_of
from store.models import ModelRow, Models
from store.providers import Providers

if TYPE_CHECKING:
    from services.budgets import BudgetView
    from services.container import Services
    from services.model_lists import ModelView
    from store.providers import ProviderRow

MOST = Decimal(10_000)
"""USD per 1,000,000 tokens; more is a slip of the unit."""
LEAST = Decimal("0.0001")
"""The same: less, and not 0, is a price per token."""
MOST_PER_REQUEST = Decimal(1_000)
_PLACES = 9
_FINE = "at most nine decimals"
_MOST_DATES = 50
CostMode = Literal["own", "flat", "metered"]


@dataclass(frozen=True, slots=True)
class TypedPrice:
    """A whole price as the user types it: USD per 1,000,000 tokens; 0 is free."""

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    """None: cached input is billed as input."""
    cache_write: Decimal | None = None
    """None: written input is billed as input."""
    per_request: Decimal | None = None
    """USD for each request on top of the tokens; None: no such fee."""
    from_date: date | None = None
    """UTC day it comes into force; None, today and days that are past: at once."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of how a model is charged, to look at or to make."""

    action: str
    """As the audit log names it."""
    apply: Callable[[ModelRow], ModelRow]
    day: date | None = None
    """The UTC day from which it holds; None: at once."""


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit does."""

    ref: str
    before: ModelView
    after: ModelView
    row: ModelRow
    """The model's row as it will be."""
    day: date | None
    backtest: Backtest
    """By the mix that says most."""
    both: tuple[Backtest, Backtest]
    """Last month and the last 30 days."""


@dataclass(frozen=True, slots=True)
class Charges:
    """How a model is charged now, with all that is needed to say at once what an edit would do."""

    provider: ProviderRow
    stored: ModelRow
    """As in the store; a fresh one for a model that nobody knows yet."""
    view: ModelView
    found: tuple[Mix, Mix]
    limits: Sequence[BudgetView]
    """The money limits that count this model."""
    views: Callable[[ModelRow], ModelView]

    @property
    def typed(self) -> Price | None:
        """What was typed: today's price where one is in force, and later ones."""
        price = parse_price(self.stored.typed_price_json)
        return None if price is None else price_now(price)

    def change(self, edit: Edit) -> Change:
        """What the edit would do."""
        today = datetime.now(UTC).date()
        row = edit.apply(self.stored)
        after = self.views(row)
        old, new = tariff_of(self.view), tariff_of(after)
        both = [compared(mix, old, new, today, edit.day or today) for mix in self.found]
        chosen = both[self.found.index(telling(self.found))]
        return Change(self.view.ref, self.view, after, row, edit.day, chosen, (both[0], both[1]))


def change_together(charged: Sequence[Charges], edit: Edit) -> Change:
    """What an edit of several models would do: the first one's change, with what all of them would cost."""
    changes = [one.change(edit) for one in charged]
    both = (summed([one.both[0] for one in changes]), summed([one.both[1] for one in changes]))
    chosen = both[0] if telling((both[0].mix, both[1].mix)) is both[0].mix else both[1]
    return replace(changes[0], backtest=chosen, both=both)


class OwnPrices:
    """Says and keeps what models cost here."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = Models(services.db)
        self._providers = Providers(services.db)

    async def look(self, ref: str) -> Charges:
        """How a model is charged. The provider must exist; the model need not be known to anybody."""
        import asyncio

        slug, model_id = _split(ref)
        services = self._services
        provider = await services.registry.row(slug)
        stored, found, limits = await asyncio.gather(
            self._store.get(slug, model_id), mixes(services, ref), services.budgets.binding(slug)
        )
        row = stored or ModelRow(slug, model_id)

        def views(one: ModelRow) -> ModelView:
            return view_of(services.catalog, provider, model_id, one)

        view = view_of(services.catalog, provider, model_id, stored)
        return Charges(provider, row, view, found, limits, views)

    async def save(self, refs: Iterable[str], edit: Edit, reason: str | None = None) -> None:
        """Make the change for these models, all or none; the model is added where nobody knows it."""
        services, slugs = self._services, dict[str, None]()
        named = [(ref, *_split(ref)) for ref in dict.fromkeys(refs)]
        for _, slug, _ in named:
            await services.registry.row(slug)
        async with services.db.transaction(durable=True) as tx:
            for ref, slug, model_id in named:
                if await self._providers.get(slug, tx) is None:
                    raise NotFoundError(
                        f"{slug} was deleted meanwhile.", hint="Nothing was changed.", provider=slug
                    )
                await self._store.ensure(tx, slug, [model_id], now_ms())
                row = await self._store.get(slug, model_id, tx)
                assert row is not None
                new = edit.apply(row)
                if new == row:
                    continue
                await self._store.set_charges(tx, new)
                detail: dict[str, object] = {"before": _told(row), "after": _told(new)}
                if edit.day is not None:
                    detail["from"] = edit.day.isoformat()
                await services.audit.record(tx, edit.action, ref, detail=detail, reason=reason)
                slugs[slug] = None
        for slug in slugs:
            services.feed.publish(ModelsChanged(slug))

    async def base_of(self, ref: str, base: str) -> str:
        """A base model as `vendor/model` of the catalog. NotFoundError names the nearest."""
        slug, model_id = _split(ref)
        row, catalog = await self._services.registry.row(slug), self._services.catalog
        vendor, slash, name = base.strip().partition("/")
        if slash and catalog.spec(vendor) is None:
            others = {one.slug: one.catalog_id for one in await self._services.registry.rows()}
            if others.get(vendor) is not None:
                vendor = others[vendor] or ""
        full = f"{vendor}/{name}" if slash and catalog.spec(vendor) else f"{row.catalog_id}/{base.strip()}"
        if full == f"{row.catalog_id}/{model_id}":
            raise UsageError(
                f"{one_line(ref, 80)} is that model already.", hint="Name another one, or --clear."
            )
        if base_facts(catalog, row, full).best is None:
            hint = _nearest(self.bases(), base, row.catalog_id)
            raise NotFoundError(f"The catalog knows no model {one_line(base, 80)}.", hint=hint)
        return full

    def bases(self) -> list[str]:
        """Every model of the catalog as `vendor/model`: what a model can be mapped to."""
        catalog = self._services.catalog
        found = [(spec.id, catalog.provider(spec.id)) for spec in catalog.specs()]
        return [f"{vendor}/{model.id}" for vendor, known in found if known for model in known.models]


def typed_edit(typed: TypedPrice) -> Edit:
    """Type a price. UsageError: an amount or a date that cannot be meant."""
    _check(typed)
    today = datetime.now(UTC).date()
    day = typed.from_date if typed.from_date is not None and typed.from_date > today else None

    def apply(row: ModelRow) -> ModelRow:
        if day is not None and row.cost_mode in ("own", "flat"):
            raise UsageError(
                f"{row.provider}/{one_line(row.id, 80)} has no price per token: a later one would never count.",
                hint="Say first that it is paid by tokens: switchroom models map REF --metered, or m in Models.",
            )
        price = _with(parse_price(row.typed_price_json), typed, day, today)
        mode = row.cost_mode if day is not None else None  # what was said last holds
        return replace(row, typed_price_json=_json(price), cost_mode=mode)

    return Edit("model.price", apply, day)


def clear_edit(day: date | None = None) -> Edit:
    """Take back what was typed; `day`: only the price from that day on."""
    today = datetime.now(UTC).date()

    def apply(row: ModelRow) -> ModelRow:
        price = parse_price(row.typed_price_json)
        if price is None and day is None and row.typed_price_json is not None:
            return replace(row, typed_price_json=None)  # what is stored cannot be read
        price = None if price is None else price_at(price, today)
        if price is None or (
            day is not None and all(c.from_date != day.isoformat() for c in price.scheduled)
        ):
            when = f" from {day.isoformat()} on" if day is not None else ""
            raise NotFoundError(f"No price was typed for {row.provider}/{one_line(row.id, 80)}{when}.")
        if day is None:
            return replace(row, typed_price_json=None)
        later = tuple(change for change in price.scheduled if change.from_date != day.isoformat())
        left = price.model_copy(update={"scheduled": later})
        return replace(row, typed_price_json=_json(left) if left != Price() else None)

    return Edit("model.price", apply, day)


def map_edit(base: str | None) -> Edit:
    """Say which catalog model it is, `vendor/model` as `base_of` gives it; None: itself again."""

    def apply(row: ModelRow) -> ModelRow:
        mode = (
            row.cost_mode if base is None or row.cost_mode == "metered" else None
        )  # what was said last holds
        return replace(row, map_to=base, cost_mode=mode)

    return Edit("model.map", apply)


def plain_edit() -> Edit:
    """Take back what it is mapped to and how it is paid: as the catalog and its provider say."""
    return Edit("model.map", lambda row: replace(row, map_to=None, cost_mode=None, gpu_hour_nanos=None))


def cost_edit(mode: CostMode | None, gpu_hour: Decimal | None = None) -> Edit:
    """Say how it is paid: own hardware (USD per hour, if counted), flat rate, by tokens; None: as its provider."""
    if gpu_hour is not None and not 0 <= gpu_hour <= 100_000:
        raise UsageError("An hour of hardware costs from 0 to 100,000 USD.")
    if gpu_hour is not None and 0 < gpu_hour < Decimal("1e-9"):
        raise UsageError(
            "Less than a nano-dollar cannot be counted.", hint="Give 0, or at least 0.000000001."
        )
    hour = None if gpu_hour is None or mode != "own" else to_nanos(gpu_hour)
    return Edit("model.cost", lambda row: replace(row, cost_mode=mode, gpu_hour_nanos=hour))


def amount_problem(amount: Decimal) -> str | None:
    """What is wrong with a price per 1,000,000 tokens, in words; None when it can be meant."""
    if not amount.is_finite() or amount < 0:
        return "an amount from 0 up; 0 is free"
    if amount > MOST:
        shown = f"${amount:,f}" if amount.adjusted() < 15 else "That"
        return f"{shown} per 1M tokens is more than {MOST:,}: prices are per 1M tokens"
    if amount and amount.adjusted() < -_PLACES - 6:
        return _FINE  # not even per token; written out it could fill the screen
    if 0 < amount < LEAST:
        return f"a price per token? per 1M it is {amount.scaleb(6).normalize():f}"
    return _too_fine(amount)


def _too_fine(amount: Decimal) -> str | None:
    exponent = amount.normalize(EXACT).as_tuple().exponent
    return _FINE if isinstance(exponent, int) and -exponent > _PLACES else None


def _check(typed: TypedPrice) -> None:
    for name in ("input", "output", "cache_read", "cache_write"):
        amount: Decimal | None = getattr(typed, name)
        if amount is not None and (problem := amount_problem(amount)) is not None:
            raise UsageError(
                f"The price for {name.replace('_', ' ')}: {problem}.",
                hint="Write 2.5 for $2.50 per 1M tokens.",
            )
    fee = typed.per_request
    if fee is not None and (not fee.is_finite() or not 0 <= fee <= MOST_PER_REQUEST or _too_fine(fee)):
        raise UsageError(
            f"The fee per request is an amount from 0 to {MOST_PER_REQUEST:,}, of at most nine decimals."
        )
    if typed.from_date is not None and typed.from_date.year > datetime.now(UTC).year + 10:
        raise UsageError("That day is more than ten years ahead.")


def _with(stored: Price | None, typed: TypedPrice, day: date | None, today: date) -> Price:
    """What was typed before, with one more price; its past is folded into today's."""
    now = price_at(stored, today) if stored is not None else Price()
    fee = None if typed.per_request is None else EXACT.scaleb(typed.per_request, Decimal(3))
    rates = {name: getattr(typed, name) for name in ("input", "output", "cache_read", "cache_write")}
    if day is None:
        return Price(**rates, per_1k_requests=fee, scheduled=now.scheduled)
    change = Scheduled(from_date=day.isoformat(), whole=True, **rates, per_1k_requests=fee)
    others = [other for other in now.scheduled if other.from_date != change.from_date]
    if len(others) >= _MOST_DATES:
        raise UsageError(f"A model has at most {_MOST_DATES} dated prices.", hint="Take some back first.")
    later = tuple(sorted((*others, change), key=lambda one: one.from_date))
    return now.model_copy(update={"scheduled": later})


def _json(price: Price) -> str:
    return price.model_dump_json(exclude_none=True, exclude_defaults=True)


def _told(row: ModelRow) -> dict[str, object]:
    """How a model is charged, for the audit log."""
    hour = None if row.gpu_hour_nanos is None else usd_string(from_nanos(row.gpu_hour_nanos))
    price = parse_price(row.typed_price_json)
    told: dict[str, object] = {
        "price": None
        if price is None
        else price.model_dump(mode="json", exclude_none=True, exclude_defaults=True),
        "map_to": row.map_to,
        "cost": row.cost_mode,
        "gpu_hour_usd": hour,
        **parse_facts(row.typed_facts_json),
    }
    return {name: value for name, value in told.items() if value is not None}


def _split(ref: str) -> tuple[str, str]:
    """A reference whose model may be typed in for the first time: no control characters, no endless names."""
    slug, model_id = split_ref(ref)
    if not model_id.isprintable() or model_id != model_id.strip() or len(model_id) > 300:
        raise UsageError(
            f"{one_line(ref, 80)} is no name of a model.", hint="Printable, at most 300 characters."
        )
    return slug, model_id


def _nearest(known: Sequence[str], wanted: str, vendor: str | None) -> str:
    import difflib

    name = wanted.strip().casefold().rpartition("/")[2]
    same = [base for base in known if base.casefold().partition("/")[2] == name]
    mine = [base for base in known if vendor is not None and base.startswith(f"{vendor}/")]
    close = same or difflib.get_close_matches(f"{vendor}/{name}", mine, n=3, cutoff=0.6)
    close = close or difflib.get_close_matches(wanted.strip(), known, n=3, cutoff=0.6)
    if not close:
        return "switchroom catalog list shows the vendors; a base is written vendor/model."
    return f"Did you mean {' or '.join(close[:3])}?"
