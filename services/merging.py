"""How one stored model becomes what is shown: the live list, the vendor's facts and the user's file, by precedence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import urlsplit

from catalog.capabilities import NOTHING, Asked, read_asked, weights_of
from catalog.detect import is_loopback, is_private
from catalog.lookup import Facts
from catalog.merge import merge_model
from catalog.patterns import is_chat
from catalog.plaintext import one_line
from catalog.pricing import price_at
from catalog.types import ModelInfo, Price, Status

if TYPE_CHECKING:
    from catalog.lookup import Catalog
    from store.models import ModelRow
    from store.providers import ProviderRow

_UNSAID: dict[str, Any] = dict.fromkeys(
    (
        "default_max_tokens",
        "modalities_in",
        "modalities_out",
        "reasoning_levels",
        "reasoning_default",
        "knowledge_cutoff",
        "open_weights",
        "release_date",
        "family",
    )
)
"""The fields no list states; said aloud, because looking up defaults costs pydantic most of the time."""
_OF_THE_VENDOR = ("name", "status", "shutdown_date", "release_date")
"""What a mapped model does not take over: where it runs, it is called and retired by somebody else."""
_STATUSES = frozenset(get_args(Status))


def live_info(stored: ModelRow) -> ModelInfo:
    """What the wire said of a model."""
    status = stored.model_status if stored.model_status in _STATUSES else None
    return ModelInfo.model_construct(
        id=stored.id,
        name=stored.name,
        context_window=stored.context_window,
        max_output=stored.max_output,
        price=parse_price(stored.price_json),
        capabilities=stored.capabilities,
        status=status,
        shutdown_date=stored.shutdown_date,
        max_input=stored.max_input,
        sources={},
        **_UNSAID,
    )


def merged_info(catalog: Catalog, row: ProviderRow, model_id: str, stored: ModelRow | None) -> ModelInfo:
    """All that is known of a model on this provider, with the source of each field."""
    facts = catalog.model(row.catalog_id, model_id)
    if stored is not None and (is_one := stored.map_to or _said_base(row, stored)) is not None:
        base = base_facts(catalog, row, is_one)
        if base.best is not None:
            facts = Facts(facts.user, None, _as_base(is_one, base))
    live = live_info(stored) if stored is not None and stored.last_seen else None
    found = asked(stored)
    info = merge_model(
        model_id,
        typed=typed_info(stored) if stored is not None else None,
        user=facts.user,
        live=live,
        refreshed=facts.refreshed,
        bundled=facts.bundled,
        probed={n: a.can for n, a in found.items() if a.by == "probe" and not a.stale},
        said={n: a.can for n, a in found.items() if a.by == "user"},
    )
    if stored is not None and (later := typed_later(stored)) is not None:
        info = info.model_copy(update={"price": scheduled_over(info.price, later)})
    if info.price is not None and info.price.scheduled:
        info = info.model_copy(update={"price": price_now(info.price)})
    if stored is not None and not stored.available:
        sources = {**info.sources, "status": "live"}
        return info.model_copy(update={"status": "unavailable", "sources": sources})
    return info


def _said_base(row: ProviderRow, stored: ModelRow) -> str | None:
    """The model behind a deployment of Azure, where its list says so; what the user says goes before."""
    if row.dialect != "azure" or stored.details_json is None:
        return None
    try:
        behind = json.loads(stored.details_json).get("behind")
    except (ValueError, AttributeError, RecursionError):
        return None
    return f"azure/{behind}" if isinstance(behind, str) and behind else None


def typed_info(stored: ModelRow) -> ModelInfo | None:
    """What the user said of this very model and is in force; None: nothing."""
    price, facts = typed_now(stored), parse_facts(stored.typed_facts_json)
    return ModelInfo(id=stored.id, price=price, **facts) if price is not None or facts else None


def typed_now(stored: ModelRow) -> Price | None:
    """The typed price where one is in force, with later ones."""
    price = parse_price(stored.typed_price_json)
    return price if price is not None and price_now(price).known else None


def typed_later(stored: ModelRow) -> Price | None:
    """Typed prices of which none is in force yet: the list price holds until the first one's date; None: no such."""
    price = parse_price(stored.typed_price_json)
    return None if price is None or price_now(price).known else price


def scheduled_over(listed: Price | None, typed: Price) -> Price:
    """The list price with typed ones from their dates on; what was announced for after the first of them is void."""
    first = min((change.from_date for change in typed.scheduled), default="")
    base = listed or Price()
    announced = tuple(change for change in base.scheduled if change.from_date < first)
    return base.model_copy(update={"scheduled": (*announced, *typed.scheduled)})


