"""What each vendor of the catalog offers, and whether it can be connected now: one view per vendor."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from catalog.plaintext import one_line

if TYPE_CHECKING:
    from catalog.types import ModelInfo, ProviderSpec
    from services.container import Services
    from services.discovery_views import Finding
    from store.providers import ProviderRow

_SIGN_INS = {"gcp-oauth": "Google Cloud", "bearer-or-sigv4": "AWS"}
"""How a vendor wants to be signed in to → whose sign-in that is."""
_GONE = frozenset({"retired", "unavailable", "unlisted"})
_ENDING = _GONE | {"deprecated"}
_NEWEST = 12
_MOST = Decimal("Infinity")
_DATED = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{4})$")

Span = tuple[Decimal, Decimal]
"""The lowest and the highest, USD per 1,000,000 tokens."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor as one chooses among them. Retired models are left out of every figure."""

    spec: ProviderSpec
    obstacle: str
    """Why it cannot be connected now, in words; empty: it can."""
    endpoint: str
    """Where calls would go, through the door that can be used."""
    chat: int = 0
    embeddings: int = 0
    tools: int = 0
    vision: int = 0
    reasoning: int = 0
    """Chat models that can do each."""
    context: int | None = None
    """The largest context of a chat model, in tokens. None: not known."""
    input: Span | None = None
    output: Span | None = None
    """Prices of the chat models. None: no price is known."""
    priced: int = 0
    """Chat models whose price is known."""
    cheapest: ModelInfo | None = None
    """The chat model whose prompt costs least. None: no price is known."""
    seeing: ModelInfo | None = None
    """The same of those that see pictures."""
    models: tuple[ModelInfo, ...] = ()
    """The vendor's default, its small one, then the newest chat models."""
    found: tuple[str, ...] = ()
    """Environment variables that hold a key or an address for it now; names only."""
    here: tuple[str, ...] = ()
    """The configured providers of this vendor."""
    works: bool = False
    """One of them can be talked to now, whatever would be in the way of another."""

    @property
    def later(self) -> str:
        """The obstacle, where nothing of the vendor works yet; empty: something does, or could."""
        return "" if self.works else self.obstacle

    @property
    def brief_obstacle(self) -> str:
        """The same in a few words."""
        return brief_obstacle(self.spec) if self.later else ""

    @property
    def cost(self) -> str:
        """`metered`, `own` (the user's own machine) or `unknown`."""
        return "own" if self.spec.local else "metered" if self.priced else "unknown"


def obstacle(spec: ProviderSpec) -> str:
    """Why a vendor cannot be connected now; empty where it can."""
    return f"sign-in with {_SIGN_INS[spec.auth]} is not built yet" if spec.auth in _SIGN_INS else ""


def not_yet(spec: ProviderSpec | None) -> str:
    """Why nobody here can talk to a configured vendor (None: an unknown one); empty where somebody can.

    AWS takes keys besides its sign-in.
    """
    return obstacle(spec) if spec is not None and spec.auth == "gcp-oauth" else ""


def check_connectable(spec: ProviderSpec | None) -> None:
    """Raise UsageError before anything is sent where nobody here could talk to the vendor."""
    if spec is None or not (why := not_yet(spec)):
        return
    raise UsageError(
        f"{one_line(spec.name)} cannot be connected yet: {why}.",
        hint="--no-test stores it for later; an OpenAI-compatible address of it can be given with --url and --type openai.",
    )


def brief_obstacle(spec: ProviderSpec) -> str:
    """The same in a few words."""
    return f"{_SIGN_INS[spec.auth].split()[0]} sign-in: later" if spec.auth in _SIGN_INS else ""


def found_variables(spec: ProviderSpec, found: Finding | None) -> tuple[str, ...]:
    """The variable with the vendor's key; of a local server also the one with its address."""
    if found is None:
        return ()
    return tuple(name for name in (found.key_name, found.address_name if spec.local else "") if name)


async def vendors(services: Services) -> list[Vendor]:
    """Every vendor of the catalog in its order; each is read in a turn of the loop of its own."""
    await asyncio.to_thread(_warm)
    here = await services.discovery.vendors()
    rows = await services.registry.rows()
    found = []
    for spec in services.catalog.specs():
        known = services.catalog.provider(spec.id)
        await asyncio.sleep(0)
        models = known.models if known else ()
        found.append(vendor_of(spec, models, rows, found_variables(spec, here.get(spec.id))))
        await asyncio.sleep(0)
    return found


def vendor_of(
    spec: ProviderSpec,
    models: Iterable[ModelInfo],
    rows: Sequence[ProviderRow] = (),
    found: tuple[str, ...] = (),
) -> Vendor:
    """One vendor from its models, the configured providers and the variables that are set."""
    from services.merging import can_chat

    live = [model for model in models if model.status not in _GONE]
    chat = [model for model in live if can_chat(model, None)]
    metered = [model for model in chat if model.price is not None and model.price.known]
    prices = [model.price for model in metered if model.price is not None]
    mine = [row for row in rows if row.catalog_id == spec.id]
    return Vendor(
        spec,
        obstacle(spec),
        spec.endpoint,
        chat=len(chat),
        embeddings=sum("embeddings" in (model.capabilities or ()) for model in live),
        tools=_able(chat, "tools"),
        vision=_able(chat, "vision"),
        reasoning=_able(chat, "reasoning"),
        context=max((model.context_window for model in chat if model.context_window), default=None),
        input=_span(price.input for price in prices),
        output=_span(price.output for price in prices),
        priced=len(prices),
        cheapest=_cheapest(metered),
        seeing=_cheapest(model for model in metered if "vision" in (model.capabilities or ())),
        models=_shown(spec, chat),
        found=found,
        here=tuple(row.slug for row in mine),
        works=bool(mine) and not not_yet(spec),
    )


def _warm() -> None:
    """Import and compile away from the loop what the catalog is read with."""
    from catalog import bundled, lookup  # noqa: F401  what the catalog is made of
    from catalog.patterns import guessed_capabilities
    from services import merging  # noqa: F401  what says which models chat

    guessed_capabilities("gpt-4")
    for name in bundled.provider_ids():
        bundled.spec(name)


def _able(models: Iterable[ModelInfo], what: str) -> int:
    return sum(what in (model.capabilities or ()) for model in models)


def _span(amounts: Iterable[Decimal | None]) -> Span | None:
    known = [amount for amount in amounts if amount is not None]
    return (min(known), max(known)) if known else None


def _cheapest(metered: Iterable[ModelInfo]) -> ModelInfo | None:
    """The least for a prompt, then for an answer; of equals one that stays."""

    def order(model: ModelInfo) -> tuple[Decimal, Decimal, bool, str]:
        price = model.price
        assert price is not None
        given, made = (_MOST if one is None else one for one in (price.input, price.output))
        return given, made, model.status in _ENDING, model.id

    return min(metered, key=order, default=None)


def _shown(spec: ProviderSpec, chat: Sequence[ModelInfo]) -> tuple[ModelInfo, ...]:
    """What one would look at first."""
    lasting = {model.id: model for model in chat if model.status not in _ENDING}
    lasting = {name: model for name, model in lasting.items() if _undated(name) not in lasting}
    newest = sorted(lasting.values(), key=lambda model: model.release_date or "", reverse=True)
    wanted = [lasting[name] for name in (spec.default_model, spec.small_model) if name in lasting]
    return tuple({model.id: model for model in (*wanted, *newest)}.values())[:_NEWEST]


def _undated(name: str) -> str:
    """The id that a dated one is a copy of; empty for one without a date."""
    found = _DATED.search(name)
    return name[: found.start()] if found else ""
