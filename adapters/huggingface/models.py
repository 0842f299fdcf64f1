"""The router's model list: each model, and each of its hosts as a model of its own, because only that has one price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from adapters.base import RemoteModel
from adapters.counts import count, money, plain
from adapters.openai.models import entries_of, read_entries
from catalog.plaintext import one_line
from catalog.types import Price

_TOO_DEAR = 10_000
"""USD per 1,000,000 tokens: more is a broken list."""


def router_models(body: object) -> list[RemoteModel]:
    """`id` and, for each live host, `id:host`. Raises ValueError where the body is no list.

    What a bare id costs depends on whom the router chooses: its price is stated only where all live hosts ask the
    same, its context is the smallest, and it can what all of them can.
    """
    models: dict[str, RemoteModel] = {}
    for entry in entries_of(body):
        found, _ = read_entries([entry])
        if not found:
            continue
        bare = found[0]
        hosts = _hosts(entry, bare)
        models.setdefault(bare.id, _together(bare, hosts))
        for host in hosts:
            models.setdefault(host.id, host)
    return list(models.values())


def _hosts(entry: object, bare: RemoteModel) -> list[RemoteModel]:
    stated = entry.get("providers") if isinstance(entry, dict) else None
    hosts = []
    for host in stated if isinstance(stated, list) else ():
        name = host.get("provider") if isinstance(host, dict) else None
        if isinstance(name, str) and name.strip() and host.get("status", "live") == "live":
            hosts.append(_host(host, one_line(name, 60), bare))
    return hosts


def _host(host: Mapping[object, object], name: str, bare: RemoteModel) -> RemoteModel:
    details: dict[str, str | int] = {**bare.details, "served_by": name}
    for field, shown in (("first_token_latency_ms", "first_token_ms"), ("throughput", "tokens_per_s")):
        value = host.get(field)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 10**9:
            details[shown] = round(value)
    return replace(
        bare,
        id=f"{bare.id}:{name}",
        context_window=count(host, "context_length") or None,
        price=_price(host.get("pricing")),
        capabilities=_abilities(bare, host),
        details=details,
    )


def _price(pricing: object) -> Price | None:
    """USD per 1,000,000 tokens; a list that states only one of both states no price."""
    if not isinstance(pricing, Mapping):
        return None
    rates = [_rate(pricing.get(name)) for name in ("input", "output")]
    if rates[0] is None or rates[1] is None:
        return None
    return Price(input=rates[0], output=rates[1])


def _rate(value: object) -> Decimal | None:
    rate = money(value)
    return None if rate is None or not 0 <= rate <= _TOO_DEAR else plain(rate)


def _abilities(bare: RemoteModel, host: Mapping[object, object]) -> tuple[str, ...] | None:
    """What the model sees and hears, and what the host says of tools and schemas."""
    said = {"tools": host.get("supports_tools"), "json": host.get("supports_structured_output")}
    stated = {name for name, flag in said.items() if isinstance(flag, bool)}
    if bare.capabilities is None and not stated:
        return None
    able = set(bare.capabilities or ()) - stated | {name for name in stated if said[name]}
    return tuple(sorted(able))


def _together(bare: RemoteModel, hosts: Sequence[RemoteModel]) -> RemoteModel:
    """The model without a host: what is true whoever answers."""
    if not hosts:
        return bare
    windows = [host.context_window for host in hosts]
    known = [set(host.capabilities) for host in hosts if host.capabilities is not None]
    prices = [host.price for host in hosts]
    return replace(
        bare,
        context_window=min((window for window in windows if window), default=bare.context_window),
        price=prices[0] if all(price == prices[0] for price in prices) else None,
        capabilities=tuple(sorted(set.intersection(*known)))
        if len(known) == len(hosts)
        else bare.capabilities,
        details={**bare.details, "hosts": len(hosts)},
    )