def price_now(price: Price) -> Price:
    """The price in force on this UTC day."""
    return price_at(price, datetime.now(UTC).date())


_STAMPED_MS = 120_000
"""A server that says it made a model within this time of being asked stamps its answers: that says nothing."""


def asked(stored: ModelRow | None) -> Mapping[str, Asked]:
    """What asking the model showed and what the user says of it; answers of the weights of before are stale."""
    if stored is None or stored.probed_json is None:
        return NOTHING
    return read_asked(stored.probed_json, weights(stored))


def weights(stored: ModelRow) -> tuple[tuple[str, str], ...]:
    """What the server says of the weights now: another value under the same name is another model."""
    created = stored.created
    if created is not None and abs(created * 1000 - stored.last_seen) < _STAMPED_MS:
        created = None
    return weights_of(fingerprint=stored.fingerprint, created=created or None, owned_by=stored.owned_by)


def known(info: ModelInfo, stored: ModelRow | None) -> bool:
    """True when a sync or a catalog knows the model, and not only the pattern of its name."""
    return stored is not None or any(source != "pattern" for source in info.sources.values())


def can_chat(info: ModelInfo, stored: ModelRow | None) -> bool:
    """Whether a model answers in words: the wire, then the facts, then its name."""
    if stored is not None and stored.chat is not None:
        return stored.chat
    if info.modalities_out:
        return "text" in info.modalities_out and is_chat(info.id)
    return is_chat(info.id)


_ELSEWHERE = '"runs_at"'
"""The detail by which a server says that a model runs on another one."""


def own_cost(info: ModelInfo, row: ProviderRow, stored: ModelRow | None) -> bool:
    """Whether tokens have no price here: said so, or a server of one's own that nobody prices.

    What was said of the model itself (its way of paying, then a price that was typed in) goes before what was said
    of its provider.
    """
    mode = stored.cost_mode if stored is not None else None
    if mode is None and info.sources.get("price") == "typed":
        return False
    mode = mode or row.cost_mode
    if mode is not None:
        return mode in ("own", "flat")
    if stored is not None and stored.details_json and _ELSEWHERE in stored.details_json:
        return False  # an Ollama server passes it on to a cloud, which charges for it
    return is_own_server(row.endpoint) and (info.price is None or not price_now(info.price).known)


def live_counts(row: ProviderRow, stored: ModelRow) -> bool:
    """Whether a model's runs are charged what its live list says: no price is typed over it, and tokens cost."""
    return typed_now(stored) is None and (stored.cost_mode or row.cost_mode) not in ("own", "flat")


@lru_cache(maxsize=256)
def is_own_server(endpoint: str) -> bool:
    """True for this machine and for private networks."""
    host = urlsplit(endpoint).hostname or ""
    return is_loopback(host) or is_private(host)


MOST_TOKENS = 1_000_000_000


@lru_cache(maxsize=1024)
def parse_facts(text: str | None) -> Mapping[str, Any]:
    """Stored facts of a model, by field; what cannot be read is left out."""
    try:
        stored = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(stored, dict):
        return {}
    found = {name: stored.get(name) for name in ("context_window", "max_output")}
    counts = {n: v for n, v in found.items() if type(v) is int and 0 < v <= MOST_TOKENS}
    name = one_line(stored["name"], 120) if isinstance(stored.get("name"), str) else ""
    return {"name": name, **counts} if name else counts


def facts_json(facts: Mapping[str, str | int]) -> str | None:
    """Facts as they are stored; None where there are none."""
    return json.dumps(facts, sort_keys=True) if facts else None


@lru_cache(maxsize=4096)
def parse_price(text: str | None) -> Price | None:
    """A stored price; None where there is none or it cannot be read."""
    if text is None:
        return None
    try:
        return Price.model_validate_json(text)
    except ValueError:
        return None


def _as_base(name: str, base: Facts) -> ModelInfo:
    """What is known of a base model, each field with its source. Its name and its end are its own vendor's."""
    best = base.best
    assert best is not None
    info = merge_model(best.id, user=base.user, refreshed=base.refreshed, bundled=base.bundled)
    named = {
        field: "pattern" if source == "pattern" else f"map:{name}" for field, source in info.sources.items()
    }
    return info.model_copy(update={**dict.fromkeys(_OF_THE_VENDOR), "sources": named})


def base_facts(catalog: Catalog, row: ProviderRow, base: str) -> Facts:
    """The catalog model that a model is mapped to: `vendor/model`, or a model of the provider's own vendor."""
    vendor, slash, model_id = base.partition("/")
    if slash and catalog.spec(vendor) is not None:
        return catalog.model(vendor, model_id)
    return catalog.model(row.catalog_id, base)
