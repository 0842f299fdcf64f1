"""What LiteLLM's `/model/info` says more: prices, limits, abilities, and which model stands behind a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from adapters.base import RemoteModel
from adapters.counts import money, plain
from adapters.entries import Entry, at, number, text
from catalog.types import Price

_FLAGS = {
    "tools": "supports_function_calling",
    "vision": "supports_vision",
    "reasoning": "supports_reasoning",
    "json": "supports_response_schema",
    "audio": "supports_audio_input",
}
_RATES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
}
_CHAT = frozenset({"chat", "completion", "responses"})
_MILLION = Decimal(1_000_000)


def read_litellm(answer: object, _models: Sequence[RemoteModel]) -> Mapping[str, RemoteModel]:
    """By name; of a name with several deployments only what they agree on."""
    entries = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not LiteLLM's list")  # noqa: TRY004  a wire is wrong, not a caller
    deployments: dict[str, list[Entry]] = {}
    for entry in entries:
        name = text(entry.get("model_name"), 512) if isinstance(entry, dict) else None
        if name:
            deployments.setdefault(name, []).append(entry)
    return {name: _model(name, several) for name, several in deployments.items()}


def _model(name: str, several: Sequence[Entry]) -> RemoteModel:
    infos = [info for entry in several if isinstance(info := entry.get("model_info"), dict)]
    behind = sorted({word for entry in several if (word := text(at(entry, "litellm_params.model")))})
    more: dict[str, str | int] = {}
    if behind:
        more["behind"] = ", ".join(behind[:5])
    if len(several) > 1:
        more["deployments"] = len(several)
    chats = {info["mode"] in _CHAT for info in infos if isinstance(info.get("mode"), str)}
    return RemoteModel(
        id=name,
        context_window=_least(infos, ("max_input_tokens", "max_tokens")),
        max_output=_least(infos, ("max_output_tokens",)),
        price=_price(infos),
        capabilities=_capabilities(infos),
        chat=chats.pop() if len(chats) == 1 else None,
        fingerprint=", ".join(behind) or None,
        details=more,
    )


def _least(infos: Sequence[Entry], names: tuple[str, ...]) -> int | None:
    """What every deployment can take."""
    return min((size for info in infos if (size := number(info, names))), default=None)


def _capabilities(infos: Sequence[Entry]) -> tuple[str, ...] | None:
    said = {name for name, flag in _FLAGS.items() if infos and all(info.get(flag) is True for info in infos)}
    stated = any(isinstance(info.get(flag), bool) for info in infos for flag in _FLAGS.values())
    return tuple(sorted(said)) if stated else None


def _price(infos: Sequence[Entry]) -> Price | None:
    """Nothing where deployments differ, or where both rates are 0: that is what LiteLLM says when it knows none."""
    found = [{name: money(info.get(field)) for name, field in _RATES.items()} for info in infos]
    if not found or any(rates != found[0] for rates in found):
        return None
    rates = {name: None if amount is None else plain(amount * _MILLION) for name, amount in found[0].items()}
    if rates["input"] is None or rates["output"] is None or rates["input"] == rates["output"] == 0:
        return None
    return Price(
        input=rates["input"],
        output=rates["output"],
        cache_read=rates["cache_read"],
        cache_write=rates["cache_write"],
    )
