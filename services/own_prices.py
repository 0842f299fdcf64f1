"""What the user says a model costs: a typed price from a date on, the model that it is, own hardware, or a flat rate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from catalog.errors import NotFoundError, UsageError
from catalog.money import from_nanos, usd_string
from catalog.plaintext import one_line
from catalog.types import Price
from services.backtest import Backtest, Mix, compared, mixes, summed, telling
from services.clock import now_ms
from services.feed import ModelsChanged
from services.merging import base_facts, parse_facts, parse_price, price_now
from services.model_lists import view_of
from services.models import split_ref
from services.price_edits import Edit
from services.tariff import tariff_of
from store.models import ModelRow, Models
from store.providers import Providers

if TYPE_CHECKING:
    from services.budgets import BudgetView
    from services.container import Services
    from services.model_lists import ModelView
    from store.providers import ProviderRow


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
